//! Orders that name profiles which are not there: left behind by a hand or another program.
//!
//! Invariant: nothing is changed. Whether such an order matters is told apart: one that names
//! nobody else keeps every profile of its provider away.

use crate::config::Config;
use crate::external::Tool;
use crate::profile::{ProfileId, ProviderId};
use crate::provider::auth_provider_id;
use crate::store::{Document, Location, StateDocument};
use std::fmt;
use std::path::Path;

/// An order that names profiles which are not there.
#[derive(Clone, Debug)]
pub struct StaleOrder {
    /// The provider.
    pub provider: ProviderId,
    /// The document that holds the order.
    pub location: Location,
    /// Where it stands in the document.
    pub member: &'static str,
    /// The profiles that are not there.
    pub gone: Vec<ProfileId>,
    /// The profiles of the provider, where the order keeps all of them away.
    pub hidden: Vec<ProfileId>,
}

impl fmt::Display for StaleOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 5;
        let Self { provider, location, member, gone, hidden } = self;
        let only = if hidden.is_empty() { "" } else { "only " };
        let names: Vec<_> = gone.iter().take(MOST).map(|id| format!("`{id}`")).collect();
        write!(f, "the order of {provider} in {location} (`{member}`) names {only}")?;
        write!(f, "profiles that are not there: {}", names.join(", "))?;
        if gone.len() > MOST { write!(f, " and {} more", gone.len() - MOST) } else { Ok(()) }
    }
}

/// What an order is held against.
pub(crate) struct Known<'k> {
    /// The configuration.
    pub(crate) config: &'k Config,
    /// The documents that an agent reads.
    pub(crate) documents: &'k [&'k Document],
}

impl Known<'_> {
    /// The stale ones of the orders in `auth.order` of the configuration. An order in one of
    /// `states` goes before it.
    pub(crate) fn configured(&self, path: &Path, states: &[&StateDocument]) -> Vec<StaleOrder> {
        let check = |(provider, ids)| {
            let mut order = self.check(provider, path.into(), "auth.order", ids)?;
            let id = auth_provider_id(&order.provider);
            if states.iter().any(|it| it.order(&id).or_else(|| it.order(&order.provider)).is_some())
            {
                order.hidden.clear();
            }
            Some(order)
        };
        self.config.auth_orders().into_iter().filter_map(check).collect()
    }

    /// The stale ones of the orders in a state document.
    pub(crate) fn stored(&self, state: &StateDocument, location: &Location) -> Vec<StaleOrder> {
        let orders = state.orders().into_iter();
        orders
            .filter_map(|(provider, ids)| self.check(provider, location.clone(), "order", ids))
            .collect()
    }

    fn check(
        &self,
        provider: ProviderId,
        location: Location,
        member: &'static str,
        ids: Vec<ProfileId>,
    ) -> Option<StaleOrder> {
        // A profile of another program is in no store. One that is there by itself stands in
        // only while the stores have none of its provider.
        let has_own = !self.of(&provider).is_empty();
        let is_of_program = |id: &ProfileId| {
            Tool::managing_stored(id).is_some() || (!has_own && Tool::managing(id).is_some())
        };
        let is_stored = |id: &ProfileId| self.documents.iter().any(|it| it.has_entry(id.as_str()));
        let is_there = |id: &ProfileId| is_stored(id) || is_of_program(id);
        let (present, gone): (Vec<_>, Vec<_>) = ids.into_iter().partition(is_there);
        if gone.is_empty() {
            return None;
        }
        let hidden = if present.is_empty() { self.hidden(&provider) } else { Vec::new() };
        Some(StaleOrder { provider, location, member, gone, hidden })
    }

    /// The profiles of a provider that an order of others keeps away. Where the configuration
    /// lists profiles of the provider, all of them stand in for those that are gone.
    fn hidden(&self, provider: &ProviderId) -> Vec<ProfileId> {
        let id = auth_provider_id(provider);
        let listed = self.config.configured_profiles(auth_provider_id);
        if listed.iter().any(|profile| profile.provider == id) {
            return Vec::new();
        }
        self.of(provider)
    }

    /// The stored profiles of a provider.
    fn of(&self, provider: &ProviderId) -> Vec<ProfileId> {
        let id = auth_provider_id(provider);
        let summaries = self.documents.iter().flat_map(|document| document.summaries());
        let own = summaries.filter(|profile| auth_provider_id(&*profile.provider) == id);
        own.map(|profile| profile.id.into()).collect()
    }
}
