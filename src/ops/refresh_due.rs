//! Refreshing what expires soon, before somebody needs it: the work of a timer.
//!
//! Invariant: each grant is refreshed at most once a run, whichever profiles and agents
//! hold it, and what goes wrong with one profile or store keeps no other from its turn.

use super::login::sign_in_command;
use super::pool::Pool;
use super::reference;
use super::renewal::store_spooled;
use super::selection::{Selected, no_profile, wrong_provider};
use super::token::{has_lifetime, not_refreshable, renew};
use super::{Interaction, login_command, warn_of_route};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::exit::{Command, ExitStatus, Failure};
use crate::profile::{AgentId, Credential, Kind, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::AgentStore;
use crate::system::now;
use indexmap::IndexMap;
use std::collections::HashSet;
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
    pub problems: Vec<(AgentId, Failure)>,
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
    pub outcome: Result<Outcome, Failure>,
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

impl Report {
    /// How the run ends: what needs a person goes before what passes by itself.
    pub fn status(&self) -> ExitStatus {
        const WORST_FIRST: [ExitStatus; 6] = [
            ExitStatus::Interrupted,
            ExitStatus::LoginRequired,
            ExitStatus::StoreUnusable,
            ExitStatus::Failure,
            ExitStatus::LockTimeout,
            ExitStatus::Unavailable,
        ];
        let seen: Vec<ExitStatus> = self.failures().map(|failure| failure.status).collect();
        let worst = WORST_FIRST.into_iter().find(|status| seen.contains(status));
        worst.unwrap_or(ExitStatus::Success)
    }

    /// Everything that went wrong.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let of_rows = self.rows.iter().filter_map(|row| row.outcome.as_ref().err());
        of_rows.chain(self.problems.iter().map(|(_, failure)| failure))
    }
}

/// A profile as it was found.
struct Found {
    owner: AgentDir,
    store: AgentStore,
    id: ProfileId,
    credential: Credential,
}

/// Refreshes the logins that are due.
///
/// # Errors
/// The configuration, or the store of the one agent that is asked for, cannot be read, or
/// there is no profile of that name. What goes wrong with a profile is in its row.
pub fn refresh_due(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, Failure> {
    let config = app.config()?;
    for location in store_spooled(&app.spool(), || app.stores(&config)) {
        interaction.note(&format!("stored what an earlier command had to keep in {location}"));
    }
    let mut report = Report::default();
    let found = find(app, &config, request, &mut report)?;
    warn_of_route(app, interaction);
    let mut run = Run { app, config: &config, request, interaction };
    for holders in by_grant(found) {
        report.rows.extend(run.grant(holders));
        if report.status() == ExitStatus::Interrupted {
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
) -> Result<Vec<Found>, Failure> {
    let named = request.agent.as_ref();
    let owners = if request.all_agents {
        app.agents_with_directories(config)
    } else {
        let agent = app.agent(config, named)?;
        let main = app.fallback_agent(config, &agent);
        std::iter::once(agent).chain(main).collect()
    };
    let wanted = request.provider.as_ref().map(|named| app.provider_id(named)).transpose()?;
    let mut found = Vec::new();
    let mut own_providers = HashSet::new();
    let mut is_known = false;
    for (index, owner) in owners.into_iter().enumerate() {
        let profiles = match profiles_of(app, config, &owner) {
            Ok(profiles) => profiles,
            Err(failure) if request.all_agents => {
                report.problems.push((owner.id.clone(), failure));
                continue;
            }
            Err(failure) => return Err(failure),
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
                return Err(Failure::usage(wrong_provider(&profile.id, provider, named)));
            }
            is_known = true;
            match profile.credential.kind() {
                Kind::OAuth => found.push(profile),
                kind if request.profile.is_some() => return Err(not_a_grant(&profile.id, kind)),
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
            return Err(no_profile(id));
        }
        if let Some(provider) = &wanted {
            let message = format!("there is no profile of {provider}");
            let main = AgentId::main();
            let agent = named.unwrap_or(&main);
            return Err(Failure::message(ExitStatus::LoginRequired, message)
                .hint(sign_in_command(app, provider, agent)));
        }
    }
    Ok(found)
}

fn profiles_of(app: &App, config: &Config, owner: &AgentDir) -> Result<Vec<Found>, Failure> {
    app.require_private(config, owner)?;
    let store = app.store(owner);
    let snapshot = store.read()?;
    let found = |profile: crate::store::Profile<'_>| Found {
        owner: owner.clone(),
        store: store.clone(),
        id: profile.id.into(),
        credential: profile.credential,
    };
    Ok(snapshot.document.profiles().map(found).collect())
}

fn not_a_grant(id: &ProfileId, kind: Kind) -> Failure {
    Failure::usage(format!(
        "the profile `{id}` is of type `{}`, which nothing refreshes",
        kind.name()
    ))
    .hint(Command::ours("models auth list"))
}

struct Run<'a> {
    app: &'a App,
    config: &'a Config,
    request: &'a Request,
    interaction: &'a mut dyn Interaction,
}

impl Run<'_> {
    /// The turn of one grant: the first holder refreshes it, which renews the others.
    fn grant(&mut self, holders: Vec<Found>) -> Vec<Row> {
        let selected: Vec<(Result<Selected, Failure>, Found)> =
            holders.into_iter().map(|found| (self.select(&found), found)).collect();
        let is_due = selected
            .iter()
            .any(|(selected, _)| selected.as_ref().is_ok_and(|selected| self.is_due(selected)));
        let mut turn: Option<Result<(), (ExitStatus, ProfileId)>> = None;
        let mut rows = Vec::new();
        for (selected, found) in selected {
            let selected = match selected {
                Ok(selected) => selected,
                Err(failure) => {
                    rows.push(row(found, Err(failure)));
                    continue;
                }
            };
            let outcome = match &turn {
                None if !is_due => Ok((Outcome::NotDue, selected.credential.expires())),
                None => {
                    let renewed = self.renew(&selected);
                    turn = Some(match &renewed {
                        Ok(_) => Ok(()),
                        Err(failure) => Err((failure.status, found.id.clone())),
                    });
                    renewed.map(|renewed| (Outcome::Refreshed, renewed.expires()))
                }
                Some(Ok(())) => is_renewed(&selected),
                Some(Err((status, first))) => Err(shared_failure(*status, first, &selected)),
            };
            rows.push(row(found, outcome));
        }
        rows
    }

    /// The profile as it is now.
    fn select(&self, found: &Found) -> Result<Selected, Failure> {
        let present = found.store.profiles()?.credential(found.id.as_str());
        let present = present.ok_or_else(|| no_profile(&found.id))?;
        let selected = Selected::in_store(&found.store, &found.owner, &found.id, present)?;
        // An OAuth profile must not have a reference.
        reference::value(self.app, self.config, &selected)?;
        Ok(selected)
    }

    fn is_due(&self, selected: &Selected) -> bool {
        if selected.rejected {
            return true;
        }
        // Without a refresh token nothing can be done before it is over.
        let is_refreshable = selected.credential.refresh_token().is_some();
        let due = self.request.due.filter(|_| is_refreshable);
        (self.request.force && is_refreshable) || !has_lifetime(&selected.credential, due, now())
    }

    fn renew(&mut self, selected: &Selected) -> Result<Credential, Failure> {
        if let Some(failure) = not_refreshable(self.app, selected) {
            return Err(failure);
        }
        renew(self.app, self.config, selected, self.request.lock_timeout, self.interaction)
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

fn row(found: Found, outcome: Result<(Outcome, Option<Millis>), Failure>) -> Row {
    let (outcome, expires) = match outcome {
        Ok((outcome, expires)) => (Ok(outcome), expires),
        Err(failure) => (Err(failure), found.credential.expires()),
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
fn is_renewed(selected: &Selected) -> Result<(Outcome, Option<Millis>), Failure> {
    let present = selected.store.profiles()?.credential(selected.id.as_str());
    let is_changed = |present: &Credential| match (present.bearer(), selected.credential.bearer()) {
        (Some(present), Some(before)) => !present.matches(before),
        (present, _) => present.is_some(),
    };
    match present.filter(is_changed) {
        Some(present) => Ok((Outcome::Refreshed, present.expires())),
        None => Err(Failure::message(
            ExitStatus::StoreUnusable,
            format!(
                "the grant of `{}` was refreshed, and {} could not be written",
                selected.id,
                selected.store.location()
            ),
        )
        .hint(Command::ours("doctor"))),
    }
}

/// The grant had its turn with another profile, and failed.
fn shared_failure(status: ExitStatus, first: &ProfileId, selected: &Selected) -> Failure {
    let failure =
        Failure::message(status, format!("`{}` holds the same grant as `{first}`", selected.id));
    if status != ExitStatus::LoginRequired {
        return failure;
    }
    failure.hint(login_command(&selected.credential.provider, &selected.owner.id))
}
