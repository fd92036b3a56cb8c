//! The order in which the profiles of a provider are tried, as OpenClaw 2026.4.24
//! resolves it: stored order, else configured order, else the configured profiles, else
//! all; explicit orders keep their sequence, implicit ones go by kind and then by the
//! least recently used; profiles in a cooldown come last.

use super::{
    Configured, CredentialSummary, Ineligible, Kind, Millis, ProfileId, UsageStats, eligibility,
};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// A stored profile.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The profile id.
    pub id: &'a str,
    /// The provider of the credential, in the form in which providers are compared.
    pub provider: &'a str,
    /// What is there of the credential.
    pub facts: CredentialSummary,
    /// What the state file remembers.
    pub usage: &'a UsageStats,
}

/// What decides about the order of one provider's profiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preference<'a> {
    /// The provider, in the form in which providers are compared.
    pub provider: &'a str,
    /// The order that the state file holds; an empty one is none.
    pub stored: Option<&'a [ProfileId]>,
    /// The order that the configuration holds; an empty one switches the provider off.
    pub configured: Option<&'a [ProfileId]>,
    /// The profiles that the configuration lists, of every provider.
    pub profiles: &'a [Configured],
    /// Whether failures keep profiles of this provider away for a while.
    pub cools_down: bool,
    /// Whether an expired OAuth login comes after the others, as with OpenClaw 2026.9.6.
    pub expired_last: bool,
    /// A profile that goes first if it can be used at all, even in a cooldown.
    pub preferred: Option<&'a ProfileId>,
}

/// What the order follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderSource {
    /// The order in the state file.
    Stored,
    /// `auth.order` of the configuration.
    Configured,
    /// `auth.profiles` of the configuration, which hides what it does not list.
    Listed,
    /// Every stored profile of the provider.
    All,
}

impl OrderSource {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored_order",
            Self::Configured => "configured_order",
            Self::Listed => "configured_profiles",
            Self::All => "all_profiles",
        }
    }
}

/// The order of one provider's profiles.
#[derive(Clone, Debug)]
pub struct Order {
    /// What it follows.
    pub source: OrderSource,
    /// The eligible profiles, best first, by their place among the candidates.
    pub ranked: Vec<usize>,
    /// The profiles that the source names and that are not eligible.
    pub passed_over: Vec<(ProfileId, Ineligible)>,
}

/// Resolves the order of the profiles of `preference.provider` among `candidates`, which
/// are all stored profiles, in their order.
pub fn order(candidates: &[Candidate<'_>], preference: &Preference<'_>, now: Millis) -> Order {
    let Preference { provider, stored, configured, profiles, .. } = *preference;
    let is_of_provider = |profile: &&Configured| profile.provider.as_str() == provider;
    let listed: Vec<&str> =
        profiles.iter().filter(is_of_provider).map(|profile| profile.id.as_str()).collect();
    let all = || candidates.iter().filter(|c| c.provider == provider).map(|c| c.id).collect();
    let (source, base): (_, Vec<&str>) = match (stored.filter(|ids| !ids.is_empty()), configured) {
        (Some(ids), _) => (OrderSource::Stored, ids.iter().map(ProfileId::as_str).collect()),
        (None, Some(ids)) => (OrderSource::Configured, ids.iter().map(ProfileId::as_str).collect()),
        (None, None) if !listed.is_empty() => (OrderSource::Listed, listed.clone()),
        (None, None) => (OrderSource::All, all()),
    };
    let place: HashMap<&str, usize> =
        candidates.iter().enumerate().map(|(index, candidate)| (candidate.id, index)).collect();
    let settings: HashMap<&str, &Configured> =
        profiles.iter().map(|profile| (profile.id.as_str(), profile)).collect();
    let check = |id: &str| {
        let index = place.get(id).copied();
        let stored = index.map(|index| (candidates[index].facts, candidates[index].provider));
        eligibility(stored, settings.get(id).copied(), provider, now)
            .and(index.ok_or(Ineligible::ProfileMissing))
    };
    let mut seen = HashSet::new();
    let mut ranked = Vec::with_capacity(base.len());
    let mut passed_over = Vec::new();
    for id in base.iter().copied().filter(|id| seen.insert(*id)) {
        match check(id) {
            Ok(index) => ranked.push(index),
            Err(reason) => passed_over.push((id.into(), reason)),
        }
    }
    // A configuration whose profiles are all gone does not hide those that are there.
    let base_is_gone = !base.is_empty() && base.iter().all(|id| !place.contains_key(id));
    if base_is_gone && !listed.is_empty() {
        let all: Vec<&str> = all();
        ranked.extend(all.into_iter().filter_map(|id| check(id).ok()));
    }
    let is_explicit = matches!(source, OrderSource::Stored | OrderSource::Configured);
    ranked.sort_by_key(|index| {
        let candidate = &candidates[*index];
        let usage = candidate.usage;
        match usage.unusable_until(now).filter(|_| preference.cools_down) {
            Some(until) => (Reverse(false), 0, until),
            None if is_explicit => (Reverse(true), 0, 0),
            None => {
                let is_expired = preference.expired_last
                    && candidate.facts.kind == Kind::OAuth
                    && matches!(candidate.facts.expires, Some(Ok(at)) if at <= now);
                let rank = 2 * candidate.facts.kind.rank() + u8::from(is_expired);
                (Reverse(true), rank, usage.last_used.unwrap_or(0))
            }
        }
    });
    let preferred =
        |index: &usize| preference.preferred.is_some_and(|id| *id == candidates[*index].id);
    if let Some(at) = ranked.iter().position(preferred) {
        ranked[..=at].rotate_right(1);
    }
    Order { source, ranked, passed_over }
}
