//! Which profile a command is about.

pub(crate) mod error;

pub use error::{LookedIn, SelectionError, WrongProvider};

use super::fence::first_marked;
use super::managed::Managed;
use super::pool::{Entry, Pool};
use super::stored_as::is_stored_as;
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::external::Tool;
use crate::profile::{AgentId, Credential, Kind, ProfileId, ProviderId};
use crate::provider::{auth_provider_id, predecessor, successor};
use crate::secret::Secret;
use crate::store::{
    Document, Fence, LeaseKey, Store, StoreError, Version, is_refused, is_rejected,
};

/// A profile and the store that owns it.
#[derive(Debug)]
pub(crate) struct Selected {
    /// The store that owns the profile: the agent's, or that of `main`.
    pub(crate) store: Store,
    /// The agent whose store that is.
    pub(crate) owner: AgentDir,
    /// The profile id.
    pub(crate) id: ProfileId,
    /// The credential as it was read.
    pub(crate) credential: Credential,
    /// The text of its entry.
    pub(crate) entry: Secret,
    /// The version of the document that it was read from.
    pub(crate) version: Option<Version>,
    /// Whether the server has refused its refresh token.
    pub(crate) refused: bool,
    /// Whether a caller has reported its access token as rejected.
    pub(crate) rejected: bool,
    /// What OpenClaw has put in the place of its tokens.
    pub(crate) fence: Option<Fence>,
    /// The program whose login stands in for a profile that no store has.
    pub(crate) managed_by: Option<Tool>,
}

/// How a login is named: what it takes to sign in to it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// The agent whose store holds it.
    pub agent_id: AgentId,
}

impl Selected {
    /// The names of the login.
    pub(crate) fn login(&self) -> Login {
        Login {
            profile_id: self.id.clone(),
            provider: self.credential.provider.clone(),
            agent_id: self.owner.id.clone(),
        }
    }

    /// The key of the lease on refreshing it.
    pub(crate) fn lease_key(&self) -> LeaseKey<'_> {
        LeaseKey {
            provider: &self.credential.provider,
            profile_id: &self.id,
            grant: self.credential.refresh_token(),
        }
    }

    /// The profile `id` of a store, as it was just read.
    pub(crate) fn in_store(
        store: &Store,
        owner: &AgentDir,
        id: &ProfileId,
        credential: Credential,
    ) -> Result<Self, StoreError> {
        let snapshot = store.read()?;
        let state = snapshot.state()?;
        Ok(Self {
            refused: is_refused(state, id.as_str(), &credential),
            rejected: is_rejected(state, id.as_str(), &credential),
            entry: entry_text(&snapshot.document, id),
            store: store.clone(),
            owner: owner.clone(),
            id: id.clone(),
            credential,
            version: snapshot.version,
            fence: snapshot.document.fence(id.as_str()),
            managed_by: None,
        })
    }

    /// The profile of another program as that one keeps it now; `None` as for
    /// [`Managed::read`].
    fn of_program(
        app: &App,
        pool: &Pool,
        managed: &Managed,
    ) -> Result<Option<Self>, SelectionError> {
        let Some(credential) = managed.read(app)? else { return Ok(None) };
        let own = pool.own();
        Ok(Some(Self {
            store: own.store.clone(),
            owner: own.agent.clone(),
            id: managed.id.clone(),
            credential,
            entry: Secret::new(""),
            version: None,
            fence: None,
            refused: false,
            rejected: false,
            managed_by: Some(managed.tool),
        }))
    }
}

/// Selects, of the profiles in `pool`, the profile `id`, or the first one in the order of `provider`.
/// Without either, the agent must have profiles of one provider only.
pub(crate) fn select_in(
    app: &App,
    pool: &Pool,
    agent: &AgentDir,
    config: &Config,
    (provider, id): (Option<&ProviderId>, Option<&ProfileId>),
) -> Result<Selected, SelectionError> {
    match id {
        Some(id) => select_by_id(app, config, pool, id, provider),
        None => select_by_provider(app, pool, agent, config, provider),
    }
}

fn select_by_id(
    app: &App,
    config: &Config,
    pool: &Pool,
    id: &ProfileId,
    provider: Option<&ProviderId>,
) -> Result<Selected, SelectionError> {
    let Some((owner, credential)) = pool.find(id)? else {
        let managed = Managed::named(id).filter(|it| it.may_be_named(config, pool));
        let selected =
            managed.map(|it| Selected::of_program(app, pool, &it)).transpose()?.flatten();
        let no_profile =
            || SelectionError::NoProfile { profile_id: id.clone(), looked_in: pool.looked_in() };
        return selected.ok_or_else(no_profile);
    };
    if let Some(provider) = provider
        && !is_stored_as(&owner.store, &credential.provider, provider, credential.kind())
    {
        return Err(WrongProvider {
            profile_id: id.clone(),
            stored: credential.provider,
            wanted: provider.clone(),
        }
        .into());
    }
    let state = owner.snapshot.state()?;
    Ok(Selected {
        refused: is_refused(state, id.as_str(), &credential),
        rejected: is_rejected(state, id.as_str(), &credential),
        version: owner.snapshot.version,
        fence: owner.snapshot.document.fence(id.as_str()),
        store: owner.store.clone(),
        owner: owner.agent.clone(),
        entry: entry_text(&owner.snapshot.document, id),
        managed_by: None,
        id: id.clone(),
        credential,
    })
}

fn select_by_provider(
    app: &App,
    pool: &Pool,
    agent: &AgentDir,
    config: &Config,
    provider: Option<&ProviderId>,
) -> Result<Selected, SelectionError> {
    let at = app.now();
    let mut provider = match provider {
        Some(provider) => provider.clone().normalized(),
        None => match only_provider(pool, agent) {
            Ok(only) => only,
            // Without any profile, a login of another program is the one there is.
            Err(none) if pool.providers().is_empty() => {
                return stand_in(app, config, pool, None)?.ok_or(none);
            }
            Err(several) => return Err(several),
        },
    };
    let mut ranking = pool.rank(config, &provider, at)?;
    if ranking.is_none() {
        // Only what is not found may be an alias: the catalog costs time.
        provider = app.provider_id(&provider)?;
        ranking = pool.rank(config, &provider, at)?;
    }
    // The same logins may be kept under the name that their provider has by now, or had.
    let is_renamed = ranking.is_none() && pool.own().store.is_in_database();
    let other = || successor(&provider).or_else(|| predecessor(&provider));
    if let Some(other) = is_renamed.then(other).flatten() {
        ranking = pool.rank(config, &other, at)?;
    }
    let Some(ranking) = ranking else {
        let stand_in = stand_in(app, config, pool, Some(&provider))?;
        let (agent_id, looked_in) = (agent.id.clone(), pool.looked_in());
        let none = SelectionError::NoneOfProvider { agent_id, provider, looked_in };
        return stand_in.ok_or(none);
    };
    // A refused login is the answer only when there is no other.
    let counts = |entry: &&Entry<'_>| !is_renamed || entry.facts.kind == Kind::OAuth;
    let alive = ranking.ranked().filter(counts).find(|entry| !ranking.is_refused(entry));
    let Some(chosen) = alive.or_else(|| ranking.ranked().find(counts)) else {
        return match first_marked(pool, &provider) {
            Some(id) => select_by_id(app, config, pool, &id, None),
            None => Err(pool.none_usable(app, config, provider)),
        };
    };
    let owner = ranking.owner(chosen);
    let id = ProfileId::from(chosen.id);
    let Some(credential) = ranking.credential(chosen) else {
        return Err(SelectionError::NoProfile { profile_id: id, looked_in: pool.looked_in() });
    };
    Ok(Selected {
        credential,
        entry: entry_text(&owner.snapshot.document, &id),
        refused: ranking.is_refused(chosen),
        rejected: ranking.is_rejected(chosen),
        version: owner.snapshot.version,
        fence: owner.snapshot.document.fence(id.as_str()),
        store: owner.store.clone(),
        owner: owner.agent.clone(),
        managed_by: None,
        id,
    })
}

/// The login of another program that stands in for `provider`, of which the stores have no
/// profile; without one, the only login that does.
fn stand_in(
    app: &App,
    config: &Config,
    pool: &Pool,
    provider: Option<&ProviderId>,
) -> Result<Option<Selected>, SelectionError> {
    let id = provider.map(auth_provider_id);
    let mut found: Vec<Selected> = Vec::new();
    for managed in Managed::standing_in(config, pool) {
        if id.as_ref().is_none_or(|id| auth_provider_id(managed.provider()) == *id) {
            found.extend(Selected::of_program(app, pool, &managed)?);
        }
    }
    if found.len() > 1 {
        let profile_ids = found.into_iter().map(|selected| selected.id).collect();
        return Err(SelectionError::SeveralPrograms { profile_ids });
    }
    Ok(found.pop())
}

/// The text of an entry.
pub(crate) fn entry_text(document: &Document, id: &ProfileId) -> Secret {
    Secret::new(document.entry(id.as_str()).unwrap_or_default())
}

/// The one provider that the agent, else `main`, has profiles of.
pub(crate) fn only_provider(pool: &Pool, agent: &AgentDir) -> Result<ProviderId, SelectionError> {
    let mut names = pool.providers().into_iter();
    let agent_id = || agent.id.clone();
    match (names.next(), names.len()) {
        (Some(only), 0) => Ok(only),
        (Some(first), _) => {
            let providers = std::iter::once(first).chain(names).collect();
            Err(SelectionError::SeveralProviders { agent_id: agent_id(), providers })
        }
        (None, _) => {
            Err(SelectionError::NoneAtAll { agent_id: agent_id(), looked_in: pool.looked_in() })
        }
    }
}
