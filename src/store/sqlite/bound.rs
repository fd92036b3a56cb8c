//! Whose the fields are that are stored beside a row: those of one login.
//!
//! Invariant: another login of the same profile id gets none of them. A method to sign in is one
//! of these fields, and the method says which server a refresh token goes to.

use crate::profile::{Credential, Identity, SameAccount};
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
            email: credential.identity.email,
            account_id: credential.identity.account_id,
            secrets,
        })
    }

    /// Whether `credential` is the login: it has the same secret, or is of the same account, for
    /// OpenClaw refreshes logins as well.
    pub(super) fn is_to(&self, credential: Option<&Credential>) -> bool {
        let Some(credential) = credential else { return self.provider.is_none() };
        let is_same_kind = self.provider.as_deref() == Some(credential.provider.as_str())
            && self.kind.as_deref() == Some(credential.kind().name());
        is_same_kind && (self.is_of_account(&credential.identity) || self.has_secret(credential))
    }

    fn is_of_account(&self, identity: &Identity) -> bool {
        let own = Identity {
            email: self.email.clone(),
            account_id: self.account_id.clone(),
            subject: None,
        };
        own.same_account(identity) == SameAccount::Yes
    }

    fn has_secret(&self, credential: &Credential) -> bool {
        match secret(credential) {
            Some(secret) => self.secrets.contains(&secret.fingerprint()),
            None => self.secrets.is_empty(),
        }
    }
}

/// What makes a login this one.
fn secret(credential: &Credential) -> Option<&Secret> {
    credential.refresh_token().or_else(|| credential.bearer())
}
