//! What is wrong with the state directory, each with the next command. Nothing is written.

mod finding;
mod grant;
mod programs;

pub use finding::{Code, Finding, ProfileAt, What};

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::refresh::holder;
use crate::profile::AgentId;
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::{AgentStore, Leftover, StoreError, shared_leftovers};
use crate::system::custody::Custody;
use crate::system::route;
use std::path::PathBuf;

/// What a look at everything found.
#[derive(Debug)]
pub struct Report {
    /// The state directory.
    pub state_dir: PathBuf,
    /// How many agents have a store.
    pub stores: usize,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether somebody has to do something.
    pub fn has_problems(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_problem)
    }
}

/// Looks at everything that can be wrong.
pub fn examine(app: &App) -> Report {
    let mut report =
        Report { state_dir: app.paths.state_dir.clone(), stores: 0, findings: Vec::new() };
    let found = &mut report.findings;
    let config = app.config().unwrap_or_else(|error| {
        found.push(Finding::failed(Code::Configuration, error));
        Config::default()
    });
    let stores = app.stores(&config);
    report.stores = stores.len();
    exposures(app, &stores, found);
    for store in &stores {
        examine_store(store, found);
    }
    grant::examine(app, &stores, found);
    unstored(app, &stores, found);
    found.extend(shared_leftovers(&app.paths.state_dir).into_iter().map(of_leftover));
    providers(app, &stores, found);
    let unusable = route::problems(&app.environment).into_iter();
    found.extend(unusable.map(|it| Finding::problem(Code::Network, What::Network(it))));
    report
}

fn exposures(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    let exposures = app.exposures_of(stores).into_iter();
    found.extend(exposures.map(|it| Finding::problem(Code::Exposed, What::Exposed(it))));
    let above = Custody::of(&app.paths.state_dir).exposures_above().into_iter();
    found.extend(above.map(|it| Finding::note(Code::Exposed, What::Exposed(it))));
}

fn examine_store(store: &AgentStore, found: &mut Vec<Finding>) {
    if let Err(error) = store.check_generation() {
        found.push(Finding::failed(Code::NewerGeneration, error));
    }
    let location = store.location();
    let agent = store.agent_id();
    found.extend(store.leftovers().into_iter().map(of_leftover));
    let snapshot = match store.read() {
        Ok(snapshot) => snapshot,
        // It was reported above.
        Err(StoreError::NewerGeneration { .. }) => return,
        Err(error) => {
            let what = if store.backups().is_empty() || !store.has_document() {
                What::Failed(error.into())
            } else {
                What::Restorable { error, location, agent_id: agent.clone() }
            };
            return found.push(Finding::problem(Code::Unreadable, what));
        }
    };
    let document = &snapshot.document;
    for (id, _) in document.entries().filter(|(id, _)| document.credential(id).is_none()) {
        let entry = ProfileAt { profile_id: id.into(), location: location.clone() };
        found.push(Finding::problem(Code::Uninterpretable, What::Uninterpretable(entry)));
    }
    let state = match snapshot.state() {
        Ok(state) => state,
        Err(error) => return found.push(Finding::failed(Code::Unreadable, error)),
    };
    for profile in document.profiles() {
        let Some(token) = profile.credential.refresh_token() else { continue };
        let Some(reason) = state.refusal(profile.id, token) else { continue };
        let what = What::Refused {
            profile_id: profile.id.into(),
            agent_id: agent.clone(),
            provider: profile.credential.provider.clone(),
            reason,
        };
        found.push(Finding::problem(Code::Refused, what));
    }
}

/// Renewals that wait for a store to take them.
fn unstored(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    for waiting in app.spool().pending() {
        let location = waiting.location();
        let given = waiting.renewal.grant.refresh.as_ref().map(Secret::fingerprint);
        let given: Vec<_> = given.into_iter().collect();
        let holder_of = |grants: &[String]| {
            let held = |store: &AgentStore| {
                Some((store.agent_id().to_owned(), holder(store, grants).ok()??))
            };
            stores.iter().find_map(held)
        };
        let is_any_unreadable = stores.iter().any(|store| store.profiles().is_err());
        let holder = match holder_of(&waiting.grants) {
            None if is_any_unreadable => {
                let what = What::UnstoredOfUnreadable(location);
                found.push(Finding::note(Code::Unstored, what));
                continue;
            }
            holder => holder.or_else(|| holder_of(&given)),
        };
        let what = match holder {
            Some((agent_id, profile)) => {
                What::Unstored { location, profile_id: profile.into(), agent_id }
            }
            None => What::UnstoredOfNobody(location),
        };
        found.push(Finding::problem(Code::Unstored, what));
    }
}

fn providers(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    match app.catalog() {
        Ok(catalog) => {
            found.extend(broken(&catalog));
            found.extend(programs::examine(app, &catalog, stores));
        }
        Err(error) => found.push(Finding::failed(Code::Provider, error)),
    }
}

fn broken(catalog: &Catalog) -> Vec<Finding> {
    catalog.problems().map(|error| Finding::failed(Code::Provider, error.clone())).collect()
}

fn of_leftover(leftover: Leftover) -> Finding {
    match leftover {
        Leftover::Lock { .. } => Finding::note(Code::Lock, What::Left(leftover)),
        Leftover::Temporary(_) => Finding::problem(Code::Leftover, What::Left(leftover)),
    }
}

/// The store of the agent that `--agent` names, or the default one.
pub(super) fn store_of(
    app: &App,
    agent: Option<&AgentId>,
) -> Result<(Config, AgentDir, AgentStore), AppError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let store = app.store(&agent);
    Ok((config, agent, store))
}
