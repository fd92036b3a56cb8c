//! What is wrong with the state directory, each with the next command. Nothing is written.

mod grant;
mod programs;

use super::login_command;
use super::refresh::holder;
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::exit::{Command, Failure, Hint};
use crate::profile::{AgentId, ProfileId};
use crate::provider::{Catalog, DistrustedProgram};
use crate::secret::Secret;
use crate::store::{AgentStore, Leftover, Location, StoreError, shared_leftovers};
use crate::system::custody::Exposure;
use crate::system::route;
use crate::text::printable;
use std::path::PathBuf;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Somebody else can read or change secrets, or where they go.
    Exposed,
    /// OpenClaw 2026.6 or later has taken the credentials over.
    NewerGeneration,
    /// A lock is held, or was left behind.
    Lock,
    /// A temporary file was left behind.
    Leftover,
    /// A renewed login waits outside the store.
    Unstored,
    /// A document cannot be read.
    Unreadable,
    /// An entry cannot be interpreted.
    Uninterpretable,
    /// One login is held more than once.
    Shared,
    /// The file of another program cannot be read.
    External,
    /// The server has refused a login.
    Refused,
    /// A provider file is not valid.
    Provider,
    /// The configuration cannot be used.
    Configuration,
    /// A variable for the network cannot be used.
    Network,
}

impl Code {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::NewerGeneration => "newer-generation",
            Self::Lock => "lock",
            Self::Leftover => "leftover",
            Self::Unstored => "unstored",
            Self::Unreadable => "unreadable",
            Self::Uninterpretable => "uninterpretable",
            Self::Shared => "shared",
            Self::External => "external",
            Self::Refused => "refused",
            Self::Provider => "provider",
            Self::Configuration => "configuration",
            Self::Network => "network",
        }
    }
}

/// Something that was found.
#[derive(Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// Whether somebody has to do something.
    pub is_problem: bool,
    /// What was found.
    pub what: What,
}

/// What was found, and the next step.
#[derive(Debug)]
pub enum What {
    /// Somebody else can read or change a file.
    Exposed(Exposure),
    /// Something cannot be used.
    Failed(AppError),
    /// A program that serves a provider is not to be trusted.
    Distrusted(DistrustedProgram),
    /// The document of an agent cannot be read, and there are backups of it.
    Restorable {
        /// Why it cannot be read.
        error: StoreError,
        /// The document.
        location: Location,
        /// The agent.
        agent_id: AgentId,
    },
    /// Anything else.
    Told {
        /// What was found, naming the file or profile.
        message: String,
        /// The next command or step.
        next: Hint,
    },
}

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
        found.push(failed(Code::Configuration, error));
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
    found.extend(
        route::problems(&app.environment)
            .into_iter()
            .map(|message| problem(Code::Network, message, "correct the variable, or unset it")),
    );
    report
}

fn problem(code: Code, message: String, next: impl Into<Hint>) -> Finding {
    Finding { code, is_problem: true, what: What::Told { message, next: next.into() } }
}

fn note(code: Code, message: String, next: impl Into<Hint>) -> Finding {
    Finding { is_problem: false, ..problem(code, message, next) }
}

fn failed(code: Code, error: impl Into<AppError>) -> Finding {
    Finding { code, is_problem: true, what: What::Failed(error.into()) }
}

fn exposures(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    found.extend(app.exposures_of(stores).into_iter().map(|exposure| Finding {
        code: Code::Exposed,
        is_problem: true,
        what: What::Exposed(exposure),
    }));
}

fn examine_store(store: &AgentStore, found: &mut Vec<Finding>) {
    if let Err(error) = store.check_generation() {
        found.push(failed(Code::NewerGeneration, error));
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
            return found.push(Finding { code: Code::Unreadable, is_problem: true, what });
        }
    };
    let document = &snapshot.document;
    for (id, _) in document.entries().filter(|(id, _)| document.credential(id).is_none()) {
        found.push(problem(
            Code::Uninterpretable,
            format!(
                "the entry `{}` in {location} cannot be interpreted and is not used",
                ProfileId::from(id)
            ),
            format!("correct it in {location}, or leave it"),
        ));
    }
    let state = match snapshot.state() {
        Ok(state) => state,
        Err(error) => return found.push(failed(Code::Unreadable, error)),
    };
    for profile in document.profiles() {
        let Some(token) = profile.credential.refresh_token() else { continue };
        let Some(reason) = state.refusal(profile.id, token) else { continue };
        found.push(problem(
            Code::Refused,
            format!(
                "the login `{}` of agent `{agent}` was refused by the server: {}",
                ProfileId::from(profile.id),
                printable(&reason, 80)
            ),
            login_command(&profile.credential.provider, agent),
        ));
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
                let message = format!("{location} waits for a store that cannot be read");
                found.push(note(Code::Unstored, message, "correct that store"));
                continue;
            }
            holder => holder.or_else(|| holder_of(&given)),
        };
        found.push(match holder {
            Some((agent, profile)) => problem(
                Code::Unstored,
                format!("{location} holds a renewed login that could not be stored"),
                Command::ours("models auth token")
                    .option("--profile", &profile)
                    .option("--agent", &agent),
            ),
            None => problem(
                Code::Unstored,
                format!("{location} holds a renewed login that no profile refers to any more"),
                removal(&location),
            ),
        });
    }
}

fn providers(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    match app.catalog() {
        Ok(catalog) => {
            found.extend(broken(&catalog));
            found.extend(programs::examine(app, &catalog, stores));
        }
        Err(error) => found.push(failed(Code::Provider, error)),
    }
}

fn broken(catalog: &Catalog) -> Vec<Finding> {
    catalog.problems().map(|error| failed(Code::Provider, error.clone())).collect()
}

/// A lock, or a temporary file that nobody can be using any more.
fn of_leftover(leftover: Leftover) -> Finding {
    match leftover {
        Leftover::Lock { location, holder, is_held: true } => {
            let message = format!("{location} is held by {holder}");
            note(Code::Lock, message, "nothing, while it works")
        }
        Leftover::Lock { location, holder, is_held: false } => {
            let message = format!("{location} was left behind by {holder}");
            note(Code::Lock, message, "nothing: the next command that needs it takes it")
        }
        Leftover::Temporary(location) => problem(
            Code::Leftover,
            format!("{location} was left behind by a command that was cut off"),
            removal(&location),
        ),
    }
}

/// The command that removes what is at a location.
fn removal(location: &Location) -> Hint {
    match location.path() {
        Some(path) => Command::new("rm").arg(path).into(),
        None => format!("remove {location}").into(),
    }
}

/// The store of the agent that `--agent` names, or the default one.
pub(super) fn store_of(
    app: &App,
    agent: Option<&AgentId>,
) -> Result<(Config, AgentDir, AgentStore), Failure> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let store = app.store(&agent);
    Ok((config, agent, store))
}
