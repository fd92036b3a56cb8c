//! Credentials on the wire: from and to the entries of an auth-profiles document.
//!
//! Entries of every age are read: `mode` stands for `type` and `apiKey` for `key`; an
//! object in place of a value is a secret reference.

use super::field::Field;
use super::json_text::{RawObject, raw};
use super::provenance;
use crate::oauth::Grant;
use crate::profile::{Credential, CredentialKind, Identity, Kind, Millis};
use crate::secret::Secret;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Field<'a>,
    #[serde(borrow, default)]
    mode: Field<'a>,
    #[serde(borrow, default)]
    provider: Field<'a>,
    #[serde(borrow, default)]
    access: Field<'a>,
    #[serde(borrow, default)]
    refresh: Field<'a>,
    #[serde(borrow, default)]
    id_token: Field<'a>,
    #[serde(borrow, default)]
    expires: Field<'a>,
    #[serde(borrow, default)]
    token: Field<'a>,
    #[serde(borrow, default)]
    token_ref: Field<'a>,
    #[serde(borrow, default)]
    key: Field<'a>,
    #[serde(borrow, default)]
    api_key: Field<'a>,
    #[serde(borrow, default)]
    key_ref: Field<'a>,
    #[serde(borrow, default)]
    email: Field<'a>,
    #[serde(borrow, default)]
    account_id: Field<'a>,
    #[serde(borrow, default)]
    display_name: Field<'a>,
    #[serde(borrow, default)]
    client_id: Field<'a>,
    #[serde(borrow, default)]
    login_method: Field<'a>,
}

/// The provider, as the entry spells it, and the kind of an entry that
/// [`parse_credential`] can interpret, without its secrets.
pub(super) fn parse_outline(entry: &str) -> Option<(String, Kind)> {
    #[derive(Deserialize)]
    struct Outline<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Field<'a>,
        #[serde(borrow, default)]
        mode: Field<'a>,
        #[serde(borrow, default)]
        provider: Field<'a>,
    }
    let Outline { kind, mode, provider } = serde_json::from_str(entry).ok()?;
    kind_and_provider(&kind, &mode, &provider)
}

fn kind_and_provider(
    kind: &Field<'_>,
    mode: &Field<'_>,
    provider: &Field<'_>,
) -> Option<(String, Kind)> {
    let kind = kind.text().or_else(|| mode.text()).and_then(Kind::from_name)?;
    // Kept as it is written: OpenClaw's lock names hash it so.
    match provider {
        Field::Text(provider) if !provider.trim().is_empty() => {
            Some((provider.clone().into_owned(), kind))
        }
        _ => None,
    }
}

/// The credential in an entry; `None` when it is not an object, has no known type, or
/// names no provider.
pub(super) fn parse_credential(entry: &str) -> Option<Credential> {
    let wire: Wire<'_> = serde_json::from_str(entry).ok()?;
    let (provider, kind) = kind_and_provider(&wire.kind, &wire.mode, &wire.provider)?;
    let value = |field: &Field<'_>, reference: &Field<'_>| {
        let reference = field.is_reference() || matches!(reference, Field::Object);
        // A text in the field goes before the reference beside it.
        (if field.is_reference() { None } else { field.secret() }, reference)
    };
    let kind = match kind {
        Kind::OAuth => CredentialKind::OAuth {
            access: wire.access.secret(),
            refresh: wire.refresh.secret(),
            id_token: wire.id_token.secret(),
            // A value that is no time is one that has passed.
            expires: match &wire.expires {
                Field::Absent => None,
                field => Some(field.time().unwrap_or(0)),
            },
        },
        Kind::Token => {
            let (token, reference) = value(&wire.token, &wire.token_ref);
            let expires = match &wire.expires {
                Field::Absent => None,
                field => Some(field.time().ok_or(())),
            };
            CredentialKind::Token { token, reference, expires }
        }
        Kind::ApiKey => {
            let key = if matches!(wire.key, Field::Absent) { &wire.api_key } else { &wire.key };
            let (key, reference) = value(key, &wire.key_ref);
            CredentialKind::ApiKey { key, reference }
        }
    };
    Some(Credential {
        provider,
        identity: Identity {
            email: wire.email.owned(),
            account_id: wire.account_id.owned(),
            subject: None,
        },
        display_name: wire.display_name.owned(),
        client_id: wire.client_id.owned(),
        login_method: wire.login_method.owned(),
        kind,
    })
}

/// What a login or a refresh brought.
#[derive(Clone)]
pub struct Renewal {
    /// The grant of the token response.
    pub grant: Grant,
    /// When the access token expires, in milliseconds since the epoch; `None` when the
    /// server does not say and the token is not refreshed.
    pub expires: Option<Millis>,
    /// Who it belongs to.
    pub identity: Identity,
    /// Further fields of the entry. They may be secrets: a program says what they are.
    pub fields: Vec<(String, serde_json::Value)>,
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { grant, expires, identity, .. } = self;
        let mut shown = f.debug_struct("Renewal");
        shown.field("grant", grant).field("expires", expires).field("identity", identity);
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
    provider: &str,
    renewal: &Renewal,
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
/// a refresh token keeps the old one.
///
/// # Errors
/// `entry` is not an object.
pub fn renewed_entry(entry: &str, renewal: &Renewal) -> serde_json::Result<Box<RawValue>> {
    let mut entry: RawObject = serde_json::from_str(entry)?;
    renew(&mut entry, renewal)?;
    raw(&entry)
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
    provider: &str,
    pasted: &Pasted,
) -> serde_json::Result<Box<RawValue>> {
    let mut entry: RawObject = match existing {
        Some(existing) => serde_json::from_str(existing)?,
        None => RawObject::new(),
    };
    for former in
        ["mode", "key", "apiKey", "keyRef", "token", "tokenRef", "expires", provenance::FIELD]
    {
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

fn renew(entry: &mut RawObject, renewal: &Renewal) -> serde_json::Result<()> {
    let Renewal { grant, expires, identity, fields } = renewal;
    entry.insert("access".to_owned(), raw(grant.access.expose())?);
    if let Some(refresh) = &grant.refresh {
        entry.insert("refresh".to_owned(), raw(refresh.expose())?);
    }
    match expires {
        Some(expires) => {
            entry.insert("expires".to_owned(), raw(expires)?);
        }
        None => {
            entry.shift_remove("expires");
        }
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
    use super::*;

    #[test]
    fn entries_of_every_age_are_read() {
        let key =
            parse_credential(r#"{"mode":"api_key","apiKey":"fake","provider":" x "}"#).unwrap();
        assert_eq!(key.kind(), Kind::ApiKey);
        assert_eq!(key.provider, " x ");
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
    fn a_renewal_keeps_unknown_fields_and_the_old_refresh_token() {
        let entry = r#"{"type":"oauth","odd":1.50,"access":"old","refresh":"keep","expires":5,"provider":"p"}"#;
        let renewal = Renewal {
            fields: vec![("region".to_owned(), "fake-field".into())],
            grant: Grant {
                members: crate::oauth::Members::default(),
                access: Secret::new("new"),
                refresh: None,
                id_token: None,
                expires: Some(9),
            },
            expires: Some(9),
            identity: Identity::default(),
        };
        assert_eq!(
            renewed_entry(entry, &renewal).unwrap().get(),
            r#"{"type":"oauth","odd":1.50,"access":"new","refresh":"keep","expires":9,"provider":"p","region":"fake-field"}"#
        );
        assert!(!format!("{renewal:?}").contains("fake-field"));
    }
}
