//! What is wrong with the state directory, each with the next command. Nothing is written.

mod grant;
mod programs;

use super::renewal::holder;
use super::{login_command, of_agent};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::exit::Failure;
use crate::profile::{AgentId, Millis, ProfileId};
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::{AgentStore, recovery};
use crate::system::custody::shell_word;
use crate::system::{lock, now, route};
use crate::text::printable;
use std::path::{Path, PathBuf};

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
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// Whether somebody has to do something.
    pub is_problem: bool,
    /// What was found, naming the file or profile.
    pub message: String,
    /// The next command or step.
    pub next: String,
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
    let config = app.config().unwrap_or_else(|failure| {
        found.push(of_failure(Code::Configuration, &failure));
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
    for path in files_in(&app.paths.state_dir.join("locks/oauth-refresh")) {
        left_behind(&path, found);
    }
    for path in files_in(&app.paths.state_dir) {
        left_behind(&path, found);
    }
    providers(app, &stores, found);
    found.extend(route::problems(&app.environment).into_iter().map(|message| {
        problem(Code::Network, message, "correct the variable, or unset it".to_owned())
    }));
    report
}

const fn problem(code: Code, message: String, next: String) -> Finding {
    Finding { code, is_problem: true, message, next }
}

fn of_failure(code: Code, failure: &Failure) -> Finding {
    let next = failure.hint.clone().unwrap_or_else(|| "see the message".to_owned());
    problem(code, format!("{:#}", failure.cause), next)
}

fn exposures(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    let exposures = app.exposures_of(stores);
    found.extend(exposures.iter().map(|it| problem(Code::Exposed, it.to_string(), it.remedy())));
}

/// The agent whose store this is, for a command line.
pub(super) fn agent_of(store: &AgentStore) -> AgentId {
    let path = store.profiles_path();
    let usual = path.parent().filter(|agent| agent.ends_with("agent")).and_then(Path::parent);
    usual
        .and_then(Path::file_name)
        .map_or_else(AgentId::main, |name| AgentId::of_directory(&name.to_string_lossy()))
}

fn examine_store(store: &AgentStore, found: &mut Vec<Finding>) {
    if let Err(error) = store.check_generation() {
        found.push(of_failure(Code::NewerGeneration, &error.into()));
    }
    let path = store.profiles_path();
    let agent = agent_of(store);
    let directory = path.parent().unwrap_or(&path);
    for file in files_in(directory) {
        left_behind(&file, found);
    }
    let snapshot = match store.read() {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let mut finding = of_failure(Code::Unreadable, &error.into());
            if !store.backups().is_empty() && path.is_file() {
                let word = shell_word(&path);
                let agent = of_agent(&agent);
                finding.next = format!(
                    "mv {word} {word}.broken && openclaw-auth doctor --restore latest{agent}"
                );
            }
            return found.push(finding);
        }
    };
    let document = snapshot.document;
    for (id, _) in document.entries().filter(|(id, _)| document.credential(id).is_none()) {
        found.push(problem(
            Code::Uninterpretable,
            format!(
                "the entry `{}` in {} cannot be interpreted and is not used",
                ProfileId::from(id),
                path.display()
            ),
            format!("correct it in {}, or leave it", path.display()),
        ));
    }
    let state = match store.read_state(&document) {
        Ok(state) => state,
        Err(error) => return found.push(of_failure(Code::Unreadable, &error.into())),
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
            login_command(&profile.credential.provider, &agent),
        ));
    }
}

/// Renewals that wait for a store to take them.
fn unstored(app: &App, stores: &[AgentStore], found: &mut Vec<Finding>) {
    for waiting in app.paths.recovery().iter().flat_map(|directory| recovery::pending(directory)) {
        let path = waiting.path.display();
        let given = waiting.renewal.grant.refresh.as_ref().map(Secret::fingerprint);
        let given: Vec<_> = given.into_iter().collect();
        let holder_of = |grants: &[String]| {
            let held = |store| Some((agent_of(store), holder(store, grants).ok()??));
            stores.iter().find_map(held)
        };
        let is_any_unreadable = stores.iter().any(|store| store.read().is_err());
        let holder = match holder_of(&waiting.grants) {
            None if is_any_unreadable => {
                found.push(Finding {
                    code: Code::Unstored,
                    is_problem: false,
                    message: format!("{path} waits for a store that cannot be read"),
                    next: "correct that store".to_owned(),
                });
                continue;
            }
            holder => holder.or_else(|| holder_of(&given)),
        };
        found.push(match holder {
            Some((agent, profile)) => problem(
                Code::Unstored,
                format!("{path} holds a renewed login that could not be stored"),
                format!(
                    "openclaw-auth models auth token --profile {} --agent {agent}",
                    shell_word(Path::new(&ProfileId::from(profile).to_string()))
                ),
            ),
            None => problem(
                Code::Unstored,
                format!("{path} holds a renewed login that no profile refers to any more"),
                format!("rm {}", shell_word(&waiting.path)),
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
        Err(failure) => found.push(of_failure(Code::Provider, &failure)),
    }
}

fn broken(catalog: &Catalog) -> Vec<Finding> {
    let problems = catalog.problems().map(|problem| Failure::from(problem.clone()));
    problems.map(|failure| of_failure(Code::Provider, &failure)).collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// A temporary file is in use for so long at most, in milliseconds.
const IN_USE: Millis = 120_000;

/// A lock, or a temporary file that nobody can be using any more.
fn left_behind(path: &Path, found: &mut Vec<Finding>) {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("lock") => {
            let Some((holder, is_held)) = lock::look(path, now()) else { return };
            let (message, next) = if is_held {
                (format!("{} is held by {holder}", path.display()), "nothing, while it works")
            } else {
                let message = format!("{} was left behind by {holder}", path.display());
                (message, "nothing: the next command that needs it takes it")
            };
            found.push(Finding {
                code: Code::Lock,
                is_problem: false,
                message,
                next: next.to_owned(),
            });
        }
        Some("tmp") if age(path).is_some_and(|age| age > IN_USE) => found.push(problem(
            Code::Leftover,
            format!("{} was left behind by a command that was cut off", path.display()),
            format!("rm {}", shell_word(path)),
        )),
        _ => {}
    }
}

fn age(path: &Path) -> Option<Millis> {
    let modified = path.symlink_metadata().ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
    Some(now().saturating_sub(Millis::try_from(since).ok()?))
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
