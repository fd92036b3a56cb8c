//! The side of the worker: what it is to do, and how it does it.
//!
//! Invariant: the job names a profile and what was seen of it by hashes; every token is read
//! from the store.

use super::super::transaction::Transaction;
use super::super::{LeaseError, RefreshError};
use super::message::{Failed, Message};
use crate::app::{App, AppError, RefreshesBy};
use crate::config::{AgentDir, Config};
use crate::ops::Notes;
use crate::ops::selection::Selected;
use crate::profile::{AgentId, Credential, ProfileId};
use crate::secret::Secret;
use crate::store::{Notice, Notices, StoreError};
use crate::system::trace::{Hash, Level, Trace};
use crate::system::worker::{self, Begun, Life, Slot};
use crate::system::{Environment, Machine};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// What a worker is to do.
#[derive(Deserialize, Serialize)]
pub(super) struct Job {
    environment: Environment,
    current_dir: OsString,
    agent_id: String,
    agent_dir: OsString,
    /// Whether the profile is one that every agent has, and not `main`'s own.
    is_of_all: bool,
    profile_id: String,
    /// What the caller has seen stored: it wants another one.
    seen: Seen,
    /// How long the caller waits for locks: in all, and from now on.
    lock_timeout_ms: u64,
    left_ms: u64,
    /// The start slot that the worker inherits.
    slot: OsString,
    /// How much the caller traces.
    #[serde(default)]
    traced: u8,
}

/// The hashes of a credential.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Seen {
    access: Option<String>,
    refresh: Option<String>,
}

impl Seen {
    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            access: credential.bearer().map(Secret::fingerprint),
            refresh: credential.refresh_token().map(Secret::fingerprint),
        }
    }
}

impl Job {
    /// The job to refresh `selected` for a caller that waits for locks up to `lock_timeout`, of
    /// which so much is `left`.
    pub(super) fn new(
        app: &App,
        selected: &Selected,
        lock_timeout: Duration,
        left: Duration,
        slot: &Slot,
    ) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            environment: app.environment.clone(),
            current_dir: app.paths.current_dir.clone().into(),
            agent_id: selected.owner.id.as_str().to_owned(),
            agent_dir: selected.owner.path.clone().into(),
            is_of_all: selected.store.is_of_all_agents(),
            profile_id: selected.id.as_str().to_owned(),
            seen: Seen::of(&selected.credential),
            lock_timeout_ms: millis(lock_timeout),
            left_ms: millis(left),
            slot: slot.path().into(),
            traced: app.machine.trace.level().map_or(0, |level| level as u8),
        }
    }

    /// What stands for the profile in traces.
    pub(super) fn profile(&self) -> Hash {
        Hash::of(&self.profile_id)
    }

    /// The program as the worker is it.
    fn app(&self) -> App {
        App::new(self.environment.clone(), self.current_dir.as_ref())
            .with_refreshes_by(RefreshesBy::Worker(Life::of_worker()))
    }

    /// Does it, and says how that ended.
    async fn run(&self, app: &App, pipe: &mut dyn Notes) -> Message {
        match self.outcome(app, pipe).await {
            Ok(()) => Message::Refreshed,
            Err(None) => Message::NotBegun,
            Err(Some(failed)) => Message::Failed(failed),
        }
    }

    /// Refreshes; no error where nothing was sent.
    async fn outcome(&self, app: &App, pipe: &mut dyn Notes) -> Result<(), Option<Failed>> {
        let config = app.config().map_err(|_| None)?;
        let owner = AgentDir {
            id: AgentId::of_directory(&self.agent_id),
            path: PathBuf::from(&self.agent_dir),
        };
        let store = app.store(&owner);
        let store = if self.is_of_all { store.of_all_agents() } else { store };
        let id = ProfileId::from(self.profile_id.as_str());
        let stored = store.profiles().map_err(|_| None)?.credential(id.as_str());
        let stored = stored.ok_or(None)?;
        if Seen::of(&stored) != self.seen && stored.is_usable_until(app.now()) {
            return Ok(());
        }
        let selected = Selected::in_store(&store, &owner, &id, stored).map_err(|_| None)?;
        let refreshed = self.refresh(app, &config, &selected, pipe).await;
        refreshed.map_err(|error| Failed::of(&self.with_all_waited(error)))
    }

    async fn refresh(
        &self,
        app: &App,
        config: &Config,
        selected: &Selected,
        pipe: &mut dyn Notes,
    ) -> Result<(), RefreshError> {
        let left = Duration::from_millis(self.left_ms);
        Transaction::new(app, config, selected, left).run(pipe).await.map(drop)
    }

    /// The error, which says how long the caller has waited in all when it ends the wait.
    fn with_all_waited(&self, mut error: RefreshError) -> RefreshError {
        if let RefreshError::Lease(LeaseError::Busy {
            source: StoreError::LockTimeout { waited, .. },
            ..
        })
        | RefreshError::App(AppError::Store(StoreError::LockTimeout { waited, .. })) = &mut error
        {
            *waited = Duration::from_millis(self.lock_timeout_ms);
        }
        error
    }
}

/// Who waits shares a failure; what is in the store needs no word, and what
/// there was no time for is for another worker.
fn outcome_for_others(said: &Message) -> String {
    match said {
        Message::Failed(failed) if !failed.is_for_another_worker() => {
            serde_json::to_string(failed).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// Does the job of a worker that is this process. `None` when there is no job that can be
/// read. `told` words a notice.
pub async fn work(begun: Begun, told: impl Fn(&Notice) -> String) -> Option<()> {
    let job: Job = serde_json::from_slice(&begun.job).ok()?;
    let mut app = job.app();
    if let Some(level) = Level::of(job.traced) {
        let tell = |line: &str| say(&Message::Trace(line.to_owned()));
        app.machine.trace = Trace::new(level, tell);
    }
    let said = job.run(&app, &mut Pipe(say)).await;
    for notice in app.notices.take() {
        say(&Message::Warning(told(&notice)));
    }
    begun.slot(PathBuf::from(&job.slot)).end(&outcome_for_others(&said));
    say(&said);
    Some(())
}

/// Says that a worker has begun nothing: there is no runtime to be had.
pub fn not_begun() {
    say(&Message::NotBegun);
}

/// Does the job of a worker that is a thread. What is for the end of the run goes to
/// `notices`.
pub(super) async fn work_in_thread(
    job: Job,
    slot: Slot,
    notices: Notices,
    machine: Machine,
    teller: UnboundedSender<String>,
) {
    let tell = |said: &Message| {
        // The caller may be gone: the outcome is in the store.
        let _ = serde_json::to_string(said).map(|line| teller.send(line));
    };
    let mut app = job.app().on_machine(machine);
    app.notices = notices;
    let said = job.run(&app, &mut Pipe(&tell)).await;
    slot.end(&outcome_for_others(&said));
    tell(&said);
}

fn say(said: &Message) {
    if let Ok(line) = serde_json::to_string(said) {
        // The caller may be gone: the outcome is in the store.
        let _ = worker::say(&line);
    }
}

/// What a worker has to say goes over the pipe.
struct Pipe<F: Fn(&Message)>(F);

impl<F: Fn(&Message)> Notes for Pipe<F> {
    fn note(&mut self, text: &str) {
        self.0(&Message::Note(text.to_owned()));
    }

    fn warn(&mut self, text: &str) {
        self.0(&Message::Warning(text.to_owned()));
    }
}
