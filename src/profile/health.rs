//! The health of a credential, staged: every answer is a fact that the file supports.

use super::{Credential, CredentialKind, Kind, Millis};

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

/// The health of `credential` at `now`; `refused` says that the server has refused the
/// refresh token that it holds.
pub fn health(credential: &Credential, refused: bool, now: Millis) -> Health {
    match &credential.kind {
        CredentialKind::OAuth { access, refresh, expires, .. } => match (expires, access) {
            (Some(at), Some(_)) if *at > now => Health::Valid(*at),
            _ if refused => Health::Refused,
            _ if refresh.is_some() => Health::Refreshable,
            (Some(_), Some(_)) => Health::Expired,
            (None, Some(_)) => Health::NoExpiry,
            _ => Health::Missing,
        },
        CredentialKind::Token { token, reference, expires } => {
            if token.is_none() && !reference {
                return Health::Missing;
            }
            match expires {
                None => Health::NoExpiry,
                Some(Err(())) => Health::Missing,
                Some(Ok(at)) if *at > now => Health::Valid(*at),
                Some(Ok(_)) => Health::Expired,
            }
        }
        CredentialKind::ApiKey { key, reference } => {
            if key.is_some() || *reference {
                Health::NoExpiry
            } else {
                Health::Missing
            }
        }
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
            },
        }
    }

    #[test]
    fn a_grant_is_judged_in_stages() {
        let now = 1_000;
        let check = |credential: &Credential, refused| health(credential, refused, now);
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
