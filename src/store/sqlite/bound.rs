//! Whose the fields are that are stored beside a row: those of one login.
//!
//! Invariant: another login of the same profile id gets none of them. A method to sign in is one
//! of these fields, and the method says which server a refresh token goes to.

use crate::oauth::Claims;
use crate::profile::{Credential, Identity, Kind, SameAccount};
use crate::secret::Secret;
use crate::store::Document;
use serde::{Deserialize, Serialize};

/// The login that fields are stored of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bound {
    /// Its provider and its kind; none where the entry is no credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    /// The hash of who its access token says has signed in, where, and to which client. That says
    /// which login it is where neither e-mail nor account does and OpenClaw has refreshed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    /// The hash of its refresh token, else of its key or token, and of the one before: the row
    /// is written after this.
    secrets: Vec<String>,
}

impl Bound {
    /// The login of the entry `text`, where `before` is what was noted of its profile.
    pub(super) fn to(text: &Secret, before: Option<&Self>) -> serde_json::Result<Self> {
        let entry = Document::parse(format!("{{\"profiles\":{{\"\":{}}}}}", text.expose()))?;
        let Some(credential) = entry.credential("") else { return Ok(Self::default()) };
        let mut secrets: Vec<_> =
            secret(&credential).map(Secret::fingerprint).into_iter().collect();
        let earlier = before.into_iter().flat_map(|it| &it.secrets);
        let earlier = earlier.filter(|it| !secrets.contains(it)).take(1).cloned();
        let earlier: Vec<_> = earlier.collect();
        secrets.extend(earlier);
        Ok(Self {
            provider: Some(credential.provider.as_str().to_owned()),
            kind: Some(credential.kind().name().to_owned()),
            member: member(&credential),
            email: credential.identity.email,
            account_id: credential.identity.account_id,
            secrets,
        })
    }

    /// Whether `credential` is the login: it has the same secret, is of the same account, or says
    /// that the same person has signed in to the same client, for OpenClaw refreshes logins as well.
    pub(super) fn is_to(&self, credential: Option<&Credential>) -> bool {
        let Some(credential) = credential else { return self.provider.is_none() };
        let is_same_kind = self.provider.as_deref() == Some(credential.provider.as_str())
            && self.kind.as_deref() == Some(credential.kind().name());
        if !is_same_kind {
            return false;
        }
        match self.same_account(&credential.identity) {
            SameAccount::Yes => true,
            SameAccount::No => self.has_secret(credential),
            SameAccount::Unknown => self.has_secret(credential) || self.is_of_member(credential),
        }
    }

    fn is_of_member(&self, credential: &Credential) -> bool {
        self.member.is_some() && self.member == member(credential)
    }

    fn same_account(&self, identity: &Identity) -> SameAccount {
        let own = Identity {
            email: self.email.clone(),
            account_id: self.account_id.clone(),
            subject: None,
        };
        own.same_account(identity)
    }

    fn has_secret(&self, credential: &Credential) -> bool {
        match secret(credential) {
            Some(secret) => self.secrets.contains(&secret.fingerprint()),
            None => self.secrets.is_empty(),
        }
    }
}

/// The hash of the claims by which an access token says whose it is (RFC 9068 section 2.2): issuer,
/// subject and client. None where it does not say all three.
fn member(credential: &Credential) -> Option<String> {
    if credential.kind() != Kind::OAuth {
        return None;
    }
    let claims = Claims::of(credential.bearer()?.expose())?;
    let client = claims.text("/client_id").or_else(|| claims.text("/azp"))?;
    let said = format!("{}\n{client}", claims.text("/iss|/sub")?);
    Some(Secret::new(said).fingerprint())
}

/// What makes a login this one.
fn secret(credential: &Credential) -> Option<&Secret> {
    credential.refresh_token().or_else(|| credential.bearer())
}
