//! The order where the profiles of an agent stand among those of all, as in databases.
//!
//! Invariant: of one id, the agent's own profile is the one that counts.

use super::{Owner, Pool, Ranking, add, resolve, stored_order};
use crate::config::Config;
use crate::profile::{Millis, ProfileId, ProviderId, UsageStats};
use crate::provider::auth_provider_id;
use crate::store::StoreError;

impl Pool {
    /// The order where the agent's own profiles stand among those of `main`. Its own order
    /// replaces that of `main`; without one, its own profiles come before that order.
    pub(super) fn rank_merged(
        &self,
        config: &Config,
        provider: &ProviderId,
        now: Millis,
    ) -> Result<Ranking<'_>, StoreError> {
        let owners = self.0.iter().map(|owner| Ok((owner, owner.snapshot.state()?)));
        let owners = owners.collect::<Result<Vec<_>, StoreError>>()?;
        let own = &self.own().snapshot.document;
        let mut entries = Vec::new();
        add(&mut entries, &owners, 0, provider, |_| true);
        let id = auth_provider_id(provider);
        let of_agent = entries.iter().filter(|entry| entry.provider == id.as_str());
        let mut first: Vec<ProfileId> = of_agent.map(|entry| entry.id.into()).collect();
        add(&mut entries, &owners, 1, provider, |id| !own.has_entry(id));
        let stored = stored_order(owners[0].1, provider).or_else(|| {
            let shared = stored_order(owners[1].1, provider)?;
            first.extend(shared.into_iter().filter(|id| !own.has_entry(id.as_str())));
            Some(first)
        });
        for entry in &mut entries {
            entry.usage = owners[0].1.usage_before(owners[1].1, entry.id);
        }
        let order = resolve(&entries, stored.as_deref(), config, provider, (None, true), now);
        Ok(Ranking { entries, order, owners })
    }

    /// The order that somebody has set for the profiles of `provider`.
    pub(crate) fn explicit_order(
        &self,
        config: &Config,
        provider: &ProviderId,
    ) -> Result<Option<Vec<ProfileId>>, StoreError> {
        for owner in &self.0 {
            if let Some(order) = stored_order(owner.snapshot.state()?, provider) {
                return Ok(Some(order));
            }
        }
        let id = auth_provider_id(provider);
        Ok(config.auth_order(&id).or_else(|| config.auth_order(provider)))
    }

    /// How the uses of a profile of `owner` went. In databases, what the agent's own state says of
    /// it goes before that of all agents.
    pub(crate) fn usage(&self, owner: &Owner, id: &str) -> Result<UsageStats, StoreError> {
        let (own, others) = (self.own(), self.0.last().unwrap_or(owner));
        if self.is_merged() {
            return Ok(own.snapshot.state()?.usage_before(others.snapshot.state()?, id));
        }
        Ok(owner.snapshot.state()?.usage(id))
    }

    /// The store whose state says how the uses of a profile of `owner` went.
    pub(crate) fn usage_owner<'p>(
        &'p self,
        owner: &'p Owner,
        id: &str,
    ) -> Result<&'p Owner, StoreError> {
        let own = self.own();
        let says = own.snapshot.state()?.usage(id) != UsageStats::default();
        Ok(if self.is_merged() && says { own } else { owner })
    }
}
