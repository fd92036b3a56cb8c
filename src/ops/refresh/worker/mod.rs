//! A refresh by a worker, which outlives whoever waits for it: a process of its own, or a
//! thread.
//!
//! A caller that is killed between the server's rotation and the save would end the login:
//! tools kill their token commands after a few seconds. So the caller starts a worker and
//! waits for it; a second caller finds the start slot of the grant taken and watches the
//! store. Nothing of a grant goes over the pipe but its names and hashes: the worker reads
//! the store itself, and the caller reads there what the worker has stored.

mod job;
mod message;

pub use job::{not_begun, work};

use super::error::MADE_BY_CALLER;
use super::{LeaseError, RefreshError};
use crate::app::{App, RefreshesBy};
use crate::ops::Notes;
use crate::ops::selection::Selected;
use crate::profile::Credential;
use crate::secret::Secret;
use crate::store::{Start, Turn};
use crate::system::trace::{Event, Trace};
use crate::system::worker::{self, Attempt, Running, Slot, Waiter};
use crate::system::{Machine, Stop, StopSource, limits, process};
use job::{Job, Seen, work_in_thread};
use message::{Failed, Message};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// The command that a worker is started with. It is in no help.
pub const COMMAND: &str = "refresh-worker";

/// How long a caller that was asked to stop waits for its worker.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refreshes the selected profile by a worker; `None` where that is not possible, or came to
/// nothing before anything was sent: the caller then does it itself.
pub(super) async fn refresh(
    app: &App,
    selected: &Selected,
    lock_timeout: Duration,
    interaction: &mut dyn Notes,
) -> Result<Option<Credential>, RefreshError> {
    let Some(grant) = selected.credential.refresh_token() else { return Ok(None) };
    let clock = &app.machine.clock;
    let started = clock.instant();
    loop {
        let left = lock_timeout.saturating_sub(clock.since(started));
        let slot = match wait_to_start(app, selected, grant, left).await? {
            ToStart::Slot(slot) => slot,
            ToStart::Refreshed(credential) => return Ok(Some(*credential)),
            ToStart::NoSlot => return Ok(None),
        };
        let job = Job::new(app, selected, lock_timeout, left, &slot);
        return match follow(app, slot, job, interaction).await {
            Ended::Refreshed => Ok(another(selected)),
            Ended::NotBegun => Ok(None),
            // A worker does not live as long as its caller may wait.
            Ended::Failed(failed)
                if failed.is_for_another_worker() && clock.since(started) < lock_timeout =>
            {
                continue;
            }
            Ended::Failed(failed) => Err(failed.into_error(selected.login())),
            Ended::Died => Err(Failed::died(&selected.id).into_error(selected.login())),
            Ended::Left => Err(RefreshError::Interrupted),
        };
    }
}

/// What is stored by now, where that is another credential than the selected one.
fn another(selected: &Selected) -> Option<Credential> {
    let stored = selected.store.profiles().ok()?.credential(selected.id.as_str())?;
    (Seen::of(&stored) != Seen::of(&selected.credential)).then_some(stored)
}

/// What the wait for the right to start a worker came to.
enum ToStart {
    Slot(Slot),
    /// Another worker has refreshed it.
    Refreshed(Box<Credential>),
    /// There can be no slot. The lease says what is wrong.
    NoSlot,
}

/// Waits for the right to start a worker, or for what another one stores.
async fn wait_to_start(
    app: &App,
    selected: &Selected,
    grant: &Secret,
    lock_timeout: Duration,
) -> Result<ToStart, RefreshError> {
    let adopt = || another(selected).filter(|stored| stored.is_usable_until(app.now()));
    let mut seen = selected.version;
    let look = || {
        let present = selected.store.version();
        if present == seen {
            return None;
        }
        seen = present;
        adopt()
    };
    let patience = if ends_workers(app) { lock_timeout.max(limits::WORKER) } else { lock_timeout };
    let (key, clock) = (selected.lease_key(), &app.machine.clock);
    let turn = selected.store.wait_to_start(&key, grant, clock, patience, look);
    Ok(match turn.await {
        // The worker before us may have ended a moment ago.
        Ok(Turn::Leased(Start::Now(slot))) => match adopt() {
            Some(credential) => {
                slot.release();
                ToStart::Refreshed(credential.into())
            }
            None => ToStart::Slot(slot),
        },
        Ok(Turn::Leased(Start::Ended(outcome))) => {
            let failed: Option<Failed> = serde_json::from_str(&outcome).ok();
            let Some(failed) = failed else { return Ok(ToStart::NoSlot) };
            return Err(failed.into_error(selected.login()));
        }
        Ok(Turn::Found(credential)) => ToStart::Refreshed(credential.into()),
        Ok(Turn::TimedOut(source)) => {
            return Err(LeaseError::Busy { profile_id: selected.id.clone(), source }.into());
        }
        Err(_) => ToStart::NoSlot,
    })
}

/// Whether a worker ends with this process, though it is a process of its own: then this one
/// does not leave before it.
fn ends_workers(app: &App) -> bool {
    matches!(app.refreshes_by, RefreshesBy::Process(_)) && process::may_end_others(&app.environment)
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
async fn follow(app: &App, slot: Slot, job: Job, interaction: &mut dyn Notes) -> Ended {
    let path = slot.path().to_owned();
    app.machine.trace.tell(|| Event::Worker { profile: job.profile() });
    let Ok((mut running, mut stop)) = start(app, slot, job).await else {
        if app.refreshes_by.give_up_workers() {
            interaction.note(MADE_BY_CALLER);
        }
        return Ended::NotBegun;
    };
    let is_bound = ends_workers(app);
    let (ended, is_asked) =
        listen(&mut running, &mut stop, is_bound, &app.machine, interaction).await;
    let Some(ended) = ended else { return Ended::Left };
    // No zombie is left to an init that does not reap.
    running.wait();
    if matches!(ended, Ended::Died) {
        remove_slot(path);
    }
    if is_asked || stop.is_asked().await { Ended::Left } else { ended }
}

/// Starts a worker of the form that the machine has. From then on a request to
/// stop is waited for, and is not the end.
async fn start(app: &App, slot: Slot, job: Job) -> io::Result<(Running, Stop)> {
    if let RefreshesBy::Thread(threads) = &app.refreshes_by {
        let stop = StopSource::Owner(threads.asked()).listen()?;
        let notices = app.notices.clone();
        // Who asks its caller to stop does not stop the worker.
        let machine = Machine { stop: StopSource::Nobody, ..app.machine.clone() };
        let work = move |teller| work_in_thread(job, slot, notices, machine, teller);
        return Ok((threads.start(work)?, stop));
    }
    let stop = app.machine.stop.listen()?;
    let started = async {
        let job = Zeroizing::new(serde_json::to_vec(&job)?);
        worker::start(COMMAND, &slot, job, &app.environment).await
    };
    match started.await {
        Ok(running) => Ok((running, stop)),
        Err(error) => {
            slot.release();
            Err(error)
        }
    }
}

/// Removes the slot that a killed worker has left at `path`, unless somebody has it by now.
fn remove_slot(path: PathBuf) {
    if let Ok(Attempt::Taken(slot)) = Waiter::new(path).try_take() {
        slot.release();
    }
}

/// Listens to a worker to its end, or as long as a caller that is asked to stop does: what
/// became of the worker, where that is known, and whether the caller was asked to stop. One
/// that `is_bound` stays to the end.
async fn listen(
    running: &mut Running,
    stop: &mut Stop,
    is_bound: bool,
    machine: &Machine,
    interaction: &mut dyn Notes,
) -> (Option<Ended>, bool) {
    let Machine { clock, trace, .. } = machine;
    tokio::select! {
        ended = told(running, trace, interaction) => return (Some(ended), false),
        () = stop.asked() => {}
    }
    interaction.note("finishing a refresh; again to leave");
    let mut quiet = Quiet;
    if is_bound {
        return (Some(told(running, trace, &mut quiet).await), true);
    }
    let ended = tokio::select! {
        ended = told(running, trace, &mut quiet) => Some(ended),
        () = stop.asked() => None,
        () = clock.sleep(PATIENCE) => None,
    };
    (ended, true)
}

/// Hands on what the worker says until it is done.
async fn told(running: &mut Running, trace: &Trace, interaction: &mut dyn Notes) -> Ended {
    while let Some(line) = running.line().await {
        match serde_json::from_str(&line) {
            Ok(Message::Note(text)) => interaction.note(&text),
            Ok(Message::Warning(text)) => interaction.warn(&text),
            Ok(Message::Trace(line)) => trace.of_worker(&line),
            Ok(Message::Refreshed) => return Ended::Refreshed,
            Ok(Message::NotBegun) => return Ended::NotBegun,
            Ok(Message::Failed(failed)) => return Ended::Failed(failed),
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
