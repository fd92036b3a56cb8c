//! The health of a credential, staged: every answer is a fact that the file supports.

use super::{Credential, CredentialKind, Kind, Millis};
use serde::{Serialize, Serializer};

/// What is there of a credential: enough to judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialSummary {
    /// The kind.
    pub kind: Kind,
    /// Whether it holds the access token, token or key.
    pub has_bearer: bool,
    /// Whether it holds a refresh token.
    pub has_refresh: bool,
    /// Whether a secret reference stands in the place of the token or key.
    pub is_reference: bool,
    /// When the access token or token expires: `None` when the file does not say, `Err` when
    /// it has a value that is no time.
    pub expires: Option<Result<Millis, ()>>,
}

impl CredentialSummary {
    /// When the access token or token expires, where the file says so.
    pub fn expiry(&self) -> Option<Millis> {
        let expiry = self.expires?.ok()?;
        match self.kind {
            Kind::OAuth => (expiry > 0).then_some(expiry),
            Kind::Token => Some(expiry),
            Kind::ApiKey => None,
        }
    }

    /// When the login ends by itself: the expiry of what cannot be renewed, in milliseconds
    /// since the epoch.
    pub fn end(&self) -> Option<Millis> {
        if self.has_refresh { None } else { self.expiry() }
    }

    /// Whether it is a token that is not used because its expiry is no time.
    pub fn has_odd_expiry(&self) -> bool {
        self.kind == Kind::Token
            && (self.has_bearer || self.is_reference)
            && self.expires == Some(Err(()))
    }

    /// Whether the credential holds the bearer and it does not expire before `until`.
    pub fn is_usable_until(&self, until: Millis) -> bool {
        self.has_bearer
            && match (self.kind, self.expires) {
                (Kind::ApiKey, _) => true,
                // Without an expiry, a refresh is the way to be sure, where there is one.
                (_, None) => !self.has_refresh,
                (_, Some(expires)) => expires.is_ok_and(|at| at > until),
            }
    }
}

impl Credential {
    /// What is there of it.
    pub fn facts(&self) -> CredentialSummary {
        CredentialSummary {
            kind: self.kind(),
            has_bearer: self.bearer().is_some(),
            has_refresh: self.refresh_token().is_some(),
            is_reference: self.is_reference(),
            expires: match &self.kind {
                CredentialKind::OAuth { expires, .. } => {
                    expires.map(|at| if at > 0 { Ok(at) } else { Err(()) })
                }
                CredentialKind::Token { expires, .. } => *expires,
                CredentialKind::ApiKey { .. } => None,
            },
        }
    }
}

/// What can be said of a credential without asking the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// The access token or token is valid until the given time.
    Valid(Millis),
    /// The access token is expired, a refresh token is there.
    Refreshable,
    /// The access token or token is expired and there is nothing to refresh it with.
    Expired,
    /// The server refused the refresh token: a new login is needed.
    Refused,
    /// A credential without an expiry.
    NoExpiry,
    /// There is no credential in the profile, or its expiry is not a time.
    Missing,
}

impl Health {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid(_) => "valid",
            Self::Refreshable => "refreshable",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::NoExpiry => "no-expiry",
            Self::Missing => "missing",
        }
    }
}

/// The name.
impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The health of a credential at `now`; `refused` says that the server has refused the
/// refresh token that it holds.
pub fn health(credential: &CredentialSummary, refused: bool, now: Millis) -> Health {
    let CredentialSummary { kind, has_bearer, has_refresh, is_reference, expires } = *credential;
    let is_there = has_bearer || is_reference;
    match kind {
        Kind::OAuth => match expires {
            Some(Ok(at)) if has_bearer && at > now => Health::Valid(at),
            _ if refused => Health::Refused,
            _ if has_refresh => Health::Refreshable,
            _ if !has_bearer => Health::Missing,
            // A value that is no time is one that has passed.
            Some(_) => Health::Expired,
            None => Health::NoExpiry,
        },
        Kind::Token => match expires {
            _ if !is_there => Health::Missing,
            None => Health::NoExpiry,
            Some(Err(())) => Health::Missing,
            Some(Ok(at)) if at > now => Health::Valid(at),
            Some(Ok(_)) => Health::Expired,
        },
        Kind::ApiKey if is_there => Health::NoExpiry,
        Kind::ApiKey => Health::Missing,
    }
}

impl Kind {
    /// The place of the kind in the implicit order: grants first, keys last.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::OAuth => 0,
            Self::Token => 1,
            Self::ApiKey => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Identity;
    use crate::secret::Secret;

    fn grant(access: Option<&str>, refresh: Option<&str>, expires: Option<Millis>) -> Credential {
        Credential {
            provider: "p".into(),
            identity: Identity::default(),
            display_name: None,
            client_id: None,
            login_method: None,
            kind: CredentialKind::OAuth {
                access: access.map(Secret::new),
                refresh: refresh.map(Secret::new),
                id_token: None,
                expires,
                issued: None,
            },
        }
    }

    #[test]
    fn a_grant_is_judged_in_stages() {
        let now = 1_000;
        let check = |credential: &Credential, refused| health(&credential.facts(), refused, now);
        assert_eq!(check(&grant(Some("a"), Some("r"), Some(2_000)), false), Health::Valid(2_000));
        assert_eq!(check(&grant(Some("a"), Some("r"), Some(2_000)), true), Health::Valid(2_000));
        assert_eq!(check(&grant(Some("a"), Some("r"), Some(500)), false), Health::Refreshable);
        assert_eq!(check(&grant(Some("a"), Some("r"), Some(500)), true), Health::Refused);
        assert_eq!(check(&grant(Some("a"), None, Some(500)), false), Health::Expired);
        assert_eq!(check(&grant(None, Some("r"), Some(2_000)), false), Health::Refreshable);
        assert_eq!(check(&grant(Some("a"), None, None), false), Health::NoExpiry);
        assert_eq!(check(&grant(None, None, None), false), Health::Missing);
    }
}
