//! The order where the profiles of an agent stand among those of all, as in databases.
//!
//! Invariant: of one id, the agent's own profile is the one that counts.

use super::{Pool, Ranking, add, resolve, stored_order};
use crate::config::Config;
use crate::profile::{Millis, ProfileId, ProviderId};
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
        let order = resolve(&entries, stored.as_deref(), config, provider, None, now);
        Ok(Ranking { entries, order, owners })
    }
}
