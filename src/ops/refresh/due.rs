//! Refreshing what expires soon, before somebody needs it: the work of a timer.
//!
//! Invariant: each grant is refreshed at most once a run, whichever profiles and agents
//! hold it, and what goes wrong with one profile or store keeps no other from its turn.

use super::{RefreshError, default_min_ttl, has_lifetime, not_refreshable, refresh};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::moving::moved_from;
use crate::ops::pool::Pool;
use crate::ops::reference::{self, ValueError};
use crate::ops::selection::{Login, LookedIn, Selected, SelectionError, WrongProvider};
use crate::ops::waiting::store_waiting;
use crate::ops::{Interaction, warn_of_route};
use crate::profile::{AgentId, Credential, Kind, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::{Location, Store};
use indexmap::IndexMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Which logins are to be refreshed.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// Every agent's logins rather than those that one agent uses.
    pub all_agents: bool,
    /// Only those of this provider.
    pub provider: Option<ProviderId>,
    /// Only the one with this profile id.
    pub profile: Option<ProfileId>,
    /// What expires within this span is due, in milliseconds; as for `models auth token`
    /// when `None`.
    pub due: Option<Millis>,
    /// Refresh what is not due as well.
    pub force: bool,
    /// How long to wait for another process that is refreshing.
    pub lock_timeout: Duration,
}

/// What became of the logins.
#[derive(Debug, Default)]
pub struct Report {
    /// One row for each OAuth profile that was asked for, in the order of the stores.
    pub rows: Vec<Row>,
    /// The stores that could not be read, by agent.
    pub problems: Vec<(AgentId, AppError)>,
}

/// What became of one profile.
#[derive(Debug)]
pub struct Row {
    /// The agent whose store holds it.
    pub agent_id: AgentId,
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// What became of it.
    pub outcome: Result<Outcome, RowError>,
    /// When its access token expires now, in milliseconds since the epoch.
    pub expires: Option<Millis>,
}

/// What became of a profile with which nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was refreshed in this run, or meanwhile by somebody else.
    Refreshed,
    /// It was not due.
    NotDue,
}

/// Why nothing is refreshed at all.
#[derive(Debug, thiserror::Error)]
pub enum DueError {
    /// The configuration, a provider file or the store of the one agent cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The profile that was asked for is not there, or of another provider.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The provider that was asked for has no profile.
    #[error("there is no profile of {provider} in {looked_in}")]
    NoneOfProvider {
        /// The stores.
        looked_in: LookedIn,
        /// The provider.
        provider: ProviderId,
        /// The agent that was named, else `main`.
        agent_id: AgentId,
    },
    /// The profile that was asked for is no OAuth login.
    #[error("the profile `{profile_id}` is of type `{}`, which nothing refreshes", kind.name())]
    NotAGrant {
        /// The profile.
        profile_id: ProfileId,
        /// What it is.
        kind: Kind,
    },
}

impl<E: Into<AppError>> From<E> for DueError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Why one login is not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The profile was removed meanwhile.
    #[error("the profile `{profile_id}` is not in {location} any more")]
    NoProfile {
        /// The document.
        location: Location,
        /// The profile.
        profile_id: ProfileId,
    },
    /// The profile has a reference where none may be.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The refresh failed.
    #[error(transparent)]
    Refresh(Arc<RefreshError>),
    /// The grant had its turn with another profile, and failed.
    #[error("`{}` holds the same grant as `{first}`", login.profile_id)]
    SharedGrant {
        /// This login.
        login: Box<Login>,
        /// The profile that had the turn.
        first: ProfileId,
        /// How the refresh failed there.
        failed: Arc<RefreshError>,
    },
    /// The grant was refreshed with another profile, and this store still holds the old one.
    #[error("the grant of `{profile_id}` was refreshed, and {location} could not be written")]
    NotWritten {
        /// The profile.
        profile_id: ProfileId,
        /// The document that holds it.
        location: Location,
    },
}

impl<E: Into<AppError>> From<E> for RowError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

impl Row {
    fn is_interrupted(&self) -> bool {
        matches!(&self.outcome, Err(RowError::Refresh(error))
            if matches!(**error, RefreshError::Interrupted))
    }
}

/// A profile as it was found.
struct Found {
    owner: AgentDir,
    store: Store,
    id: ProfileId,
    credential: Credential,
}

impl Found {
    /// Whether both are one profile with one grant, of one agent.
    fn is(&self, other: &Self) -> bool {
        let grants = [self, other].map(|it| it.credential.refresh_token());
        self.owner == other.owner
            && self.id == other.id
            && matches!(grants, [Some(one), Some(other)] if one.matches(other))
    }
}

/// Refreshes the logins that are due.
///
/// # Errors
/// The configuration, or the store of the one agent that is asked for, cannot be read, or
/// there is no profile of that name. What goes wrong with a profile is in its row.
pub async fn refresh_due(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, DueError> {
    let config = app.config()?;
    store_waiting(app, &config, interaction);
    let mut report = Report::default();
    let found = find(app, &config, request, &mut report)?;
    warn_of_route(app, interaction);
    let mut run = Run { app, config: &config, request, interaction };
    for holders in by_grant(found) {
        let rows = run.grant(holders).await;
        let is_interrupted = rows.iter().any(Row::is_interrupted);
        report.rows.extend(rows);
        if is_interrupted {
            break;
        }
    }
    Ok(report)
}

/// The OAuth profiles that were asked for. A store that cannot be used is a problem of its
/// own when there are others.
fn find(
    app: &App,
    config: &Config,
    request: &Request,
    report: &mut Report,
) -> Result<Vec<Found>, DueError> {
    let named = request.agent.as_ref();
    let owners = if request.all_agents {
        app.holders(config)
    } else {
        app.readable(config, &app.agent(config, named)?)
    };
    let wanted = request.provider.as_ref().map(|named| app.provider_id(named)).transpose()?;
    let mut found = Vec::new();
    let mut own_providers = HashSet::new();
    let mut is_known = false;
    let locations = owners.iter().map(|(_, store)| store.location()).collect();
    let looked_in = LookedIn { locations, uninterpretable: Vec::new() };
    for (index, (owner, store)) in owners.into_iter().enumerate() {
        let profiles = match profiles_of(app, config, &owner, &store) {
            // What `main` has as well was found there.
            Ok(profiles) if request.all_agents && store.is_of_all_agents() => {
                profiles.into_iter().filter(|it| !found.iter().any(|seen| it.is(seen))).collect()
            }
            Ok(profiles) => profiles,
            Err(error) if request.all_agents => {
                report.problems.push((owner.id.clone(), error));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let is_fallback = index > 0 && !request.all_agents;
        for profile in profiles {
            let provider = &profile.credential.provider;
            if !is_fallback {
                own_providers.insert(provider.clone());
            } else if request.profile.is_none() && own_providers.contains(provider) {
                continue;
            }
            if request.profile.as_ref().is_some_and(|id| *id != profile.id) {
                continue;
            }
            if let (Some(wanted), Some(named)) = (&wanted, &request.provider)
                && wanted != provider
            {
                if request.profile.is_none() {
                    continue;
                }
                let error = WrongProvider {
                    stored: provider.clone(),
                    profile_id: profile.id,
                    wanted: named.clone(),
                };
                return Err(SelectionError::from(error).into());
            }
            is_known = true;
            match profile.credential.kind() {
                Kind::OAuth => found.push(profile),
                kind if request.profile.is_some() => {
                    return Err(DueError::NotAGrant { profile_id: profile.id, kind });
                }
                _ => {}
            }
        }
        if is_known && request.profile.is_some() && !request.all_agents {
            break;
        }
    }
    if !is_known && report.problems.is_empty() {
        if let Some(id) = &request.profile {
            if !request.all_agents {
                // There may be an entry that cannot be interpreted.
                Pool::open(app, config, &app.agent(config, named)?)?.find(id)?;
            }
            return Err(SelectionError::NoProfile { profile_id: id.clone(), looked_in }.into());
        }
        if let Some(provider) = wanted {
            let agent_id = named.cloned().unwrap_or_else(AgentId::main);
            return Err(DueError::NoneOfProvider { provider, agent_id, looked_in });
        }
    }
    Ok(found)
}

fn profiles_of(
    app: &App,
    config: &Config,
    owner: &AgentDir,
    store: &Store,
) -> Result<Vec<Found>, AppError> {
    app.require_private(config, owner)?;
    let snapshot = store.read()?;
    let found = |profile: crate::store::Profile<'_>| Found {
        owner: owner.clone(),
        store: store.clone(),
        id: profile.id.into(),
        credential: profile.credential,
    };
    Ok(snapshot.document.profiles().map(found).collect())
}

struct Run<'a> {
    app: &'a App,
    config: &'a Config,
    request: &'a Request,
    interaction: &'a mut dyn Interaction,
}

impl Run<'_> {
    /// The turn of one grant: the first holder refreshes it, which renews the others.
    async fn grant(&mut self, holders: Vec<Found>) -> Vec<Row> {
        let selected: Vec<(Result<Selected, RowError>, Found)> =
            holders.into_iter().map(|found| (self.select(&found), found)).collect();
        let is_due = selected
            .iter()
            .any(|(selected, _)| selected.as_ref().is_ok_and(|selected| self.is_due(selected)));
        let mut turn: Option<Result<(), (Arc<RefreshError>, ProfileId)>> = None;
        let mut rows = Vec::new();
        for (selected, found) in selected {
            let selected = match selected {
                Ok(selected) => selected,
                Err(error) => {
                    rows.push(row(found, Err(error)));
                    continue;
                }
            };
            let outcome = match &turn {
                None if !is_due => Ok((Outcome::NotDue, selected.credential.expires())),
                None => {
                    let renewed = self.refresh(&selected).await.map_err(Arc::new);
                    turn = Some(match &renewed {
                        Ok(_) => Ok(()),
                        Err(error) => Err((Arc::clone(error), found.id.clone())),
                    });
                    let renewed = renewed.map_err(RowError::Refresh);
                    renewed.map(|renewed| (Outcome::Refreshed, renewed.expires()))
                }
                Some(Ok(())) => is_renewed(&selected),
                Some(Err((failed, first))) => Err(RowError::SharedGrant {
                    login: selected.login().into(),
                    first: first.clone(),
                    failed: Arc::clone(failed),
                }),
            };
            rows.push(row(found, outcome));
        }
        rows
    }

    /// The profile as it is now.
    fn select(&self, found: &Found) -> Result<Selected, RowError> {
        let Some(present) = found.store.profiles()?.credential(found.id.as_str()) else {
            return Err(RowError::NoProfile {
                profile_id: found.id.clone(),
                location: found.store.location(),
            });
        };
        let selected = Selected::in_store(&found.store, &found.owner, &found.id, present)?;
        // An OAuth profile must not have a reference.
        reference::value(self.app, self.config, &selected)?;
        Ok(selected)
    }

    fn is_due(&self, selected: &Selected) -> bool {
        if selected.rejected || self.is_over(selected) {
            return true;
        }
        // Without a refresh token nothing can be done before it is over.
        let is_refreshable = selected.credential.refresh_token().is_some();
        let due = self.request.due.filter(|_| is_refreshable);
        let is_enough = match due {
            // A run may be the last one for so long, however short the server makes tokens live.
            Some(due) => selected.credential.is_usable_until(self.app.now().saturating_add(due)),
            None => {
                has_lifetime(&selected.credential, default_min_ttl(&selected.store), self.app.now())
            }
        };
        (self.request.force && is_refreshable) || !is_enough
    }

    /// Whether the login is over although its token may live. Its turn says so, and posts nothing.
    fn is_over(&self, selected: &Selected) -> bool {
        let Some(grant) = selected.credential.refresh_token() else { return false };
        selected.refused
            || selected.store.noted_refusal(grant).is_some()
            || selected.store.is_replaced(grant)
            || moved_from((self.app, self.config), &selected.store, grant).is_some()
    }

    async fn refresh(&mut self, selected: &Selected) -> Result<Credential, RefreshError> {
        if let Some(error) = not_refreshable(selected) {
            return Err(error.into());
        }
        refresh(self.app, self.config, selected, self.request.lock_timeout, self.interaction).await
    }
}

/// The profiles in groups that hold one grant, each where its first one was.
fn by_grant(found: Vec<Found>) -> Vec<Vec<Found>> {
    let mut groups: IndexMap<String, Vec<Found>> = IndexMap::new();
    for (index, profile) in found.into_iter().enumerate() {
        let grant = profile.credential.refresh_token().map(Secret::fingerprint);
        groups.entry(grant.unwrap_or_else(|| index.to_string())).or_default().push(profile);
    }
    groups.into_values().collect()
}

fn row(found: Found, outcome: Result<(Outcome, Option<Millis>), RowError>) -> Row {
    let (outcome, expires) = match outcome {
        Ok((outcome, expires)) => (Ok(outcome), expires),
        Err(error) => (Err(error), found.credential.expires()),
    };
    Row {
        agent_id: found.owner.id,
        profile_id: found.id,
        provider: found.credential.provider,
        outcome,
        expires,
    }
}

/// Whether the refresh of another holder has reached this one.
fn is_renewed(selected: &Selected) -> Result<(Outcome, Option<Millis>), RowError> {
    let present = selected.store.profiles()?.credential(selected.id.as_str());
    let is_changed = |present: &Credential| match (present.bearer(), selected.credential.bearer()) {
        (Some(present), Some(before)) => !present.matches(before),
        (present, _) => present.is_some(),
    };
    match present.filter(is_changed) {
        Some(present) => Ok((Outcome::Refreshed, present.expires())),
        None => Err(RowError::NotWritten {
            profile_id: selected.id.clone(),
            location: selected.store.location(),
        }),
    }
}
