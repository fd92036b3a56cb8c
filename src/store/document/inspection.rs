//! What a report says of an entry: the value to mask, the reference by name, the expiry as
//! it is written, and what is there to judge it by.
//!
//! Invariant: nothing here resolves a reference or decides whether an entry is usable. Each
//! entry is read once, and of a grant, which has long tokens, no secret is copied.

use super::Provenance;
use super::fence::Fence;
use super::field::Field;
use super::fields::{FieldName, Fields};
use crate::profile::secret_ref::ReferenceName;
use crate::profile::{CredentialSummary, Identity, Kind, Millis, ProviderId};
use crate::secret::Secret;
use crate::store::json_text::RawObject;
use serde_json::{Value, json};

/// An entry, looked at for a report.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The provider as the entry spells it.
    pub provider: ProviderId,
    /// What is there of the credential.
    pub facts: CredentialSummary,
    /// The key or token, when the entry holds one in clear.
    pub value: Option<Secret>,
    /// The secret reference in its place.
    pub reference: Option<ReferenceName>,
    /// The expiry as it is written: `None` when the entry has none.
    pub expires: Option<Value>,
    /// When its access token was received, in milliseconds since the epoch.
    pub issued: Option<Millis>,
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
    /// What OpenClaw has put in the place of its tokens.
    pub fence: Option<Fence>,
    /// Where it was imported from.
    pub provenance: Option<Provenance>,
}

impl Inspection {
    /// Who it belongs to, as far as it says.
    pub fn identity(&self) -> Identity {
        let (email, account_id) = (self.email.clone(), self.account_id.clone());
        Identity { email, account_id, subject: None }
    }
}

/// Looks at an entry; `None` when it is no credential.
pub(super) fn inspect(entry: &Fields<'_>) -> Option<Inspection> {
    let (provider, facts) = entry.facts()?;
    let is_grant = facts.kind == Kind::OAuth;
    let (value, reference_field) = entry.value(facts.kind);
    let held = entry.field(value);
    let in_place = !is_grant && held.is_reference();
    let oauth_fields = [
        ("access", FieldName::Access),
        ("refresh", FieldName::Refresh),
        ("token", FieldName::Token),
        ("tokenRef", FieldName::TokenRef),
        ("key", FieldName::Key),
        ("keyRef", FieldName::KeyRef),
    ];
    let is_reference = |name: FieldName| is_grant && entry.field(name).is_reference();
    let unsupported = oauth_fields.into_iter().filter(|(_, name)| is_reference(*name));
    let owned = |name| entry.field(name).owned();
    Some(Inspection {
        value: held.text().filter(|_| !is_grant && !in_place).map(Secret::new),
        reference: reference(entry, if in_place { value } else { reference_field }),
        fence: if is_grant && !facts.has_bearer { Fence::of(entry) } else { None },
        issued: entry.field(FieldName::AccessIssuedAt).time().filter(|_| is_grant),
        has_access: entry.field(FieldName::Access).text().is_some(),
        oauth_references: unsupported.map(|(name, _)| name).collect(),
        provider: provider.into_owned().into(),
        email: owned(FieldName::Email),
        account_id: owned(FieldName::AccountId),
        display_name: owned(FieldName::DisplayName),
        expires: entry
            .raw(FieldName::Expires)
            .and_then(|expires| serde_json::from_str(expires).ok()),
        provenance: entry.raw(FieldName::ImportedFrom).and_then(Provenance::read),
        facts,
    })
}

/// The reference in a field.
fn reference(entry: &Fields<'_>, name: FieldName) -> Option<ReferenceName> {
    match entry.field(name) {
        Field::Text(text) => ReferenceName::of_text(&text),
        Field::Object => {
            let members: RawObject = serde_json::from_str(entry.raw(name)?).unwrap_or_default();
            // Of a reference its name is reported, and of no reference nothing.
            let value = |name: &str| -> Option<Value> {
                serde_json::from_str(members.get(name)?.get()).ok()
            };
            let named = json!({"source": value("source"), "id": value("id")});
            ReferenceName::of(&named)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::credential::credential;
    use super::super::scan::fields_of;
    use super::*;

    fn inspect(entry: &str) -> Option<Inspection> {
        super::inspect(&fields_of(entry))
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
            let credential = credential(&fields_of(entry)).unwrap();
            let found = inspect(entry).unwrap();
            assert_eq!(found.provider, credential.provider, "{entry}");
            assert_eq!(found.facts.expiry(), credential.expires(), "{entry}");
            assert_eq!(found.identity(), credential.identity, "{entry}");
            assert_eq!(found.display_name, credential.display_name, "{entry}");
            for (refused, now) in [(false, 0), (true, 0), (false, 9), (true, 9)] {
                let of = |facts: &CredentialSummary| crate::profile::health(facts, refused, now);
                assert_eq!(of(&found.facts), of(&credential.facts()), "{entry}");
            }
            let judged = CredentialSummary { expires: None, ..found.facts };
            assert_eq!(
                judged,
                CredentialSummary { expires: None, ..credential.facts() },
                "{entry}"
            );
        }
        for entry in [
            r#"{"type":"oauth","provider":"p","clientId":"\ud800"}"#,
            r#"{"type":"oauth","provider":"p","idToken":1,"idToken":2}"#,
            r#"{"type":"oauth","provider":" "}"#,
            r#"{"type":"oauth","provider":5}"#,
            "[]",
        ] {
            assert!(credential(&fields_of(entry)).is_none() && inspect(entry).is_none(), "{entry}");
        }
    }
}
