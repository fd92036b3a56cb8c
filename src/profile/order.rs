//! The order in which the profiles of a provider are tried, as OpenClaw 2026.4.24
//! resolves it: stored order, else configured order, else the configured profiles, else
//! all; explicit orders keep their sequence, implicit ones go by kind and then by the
//! least recently used; profiles in a cooldown come last.

use super::{Credential, Kind, Millis};
use std::cmp::Reverse;

/// What the state file remembers about the use of one profile (milliseconds since the
/// epoch).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageStats {
    /// When the profile was last used.
    pub last_used: Option<Millis>,
    /// Not before this time, because of a rate limit or an outage.
    pub cooldown_until: Option<Millis>,
    /// Not before this time, because of billing or authentication.
    pub disabled_until: Option<Millis>,
}

impl UsageStats {
    /// The time until which the profile should not be used, if that is in the future.
    pub fn unusable_until(&self, now: Millis) -> Option<Millis> {
        self.cooldown_until.max(self.disabled_until).filter(|until| *until > now)
    }
}

/// A stored profile of the provider whose order is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The profile id.
    pub id: &'a str,
    /// The stored credential.
    pub credential: &'a Credential,
    /// The mode that the configuration gives the profile, where it lists it.
    pub configured_mode: Option<Kind>,
    /// What the state file remembers.
    pub usage: UsageStats,
}

/// Which profiles come into question, in order of precedence.
#[derive(Clone, Debug)]
pub enum Preference {
    /// An order that somebody wrote down: it is kept.
    Explicit(Vec<String>),
    /// The profiles that the configuration lists, in no particular order.
    Listed(Vec<String>),
    /// Every stored profile.
    All,
}

impl Preference {
    /// An explicit order of nothing: somebody has switched the provider off.
    const fn is_empty(&self) -> bool {
        matches!(self, Self::Explicit(ids) if ids.is_empty())
    }
}

/// The usable profiles of one provider, best first.
pub fn order<'a>(
    candidates: &[Candidate<'a>],
    preference: &Preference,
    now: Millis,
) -> Vec<Candidate<'a>> {
    let by_id = |id: &String| candidates.iter().find(|candidate| candidate.id == id).copied();
    let (mut chosen, explicit): (Vec<_>, bool) = match preference {
        Preference::Explicit(ids) => (ids.iter().filter_map(by_id).collect(), true),
        Preference::Listed(ids) => (ids.iter().filter_map(by_id).collect(), false),
        Preference::All => (candidates.to_vec(), false),
    };
    let base_is_gone = chosen.is_empty();
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|candidate| seen.insert(candidate.id) && is_eligible(candidate, now));
    // A configuration whose profiles are all gone does not hide those that are there.
    let is_configured = candidates.iter().any(|candidate| candidate.configured_mode.is_some())
        || matches!(preference, Preference::Listed(_));
    if chosen.is_empty() && base_is_gone && is_configured && !preference.is_empty() {
        chosen = candidates.iter().copied().filter(|c| is_eligible(c, now)).collect();
    }
    if explicit {
        chosen.sort_by_key(|candidate| candidate.usage.unusable_until(now));
    } else {
        chosen.sort_by_key(|candidate| {
            let until = candidate.usage.unusable_until(now);
            match until {
                None => (
                    Reverse(true),
                    candidate.credential.kind().rank(),
                    candidate.usage.last_used.unwrap_or(0),
                ),
                Some(until) => (Reverse(false), 0, until),
            }
        });
    }
    chosen
}

/// Whether a profile can be used at all: it has a credential, its token is not expired,
/// and the configured mode accepts its kind (`oauth` accepts a stored token).
fn is_eligible(candidate: &Candidate<'_>, now: Millis) -> bool {
    let credential = candidate.credential;
    let kind = credential.kind();
    let mode_fits = candidate
        .configured_mode
        .is_none_or(|mode| mode == kind || (mode == Kind::OAuth && kind == Kind::Token));
    let has_credential = credential.is_reference()
        || credential.bearer().is_some()
        || credential.refresh_token().is_some();
    let token_lives = kind != Kind::Token
        || credential.is_usable_until(now)
        || (credential.is_reference() && credential.expires().is_none_or(|at| at > now));
    mode_fits && has_credential && token_lives
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{CredentialKind, Identity};
    use crate::secret::Secret;

    const NOW: Millis = 1_000;

    fn credential(kind: Kind) -> Credential {
        let kind = match kind {
            Kind::OAuth => CredentialKind::OAuth {
                access: Some(Secret::new("a")),
                refresh: None,
                id_token: None,
                expires: Some(0),
            },
            Kind::Token => CredentialKind::Token {
                token: Some(Secret::new("t")),
                reference: false,
                expires: None,
            },
            Kind::ApiKey => {
                CredentialKind::ApiKey { key: Some(Secret::new("k")), reference: false }
            }
        };
        Credential { provider: "p".into(), identity: Identity::default(), display_name: None, kind }
    }

    fn candidate<'a>(id: &'a str, credential: &'a Credential) -> Candidate<'a> {
        Candidate { id, credential, configured_mode: None, usage: UsageStats::default() }
    }

    fn ids(ordered: &[Candidate<'_>]) -> Vec<String> {
        ordered.iter().map(|candidate| candidate.id.to_owned()).collect()
    }

    #[test]
    fn the_implicit_order_is_kind_then_least_recently_used_then_cooldown() {
        let (oauth, token, key) =
            (credential(Kind::OAuth), credential(Kind::Token), credential(Kind::ApiKey));
        let mut candidates = [
            candidate("key", &key),
            candidate("token", &token),
            candidate("used", &oauth),
            candidate("fresh", &oauth),
            candidate("cooling", &oauth),
        ];
        candidates[2].usage.last_used = Some(900);
        candidates[3].usage.last_used = Some(100);
        candidates[4].usage.cooldown_until = Some(NOW + 1);
        assert_eq!(
            ids(&order(&candidates, &Preference::All, NOW)),
            ["fresh", "used", "token", "key", "cooling"]
        );
    }

    #[test]
    fn an_explicit_order_is_kept_and_cooled_profiles_go_last_soonest_first() {
        let oauth = credential(Kind::OAuth);
        let mut candidates =
            [candidate("a", &oauth), candidate("b", &oauth), candidate("c", &oauth)];
        candidates[2].usage.cooldown_until = Some(NOW + 50);
        candidates[1].usage.disabled_until = Some(NOW + 10);
        let explicit = Preference::Explicit(["c", "b", "x", "a", "c"].map(String::from).to_vec());
        assert_eq!(ids(&order(&candidates, &explicit, NOW)), ["a", "b", "c"]);
    }

    #[test]
    fn an_empty_order_uses_nothing_and_a_stale_configuration_hides_nothing() {
        let oauth = credential(Kind::OAuth);
        let candidates = [candidate("a", &oauth)];
        assert!(order(&candidates, &Preference::Explicit(vec![]), NOW).is_empty());
        let stale = Preference::Listed(vec!["gone".to_owned()]);
        assert_eq!(ids(&order(&candidates, &stale, NOW)), ["a"]);
    }

    #[test]
    fn a_configured_mode_must_fit_the_stored_kind() {
        let (token, key) = (credential(Kind::Token), credential(Kind::ApiKey));
        let mut candidates = [candidate("token", &token), candidate("key", &key)];
        candidates[0].configured_mode = Some(Kind::OAuth);
        candidates[1].configured_mode = Some(Kind::OAuth);
        assert_eq!(ids(&order(&candidates, &Preference::All, NOW)), ["token"]);
    }
}
