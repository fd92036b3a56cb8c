//! What a report says of an entry: the value to mask, the reference by name, the expiry as
//! it is written, and what is there to judge it by.
//!
//! Invariant: nothing here resolves a reference or decides whether an entry is usable. Each
//! entry is read once, and of a grant, which has long tokens, no secret is copied.

use super::field::{FENCE, Field};
use crate::profile::secret_ref::{ReferenceName, variable};
use crate::profile::{Facts, Identity, Kind};
use crate::secret::Secret;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// An entry, looked at for a report.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The provider as the entry spells it.
    pub provider: String,
    /// What is there of the credential.
    pub facts: Facts,
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
    /// Whether a text stands where the access token is.
    pub has_access: bool,
    /// The fields of an OAuth grant that hold a secret reference, which OAuth does not
    /// support.
    pub oauth_references: Vec<&'static str>,
}

impl Inspection {
    /// Who it belongs to, as far as it says.
    pub fn identity(&self) -> Identity {
        let (email, account_id) = (self.email.clone(), self.account_id.clone());
        Identity { email, account_id, subject: None }
    }
}

/// What stands in a field.
#[derive(Clone, Default)]
enum Held<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Object(Box<Value>),
    Other,
}

impl Held<'_> {
    /// The trimmed text of the field, unless it is blank.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// Whether a token or key is here, and no marker of somebody's refresh.
    fn is_secret(&self) -> bool {
        self.text().is_some_and(|text| !text.starts_with(FENCE))
    }

    fn is_reference(&self) -> bool {
        match self {
            Self::Text(text) => variable(text).is_some(),
            Self::Object(_) => true,
            _ => false,
        }
    }

    fn reference(&self) -> Option<ReferenceName> {
        match self {
            Self::Text(text) => ReferenceName::of_text(text),
            Self::Object(object) => ReferenceName::of(object),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "an entry is valid only when these fields are")]
struct Wire<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Held<'a>,
    #[serde(borrow, default)]
    mode: Held<'a>,
    #[serde(borrow, default)]
    provider: Held<'a>,
    #[serde(borrow, default)]
    access: Held<'a>,
    #[serde(borrow, default)]
    refresh: Held<'a>,
    #[serde(borrow, default)]
    id_token: Held<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    expires: Option<&'a RawValue>,
    #[serde(borrow, default)]
    token: Held<'a>,
    #[serde(borrow, default)]
    token_ref: Held<'a>,
    #[serde(borrow, default)]
    key: Held<'a>,
    #[serde(borrow, default)]
    api_key: Held<'a>,
    #[serde(borrow, default)]
    key_ref: Held<'a>,
    #[serde(borrow, default)]
    email: Held<'a>,
    #[serde(borrow, default)]
    account_id: Held<'a>,
    #[serde(borrow, default)]
    display_name: Held<'a>,
    #[serde(borrow, default)]
    client_id: Held<'a>,
    #[serde(borrow, default)]
    login_method: Held<'a>,
}

/// A field that is there, `null` included.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(d: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(d).map(Some)
}

/// Looks at an entry; `None` when it is no credential.
pub fn inspect(entry: &str) -> Option<Inspection> {
    let wire: Wire<'_> = serde_json::from_str(entry).ok()?;
    let kind = Kind::from_name(wire.kind.text().or_else(|| wire.mode.text())?)?;
    // Kept as it is written.
    let Held::Text(provider) = &wire.provider else { return None };
    wire.provider.text()?;
    let key = if matches!(wire.key, Held::Absent) { &wire.api_key } else { &wire.key };
    let (held, named) = match kind {
        Kind::OAuth => (&wire.access, &Held::Absent),
        Kind::Token => (&wire.token, &wire.token_ref),
        Kind::ApiKey => (key, &wire.key_ref),
    };
    let expires = wire.expires.map(|expires| serde_json::from_str::<Field<'_>>(expires.get()));
    let expires = expires.transpose().ok()?;
    let is_grant = kind == Kind::OAuth;
    let in_place = !is_grant && held.is_reference();
    let oauth_fields = [
        ("access", &wire.access),
        ("refresh", &wire.refresh),
        ("token", &wire.token),
        ("tokenRef", &wire.token_ref),
        ("key", &wire.key),
        ("keyRef", &wire.key_ref),
    ];
    let unsupported = oauth_fields.into_iter().filter(|(_, it)| is_grant && it.is_reference());
    Some(Inspection {
        facts: Facts {
            kind,
            has_bearer: !in_place && held.is_secret(),
            has_refresh: is_grant && wire.refresh.is_secret(),
            is_reference: in_place || matches!(named, Held::Object(_)),
            expires: expires.map(|expires| expires.time().ok_or(())),
        },
        value: held.text().filter(|_| !is_grant && !in_place).map(Secret::new),
        reference: if in_place { held.reference() } else { named.reference() },
        has_access: wire.access.text().is_some(),
        oauth_references: unsupported.map(|(name, _)| name).collect(),
        provider: provider.clone().into_owned(),
        email: wire.email.owned(),
        account_id: wire.account_id.owned(),
        display_name: wire.display_name.owned(),
        expires: wire.expires.and_then(|expires| serde_json::from_str(expires.get()).ok()),
    })
}

impl<'de: 'a, 'a> Deserialize<'de> for Held<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Held<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Held<'de>, E> {
                Ok(Held::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Held<'de>, E> {
                Ok(Held::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Held<'de>, E> {
                Ok(Held::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Held<'de>, E> {
                Ok(Held::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Held<'de>, E> {
                Ok(Held::Other)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Held<'de>, E> {
                Ok(Held::Other)
            }

            fn visit_unit<E>(self) -> Result<Held<'de>, E> {
                Ok(Held::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Held<'de>, A::Error> {
                // Of a reference its name is reported, and of no reference nothing.
                let mut named = serde_json::Map::new();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key != "source" && key != "id" {
                        map.next_value::<IgnoredAny>()?;
                    } else if let Held::Text(text) = map.next_value()? {
                        named.insert(key.into_owned(), text.into());
                    }
                }
                Ok(Held::Object(Box::new(named.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Held<'de>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Held::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::super::credential::parse_credential;
    use super::*;

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
            let found = inspect(&entry.to_string()).unwrap();
            assert_eq!(found.reference.unwrap().to_string(), "ref(file:/a/b)", "{entry}");
            assert!(found.value.is_none());
        }
        let variable = json!({"type": "api_key", "provider": "p", "key": "${A_KEY}"});
        assert_eq!(
            inspect(&variable.to_string()).unwrap().reference.unwrap().to_string(),
            "ref(env:A_KEY)"
        );
        let odd = json!({"type": "api_key", "provider": "p", "keyRef": {"bogus": 1}});
        assert_eq!(
            inspect(&odd.to_string()).unwrap().reference.unwrap().to_string(),
            "ref(invalid)"
        );
    }

    #[test]
    fn an_expiry_is_kept_as_it_is_written() {
        use serde_json::json;
        for expires in [json!(5), json!("soon"), json!(1.5), Value::Null] {
            let entry = json!({"type": "oauth", "provider": "p", "expires": expires});
            assert_eq!(inspect(&entry.to_string()).unwrap().expires, Some(expires));
        }
        let without = r#"{"type":"oauth","provider":"p"}"#;
        assert_eq!(inspect(without).unwrap().expires, None);
    }

    #[test]
    fn references_in_a_grant_are_told() {
        use serde_json::json;
        let entry = json!({"type": "oauth", "provider": "p", "access": {"source": "env", "id": "X"},
            "keyRef": {"source": "env", "id": "X"}, "refresh": "fake"});
        assert_eq!(inspect(&entry.to_string()).unwrap().oauth_references, ["access", "keyRef"]);
        assert!(inspect(r#"{"type":"weird","provider":"p"}"#).is_none());
        assert!(inspect("\"text\"").is_none());
    }

    #[test]
    fn an_entry_is_judged_as_the_credential_in_it() {
        let entries = [
            r#"{"type":"oauth","provider":"p","access":"a","refresh":"r","expires":5}"#,
            r#"{"type":"oauth","provider":" p ","access":" ","refresh":"${A}","expires":null}"#,
            r#"{"type":"oauth","provider":"p","access":"openclaw-oauth-refresh-fence:v1:x",
                "refresh":{"source":"env"},"expires":0.5,"email":" a@x ","accountId":""}"#,
            r#"{"type":"oauth","provider":"p","access":5,"expires":-1,"displayName":"\u0041"}"#,
            r#"{"type":"token","provider":"p","token":"t","expires":1e300}"#,
            r#"{"type":"token","provider":"p","token":"${A}","expires":"soon"}"#,
            r#"{"type":"token","provider":"p","token":null,"tokenRef":"${A}"}"#,
            r#"{"type":"token","provider":"p","token":"openclaw-oauth-refresh-fence:v1:x"}"#,
            r#"{"mode":"token","type":5,"provider":"p","tokenRef":{},"expires":[1]}"#,
            r#"{"type":"api_key","provider":"p","key":null,"apiKey":"k","expires":5}"#,
            r#"{"type":"api_key","provider":"p","apiKey":"k"}"#,
            r#"{"type":"api_key","provider":"p","key":{"source":"env"},"keyRef":"${B}"}"#,
            r#"{"type":"oauth","provider":"p","email":{"x":"\ud800"},"expires":{"x":"\ud800"}}"#,
            r#"{"type":"api_key","provider":"p","keyRef":{"n":1e999,"source":"env","id":"A"}}"#,
        ];
        for entry in entries {
            let credential = parse_credential(entry).unwrap();
            let found = inspect(entry).unwrap();
            assert_eq!(found.provider, credential.provider, "{entry}");
            assert_eq!(found.facts.expiry(), credential.expires(), "{entry}");
            assert_eq!(found.identity(), credential.identity, "{entry}");
            assert_eq!(found.display_name, credential.display_name, "{entry}");
            for (refused, now) in [(false, 0), (true, 0), (false, 9), (true, 9)] {
                let of = |facts: &Facts| crate::profile::health(facts, refused, now);
                assert_eq!(of(&found.facts), of(&credential.facts()), "{entry}");
            }
            let judged = Facts { expires: None, ..found.facts };
            assert_eq!(judged, Facts { expires: None, ..credential.facts() }, "{entry}");
        }
        for entry in [
            r#"{"type":"oauth","provider":"p","clientId":"\ud800"}"#,
            r#"{"type":"oauth","provider":"p","idToken":1,"idToken":2}"#,
            r#"{"type":"oauth","provider":" "}"#,
            r#"{"type":"oauth","provider":5}"#,
            "[]",
        ] {
            assert!(parse_credential(entry).is_none() && inspect(entry).is_none(), "{entry}");
        }
    }
}
