//! The order of a provider's profiles that is stored for one agent.

use crate::app::{App, AppError};
use crate::config::AgentDir;
use crate::ops::name;
use crate::ops::pool::Pool;
use crate::ops::selection::{SelectionError, WrongProvider, only_provider};
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::store::{Document, Location, ProfileSummary};
use std::path::PathBuf;

/// A stored order.
#[derive(Debug)]
pub struct StoredOrder {
    /// The agent.
    pub agent_id: AgentId,
    /// The directory of its store.
    pub agent_dir: PathBuf,
    /// The provider, normalised.
    pub provider: ProviderId,
    /// The document that holds the orders of the agent.
    pub state_location: Location,
    /// The order; `None` when none is stored.
    pub order: Option<Vec<ProfileId>>,
}

/// Why an order is not shown or stored.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The configuration or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The provider has to be named, or the entry of a profile is nothing that we know.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The provider has a blank name.
    #[error("--provider must not be blank")]
    BlankProvider,
    /// The order to store is empty.
    #[error("no profile id is given")]
    NoProfiles,
    /// The agent has no such profile.
    #[error("there is no profile `{profile_id}` in {}", directory.display())]
    UnknownProfile {
        /// The agent.
        agent_id: AgentId,
        /// The directory of its store.
        directory: PathBuf,
        /// The profile.
        profile_id: ProfileId,
    },
    /// A profile of the order is of another provider.
    #[error("{mistake}")]
    WrongProvider {
        /// The agent.
        agent_id: AgentId,
        /// The profile, and the two providers.
        mistake: Box<WrongProvider>,
    },
}

impl<E: Into<AppError>> From<E> for OrderError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The order that an agent follows because it is stored: its own, else that of `main` where
/// it uses the profiles of `main`.
///
/// # Errors
/// The store cannot be read, or the provider has to be named.
pub fn get(
    app: &App,
    agent: Option<&AgentId>,
    provider: Option<&ProviderId>,
) -> Result<StoredOrder, OrderError> {
    let (pool, agent) = open(app, agent)?;
    let provider = the_provider(&pool, &agent, provider)?;
    let own = pool.own();
    let mut order = own.snapshot.state()?.order(&provider);
    let from = pool.owner_of(&provider).unwrap_or(own);
    if order.is_none() && from.agent.id != own.agent.id {
        order = from.snapshot.state()?.order(&provider);
    }
    Ok(stored(&pool, provider, order))
}

/// Stores the order `ids`, without repetitions, for the agent.
///
/// # Errors
/// A profile is unknown or of another provider, or the store cannot be written.
pub fn set(
    app: &App,
    agent: Option<&AgentId>,
    provider: Option<&ProviderId>,
    ids: &[ProfileId],
) -> Result<StoredOrder, OrderError> {
    let (pool, agent) = open(app, agent)?;
    let mut order: Vec<ProfileId> = Vec::new();
    for id in ids.iter().map(|id| id.as_str().trim()).filter(|id| !id.is_empty()) {
        if !order.iter().any(|known| *known == id) {
            order.push(id.into());
        }
    }
    let Some(first) = order.first() else { return Err(OrderError::NoProfiles) };
    let unknown = |id: &ProfileId| OrderError::UnknownProfile {
        agent_id: agent.id.clone(),
        directory: agent.path.clone(),
        profile_id: id.clone(),
    };
    let provider = if provider.is_some() {
        the_provider(&pool, &agent, provider)?
    } else {
        let (_, credential) = pool.find(first)?.ok_or_else(|| unknown(first))?;
        credential.provider.normalized()
    };
    for id in &order {
        let (_, credential) = pool.find(id)?.ok_or_else(|| unknown(id))?;
        if credential.provider != provider {
            let stored = credential.provider;
            let mistake = WrongProvider { profile_id: id.clone(), stored, wanted: provider }.into();
            return Err(OrderError::WrongProvider { agent_id: agent.id, mistake });
        }
    }
    pool.own().store.update_state(|state| state.set_order(&provider, &order))?;
    Ok(stored(&pool, provider, Some(order)))
}

/// Stores an order in which the profile that the user calls `name` goes first, and the others of
/// its provider follow as they did.
///
/// # Errors
/// The name leads to no profile or several, or the store cannot be read or written.
pub fn prefer(app: &App, agent: Option<&AgentId>, name: &str) -> Result<StoredOrder, OrderError> {
    let (pool, agent) = open(app, agent)?;
    let first = name::profile(app, &pool, name).map_err(SelectionError::from)?;
    let unknown = || OrderError::UnknownProfile {
        agent_id: agent.id.clone(),
        directory: agent.path.clone(),
        profile_id: first.clone(),
    };
    let (_, credential) = pool.find(&first)?.ok_or_else(unknown)?;
    let provider = credential.provider.normalized();
    let config = app.config()?;
    let ranking = pool.rank(&config, &provider, app.now())?;
    let ranked: Vec<ProfileId> = match &ranking {
        Some(ranking) => ranking.ranked().map(|entry| entry.id.into()).collect(),
        None => Vec::new(),
    };
    // Those that cannot be used now can be again.
    let is_its = |it: &ProfileSummary<'_>| ProviderId::from(&*it.provider) == provider;
    let documents = pool.owners().iter().map(|owner| &owner.snapshot.document);
    let own = documents.take(1).flat_map(Document::summaries).filter(is_its).map(|it| it.id.into());
    let mut order = vec![first];
    for id in ranked.into_iter().chain(own) {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    pool.own().store.update_state(|state| state.set_order(&provider, &order))?;
    Ok(stored(&pool, provider, Some(order)))
}

/// Removes the order that is stored for the agent. Where there is none, nothing is written.
///
/// # Errors
/// The store cannot be read or written, or the provider has to be named.
pub fn clear(
    app: &App,
    agent: Option<&AgentId>,
    provider: Option<&ProviderId>,
) -> Result<StoredOrder, OrderError> {
    let (pool, agent) = open(app, agent)?;
    let provider = the_provider(&pool, &agent, provider)?;
    let own = pool.own();
    let mut state = own.snapshot.state()?.clone();
    if state.set_order(&provider, &[]) {
        own.store.update_state(|state| state.set_order(&provider, &[]))?;
    }
    Ok(stored(&pool, provider, None))
}

/// The stores of the agent. Its directory is the configured one: `OPENCLAW_AGENT_DIR` does
/// not count here, as in OpenClaw.
fn open(app: &App, agent: Option<&AgentId>) -> Result<(Pool, AgentDir), OrderError> {
    let config = app.config()?;
    let default = config.default_agent();
    let agent = app.agent(&config, Some(agent.unwrap_or(&default)))?;
    app.warn_of(&app.exposures(&config, &agent));
    Ok((Pool::open(app, &config, &agent)?, agent))
}

fn the_provider(
    pool: &Pool,
    agent: &AgentDir,
    named: Option<&ProviderId>,
) -> Result<ProviderId, OrderError> {
    let Some(named) = named else { return Ok(only_provider(pool, agent)?) };
    let provider = named.clone().normalized();
    if provider.is_empty() {
        return Err(OrderError::BlankProvider);
    }
    Ok(provider)
}

fn stored(pool: &Pool, provider: ProviderId, order: Option<Vec<ProfileId>>) -> StoredOrder {
    let own = pool.own();
    StoredOrder {
        agent_id: own.agent.id.clone(),
        agent_dir: own.agent.path.clone(),
        provider,
        state_location: own.store.openclaw_location(),
        order,
    }
}
