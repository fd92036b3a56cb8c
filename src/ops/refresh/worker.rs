//! A refresh in a process of its own, which outlives whoever waits for it.
//!
//! A caller that is killed between the server's rotation and the save would end the login:
//! tools kill their token commands after a few seconds. So the caller starts a worker and
//! waits for it; a second caller finds the start slot of the grant taken and watches the
//! store. Nothing of a grant goes over the pipe but its names and hashes: the worker reads
//! the store itself, and the caller reads there what the worker has stored.

use super::transaction::Transaction;
use super::{LeaseError, RefreshError, ReportedKind};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::Notes;
use crate::ops::selection::{Login, Selected};
use crate::profile::{AgentId, Credential, ProfileId};
use crate::secret::Secret;
use crate::store::{LastOutcome, Location, Notice, OutcomeKind, Start, StoreError, Turn};
use crate::system::lock::Holder;
use crate::system::signal::StopSignals;
use crate::system::worker::{self, Begun, Running, Slot};
use crate::system::{Environment, block_on, now, process};
use crate::text::chain;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The command that a worker is started with. It is in no help.
pub const COMMAND: &str = "refresh-worker";

/// How long a caller that was asked to stop waits for its worker.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a worker is to do.
#[derive(Deserialize, Serialize)]
struct Job {
    environment: Environment,
    current_dir: PathBuf,
    agent_id: String,
    agent_dir: PathBuf,
    profile_id: String,
    /// What the caller has seen stored: it wants another one.
    seen: Seen,
    lock_timeout_ms: u64,
    /// The start slot that the worker inherits.
    slot: PathBuf,
}

/// The hashes of a credential.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Seen {
    access: Option<String>,
    refresh: Option<String>,
}

impl Seen {
    fn of(credential: &Credential) -> Self {
        Self {
            access: credential.bearer().map(Secret::fingerprint),
            refresh: credential.refresh_token().map(Secret::fingerprint),
        }
    }
}

/// What a worker says, a line each.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
enum Said {
    /// Something worth knowing.
    Note(String),
    /// Something that went less well than it could.
    Warning(String),
    /// The credential is in the store.
    Refreshed,
    /// Nothing was sent; whoever tries it by itself learns why.
    NotBegun,
    /// It failed.
    Failed(Failed),
}

/// A failure that was told over the pipe, or that another process has remembered.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Failed {
    kind: ReportedKind,
    text: String,
    store: Option<StoreCause>,
    last: Option<Box<LastOutcome>>,
}

/// As much of a [`StoreError`] as goes over a pipe.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum StoreCause {
    Read(PathBuf, Option<i32>, String),
    Write(PathBuf, Option<i32>, String),
    Lock(PathBuf, Option<i32>, String),
    LockTimeout(PathBuf, u64, Option<u32>, Option<String>),
    Invalid(PathBuf, String),
}

impl StoreCause {
    fn of(error: &StoreError) -> Option<Self> {
        let path = |location: &Location| location.path().map(Path::to_path_buf);
        let cause = |source: &std::io::Error| (source.raw_os_error(), source.to_string());
        Some(match error {
            StoreError::Read { location, source } => {
                let (code, text) = cause(source);
                Self::Read(path(location)?, code, text)
            }
            StoreError::Write { location, source } => {
                let (code, text) = cause(source);
                Self::Write(path(location)?, code, text)
            }
            StoreError::Lock { location, source } => {
                let (code, text) = cause(source);
                Self::Lock(path(location)?, code, text)
            }
            StoreError::LockTimeout { location, waited, holder } => Self::LockTimeout(
                path(location)?,
                u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
                holder.pid,
                holder.since.clone(),
            ),
            StoreError::Invalid { location, reason } => {
                Self::Invalid(path(location)?, reason.clone())
            }
            StoreError::NewerGeneration { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::NoAgentDatabase { .. }
            | StoreError::OfAnotherUser { .. }
            | StoreError::Maintenance { .. } => return None,
        })
    }

    fn into_error(self) -> StoreError {
        let cause = |code: Option<i32>, text| {
            Arc::new(
                code.map_or_else(|| std::io::Error::other(text), std::io::Error::from_raw_os_error),
            )
        };
        match self {
            Self::Read(path, code, text) => {
                StoreError::Read { location: path.into(), source: cause(code, text) }
            }
            Self::Write(path, code, text) => {
                StoreError::Write { location: path.into(), source: cause(code, text) }
            }
            Self::Lock(path, code, text) => {
                StoreError::Lock { location: path.into(), source: cause(code, text) }
            }
            Self::LockTimeout(path, waited, pid, since) => StoreError::LockTimeout {
                location: path.into(),
                waited: Duration::from_millis(waited),
                holder: Holder { pid, since },
            },
            Self::Invalid(path, reason) => StoreError::Invalid { location: path.into(), reason },
        }
    }
}

impl Failed {
    /// What of an error goes over the pipe; `None` for one that came before anything was
    /// sent and that a caller meets by itself as well.
    fn of(error: &RefreshError) -> Option<Self> {
        let last = match error {
            RefreshError::Unavailable { last, .. } => last.as_deref(),
            RefreshError::Refused { last, .. } | RefreshError::NotYet { last, .. } => Some(&**last),
            _ => None,
        };
        let (kind, store) = match error {
            RefreshError::LoginOver { .. } => (ReportedKind::LoginOver, None),
            RefreshError::SignedOut(_) => (ReportedKind::SignedOut, None),
            RefreshError::Unavailable { .. } => (ReportedKind::Unavailable, None),
            RefreshError::NotRefreshed { .. } => (ReportedKind::NotRefreshed, None),
            RefreshError::Refused { .. } => (ReportedKind::Refused, None),
            RefreshError::NotYet { last, .. } => match last.kind {
                OutcomeKind::Refused => (ReportedKind::Refused, None),
                OutcomeKind::Unknown | OutcomeKind::Failed => (ReportedKind::Unavailable, None),
            },
            RefreshError::Spent { .. } | RefreshError::SpentUnreadable { .. } => {
                (ReportedKind::Spent, None)
            }
            RefreshError::Kept { source, .. }
            | RefreshError::Lost { source }
            | RefreshError::Lease(LeaseError::Busy { source, .. })
            | RefreshError::App(AppError::Store(source @ StoreError::LockTimeout { .. })) => {
                (ReportedKind::Store, Some(StoreCause::of(source)?))
            }
            _ => return None,
        };
        Some(Self { kind, text: chain(error), store, last: last.cloned().map(Box::new) })
    }

    fn into_error(self, login: Login) -> RefreshError {
        let store = self.store.map(|store| Box::new(store.into_error()));
        let Self { kind, text, last, .. } = self;
        RefreshError::Reported { kind, text, login: login.into(), store, last }
    }
}

/// Refreshes the selected profile by a worker; `None` where that is not possible, or came to
/// nothing before anything was sent: the caller then does it itself.
pub(super) fn refresh(
    app: &App,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Notes,
) -> Result<Option<Credential>, RefreshError> {
    let Some(grant) = selected.credential.refresh_token() else { return Ok(None) };
    let another = || {
        let stored = selected.store.profiles().ok()?.credential(selected.id.as_str())?;
        (Seen::of(&stored) != Seen::of(&selected.credential)).then_some(stored)
    };
    let adopt = || another().filter(|stored| stored.is_usable_until(now()));
    let mut seen = selected.version;
    let turn = selected.store.wait_to_start(&selected.lease_key(), grant, lock_timeout, || {
        let present = selected.store.version();
        if present == seen {
            return None;
        }
        seen = present;
        adopt()
    });
    let slot = match turn {
        Ok(Turn::Leased(Start::Now(slot))) => slot,
        Ok(Turn::Leased(Start::Ended(outcome))) => {
            let failed: Option<Failed> = serde_json::from_str(&outcome).ok();
            return failed.map_or(Ok(None), |failed| Err(failed.into_error(selected.login())));
        }
        Ok(Turn::Found(credential)) => return Ok(Some(credential)),
        Ok(Turn::TimedOut(source)) => {
            return Err(LeaseError::Busy { profile_id: selected.id.clone(), source }.into());
        }
        // The lease says what is wrong.
        Err(_) => return Ok(None),
    };
    // The worker before us may have ended a moment ago.
    if let Some(credential) = adopt() {
        slot.release();
        return Ok(Some(credential));
    }
    let job = job(app, selected, lock_timeout, &slot);
    let ended = block_on(follow(app, slot, &job, interaction)).map_err(AppError::Runtime)?;
    match ended {
        Ended::Refreshed => Ok(another()),
        Ended::NotBegun => Ok(None),
        Ended::Failed(failed) => Err(failed.into_error(selected.login())),
        Ended::Died => {
            let text = "the process that refreshed it was killed".to_owned();
            let text = format!("could not refresh `{}`: {text}", selected.id);
            let kind = ReportedKind::Unavailable;
            let failed = Failed { kind, text, store: None, last: None };
            Err(failed.into_error(selected.login()))
        }
        Ended::Left => Err(RefreshError::Interrupted),
    }
}

fn job(app: &App, selected: &Selected, lock_timeout: Duration, slot: &Slot) -> Zeroizing<Vec<u8>> {
    let job = Job {
        environment: app.environment.clone(),
        current_dir: app.paths.current_dir.clone(),
        agent_id: selected.owner.id.as_str().to_owned(),
        agent_dir: selected.owner.path.clone(),
        profile_id: selected.id.as_str().to_owned(),
        seen: Seen::of(&selected.credential),
        lock_timeout_ms: u64::try_from(lock_timeout.as_millis()).unwrap_or(u64::MAX),
        slot: slot.path().to_owned(),
    };
    Zeroizing::new(serde_json::to_vec(&job).unwrap_or_default())
}

/// What became of a worker, as its caller sees it.
enum Ended {
    Refreshed,
    NotBegun,
    Failed(Failed),
    /// It ended without a word.
    Died,
    /// The caller was asked to stop and does not wait any longer.
    Left,
}

/// Starts a worker and listens to it.
async fn follow(app: &App, slot: Slot, job: &[u8], interaction: &mut dyn Notes) -> Ended {
    // From here on a signal is an answer to wait for, not the end.
    let Ok(mut signals) = StopSignals::catch() else {
        slot.release();
        return Ended::NotBegun;
    };
    let running = worker::start(COMMAND, &slot, job, &app.environment).await;
    let Ok(mut running) = running else {
        slot.release();
        interaction.note("no process could be started for the refresh; it is made by this one");
        return Ended::NotBegun;
    };
    drop(slot);
    let ended = listen(&mut running, &mut signals, interaction).await;
    if !matches!(ended, Ended::Left) {
        running.wait();
    }
    match ended {
        Ended::Left => Ended::Left,
        _ if signals.has_come().await => Ended::Left,
        ended => ended,
    }
}

async fn listen(
    running: &mut Running,
    signals: &mut StopSignals,
    interaction: &mut dyn Notes,
) -> Ended {
    let ended = tokio::select! {
        ended = told(running, interaction) => Some(ended),
        () = signals.received() => None,
    };
    if let Some(ended) = ended {
        return ended;
    }
    interaction.note("finishing a refresh; again to leave");
    let mut quiet = Quiet;
    if process::may_end_namespace() {
        // With this process the worker would end, too.
        told(running, &mut quiet).await;
        return Ended::Left;
    }
    tokio::select! {
        _ = told(running, &mut quiet) => {}
        () = signals.received() => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    Ended::Left
}

/// Hands on what the worker says until it is done.
async fn told(running: &mut Running, interaction: &mut dyn Notes) -> Ended {
    while let Some(line) = running.line().await {
        match serde_json::from_str(&line) {
            Ok(Said::Note(text)) => interaction.note(&text),
            Ok(Said::Warning(text)) => interaction.warn(&text),
            Ok(Said::Refreshed) => return Ended::Refreshed,
            Ok(Said::NotBegun) => return Ended::NotBegun,
            Ok(Said::Failed(failed)) => return Ended::Failed(failed),
            Err(_) => {}
        }
    }
    Ended::Died
}

/// Hears nothing.
struct Quiet;

impl Notes for Quiet {
    fn note(&mut self, _: &str) {}

    fn warn(&mut self, _: &str) {}
}

/// Does the job of a worker, in the worker. `None` when there is no job that can be read.
/// `told` words a notice.
pub fn work(begun: Begun, told: impl Fn(&Notice) -> String) -> Option<()> {
    let job: Job = serde_json::from_slice(&begun.job).ok()?;
    job.environment.adopt();
    let slot = job.slot.clone();
    let app = App::new(job.environment.clone(), &job.current_dir);
    let said = match outcome(&app, &job) {
        Ok(()) => Said::Refreshed,
        Err(None) => Said::NotBegun,
        Err(Some(failed)) => Said::Failed(failed),
    };
    for notice in app.notices.take() {
        say(&Said::Warning(told(&notice)));
    }
    // Who waits shares a failure; what is in the store needs no word.
    let outcome = match &said {
        Said::Failed(failed) => serde_json::to_string(failed).unwrap_or_default(),
        _ => String::new(),
    };
    begun.end(&slot, &outcome);
    say(&said);
    Some(())
}

/// Refreshes as the job says; `None` where nothing was sent.
fn outcome(app: &App, job: &Job) -> Result<(), Option<Failed>> {
    let config = app.config().map_err(|_| None)?;
    let owner = AgentDir { id: AgentId::of_directory(&job.agent_id), path: job.agent_dir.clone() };
    let store = app.store(&owner);
    let id = ProfileId::from(job.profile_id.as_str());
    let stored = store.profiles().map_err(|_| None)?.credential(id.as_str());
    let stored = stored.ok_or(None)?;
    if Seen::of(&stored) != job.seen && stored.is_usable_until(now()) {
        return Ok(());
    }
    let selected = Selected::in_store(&store, &owner, &id, stored).map_err(|_| None)?;
    let refreshed = refresh_here(app, &config, &selected, job);
    refreshed.map_err(|error| Failed::of(&error))
}

fn refresh_here(
    app: &App,
    config: &Config,
    selected: &Selected,
    job: &Job,
) -> Result<(), RefreshError> {
    let lock_timeout = Duration::from_millis(job.lock_timeout_ms);
    Transaction::new(app, config, selected, lock_timeout).run(&mut Pipe).map(drop)
}

fn say(said: &Said) {
    if let Ok(line) = serde_json::to_string(said) {
        // The caller may be gone: the outcome is in the store.
        let _ = worker::say(&line);
    }
}

/// What a worker has to say goes over the pipe.
struct Pipe;

impl Notes for Pipe {
    fn note(&mut self, text: &str) {
        say(&Said::Note(text.to_owned()));
    }

    fn warn(&mut self, text: &str) {
        say(&Said::Warning(text.to_owned()));
    }
}
