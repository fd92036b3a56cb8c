//! What is wrong with the state directory, each with the next command. Nothing is written.

mod finding;
mod grant;
mod logins;
mod misshapen;
mod places;
mod programs;

pub use finding::{Code, Finding, ProfileAt, What};
pub use misshapen::Misshapen;

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::refresh::holder;
use crate::ops::stale_order::Known;
use crate::ops::{RenewalProblem, StaleOrder, renewal};
use crate::profile::AgentId;
use crate::secret::Secret;
use crate::store::{
    Leftover, Misshape, SpooledReply, Storage, Store, StoreError, notes_of_kept, shared_leftovers,
};
use crate::system::permissions::Permissions;
use crate::system::route;
use std::path::PathBuf;

/// What a look at everything found.
#[derive(Debug)]
pub struct Report {
    /// The state directory.
    pub state_dir: PathBuf,
    /// How many agents have a store.
    pub stores: usize,
    /// In which form logins are stored, and why.
    pub storage: Storage,
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
pub async fn examine(app: &App) -> Report {
    let mut findings = Vec::new();
    let config = app.config().unwrap_or_else(|error| {
        findings.push(Finding::failed(Code::Configuration, error));
        Config::default()
    });
    let storage = app.store(&app.main_agent(&config)).storage();
    let state_dir = app.paths.state_dir.clone();
    let mut report = Report { state_dir, stores: 0, storage, findings };
    let found = &mut report.findings;
    let stores = app.stores(&config);
    report.stores = stores.len();
    exposures(app, &stores, found);
    let mut seen = Vec::new();
    // Agents that share a document by a link have one store.
    let (own, linked): (Vec<Store>, Vec<Store>) =
        stores.iter().cloned().partition(|store| is_first(&mut seen, store.resolved()));
    for store in &own {
        examine_store((app, &config), store, true, found);
    }
    for store in &linked {
        examine_store((app, &config), store, false, found);
    }
    orders(app, &config, &stores, found);
    found.extend(logins::stand_ins(app, &config, &own));
    grant::examine(app, &own, found);
    unstored(app, &stores, found);
    found.extend(shared_leftovers(&app.paths.state_dir).into_iter().map(of_leftover));
    providers(app, &stores, found).await;
    found.extend(places::examine(app, &stores));
    let unusable = route::problems(&app.environment).into_iter();
    found.extend(unusable.map(|it| Finding::problem(Code::Network, What::Network(it))));
    report
}

fn exposures(app: &App, stores: &[Store], found: &mut Vec<Finding>) {
    let exposures = app.exposures_of(stores).into_iter();
    found.extend(exposures.map(|it| Finding::problem(Code::Exposed, What::Exposed(it))));
    let above = Permissions::of(&app.paths.state_dir).exposures_above().into_iter();
    found.extend(above.map(|it| Finding::note(Code::Exposed, What::Exposed(it))));
}

fn is_first<T: PartialEq>(seen: &mut Vec<T>, one: T) -> bool {
    let is_first = !seen.contains(&one);
    seen.push(one);
    is_first
}

/// Orders that name profiles which are not there. `main` stands behind every agent.
fn orders(app: &App, config: &Config, stores: &[Store], found: &mut Vec<Finding>) {
    let read = |store: &Store| Some((store.clone(), store.read().ok()?));
    let snapshots: Vec<_> = stores.iter().filter_map(read).collect();
    if snapshots.len() < stores.len() {
        // What is not there may be in a store that cannot be read.
        return;
    }
    let main = snapshots.iter().find(|(store, _)| store.agent_id().is_main());
    let mut add = |orders: Vec<StaleOrder>, agent_id: &AgentId| {
        found.extend(orders.into_iter().map(|order| Finding {
            code: Code::Order,
            is_problem: !order.hidden.is_empty(),
            what: What::StaleOrder { order, agent_id: agent_id.clone() },
        }));
    };
    for (store, snapshot) in &snapshots {
        let Ok(state) = snapshot.state() else { continue };
        let behind = main.filter(|_| !store.agent_id().is_main()).map(|(_, main)| main);
        let documents = [Some(snapshot), behind];
        let documents: Vec<_> = documents.into_iter().flatten().map(|it| &it.document).collect();
        let known = Known { config, documents: &documents };
        add(known.stored(state, &store.state_location()), store.agent_id());
    }
    let documents: Vec<_> = snapshots.iter().map(|(_, snapshot)| &snapshot.document).collect();
    let states = snapshots.iter().filter_map(|(_, snapshot)| snapshot.state().ok());
    let states: Vec<_> = states.collect();
    let known = Known { config, documents: &documents };
    add(known.configured(&app.paths.config, &states), &AgentId::main());
}

/// `is_own` says that no other agent has the same document.
fn examine_store(of: (&App, &Config), store: &Store, is_own: bool, found: &mut Vec<Finding>) {
    match store.check_generation() {
        // An agent without logins of its own needs none.
        Ok(()) | Err(StoreError::NoAgentDatabase { .. }) => {
            let agent_id = store.agent_id();
            found.extend(store.blocking_files().into_iter().map(|location| {
                let agent_id = agent_id.clone();
                Finding::problem(Code::Blocking, What::Blocking { location, agent_id })
            }));
        }
        Err(error) => found.push(Finding::failed(Code::NewerGeneration, error)),
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
    let misshapen = Misshapen::all(store, document);
    let state = match snapshot.state() {
        Ok(state) => state,
        Err(error) => {
            found.push(Finding::failed(Code::Unreadable, error));
            found.extend(misshapen.into_iter().filter(|_| is_own).map(of_misshapen));
            return;
        }
    };
    let logins = logins::examine(of, store, (document, state), &misshapen);
    found.extend(misshapen.into_iter().filter(|_| is_own).map(of_misshapen));
    found.extend(logins);
}

/// Renewals that wait for a store to take them.
fn unstored(app: &App, stores: &[Store], found: &mut Vec<Finding>) {
    for waiting in app.spool().pending() {
        let location = waiting.location();
        let given = waiting.renewal.grant.refresh.as_ref().map(Secret::fingerprint);
        let given: Vec<_> = given.into_iter().collect();
        let holder_of = |grants: &[String]| {
            let held =
                |store: &Store| Some((store.agent_id().to_owned(), holder(store, grants).ok()??));
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
    for (location, login) in app.spool().logins() {
        let of = login.map(|login| (login.agent.0, login.provider.0));
        found.push(Finding::problem(Code::Unstored, What::UnstoredLogin { location, of }));
    }
    let unread = app.spool().unread().into_iter().map(What::Unread);
    found.extend(unread.map(|what| Finding::problem(Code::Unstored, what)));
    let here: Vec<_> = app.spool().pending().iter().map(SpooledReply::location).collect();
    for (note, kept_in) in notes_of_kept(&app.paths.state_dir) {
        if !here.contains(&kept_in) {
            let what = What::KeptElsewhere { note, kept_in };
            found.push(Finding::problem(Code::Unstored, what));
        }
    }
}

async fn providers(app: &App, stores: &[Store], found: &mut Vec<Finding>) {
    match app.catalog() {
        Ok(catalog) => {
            found.extend(renewal::of_files(&catalog).map(Finding::from));
            found.extend(programs::examine(app, &catalog, stores).await);
        }
        Err(error) => found.push(RenewalProblem::Files(error).into()),
    }
}

fn of_misshapen(misshapen: Misshapen) -> Finding {
    let code = match &misshapen.shape {
        Misshape::Entry { .. } => Code::Uninterpretable,
        Misshape::Expiry { .. } => Code::Expiry,
        _ => Code::Shape,
    };
    Finding::problem(code, What::Misshapen(misshapen))
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
) -> Result<(Config, AgentDir, Store), AppError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let store = app.store(&agent);
    Ok((config, agent, store))
}
