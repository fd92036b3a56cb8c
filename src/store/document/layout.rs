//! The members of the two documents by name, and what they must not hold twice.

use crate::store::json_text::{RawObject, UniqueObject, repeats};
use serde_json::value::RawValue;

/// The member of the profiles document that holds the entries.
pub(super) const PROFILES: &str = "profiles";
pub(super) const ORDER: &str = "order";
pub(super) const LAST_GOOD: &str = "lastGood";
pub(super) const USAGE_STATS: &str = "usageStats";

/// The members that the old layout keeps inside the profiles document.
pub(in crate::store) const OLD_LAYOUT: [&str; 3] = [ORDER, LAST_GOOD, USAGE_STATS];

/// A raw value of ours that is valid JSON by inspection.
pub(super) fn literal(json: &'static str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_default()
}

/// Whether a member is an object that we rewrite, and has a key twice.
pub(super) fn has_repetition(member: &str, value: &RawValue) -> bool {
    unique_object(member, value).is_some_and(|object| object.is_err())
}

/// A member that is an object and that we rewrite; the error says that it has a key twice.
pub(super) fn unique_object(
    member: &str,
    value: &RawValue,
) -> Option<serde_json::Result<RawObject>> {
    let is_ours = OLD_LAYOUT.contains(&member) && value.get().starts_with('{');
    let object = is_ours.then(|| serde_json::from_str::<UniqueObject>(value.get()))?;
    let custom = |_| serde::de::Error::custom(repeats(member));
    Some(object.map(|object| object.0).map_err(custom))
}
