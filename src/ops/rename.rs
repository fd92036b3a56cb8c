//! Renaming a profile: its entry, what the stores remember of it, and the configuration.
//!
//! Steps, under the lease on its grant: the orders, statistics and configuration name both ids →
//! the entry gets its new id, in one write → the former id is named nowhere. Invariant: the login
//! is under one id at every moment, and that id is in the orders that the login was in. A rename
//! that was killed is ended by the same command.

use super::name::{self, NameError};
use super::pool::Pool;
use super::record::{ProfileIdError, check_profile_id};
use super::refresh::{LeaseError, Waited, store_spooled, wait_for_lease};
use super::selection::Selected;
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config, ConfigEdit, add_profile_id, replace_profile_id};
use crate::external::Tool;
use crate::profile::{AgentId, Credential, ProfileId, ProviderId};
use crate::store::{Document, Done, Lease, Location, StateDocument, Store, StoreError};
use std::time::Duration;

/// What to rename.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the user calls the profile.
    pub name: String,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The id that it gets.
    pub to: ProfileId,
}

/// What was renamed.
#[derive(Debug)]
pub struct Report {
    /// The id that it had.
    pub from: ProfileId,
    /// The id that it has.
    pub to: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The agent.
    pub agent_id: AgentId,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Why a profile is not renamed. It has its id as before, except with
/// [`RenameError::Unfinished`].
#[derive(Debug, thiserror::Error)]
pub enum RenameError {
    /// The configuration or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The name leads to no profile or several.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another process is refreshing the login.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The new id cannot be used.
    #[error("the new id of a profile is a name without outer spaces that does not begin with `-`")]
    Id,
    /// It has this id.
    #[error("the profile has the id `{0}` already")]
    Same(ProfileId),
    /// The id belongs to a login that another program keeps.
    #[error("`{profile_id}` is the login of {}", tool.program().label)]
    OfProgram {
        /// The id.
        profile_id: ProfileId,
        /// The program.
        tool: Tool,
    },
    /// Another profile has the new id.
    #[error("{location} has a profile `{profile_id}`")]
    Taken {
        /// The id.
        profile_id: ProfileId,
        /// The document.
        location: Location,
    },
    /// The configuration has a profile of another provider or kind under the new id.
    #[error("auth.profiles has `{0}` for another credential")]
    Configured(ProfileId),
    /// The agent has it from another one.
    #[error("agent `{agent_id}` has `{profile_id}` from agent `{from}`")]
    Inherited {
        /// The agent.
        agent_id: AgentId,
        /// The profile.
        profile_id: ProfileId,
        /// The agent whose profile it is.
        from: AgentId,
    },
    /// There is no such profile any more, or it cannot be interpreted.
    #[error("there is no usable profile `{profile_id}` in {location}")]
    NoProfile {
        /// The profile.
        profile_id: ProfileId,
        /// The document.
        location: Location,
    },
    /// OpenClaw is refreshing it, or has lost its tokens.
    #[error("the tokens of `{0}` are held by a refresh of OpenClaw")]
    Fenced(ProfileId),
    /// A move of it was interrupted: what is noted of that names its id.
    #[error("a move of `{0}` was interrupted")]
    Moving(ProfileId),
    /// Somebody has changed it meanwhile.
    #[error("`{0}` has changed meanwhile, and was not renamed")]
    Changed(ProfileId),
    /// It has the new id, and the former one is still named somewhere.
    #[error("the profile is renamed to `{to}`, and `{from}` is still named elsewhere")]
    Unfinished {
        /// The id that it had.
        from: ProfileId,
        /// The id that it has.
        to: ProfileId,
        /// The agent.
        agent_id: AgentId,
        /// Why.
        source: Box<AppError>,
    },
}

impl<E: Into<AppError>> From<E> for RenameError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Longer than a refresh takes.
const LEASE_TIMEOUT: Duration = Duration::from_mins(3);

/// Renames a profile.
///
/// # Errors
/// See [`RenameError`].
pub async fn rename(app: &App, request: &Request) -> Result<Report, RenameError> {
    check_profile_id(&request.to).map_err(|_: ProfileIdError| RenameError::Id)?;
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store_spooled((app, &config), &app.spool());
    let to = &request.to;
    check_owner(to, Tool::managing(to))?;
    let places = Places { app, config: &config, agent: &agent, store: &store };
    let from = match places.called(&request.name) {
        Err(RenameError::Name(NameError::Unknown { .. })) if places.is_unfinished(request) => {
            let from = ProfileId::from(request.name.as_str());
            return places.finish(from, to.clone());
        }
        found => found?,
    };
    let is_stored = store.profiles()?.has_entry(from.as_str());
    // One that is there by itself as long as nothing is stored is ours once it is.
    let tool = if is_stored { Tool::managing_stored(&from) } else { Tool::managing(&from) };
    check_owner(&from, tool)?;
    if from == *to {
        return Err(RenameError::Same(from));
    }
    let (credential, _lease) = places.leased(&from).await?;
    places.check(&from, to, &credential)?;
    places.name_both(&from, to)?;
    places.rename_entry(&from, to, &credential)?;
    app.notices.tell_gateway(Done::Update);
    places.finish(from, to.clone())
}

/// Fails for an id that is that of the login of `tool`.
fn check_owner(id: &ProfileId, tool: Option<Tool>) -> Result<(), RenameError> {
    let profile_id = id.clone();
    tool.map_or(Ok(()), |tool| Err(RenameError::OfProgram { profile_id, tool }))
}

/// Where the profile is.
struct Places<'a> {
    app: &'a App,
    config: &'a Config,
    agent: &'a AgentDir,
    store: &'a Store,
}

impl Places<'_> {
    /// The profile of the agent that the user calls `name`.
    fn called(&self, name: &str) -> Result<ProfileId, RenameError> {
        let Self { app, config, agent, .. } = *self;
        let own = name::profile(app, &Pool::of_own(app, agent)?, name);
        if !matches!(own, Err(NameError::Unknown { .. })) {
            return Ok(own?);
        }
        let inherited = name::profile(app, &Pool::open(app, config, agent)?, name);
        match (inherited, app.fallback(config, agent)) {
            (Ok(profile_id), Some((from, _))) => Err(RenameError::Inherited {
                agent_id: agent.id.clone(),
                profile_id,
                from: from.id,
            }),
            _ => Ok(own?),
        }
    }

    /// Whether an earlier run has renamed the profile, and the former id is still named.
    fn is_unfinished(&self, request: &Request) -> bool {
        let (from, to) = (ProfileId::from(request.name.as_str()), request.to.as_str());
        let is_there = self.store.profiles().is_ok_and(|it| it.has_entry(to));
        let is_named = |store: &Store| needs(store, |state| state.replace_id(from.as_str(), to));
        is_there && (self.config.has_auth_profile(&from) || self.states().iter().any(is_named))
    }

    /// The stores whose orders and statistics can name the profile: that of the agent, and those
    /// of the agents that have it from this one.
    fn states(&self) -> Vec<Store> {
        let mut stores = vec![self.store.clone()];
        if self.agent.id.is_main() {
            let others = self.app.agents_with_directories(self.config);
            let others = others.iter().map(|other| self.app.store(other));
            stores.extend(others.filter(|other| !other.is_same(self.store)));
        }
        stores
    }

    /// The stores of [`Self::states`] that mean this profile by `id`.
    fn meant(&self, id: &ProfileId) -> Vec<Store> {
        let mut stores = self.states();
        let has_own = |store: &Store| store.profiles().is_ok_and(|it| it.has_entry(id.as_str()));
        stores.retain(|store| store.is_same(self.store) || !has_own(store));
        stores
    }

    /// Takes the lease on the grant of the profile; what it holds then.
    async fn leased(&self, id: &ProfileId) -> Result<(Credential, Option<Lease>), RenameError> {
        let location = || self.store.location();
        let no_profile = || RenameError::NoProfile { profile_id: id.clone(), location: location() };
        let document = self.store.profiles()?;
        if document.fence(id.as_str()).is_some() {
            return Err(RenameError::Fenced(id.clone()));
        }
        let credential = document.credential(id.as_str()).ok_or_else(no_profile)?;
        let selected = Selected::in_store(self.store, self.agent, id, credential)?;
        let clock = &self.app.machine.clock;
        let waited =
            wait_for_lease::<LeaseError>(&selected, clock, LEASE_TIMEOUT, |_| Ok(None)).await?;
        let Waited::Leased(mut lease) = waited else { return Err(no_profile()) };
        loop {
            let document = self.store.profiles()?;
            if document.fence(id.as_str()).is_some() {
                return Err(RenameError::Fenced(id.clone()));
            }
            let credential = document.credential(id.as_str()).ok_or_else(no_profile)?;
            let Some(grant) = credential.refresh_token() else {
                return Ok((credential, Some(lease)));
            };
            if self.app.moves().find(grant).is_some() {
                return Err(RenameError::Moving(id.clone()));
            }
            if !self.store.follow_grant(&mut lease, grant, LEASE_TIMEOUT)? {
                return Ok((credential, Some(lease)));
            }
        }
    }

    /// Fails where the new id means something already.
    fn check(&self, from: &ProfileId, to: &ProfileId, it: &Credential) -> Result<(), RenameError> {
        let mut stores = self.meant(from);
        stores.extend(self.app.fallback(self.config, self.agent).map(|(_, store)| store));
        for store in stores {
            if store.profiles()?.has_entry(to.as_str()) {
                let (profile_id, location) = (to.clone(), store.location());
                return Err(RenameError::Taken { profile_id, location });
            }
        }
        let configured = self.config.configured_profiles(ProviderId::normalized);
        let is_other = configured.iter().filter(|other| other.id == *to).any(|other| {
            other.provider != it.provider.clone().normalized() || other.mode != Some(it.kind())
        });
        if is_other { Err(RenameError::Configured(to.clone())) } else { Ok(()) }
    }

    /// Orders, statistics and configuration name both ids.
    fn name_both(&self, from: &ProfileId, to: &ProfileId) -> Result<(), RenameError> {
        add_profile_id(&self.app.paths.config, from, to)?;
        for store in self.meant(from) {
            change(&store, |state| state.add_id(from.as_str(), to.as_str()))?;
        }
        Ok(())
    }

    /// The entry gets its new id, if it still holds what the lease is on.
    fn rename_entry(
        &self,
        from: &ProfileId,
        to: &ProfileId,
        leased: &Credential,
    ) -> Result<(), RenameError> {
        let is_leased = |document: &Document| {
            let present = document.credential(from.as_str());
            present.is_some_and(|it| match (it.refresh_token(), leased.refresh_token()) {
                (Some(present), Some(leased)) => present.matches(leased),
                (present, leased) => present.is_none() && leased.is_none(),
            })
        };
        let is_renamed = self.store.update(|document| {
            let is_renamed =
                is_leased(document) && document.rename_entry(from.as_str(), to.as_str());
            Ok((is_renamed, is_renamed))
        })?;
        if is_renamed { Ok(()) } else { Err(RenameError::Changed(from.clone())) }
    }

    /// The former id is named nowhere.
    fn finish(&self, from: ProfileId, to: ProfileId) -> Result<Report, RenameError> {
        let agent_id = self.agent.id.clone();
        let finished = self.name_new(&from, &to).map_err(|source| RenameError::Unfinished {
            from: from.clone(),
            to: to.clone(),
            agent_id: agent_id.clone(),
            source: source.into(),
        });
        let config_changed = finished?;
        let credential = self.store.profiles()?.credential(to.as_str());
        let provider = credential.map(|it| it.provider).unwrap_or_default();
        Ok(Report { from, to, provider, agent_id, config_changed })
    }

    /// Whether the configuration was changed.
    fn name_new(&self, from: &ProfileId, to: &ProfileId) -> Result<bool, AppError> {
        for store in self.meant(from) {
            change(&store, |state| state.replace_id(from.as_str(), to.as_str()))?;
        }
        let others = self.app.agents_with_directories(self.config);
        let mut others = others.iter().map(|other| self.app.store(other));
        let is_shared = others.any(|other| {
            // One that cannot be read may have it.
            !other.is_same(self.store)
                && other.profiles().map_or(true, |it| it.has_entry(from.as_str()))
        });
        if is_shared {
            return Ok(true);
        }
        let edit = replace_profile_id(&self.app.paths.config, from, to)?;
        Ok(edit == ConfigEdit::Written)
    }
}

/// Whether `change` would change the state of a store.
fn needs(store: &Store, change: impl Fn(&mut StateDocument) -> bool) -> bool {
    let snapshot = store.read();
    snapshot.is_ok_and(|it| it.state().is_ok_and(|state| change(&mut state.clone())))
}

/// Changes the state of a store, where there is something to change.
fn change(store: &Store, change: impl Fn(&mut StateDocument) -> bool) -> Result<(), StoreError> {
    let is_needed = change(&mut store.read()?.state()?.clone());
    if is_needed { store.update_state(change) } else { Ok(()) }
}
