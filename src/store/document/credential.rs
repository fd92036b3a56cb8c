//! Credentials on the wire: from and to the entries of an auth-profiles document.
//!
//! Entries of every age are read: `mode` stands for `type` and `apiKey` for `key`; an
//! object in place of a value is a secret reference.

use super::fields::{FieldName, Fields};
use super::provenance;
use crate::oauth::Grant;
use crate::profile::{Credential, CredentialKind, Identity, Kind, Millis, ProviderId};
use crate::secret::Secret;
use crate::store::json_text::{RawObject, raw};
use serde_json::value::RawValue;

/// When the access token was received, in milliseconds since the epoch. OpenClaw keeps the
/// field and does not know it.
const ISSUED_AT: &str = "accessIssuedAt";

/// The credential in an entry; `None` when it is not an object, has no known type, or
/// names no provider.
pub(super) fn credential(entry: &Fields<'_>) -> Option<Credential> {
    let (provider, facts) = entry.facts()?;
    // A text in the field goes before the reference beside it.
    let value = entry.field(entry.value(facts.kind).0);
    let value = if facts.has_bearer { value.secret() } else { None };
    let reference = facts.is_reference;
    let owned = |name| entry.field(name).owned();
    let kind = match facts.kind {
        Kind::OAuth => CredentialKind::OAuth {
            access: value,
            refresh: entry.field(FieldName::Refresh).secret(),
            id_token: entry.field(FieldName::IdToken).secret(),
            // A value that is no time is one that has passed.
            expires: facts.expires.map(|expires| expires.unwrap_or(0)),
            issued: entry.field(FieldName::AccessIssuedAt).time(),
        },
        Kind::Token => CredentialKind::Token { token: value, reference, expires: facts.expires },
        Kind::ApiKey => CredentialKind::ApiKey { key: value, reference },
    };
    Some(Credential {
        provider: provider.into_owned().into(),
        identity: Identity {
            email: owned(FieldName::Email),
            account_id: owned(FieldName::AccountId),
            subject: None,
        },
        display_name: owned(FieldName::DisplayName),
        client_id: owned(FieldName::ClientId),
        login_method: owned(FieldName::LoginMethod),
        kind,
    })
}

/// What a login or a refresh brought.
#[derive(Clone)]
pub struct IssuedCredential {
    /// The grant of the token response.
    pub grant: Grant,
    /// When the access token expires, in milliseconds since the epoch; `None` when the
    /// server does not say and the token is not refreshed.
    pub expires: Option<Millis>,
    /// When the access token was received, in milliseconds since the epoch; `None` when it was
    /// not received here. With [`Self::expires`] it tells what lifetime the server grants.
    pub issued: Option<Millis>,
    /// Who it belongs to.
    pub identity: Identity,
    /// Further fields of the entry. They may be secrets: a program says what they are.
    pub fields: Vec<(String, serde_json::Value)>,
}

impl std::fmt::Debug for IssuedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { grant, expires, issued, identity, .. } = self;
        let mut shown = f.debug_struct("IssuedCredential");
        shown.field("grant", grant).field("expires", expires).field("issued", issued);
        shown.field("identity", identity);
        shown.finish_non_exhaustive()
    }
}

/// The entry after a login: a new one, or `existing` with everything the grant says and
/// its other fields as they are.
///
/// # Errors
/// `existing` is not an object.
pub fn login_entry(
    existing: Option<&str>,
    provider: &ProviderId,
    renewal: &IssuedCredential,
) -> serde_json::Result<Box<RawValue>> {
    let mut entry = match existing {
        Some(existing) => serde_json::from_str(existing)?,
        None => RawObject::from([
            ("type".to_owned(), raw(Kind::OAuth.name())?),
            ("provider".to_owned(), raw(provider)?),
        ]),
    };
    if renewal.grant.refresh.is_none() {
        entry.shift_remove("refresh");
    }
    // This login comes from elsewhere.
    entry.shift_remove(provenance::FIELD);
    // Those of another way to sign in are not those of this one.
    for name in ["clientId", "loginMethod"] {
        if !renewal.fields.iter().any(|(field, _)| field == name) {
            entry.shift_remove(name);
        }
    }
    renew(&mut entry, renewal)?;
    raw(&entry)
}

/// `entry` with the renewed tokens; its other fields stay as they are. A response without
/// a refresh token keeps the old one. One with another says that the server rotates them.
///
/// # Errors
/// `entry` is not an object.
pub fn renewed_entry(entry: &str, renewal: &IssuedCredential) -> serde_json::Result<Box<RawValue>> {
    let mut entry: RawObject = serde_json::from_str(entry)?;
    let held =
        entry.get("refresh").and_then(|held| serde_json::from_str::<String>(held.get()).ok());
    let held = held.map(Secret::new);
    renew(&mut entry, renewal)?;
    if let (Some(held), Some(new)) = (held, &renewal.grant.refresh)
        && !held.matches(new)
    {
        entry.insert(ROTATES.to_owned(), raw(&true)?);
    }
    raw(&entry)
}

/// The field of an entry that says that its server has replaced a refresh token. OpenClaw
/// does not know it, and keeps it.
const ROTATES: &str = "refreshTokenRotates";

/// Whether the server of an entry has ever replaced its refresh token by another.
pub fn rotates(entry: &str) -> bool {
    // Nearly every entry ends here, without being parsed.
    let parsed = || serde_json::from_str::<RawObject>(entry).ok();
    entry.contains(ROTATES)
        && parsed().is_some_and(|entry| entry.get(ROTATES).is_some_and(|it| it.get() == "true"))
}

/// `entry` with one field set, and the others as they are.
///
/// # Errors
/// `entry` is not an object.
pub fn entry_with(entry: &str, field: &str, value: &str) -> serde_json::Result<Box<RawValue>> {
    let mut entry: RawObject = serde_json::from_str(entry)?;
    entry.insert(field.to_owned(), raw(value)?);
    raw(&entry)
}

/// What a pasted credential holds.
#[derive(Clone, Debug)]
pub enum Pasted {
    /// A bearer token and when it expires, in milliseconds since the epoch.
    Token(Secret, Option<Millis>),
    /// An API key.
    Key(Secret),
    /// The name of the environment variable that holds the API key.
    KeyVariable(String),
}

/// The entry of a pasted credential: a new one, or `existing` with its other fields as
/// they are.
///
/// # Errors
/// `existing` is not an object.
pub fn pasted_entry(
    existing: Option<&str>,
    provider: &ProviderId,
    pasted: &Pasted,
) -> serde_json::Result<Box<RawValue>> {
    let mut entry: RawObject = match existing {
        Some(existing) => serde_json::from_str(existing)?,
        None => RawObject::new(),
    };
    for former in [
        "mode",
        "key",
        "apiKey",
        "keyRef",
        "token",
        "tokenRef",
        "expires",
        ISSUED_AT,
        provenance::FIELD,
        ROTATES,
    ] {
        entry.shift_remove(former);
    }
    let kind = match pasted {
        Pasted::Token(..) => Kind::Token,
        Pasted::Key(_) | Pasted::KeyVariable(_) => Kind::ApiKey,
    };
    entry.insert("type".to_owned(), raw(kind.name())?);
    entry.insert("provider".to_owned(), raw(provider)?);
    match pasted {
        Pasted::Token(token, expires) => {
            entry.insert("token".to_owned(), raw(token.expose())?);
            if let Some(expires) = expires {
                entry.insert("expires".to_owned(), raw(expires)?);
            }
        }
        Pasted::Key(key) => {
            entry.insert("key".to_owned(), raw(key.expose())?);
        }
        Pasted::KeyVariable(name) => {
            let reference = serde_json::json!({"source": "env", "provider": "default", "id": name});
            entry.insert("keyRef".to_owned(), raw(&reference)?);
        }
    }
    raw(&entry)
}

fn renew(entry: &mut RawObject, renewal: &IssuedCredential) -> serde_json::Result<()> {
    let IssuedCredential { grant, expires, issued, identity, fields } = renewal;
    entry.insert("access".to_owned(), raw(grant.access.expose())?);
    if let Some(refresh) = &grant.refresh {
        entry.insert("refresh".to_owned(), raw(refresh.expose())?);
    }
    for (field, time) in [("expires", expires), (ISSUED_AT, issued)] {
        match time {
            Some(time) => entry.insert(field.to_owned(), raw(time)?),
            None => entry.shift_remove(field),
        };
    }
    for (field, value) in [("email", &identity.email), ("accountId", &identity.account_id)] {
        if let Some(value) = value {
            entry.insert(field.to_owned(), raw(value)?);
        }
    }
    if let Some(id_token) = &grant.id_token {
        entry.insert("idToken".to_owned(), raw(id_token.expose())?);
    }
    for (name, value) in fields {
        entry.insert(name.clone(), raw(value)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::scan::fields_of;
    use super::*;

    fn parse_credential(entry: &str) -> Option<Credential> {
        credential(&fields_of(entry))
    }

    #[test]
    fn entries_of_every_age_are_read() {
        let key =
            parse_credential(r#"{"mode":"api_key","apiKey":"fake","provider":" x "}"#).unwrap();
        assert_eq!(key.kind(), Kind::ApiKey);
        assert_eq!(key.provider.spelling(), " x ");
        assert_eq!(key.bearer().unwrap().expose(), "fake");
        let reference =
            parse_credential(r#"{"type":"api_key","provider":"x","key":{"source":"env"}}"#)
                .unwrap();
        assert!(reference.is_reference() && reference.bearer().is_none());
        let variable =
            parse_credential(r#"{"type":"token","provider":"x","token":"${A_B}"}"#).unwrap();
        assert!(variable.is_reference());
        let token =
            parse_credential(r#"{"type":"token","provider":"x","token":"t","expires":"soon"}"#)
                .unwrap();
        assert!(!token.is_usable_until(0), "an expiry that is no time is not trusted");
    }

    #[test]
    fn entries_that_cannot_be_interpreted_are_none() {
        for entry in [
            "\"str\"",
            "null",
            "[]",
            r#"{"type":"weird","provider":"x"}"#,
            r#"{"type":"api_key"}"#,
            r#"{"type":"api_key","provider":"  "}"#,
        ] {
            assert!(parse_credential(entry).is_none(), "{entry}");
        }
    }

    #[test]
    fn a_refresh_fence_is_no_token() {
        let fenced = r#"{"type":"oauth","provider":"p","expires":1,
            "access":"openclaw-oauth-refresh-fence:v1:x:access|refresh:y",
            "refresh":"openclaw-oauth-refresh-fence:v1:x:access|refresh:z"}"#;
        let credential = parse_credential(fenced).unwrap();
        assert!(credential.bearer().is_none() && credential.refresh_token().is_none());
    }

    #[test]
    fn an_entry_whose_refresh_token_was_replaced_says_so() {
        let renewal = |refresh: Option<&str>| IssuedCredential {
            issued: None,
            grant: Grant {
                access: Secret::new("fake-a"),
                refresh: refresh.map(Secret::new),
                id_token: None,
                expires: None,
                members: crate::oauth::Members::default(),
            },
            expires: None,
            identity: Identity::default(),
            fields: Vec::new(),
        };
        let renewed = |entry: &str, refresh| {
            renewed_entry(entry, &renewal(refresh)).unwrap().get().to_owned()
        };
        let entry = r#"{"type":"oauth","refresh":"fake-\u0030"}"#;
        assert!(!rotates(&renewed(entry, Some("fake-0"))) && !rotates(&renewed(entry, None)));
        let rotated = renewed(entry, Some("fake-1"));
        assert!(rotates(&rotated) && rotates(&renewed(&rotated, Some("fake-1"))));
        assert!(!rotates(&renewed(r#"{"type":"oauth"}"#, Some("fake-1"))), "it had none");
        assert!(!rotates(r#"{"refreshTokenRotates":"no","note":"refreshTokenRotates"}"#));
    }

    #[test]
    fn a_renewal_keeps_unknown_fields_and_the_old_refresh_token() {
        let entry = r#"{"type":"oauth","odd":1.50,"access":"old","refresh":"keep","expires":5,"provider":"p"}"#;
        let renewal = IssuedCredential {
            fields: vec![("region".to_owned(), "fake-field".into())],
            grant: Grant {
                members: crate::oauth::Members::default(),
                access: Secret::new("new"),
                refresh: None,
                id_token: None,
                expires: Some(9),
            },
            expires: Some(9),
            issued: Some(4),
            identity: Identity::default(),
        };
        assert_eq!(
            renewed_entry(entry, &renewal).unwrap().get(),
            r#"{"type":"oauth","odd":1.50,"access":"new","refresh":"keep","expires":9,"provider":"p","accessIssuedAt":4,"region":"fake-field"}"#
        );
        assert!(!format!("{renewal:?}").contains("fake-field"));
    }
}
