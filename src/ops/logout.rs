//! Signing out: revoke at the server (RFC 7009), then remove the profile and every
//! mention of it.

use super::issuer::{Issuer, IssuerError};
use super::login_state::Judge;
use super::name::{self, NameError};
use super::pool::Pool;
use super::refresh::{LeaseError, wait_for_lease};
use super::selection::{Selected, entry_text};
use super::{Interaction, warn_of_route};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config, ConfigEdit, remove_profile};
use crate::external::{self, Tool};
use crate::oauth::TokenError;
use crate::profile::{AgentId, Credential, Kind, ProfileId, ProviderId, Refusal};
use crate::secret::Secret;
use crate::store::{Done, Ended, Location, Store, StoreError, exchanged};
use std::time::Duration;

/// What to sign out of.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the user calls the profile: its id, its account, or its provider where that has no
    /// other.
    pub name: String,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// Remove the profile here without telling the server.
    pub local: bool,
    /// Remove it from every agent, `main` included, whose profiles the others have as well.
    pub all_agents: bool,
    /// Remove it only if nothing but a new login helps when its turn has come.
    pub only_over: bool,
}

/// What a logout did.
#[derive(Debug)]
pub struct Report {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spelled it.
    pub provider: ProviderId,
    /// The agents whose stores it was removed from.
    pub agent_ids: Vec<AgentId>,
    /// The agent from which this one has a profile of that name still.
    pub left_with: Option<AgentId>,
    /// Whether the server was told.
    pub revocation: Revocation,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Whether the login still works elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The server has revoked it.
    Revoked,
    /// Nothing was asked of the server, and why.
    Skipped(String),
}

/// Why a login is not signed out of. It is stored as before, unless the configuration is
/// what could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The name leads to several profiles.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another process is refreshing the login.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Who could revoke the login cannot be asked.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The entry of the profile is nothing that we know.
    #[error("the entry `{}` in {} cannot be interpreted", profile_id, location)]
    Uninterpretable {
        /// The profile.
        profile_id: ProfileId,
        /// The document that holds it.
        location: Location,
    },
    /// There is no such profile.
    #[error("agent `{agent_id}` has no profile `{profile_id}` in {location}")]
    NoProfile {
        /// The document that was looked into.
        location: Location,
        /// The agent.
        agent_id: AgentId,
        /// The profile.
        profile_id: ProfileId,
    },
    /// The agent has it from another one, and so has every agent.
    #[error("agent `{agent_id}` has `{profile_id}` from agent `{from}`, as all agents have")]
    Inherited {
        /// The agent.
        agent_id: AgentId,
        /// The profile.
        profile_id: ProfileId,
        /// The agent whose store holds it.
        from: AgentId,
    },
    /// A login was made meanwhile, which is kept.
    #[error("`{}` was replaced by a new login meanwhile, which was not removed", profile_id)]
    SignedInAnew {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The server did not revoke the login.
    #[error("could not revoke the login, so it was not removed")]
    NotRevoked(#[source] TokenError),
}

impl<E: Into<AppError>> From<E> for LogoutError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Revokes a login and removes its profile.
///
/// # Errors
/// There is no such profile, all agents have it and that was not asked for, the server cannot
/// be reached, or the store cannot be written.
pub async fn logout(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, LogoutError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    let id = &called(app, &config, &agent, &request.name)?;
    let store_has = |store: &Store| store.profiles().is_ok_and(|it| it.has_entry(id.as_str()));
    let has_it = |agent: &AgentDir| store_has(&app.store(agent));
    let inherited = app.fallback(&config, &agent).filter(|(_, store)| store_has(store));
    let inherited = inherited.map(|(from, _)| from);
    let mut holders = vec![agent.clone()];
    if request.all_agents {
        let is_other = |other: &AgentDir| !app.store(other).is_same(&app.store(&agent));
        holders = app.agents_with_directories(&config);
        holders.retain(|other| is_other(other) && has_it(other));
        if has_it(&agent) || holders.is_empty() {
            holders.insert(0, agent.clone());
        }
    } else if let Some(from) = inherited.as_ref().filter(|_| !has_it(&agent)) {
        let (agent_id, profile_id, from) = (agent.id, id.clone(), from.id.clone());
        return Err(LogoutError::Inherited { agent_id, profile_id, from });
    }
    let mut removed = Vec::new();
    for holder in &holders {
        removed.push(sign_out(app, &config, holder, (id, request), interaction).await?);
        app.notices.tell_gateway(Done::Logout);
    }
    let config_changed = removed.iter().any(|it| it.config_changed);
    // The last holder of a login is the one that could have it revoked.
    let is_revoked = |it: &Removed| it.revocation == Revocation::Revoked;
    let at = removed.iter().position(is_revoked).unwrap_or(removed.len() - 1);
    let Removed { provider, revocation, .. } = removed.swap_remove(at);
    Ok(Report {
        profile_id: id.clone(),
        provider,
        agent_ids: holders.into_iter().map(|holder| holder.id).collect(),
        left_with: inherited.filter(|_| !request.all_agents).map(|from| from.id),
        revocation,
        config_changed,
    })
}

/// The profile that the user calls `name`: the agent's own, else one that it has from `main`. One
/// that is not found is told by that name.
fn called(
    app: &App,
    config: &Config,
    agent: &AgentDir,
    name: &str,
) -> Result<ProfileId, LogoutError> {
    let own = name::profile(app, &Pool::of_own(app, agent)?, name);
    if !matches!(own, Err(NameError::Unknown { .. } | NameError::NoLogin { .. })) {
        return Ok(own?);
    }
    match name::profile(app, &Pool::open(app, config, agent)?, name) {
        Err(NameError::Unknown { name, .. } | NameError::NoLogin { name }) => Ok(name.into()),
        found => Ok(found?),
    }
}

/// What was removed from one store.
struct Removed {
    provider: ProviderId,
    revocation: Revocation,
    config_changed: bool,
}

/// Revokes the login that the store of `agent` holds, and removes its profile there.
async fn sign_out(
    app: &App,
    config: &Config,
    agent: &AgentDir,
    (id, request): (&ProfileId, &Request),
    interaction: &mut dyn Interaction,
) -> Result<Removed, LogoutError> {
    app.require_private(config, agent)?;
    let store = app.store(agent);
    store.check_generation()?;
    let document = store.profiles()?;
    let Some(credential) = document.credential(id.as_str()) else {
        let (profile_id, location) = (id.clone(), store.location());
        return Err(if document.has_entry(id.as_str()) {
            LogoutError::Uninterpretable { profile_id, location }
        } else {
            LogoutError::NoProfile { agent_id: agent.id.clone(), profile_id, location }
        });
    };
    // A refresh under way would bring a token that nobody revokes.
    let selected = Selected::in_store(&store, agent, id, credential)?;
    let clock = &app.machine.clock;
    let lease =
        wait_for_lease::<LogoutError>(&selected, clock, LEASE_TIMEOUT, |_| Ok(None)).await?;
    let document = store.profiles()?;
    let credential = document.credential(id.as_str()).unwrap_or(selected.credential);
    if request.only_over && !is_over(app, config, &store, id)? {
        return Err(LogoutError::SignedInAnew { profile_id: id.clone() });
    }
    let entry = entry_text(&document, id);
    let revocation = if request.local {
        Revocation::Skipped("--local".to_owned())
    } else if let Some(tool) = Tool::managing_stored(id).or_else(|| held_by(app, &credential)) {
        Revocation::Skipped(format!("{} holds the same login", tool.program().label))
    } else {
        warn_of_route(app, interaction);
        revoke(app, config, &store, (&credential, &entry), interaction).await?
    };
    if revocation == Revocation::Revoked
        && let Some(token) = credential.refresh_token().or_else(|| credential.bearer())
    {
        // It may come back from a backup.
        store.end(token, Ended::Revoked(app.now()));
    }
    let removed = store.update(|document| {
        let present = document.credential(id.as_str());
        // A login that was made meanwhile is another one, and stays.
        let is_same = present.as_ref().is_none_or(|present| is_same_grant(present, &credential));
        Ok((is_same && document.remove_entry(id.as_str()), is_same))
    })?;
    if removed
        && let Some(token) = credential.refresh_token()
        && let Some(code) = store.read()?.state()?.refusal_by_any(token)
        && revocation != Revocation::Revoked
    {
        // The state forgets it below, and the token may come back from a backup.
        let is_revoked = code == Refusal::REVOKED;
        store.end(token, if is_revoked { Ended::Revoked(app.now()) } else { Ended::Refused });
    }
    drop(lease);
    if !removed {
        return Err(LogoutError::SignedInAnew { profile_id: id.clone() });
    }
    store.update_state(|state| state.forget(id.as_str()))?;
    if let Some(token) = credential.bearer() {
        exchanged::remove(&app.paths.exchanged_tokens(), token);
    }
    // Another agent may have a profile of this name, which the configuration then means.
    let edit = if named_elsewhere(app, config, &store, id) {
        ConfigEdit::Unchanged
    } else {
        remove_profile(&app.paths.config, id)?
    };
    Ok(Removed {
        provider: credential.provider,
        revocation,
        config_changed: edit == ConfigEdit::Written,
    })
}

/// The profiles that the agent can sign out of.
///
/// # Errors
/// The configuration or the store cannot be read, or there is no such agent.
pub fn profiles(app: &App, agent: Option<&AgentId>) -> Result<Vec<ProfileId>, AppError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let document = app.store(&agent).profiles()?;
    Ok(document.profiles().map(|profile| profile.id.into()).collect())
}

/// Longer than a refresh takes.
const LEASE_TIMEOUT: Duration = Duration::from_mins(1);

/// Whether nothing but a new login helps.
fn is_over(app: &App, config: &Config, store: &Store, id: &ProfileId) -> Result<bool, StoreError> {
    let snapshot = store.read()?;
    let documents = (&snapshot.document, snapshot.state()?);
    let judge = Judge::new((app, config), store, documents, app.now());
    let mut found = snapshot.document.inspections().filter(|(other, _)| *other == id.as_str());
    let found = found.find_map(|(_, found)| found);
    let state = found.map(|found| judge.judge(id, &found).state);
    Ok(state.is_some_and(|state| state.is_over()))
}

/// Whether both hold the same refresh token; where neither holds one, the same token or key.
fn is_same_grant(a: &Credential, b: &Credential) -> bool {
    match (a.refresh_token(), b.refresh_token()) {
        (Some(a), Some(b)) => a.matches(b),
        (None, None) => match (a.bearer(), b.bearer()) {
            (Some(a), Some(b)) => a.matches(b),
            (a, b) => a.is_none() && b.is_none(),
        },
        _ => false,
    }
}

async fn revoke(
    app: &App,
    config: &Config,
    store: &Store,
    (credential, entry): (&Credential, &Secret),
    interaction: &mut dyn Interaction,
) -> Result<Revocation, LogoutError> {
    if credential.kind() != Kind::OAuth {
        return Ok(Revocation::Skipped("only OAuth logins are revoked".to_owned()));
    }
    let Some(token) = credential.refresh_token().or_else(|| credential.bearer()) else {
        return Ok(Revocation::Skipped("the profile holds no token".to_owned()));
    };
    if let Some(location) = shared_with(app, config, store, token) {
        return Ok(Revocation::Skipped(format!("{location} holds the same login")));
    }
    let catalog = app.catalog()?;
    let no_endpoint = || Revocation::Skipped("the provider has no revocation endpoint".to_owned());
    let Some(issuer) = Issuer::of(app, &catalog, credential)? else { return Ok(no_endpoint()) };
    match issuer.revoke(credential, entry, interaction).await {
        Ok(true) => Ok(Revocation::Revoked),
        Ok(false) => Ok(no_endpoint()),
        Err(error @ TokenError::Refused { .. }) => {
            interaction.note(&format!("the login could not be revoked: {error}"));
            Ok(Revocation::Skipped("the server refused".to_owned()))
        }
        Err(error) => Err(LogoutError::NotRevoked(error)),
    }
}

/// Another program that holds the same login: revoking it would log that one out.
pub(super) fn held_by(app: &App, credential: &Credential) -> Option<Tool> {
    let token = credential.refresh_token()?;
    Tool::ALL.into_iter().find(|tool| {
        external::read_files(*tool, &app.environment).is_ok_and(|contents| {
            let mut held =
                contents.logins.iter().filter_map(|login| login.credential.refresh_token());
            held.any(|held| held.matches(token))
        })
    })
}

/// The stores of the other agents.
fn other_stores(app: &App, config: &Config, store: &Store) -> Vec<Store> {
    let mut stores = app.stores(config);
    stores.retain(|other| !other.is_same(store));
    stores
}

/// Another document that holds the same token.
pub(super) fn shared_with(
    app: &App,
    config: &Config,
    store: &Store,
    token: &Secret,
) -> Option<Location> {
    let holds = |other: &Store| {
        other.profiles().is_ok_and(|document| {
            document.profiles().any(|profile| {
                let held = [profile.credential.refresh_token(), profile.credential.bearer()];
                held.into_iter().flatten().any(|held| held.matches(token))
            })
        })
    };
    other_stores(app, config, store).into_iter().find(holds).map(|other| other.location())
}

fn named_elsewhere(app: &App, config: &Config, store: &Store, id: &ProfileId) -> bool {
    other_stores(app, config, store)
        .iter()
        .any(|other| other.profiles().is_ok_and(|document| document.has_entry(id.as_str())))
}
