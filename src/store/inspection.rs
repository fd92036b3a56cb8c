//! What a status report says of an entry beyond its credential: the value to mask, the
//! reference by name, and the expiry as it is written.
//!
//! Invariant: nothing here resolves a reference or decides whether an entry is usable.

use crate::profile::Kind;
use crate::profile::secret_ref::ReferenceName;
use crate::secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// An entry, looked at for a report.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The provider as the entry spells it.
    pub provider: String,
    /// The credential kind.
    pub kind: Kind,
    /// The key or token, when the entry holds one in clear.
    pub value: Option<Secret>,
    /// The secret reference in its place.
    pub reference: Option<ReferenceName>,
    /// The expiry as it is written: `None` when the entry has none.
    pub expires: Option<Value>,
    /// The e-mail.
    pub email: Option<String>,
    /// The account id.
    pub account_id: Option<String>,
    /// The name that a user gave it.
    pub display_name: Option<String>,
    /// Whether an access token is there.
    pub has_access: bool,
    /// The fields of an OAuth grant that hold a secret reference, which OAuth does not
    /// support.
    pub oauth_references: Vec<&'static str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default, rename = "type", deserialize_with = "present")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    mode: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    provider: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    access: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    refresh: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    expires: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    token: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    token_ref: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    api_key: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    key_ref: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    email: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    account_id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    display_name: Option<&'a RawValue>,
}

/// A field that is there, `null` included.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(d: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

/// The trimmed text of a field, unless it is blank.
fn text(field: Option<&RawValue>) -> Option<String> {
    let field = field.filter(|field| field.get().starts_with('"'))?;
    let text: String = serde_json::from_str(field.get()).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn reference(field: Option<&RawValue>) -> Option<ReferenceName> {
    let field = field.filter(|field| field.get().starts_with(['{', '"']))?;
    ReferenceName::of(&serde_json::from_str(field.get()).ok()?)
}

/// Looks at an entry; `None` when it is no credential.
pub(super) fn inspect(entry: &str) -> Option<Inspection> {
    let wire: Wire<'_> = serde_json::from_str(entry).ok()?;
    let name = text(wire.kind).or_else(|| text(wire.mode))?;
    let kind = Kind::from_name(&name)?;
    let (value, named) = match kind {
        Kind::ApiKey => (wire.key.or(wire.api_key), wire.key_ref),
        Kind::Token => (wire.token, wire.token_ref),
        Kind::OAuth => (None, None),
    };
    let in_place = reference(value);
    let value = match in_place {
        None => text(value).map(Secret::new),
        Some(_) => None,
    };
    let oauth_fields = [
        ("access", wire.access),
        ("refresh", wire.refresh),
        ("token", wire.token),
        ("tokenRef", wire.token_ref),
        ("key", wire.key),
        ("keyRef", wire.key_ref),
    ];
    let is_unsupported = |(name, field): (&'static str, Option<&RawValue>)| {
        (kind == Kind::OAuth && reference(field).is_some()).then_some(name)
    };
    Some(Inspection {
        provider: text(wire.provider)?,
        kind,
        value,
        reference: in_place.or_else(|| reference(named)),
        expires: wire.expires.and_then(|expires| serde_json::from_str(expires.get()).ok()),
        email: text(wire.email),
        account_id: text(wire.account_id),
        display_name: text(wire.display_name),
        has_access: text(wire.access).is_some(),
        oauth_references: oauth_fields.into_iter().filter_map(is_unsupported).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(entry: &Value) -> Option<Inspection> {
        inspect(&entry.to_string())
    }

    #[test]
    fn a_reference_is_named_wherever_it_stands() {
        use serde_json::json;
        let reference = json!({"source": "file", "provider": "f", "id": "/a/b"});
        for entry in [
            json!({"type": "api_key", "provider": "p", "key": reference}),
            json!({"mode": "api_key", "provider": "p", "apiKey": reference}),
            json!({"type": "api_key", "provider": "p", "keyRef": reference}),
            json!({"type": "token", "provider": "p", "token": reference}),
            json!({"type": "token", "provider": "p", "tokenRef": reference}),
        ] {
            let found = inspected(&entry).unwrap();
            assert_eq!(found.reference.unwrap().to_string(), "ref(file:/a/b)", "{entry}");
            assert!(found.value.is_none());
        }
        let variable = json!({"type": "api_key", "provider": "p", "key": "${A_KEY}"});
        assert_eq!(inspected(&variable).unwrap().reference.unwrap().to_string(), "ref(env:A_KEY)");
        let odd = json!({"type": "api_key", "provider": "p", "keyRef": {"bogus": 1}});
        assert_eq!(inspected(&odd).unwrap().reference.unwrap().to_string(), "ref(invalid)");
    }

    #[test]
    fn an_expiry_is_kept_as_it_is_written() {
        use serde_json::json;
        for expires in [json!(5), json!("soon"), json!(1.5), Value::Null] {
            let entry = json!({"type": "oauth", "provider": "p", "expires": expires});
            assert_eq!(inspected(&entry).unwrap().expires, Some(expires));
        }
        assert_eq!(inspected(&json!({"type": "oauth", "provider": "p"})).unwrap().expires, None);
    }

    #[test]
    fn references_in_a_grant_are_told() {
        use serde_json::json;
        let entry = json!({"type": "oauth", "provider": "p", "access": {"source": "env", "id": "X"},
            "keyRef": {"source": "env", "id": "X"}, "refresh": "fake"});
        assert_eq!(inspected(&entry).unwrap().oauth_references, ["access", "keyRef"]);
        assert!(inspected(&json!({"type": "weird", "provider": "p"})).is_none());
        assert!(inspected(&json!("text")).is_none());
    }
}
