//! The entries of `usageStats`: how one profile fared.
//!
//! Fields are read one by one, so that one odd value hides no other, and only those that
//! change are written.

use super::StateDocument;
use crate::profile::{Millis, UsageStats};
use crate::store::json_text::{RawObject, raw};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UsageWire {
    last_used: Value,
    error_count: Value,
    failure_counts: Value,
    last_failure_at: Value,
    cooldown_until: Value,
    cooldown_reason: Value,
    cooldown_model: Value,
    disabled_until: Value,
    disabled_reason: Value,
}

/// The granted lifetime that the user was told of, in milliseconds.
const TOLD_LIFETIME: &str = "toldLifetime";

impl StateDocument {
    /// Whether the user was told that the server grants this profile tokens of `lifetime`
    /// milliseconds, or nearly so.
    pub fn is_lifetime_reported(&self, profile_id: &str, lifetime: Millis) -> bool {
        let Some(entry) = self.entry(profile_id) else { return false };
        let entry: RawObject = serde_json::from_str(entry).unwrap_or_default();
        let told = entry.get(TOLD_LIFETIME).and_then(|told| told.get().parse::<Millis>().ok());
        told.is_some_and(|told| told.abs_diff(lifetime) <= lifetime.unsigned_abs() / 10)
    }

    /// Remembers that the user was told so; whether that is a change.
    pub fn set_lifetime_reported(&mut self, profile_id: &str, lifetime: Millis) -> bool {
        if self.is_lifetime_reported(profile_id, lifetime) {
            return false;
        }
        self.change_entry(profile_id, |entry| insert(entry, TOLD_LIFETIME, &lifetime));
        true
    }

    /// What is remembered about the use of a profile.
    pub fn usage(&self, profile_id: &str) -> UsageStats {
        self.entry(profile_id).map(usage).unwrap_or_default()
    }

    /// As [`Self::usage`], where what is said here goes before what `others` says of it.
    pub fn usage_before(&self, others: &Self, profile_id: &str) -> UsageStats {
        let own = self.usage(profile_id);
        if own == UsageStats::default() { others.usage(profile_id) } else { own }
    }

    /// What is remembered about the use of every profile, in document order.
    pub fn usages(&self) -> impl Iterator<Item = (&str, UsageStats)> {
        self.entries().map(|(id, entry)| (id, usage(entry)))
    }

    /// Changes what is remembered about the use of a profile; whether that is a change.
    pub fn change_usage(&mut self, profile_id: &str, change: impl FnOnce(&mut UsageStats)) -> bool {
        let before = self.usage(profile_id);
        let mut after = before.clone();
        change(&mut after);
        if before == after {
            return false;
        }
        self.change_entry(profile_id, |entry| apply(entry, &before, &after));
        true
    }

    /// Ends the cooldown of a profile; whether there was anything to forget.
    pub fn clear_cooldown(&mut self, profile_id: &str) -> bool {
        let usage = self.usage(profile_id);
        let has_failed = usage.error_count.is_some_and(|count| count > 0)
            || usage.failure_counts.is_some()
            || usage.cooldown_until.is_some()
            || usage.disabled_until.is_some();
        has_failed && self.change_usage(profile_id, UsageStats::clear)
    }
}

/// What an entry says.
fn usage(entry: &str) -> UsageStats {
    let Ok(wire) = serde_json::from_str::<UsageWire>(entry) else {
        return UsageStats::default();
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    UsageStats {
        last_used: time(&wire.last_used),
        error_count: count(&wire.error_count),
        failure_counts: wire.failure_counts.as_object().map(|counts| {
            counts.iter().filter_map(|(name, n)| Some((name.clone(), count(n)?))).collect()
        }),
        last_failure_at: time(&wire.last_failure_at),
        cooldown_until: time(&wire.cooldown_until),
        cooldown_reason: text(&wire.cooldown_reason),
        cooldown_model: text(&wire.cooldown_model),
        disabled_until: time(&wire.disabled_until),
        disabled_reason: text(&wire.disabled_reason),
    }
}

/// A time; a window that ends within a millisecond ends with it.
#[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
fn time(value: &Value) -> Option<Millis> {
    value.as_i64().or_else(|| value.as_f64().map(|number| number.ceil() as Millis))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().map(|number| number as u64))
}

/// Brings `entry` from what it says, `before`, to `after`.
fn apply(entry: &mut RawObject, before: &UsageStats, after: &UsageStats) {
    for ((field, before), (_, after)) in fields(before).into_iter().zip(fields(after)) {
        if after.is_null() && !before.is_null() {
            entry.shift_remove(field);
        } else if after != before {
            insert(entry, field, &after);
        }
    }
}

/// The fields in the order in which OpenClaw writes them; `null` where there is none.
fn fields(usage: &UsageStats) -> [(&'static str, Value); 9] {
    let counts = usage.failure_counts.as_ref().filter(|counts| !counts.is_empty());
    [
        ("errorCount", json!(usage.error_count)),
        ("failureCounts", json!(counts)),
        ("lastFailureAt", json!(usage.last_failure_at)),
        ("cooldownUntil", json!(usage.cooldown_until)),
        ("cooldownReason", json!(usage.cooldown_reason)),
        ("cooldownModel", json!(usage.cooldown_model)),
        ("disabledUntil", json!(usage.disabled_until)),
        ("disabledReason", json!(usage.disabled_reason)),
        ("lastUsed", json!(usage.last_used)),
    ]
}

/// Sets a field of an entry.
pub(super) fn insert<T: Serialize>(entry: &mut RawObject, field: &str, value: &T) {
    if let Ok(value) = raw(value) {
        entry.insert(field.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_told_once_and_again_when_it_is_another() {
        let text = r#"{"usageStats":{"p:1":{"odd":1.50,"toldLifetime":"x"}}}"#;
        let mut state = StateDocument::parse(text).unwrap();
        assert!(
            state.set_lifetime_reported("p:1", 300_000)
                && !state.set_lifetime_reported("p:1", 299_000)
        );
        assert!(
            state.set_lifetime_reported("p:1", 3_600_000) && state.set_lifetime_reported("p:2", 0)
        );
        assert!(!state.set_lifetime_reported("p:2", 0), "nothing is a lifetime, too");
        assert!(state.to_text().unwrap().contains("\"odd\": 1.50"));
    }

    #[test]
    fn one_odd_value_hides_no_other() {
        let entry = r#"{"lastUsed":"x","cooldownUntil":9.2,"disabledUntil":-1,"errorCount":null,
            "failureCounts":{"auth":2,"odd":"x"},"cooldownReason":5}"#;
        let usage = usage(entry);
        assert_eq!((usage.last_used, usage.cooldown_until), (None, Some(10)));
        assert_eq!((usage.disabled_until, usage.error_count), (Some(-1), None));
        assert_eq!(usage.failure_counts.unwrap().len(), 1);
    }

    #[test]
    fn only_what_changes_is_written() {
        let text = r#"{"odd":1.50,"lastUsed":5.0,"cooldownUntil":9,"errorCount":2}"#;
        let mut entry: RawObject = serde_json::from_str(text).unwrap();
        let before = usage(text);
        let mut after = before.clone();
        after.cooldown_until = None;
        after.error_count = Some(0);
        after.cooldown_reason = Some("auth".into());
        apply(&mut entry, &before, &after);
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            r#"{"odd":1.50,"lastUsed":5.0,"errorCount":0,"cooldownReason":"auth"}"#
        );
    }
}
