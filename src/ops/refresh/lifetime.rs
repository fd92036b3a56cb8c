//! How long a token must still be valid to be used.

use crate::oauth::Claims;
use crate::profile::{Credential, CredentialKind, Millis};
use crate::store::AgentStore;

/// OpenClaw's margin before expiry, in milliseconds.
pub(in crate::ops) const USUAL_MIN_TTL: Millis = 300_000;

/// The margin where OpenClaw refreshes by itself in a way that can lose a login: before it
/// begins, in milliseconds.
const BEFORE_OPENCLAW: Millis = 600_000;

/// How long a token in `store` must still be valid where the caller says nothing.
pub(in crate::ops) fn usual_min_ttl(store: &AgentStore) -> Millis {
    if store.is_in_database() { BEFORE_OPENCLAW } else { USUAL_MIN_TTL }
}

/// Whether the token lives at least `min_ttl` longer. Where the caller names none and the
/// server's tokens live no longer than the usual one, half of their lifetime counts:
/// otherwise every call would refresh.
pub(in crate::ops) fn has_lifetime(
    credential: &Credential,
    wanted: Option<Millis>,
    usual: Millis,
    now: Millis,
) -> bool {
    let min_ttl = wanted.unwrap_or(usual);
    if credential.is_usable_until(now.saturating_add(min_ttl)) {
        return true;
    }
    if wanted.is_some() {
        return false;
    }
    let CredentialKind::OAuth { access: Some(access), id_token, expires: Some(expires), .. } =
        &credential.kind
    else {
        return false;
    };
    if *expires <= now {
        return false;
    }
    let issued = [Some(access), id_token.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|token| Claims::of(token.expose())?.issued());
    let Some(lifetime) = issued.map(|issued| expires.saturating_sub(issued)) else {
        return false;
    };
    lifetime <= min_ttl && expires.saturating_sub(now) > lifetime / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Identity;
    use crate::secret::Secret;
    use base64::Engine;

    fn grant(issued: i64, expires: Millis) -> Credential {
        let claims = format!(r#"{{"iat":{issued}}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        Credential {
            provider: "p".into(),
            identity: Identity::default(),
            display_name: None,
            client_id: None,
            login_method: None,
            kind: CredentialKind::OAuth {
                access: Some(Secret::new(format!("e30.{claims}.fake"))),
                refresh: None,
                id_token: None,
                expires: Some(expires),
            },
        }
    }

    #[test]
    fn tokens_that_live_shorter_than_the_usual_margin_are_used_for_half_their_life() {
        let minute = 60_000;
        let short_lived = grant(1_000, 1_000_000 + minute);
        assert!(has_lifetime(&short_lived, None, USUAL_MIN_TTL, 1_000_000));
        assert!(has_lifetime(&short_lived, None, USUAL_MIN_TTL, 1_029_000));
        assert!(!has_lifetime(&short_lived, None, USUAL_MIN_TTL, 1_031_000));
        assert!(!has_lifetime(&short_lived, Some(2 * minute), USUAL_MIN_TTL, 1_000_000));
        let long_lived = grant(1_000, 1_000_000 + 60 * minute);
        assert!(!has_lifetime(&long_lived, None, USUAL_MIN_TTL, 1_000_000 + 56 * minute));
        assert!(has_lifetime(&long_lived, None, USUAL_MIN_TTL, 1_000_000 + 54 * minute));
    }
}
