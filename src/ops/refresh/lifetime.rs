//! How long a token must still be valid to be used, and what the server grants.
//!
//! Invariant: a token is not asked for anew at every call, however short the server makes it
//! live: where that is no longer than what is wanted, it is used for half of its lifetime.

use crate::oauth::Claims;
use crate::profile::{Credential, CredentialKind, Millis};
use crate::store::Store;
use crate::text::span;
use std::fmt;

/// OpenClaw's margin before expiry, in milliseconds.
pub(in crate::ops) const DEFAULT_MIN_TTL: Millis = 300_000;

/// OpenClaw from 2026.9 on refreshes in a way that can lose a login. Ours is done before it
/// begins; in milliseconds.
const BEFORE_OPENCLAW: Millis = 600_000;

/// How long a token in `store` must still be valid where the caller says nothing; `None` for
/// the usual span.
pub(in crate::ops) fn default_min_ttl(store: &Store) -> Option<Millis> {
    store.is_in_database().then_some(BEFORE_OPENCLAW)
}

/// When a token was issued, and when it expires, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) struct Validity {
    /// When it was issued, or received; `None` when that is not known.
    pub(in crate::ops) issued: Option<Millis>,
    /// When it expires; `None` when that is not known.
    pub(in crate::ops) expires: Option<Millis>,
}

impl Validity {
    /// That of the access token of a grant: by what we noted when we received it, else by the
    /// `iat` claim (RFC 7519 section 4.1.6) of the access token or the id token. Of any other
    /// credential, only the expiry is known.
    pub(in crate::ops) fn of(credential: &Credential) -> Self {
        let expires = credential.expires();
        let CredentialKind::OAuth { access, id_token, issued, .. } = &credential.kind else {
            return Self { issued: None, expires };
        };
        let claimed = || {
            let tokens = [access, id_token].into_iter().flatten();
            tokens.into_iter().find_map(|token| Claims::of(token.expose())?.issued())
        };
        Self { issued: issued.or_else(claimed), expires }
    }

    /// The lifetime that the server granted, in milliseconds, to the second: zero and less
    /// where the token was expired when it came. `None` when it is not known.
    pub(in crate::ops) fn granted(self) -> Option<Millis> {
        let lifetime = self.expires?.saturating_sub(self.issued?);
        Some(lifetime.saturating_add(500).div_euclid(1_000) * 1_000)
    }

    /// The lifetime that the server granted, where that is no longer than `min_ttl`.
    pub(in crate::ops) fn grants_no_more_than(self, min_ttl: Millis) -> Option<Millis> {
        self.granted().filter(|granted| *granted <= min_ttl)
    }

    /// Whether the token expires within `min_ttl`.
    pub(in crate::ops) fn is_short(self, min_ttl: Millis, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now.saturating_add(min_ttl))
    }

    /// Whether the token is to be used at `now` rather than to be had anew. It has to live for
    /// `min_ttl` longer, or for the usual span when that is `None`; where the server grants no
    /// more than that (of the usual span: than twice that), for half of its lifetime.
    pub(in crate::ops) fn is_enough(self, min_ttl: Option<Millis>, now: Millis) -> bool {
        if !self.is_short(min_ttl.unwrap_or(DEFAULT_MIN_TTL), now) {
            return true;
        }
        let granted = self.grants_no_more_than(min_ttl.unwrap_or(2 * DEFAULT_MIN_TTL));
        granted.is_some_and(|granted| granted > 0 && !self.is_short(granted / 2, now))
    }
}

/// What is known of a token that does not live long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// The server grants a lifetime of so many milliseconds.
    Granted(Millis),
    /// So many milliseconds are left of it.
    Left(Millis),
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted(lifetime) => write!(f, "lives for {}", span(*lifetime)),
            Self::Left(left) => write!(f, "expires in {}", span(*left)),
        }
    }
}

/// As [`Validity::is_enough`], of a credential that has a token.
pub(in crate::ops) fn has_lifetime(
    credential: &Credential,
    min_ttl: Option<Millis>,
    now: Millis,
) -> bool {
    credential.is_usable_until(now.saturating_add(min_ttl.unwrap_or(DEFAULT_MIN_TTL)))
        || credential.is_usable_until(now) && Validity::of(credential).is_enough(min_ttl, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Identity;
    use crate::secret::Secret;
    use base64::Engine;

    const MINUTE: Millis = 60_000;

    fn grant(access: &str, issued: Option<Millis>, expires: Millis) -> Credential {
        Credential {
            provider: "p".into(),
            identity: Identity::default(),
            display_name: None,
            client_id: None,
            login_method: None,
            kind: CredentialKind::OAuth {
                access: Some(Secret::new(access)),
                refresh: None,
                id_token: None,
                expires: Some(expires),
                issued,
            },
        }
    }

    /// An opaque token that was received at 1,000,000.
    fn opaque(lifetime: Millis) -> Credential {
        grant("fake-opaque", Some(1_000_000), 1_000_000 + lifetime)
    }

    fn jwt(issued_seconds: i64, expires: Millis) -> Credential {
        let claims = format!(r#"{{"iat":{issued_seconds}}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        grant(&format!("e30.{claims}.fake"), None, expires)
    }

    /// For how long after it was received the token is handed out, to a second.
    fn is_used_for(credential: &Credential, min_ttl: Option<Millis>) -> i64 {
        let is_used = |second: &i64| has_lifetime(credential, min_ttl, 1_000_000 + second * 1_000);
        (0..100_000).take_while(is_used).count().try_into().unwrap()
    }

    #[test]
    fn short_lived_tokens_are_used_for_half_their_life() {
        for seconds in [2, 30, 299, 300, 301, 420, 600] {
            for credential in [opaque(seconds * 1_000), jwt(1_000, 1_000_000 + seconds * 1_000)] {
                assert_eq!(is_used_for(&credential, None), (seconds + 1) / 2, "{seconds}");
            }
        }
        for seconds in [601, 3_600, 86_400] {
            assert_eq!(is_used_for(&opaque(seconds * 1_000), None), seconds - 300, "{seconds}");
        }
    }

    #[test]
    fn more_than_the_server_grants_is_not_asked_for_at_every_call() {
        let hour = opaque(60 * MINUTE);
        assert_eq!(is_used_for(&hour, Some(30 * MINUTE)), 1_800, "it is granted");
        assert_eq!(is_used_for(&hour, Some(59 * MINUTE)), 60, "it is granted");
        for beyond in [60 * MINUTE, 90 * MINUTE, Millis::MAX] {
            assert_eq!(is_used_for(&hour, Some(beyond)), 1_800, "{beyond}");
        }
        assert_eq!(is_used_for(&hour, Some(0)), 3_600);
    }

    #[test]
    fn a_lifetime_that_is_not_known_or_none_is_not_made_up() {
        let unknown = grant("fake-opaque", None, 1_000_000 + 2 * MINUTE);
        assert!(!has_lifetime(&unknown, None, 1_000_000));
        for none in [0, -5_000] {
            assert_eq!(Validity::of(&opaque(none)).granted(), Some(none));
            assert!(!has_lifetime(&opaque(none), None, 1_000_000));
        }
    }
}
