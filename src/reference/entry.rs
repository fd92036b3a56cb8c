//! References inside the entries of a credential document: which value an API key or a
//! token has, and where a reference must not be.

use crate::profile::Kind;
use crate::profile::secret_ref::{Defaults, SecretRef, is_text};
use serde_json::Value;

/// Where an entry keeps its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// In the entry itself, or nowhere.
    Here,
    /// Behind this reference.
    Behind(SecretRef),
    /// In a field that holds an object which is no reference.
    Unreadable(&'static str),
}

/// A reference that OpenClaw refuses: an OAuth profile renews its tokens, so they have to
/// stand in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The field that holds it.
    pub field: &'static str,
    /// Whether the profile is OAuth by the mode that the configuration gives it.
    pub by_mode: bool,
}

/// The fields of a value and of its reference, by kind.
const fn fields(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::ApiKey => Some(("key", "keyRef")),
        Kind::Token => Some(("token", "tokenRef")),
        Kind::OAuth => None,
    }
}

/// Where the value of an entry of this kind stands. A text in the field of the value goes
/// before the reference beside it.
pub fn stored(entry: &Value, kind: Kind, defaults: &Defaults) -> Stored {
    let Some((field, reference_field)) = fields(kind) else { return Stored::Here };
    let value = match &entry[field] {
        Value::Null if kind == Kind::ApiKey => &entry["apiKey"],
        value => value,
    };
    if let Value::String(text) = value
        && is_text(value)
    {
        return SecretRef::of_text(text, defaults).map_or(Stored::Here, Stored::Behind);
    }
    let reference = &entry[reference_field];
    let found = SecretRef::of(reference, defaults).or_else(|| SecretRef::of(value, defaults));
    match found {
        Some(found) => Stored::Behind(found),
        None if value.is_object() => Stored::Unreadable(field),
        None if !reference.is_null() => Stored::Unreadable(reference_field),
        None => Stored::Here,
    }
}

/// The references of an entry that must not be there. `entry` is its text; `mode` is what
/// the configuration says of the profile.
pub fn misplaced(
    entry: &str,
    kind: Kind,
    mode: Option<Kind>,
    defaults: &Defaults,
) -> Vec<Misplaced> {
    let by_mode = kind != Kind::OAuth;
    // With one brace and no escape there is neither an object within nor a `${…}`.
    let is_plain = entry.matches('{').nth(1).is_none() && !entry.contains('\\');
    if is_plain || (by_mode && mode != Some(Kind::OAuth)) {
        return Vec::new();
    }
    let Ok(entry) = serde_json::from_str::<Value>(entry) else { return Vec::new() };
    let fields: &[&'static str] = match kind {
        Kind::OAuth => &["access", "refresh", "token", "tokenRef", "key", "keyRef"],
        Kind::ApiKey => &["key", "keyRef"],
        Kind::Token => &["token", "tokenRef"],
    };
    let is_reference = |field: &&&'static str| SecretRef::of(&entry[**field], defaults).is_some();
    fields.iter().filter(is_reference).map(|field| Misplaced { field, by_mode }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(entry: &Value, kind: Kind) -> String {
        match stored(entry, kind, &Defaults::default()) {
            Stored::Here => "here".to_owned(),
            Stored::Behind(reference) => reference.to_string(),
            Stored::Unreadable(field) => format!("unreadable {field}"),
        }
    }

    #[test]
    fn a_text_goes_before_the_reference_beside_it() {
        let reference = json!({"source": "env", "provider": "default", "id": "K"});
        for (entry, expected) in [
            (json!({"key": "plain", "keyRef": reference}), "here"),
            (json!({"key": " ", "keyRef": reference}), "env:default:K"),
            (json!({"key": "${A}", "keyRef": reference}), "env:default:A"),
            (json!({"keyRef": reference}), "env:default:K"),
            (json!({"key": {"source": "file", "id": "/a"}}), "file:default:/a"),
            (json!({"apiKey": "${A}"}), "env:default:A"),
            (json!({"key": {"sauce": "env"}}), "unreadable key"),
            (json!({"keyRef": {"source": "env"}}), "unreadable keyRef"),
            (json!({}), "here"),
        ] {
            assert_eq!(of(&entry, Kind::ApiKey), expected, "{entry}");
        }
        assert_eq!(of(&json!({"tokenRef": reference}), Kind::Token), "env:default:K");
        assert_eq!(of(&json!({"keyRef": reference}), Kind::Token), "here");
    }

    #[test]
    fn an_oauth_profile_has_no_references() {
        let find = |entry: &Value, kind, mode| -> Vec<&'static str> {
            misplaced(&entry.to_string(), kind, mode, &Defaults::default())
                .iter()
                .map(|misplaced| misplaced.field)
                .collect()
        };
        let reference = json!({"source": "env", "id": "K"});
        let entry = json!({"access": reference, "refresh": "${R}", "tokenRef": reference, "x": {}});
        assert_eq!(find(&entry, Kind::OAuth, None), ["access", "refresh", "tokenRef"]);
        assert!(find(&json!({"access": "a", "x": {}}), Kind::OAuth, None).is_empty());
        let key = json!({"keyRef": reference});
        assert!(find(&key, Kind::ApiKey, None).is_empty());
        assert!(find(&key, Kind::ApiKey, Some(Kind::ApiKey)).is_empty());
        assert_eq!(find(&key, Kind::ApiKey, Some(Kind::OAuth)), ["keyRef"]);
        assert_eq!(
            misplaced("{\"access\":\"\\u0024{A}\"}", Kind::OAuth, None, &Defaults::default()).len(),
            1,
            "an escape hides nothing"
        );
    }
}
