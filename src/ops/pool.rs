//! The profiles that an agent can use, and the order of those of one provider.
//!
//! An agent has its own profiles, and reads through to those of `main` for a provider of
//! which it has none; in databases, for each id that it has not. Invariant: nothing is copied; every profile stays in the store that
//! owns it, and so does what is remembered about its use. Only an order of the agent's
//! own can name profiles of `main` beside those of the agent.

mod merged;
#[cfg(test)]
mod recorded;

use super::selection::error::{LookedIn, SelectionError};
use super::stale_order::{Known, StaleOrder};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::profile::{
    Candidate, Configured, Credential, CredentialSummary, Millis, Order, Preference, ProfileId,
    ProviderId, UsageStats, order,
};
use crate::provider::{auth_provider_id, cools_down};
use crate::store::{Document, ProfileSummary, Snapshot, StateDocument, Store, StoreError};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A store with the agent that it is of, as it was read.
#[derive(Debug)]
pub(crate) struct Owner {
    /// The agent.
    pub(crate) agent: AgentDir,
    /// Its store.
    pub(crate) store: Store,
    /// The profiles in it.
    pub(crate) snapshot: Snapshot,
}

/// The stores that an agent reads: its own, then that of `main`.
#[derive(Debug)]
pub(crate) struct Pool(Vec<Owner>);

/// One stored profile of a ranking.
#[derive(Debug)]
pub(crate) struct Entry<'p> {
    /// The profile id.
    pub(crate) id: &'p str,
    /// The provider in the form in which providers are compared.
    pub(crate) provider: Cow<'p, str>,
    /// What is there of the credential.
    pub(crate) facts: CredentialSummary,
    /// What is remembered about its use.
    pub(crate) usage: UsageStats,
    owner: usize,
}

/// The profiles of one provider in their order.
#[derive(Debug)]
pub(crate) struct Ranking<'p> {
    /// Every stored profile that was looked at, of any provider.
    pub(crate) entries: Vec<Entry<'p>>,
    /// Which of them come into question, best first.
    pub(crate) order: Order,
    owners: Vec<(&'p Owner, &'p StateDocument)>,
}

impl Pool {
    pub(crate) fn open(app: &App, config: &Config, agent: &AgentDir) -> Result<Self, StoreError> {
        let owners = app.readable(config, agent).into_iter().map(|(agent, store)| {
            let snapshot = store.read()?;
            Ok(Owner { agent, store, snapshot })
        });
        owners.collect::<Result<_, StoreError>>().map(Self)
    }

    /// The agent's own store alone.
    pub(crate) fn of_own(app: &App, agent: &AgentDir) -> Result<Self, StoreError> {
        let store = app.store(agent);
        let snapshot = store.read()?;
        Ok(Self(vec![Owner { agent: agent.clone(), store, snapshot }]))
    }

    /// The agent's own store.
    pub(crate) fn own(&self) -> &Owner {
        &self.0[0]
    }

    /// All stores, the agent's own first.
    pub(crate) fn owners(&self) -> &[Owner] {
        &self.0
    }

    /// The documents of the profiles.
    pub(crate) fn looked_in(&self) -> LookedIn {
        let locations = self.0.iter().map(|owner| owner.store.location()).collect();
        let documents = self.0.iter().map(|owner| &owner.snapshot.document);
        let entries = documents.flat_map(Document::inspections);
        let odd = entries.filter(|(_, found)| found.is_none()).map(|(id, _)| id.into());
        LookedIn { locations, uninterpretable: odd.collect() }
    }

    /// That no profile of `provider` can be used, with the order that keeps them away.
    pub(crate) fn none_usable(
        &self,
        app: &App,
        config: &Config,
        provider: ProviderId,
    ) -> SelectionError {
        let owner = self.owner_of(&provider).unwrap_or_else(|| self.own());
        let documents: Vec<_> = self.0.iter().map(|owner| &owner.snapshot.document).collect();
        let known = Known { config, documents: &documents };
        let stored = self.0.iter().filter_map(|owner| {
            Some(known.stored(owner.snapshot.state().ok()?, &owner.store.state_location()))
        });
        let id = auth_provider_id(&provider);
        let is_its = |order: &StaleOrder| auth_provider_id(&order.provider) == id;
        let states = self.0.iter().filter_map(|owner| owner.snapshot.state().ok());
        let states: Vec<_> = states.collect();
        let configured = known.configured(&app.paths.config, &states);
        let mut orders = stored.flatten().chain(configured);
        let order = orders.find(|order| is_its(order) && !order.hidden.is_empty());
        SelectionError::NoneUsable {
            agent_id: self.own().agent.id.clone(),
            location: owner.store.location(),
            order: order.map(Box::new),
            provider,
        }
    }

    /// The profile `id`: the agent's own, else that of `main`.
    pub(crate) fn find(
        &self,
        id: &ProfileId,
    ) -> Result<Option<(&Owner, Credential)>, SelectionError> {
        for owner in &self.0 {
            if let Some(credential) = owner.snapshot.document.credential(id.as_str()) {
                return Ok(Some((owner, credential)));
            }
            if owner.snapshot.document.has_entry(id.as_str()) {
                return Err(SelectionError::Uninterpretable {
                    profile_id: id.clone(),
                    location: owner.store.location(),
                });
            }
        }
        Ok(None)
    }

    /// Whether the agent has all profiles of `main` but those of an id of its own, as OpenClaw
    /// has it in its databases; in files, it has those of the providers that it has none of.
    fn is_merged(&self) -> bool {
        self.0.len() > 1 && self.own().store.is_in_database()
    }

    /// The providers, spelt as they are normalised, that the agent, else `main`, has profiles of.
    pub(crate) fn providers(&self) -> BTreeSet<ProviderId> {
        let of = |owner: &Owner| -> BTreeSet<ProviderId> {
            let profiles = owner.snapshot.document.summaries();
            profiles.map(|profile| ProviderId::from(&*profile.provider).normalized()).collect()
        };
        if self.is_merged() {
            return self.0.iter().flat_map(of).collect();
        }
        self.0.iter().map(of).find(|providers| !providers.is_empty()).unwrap_or_default()
    }

    /// The store whose profiles of `provider` the agent uses; `None` when there is none.
    pub(crate) fn owner_of(&self, provider: &ProviderId) -> Option<&Owner> {
        let id = auth_provider_id(provider);
        self.0.iter().find(|owner| {
            let mut profiles = owner.snapshot.document.summaries();
            profiles.any(|profile| auth_provider_id(&*profile.provider) == id)
        })
    }

    /// The order of the profiles of `provider`; `None` when there is none.
    pub(crate) fn rank(
        &self,
        config: &Config,
        provider: &ProviderId,
        now: Millis,
    ) -> Result<Option<Ranking<'_>>, StoreError> {
        let Some(owner) = self.owner_of(provider) else { return Ok(None) };
        let own = self.own();
        let own_state = own.snapshot.state()?;
        if self.is_merged() {
            return self.rank_merged(config, provider, now).map(Some);
        }
        let mut stored = stored_order(own_state, provider);
        let mut owners = vec![(own, own_state)];
        let mut entries = Vec::new();
        if std::ptr::eq(owner, own) {
            add(&mut entries, &owners, 0, provider, |_| true);
            if let (Some(order), Some(main)) = (&stored, self.0.get(1)) {
                let is_own = |id: &str| own.snapshot.document.has_entry(id);
                if order.iter().any(|id| !is_own(id.as_str())) {
                    owners.push((main, main.snapshot.state()?));
                    let is_named = |id: &str| !is_own(id) && order.iter().any(|named| *named == id);
                    add(&mut entries, &owners, 1, provider, is_named);
                }
            }
        } else {
            owners.push((owner, owner.snapshot.state()?));
            add(&mut entries, &owners, 1, provider, |_| true);
            stored = stored.or_else(|| stored_order(owners[1].1, provider));
        }
        let rules = (None, own.store.is_in_database());
        let order = resolve(&entries, stored.as_deref(), config, provider, rules, now);
        Ok(Some(Ranking { entries, order, owners }))
    }
}

impl<'p> Ranking<'p> {
    /// The store that owns an entry.
    pub(crate) fn owner(&self, entry: &Entry<'_>) -> &'p Owner {
        self.owners[entry.owner].0
    }

    /// The credential of an entry.
    pub(crate) fn credential(&self, entry: &Entry<'_>) -> Option<Credential> {
        self.owner(entry).snapshot.document.credential(entry.id)
    }

    /// Whether the server has refused the refresh token that an entry holds.
    pub(crate) fn is_refused(&self, entry: &Entry<'_>) -> bool {
        let (owner, state) = &self.owners[entry.owner];
        state.refusal_of(&owner.snapshot.document, entry.id).is_some()
    }

    /// Whether a caller saw the access token rejected that an entry holds.
    pub(crate) fn is_rejected(&self, entry: &Entry<'_>) -> bool {
        let (owner, state) = &self.owners[entry.owner];
        state.rejects(&owner.snapshot.document, entry.id)
    }

    /// The eligible profiles, best first.
    pub(crate) fn ranked(&self) -> impl Iterator<Item = &Entry<'p>> {
        self.order.ranked.iter().map(|index| &self.entries[*index])
    }
}

/// The order that a state document holds for a provider: under the id by which profiles
/// are compared, else under the one that was asked for.
fn stored_order(state: &StateDocument, provider: &ProviderId) -> Option<Vec<ProfileId>> {
    state.order(&auth_provider_id(provider)).or_else(|| state.order(provider))
}

/// The form in which the provider of an entry is compared.
fn compared(provider: &str) -> String {
    auth_provider_id(provider).as_str().to_owned()
}

/// Adds the profiles of one store that `is_wanted`.
fn add<'p>(
    entries: &mut Vec<Entry<'p>>,
    owners: &[(&'p Owner, &'p StateDocument)],
    owner: usize,
    provider: &ProviderId,
    is_wanted: impl Fn(&str) -> bool,
) {
    let provider = auth_provider_id(provider);
    let (from, state) = &owners[owner];
    for profile in from.snapshot.document.summaries().filter(|profile| is_wanted(profile.id)) {
        let ProfileSummary { id, provider: of, facts } = profile;
        // Mostly it is spelt so.
        let of = if of == provider.as_str() { of } else { compared(&of).into() };
        let usage = if of == provider.as_str() { state.usage(id) } else { UsageStats::default() };
        entries.push(Entry { id, provider: of, facts, usage, owner });
    }
}

fn resolve(
    entries: &[Entry<'_>],
    stored: Option<&[ProfileId]>,
    config: &Config,
    provider: &ProviderId,
    (preferred, expired_last): (Option<&ProfileId>, bool),
    now: Millis,
) -> Order {
    let id = auth_provider_id(provider);
    let configured = config.auth_order(&id).or_else(|| config.auth_order(provider));
    let profiles: Vec<Configured> = config.configured_profiles(auth_provider_id);
    let candidates: Vec<Candidate<'_>> = entries
        .iter()
        .map(|entry| Candidate {
            id: entry.id,
            provider: &entry.provider,
            facts: entry.facts,
            usage: &entry.usage,
        })
        .collect();
    let preference = Preference {
        provider: id.as_str(),
        stored,
        configured: configured.as_deref(),
        profiles: &profiles,
        // Without a failure there is nothing to know about failures.
        cools_down: entries.iter().any(|entry| entry.usage != UsageStats::default())
            && cools_down(provider),
        preferred,
        expired_last,
    };
    order(&candidates, &preference, now)
}
