//! Kills a process at a point that the server knows.

#[path = "../connection_owner.rs"]
mod connection_owner;

use connection_owner::{owner, workers};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far the request of the killed process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Moment {
    /// It has connected; the server reads nothing.
    Connected,
    /// The server has the request, and gives it up when the process is gone.
    InFlight,
    /// The server has rotated the refresh token, and nobody gets the new one.
    Rotated,
}

/// Waits for one process, once.
#[derive(Debug, Default)]
pub(crate) struct Trap {
    at: Option<Moment>,
    after: Duration,
    expected: Mutex<Vec<u32>>,
    /// Which process was killed, and when.
    killed: Mutex<Option<(u32, Instant)>>,
}

impl Trap {
    /// A trap at that moment, which springs `after` somebody has got there.
    pub(crate) fn new(at: Moment, after: Duration) -> Self {
        Self { at: Some(at), after, ..Self::default() }
    }

    /// A process that may get here, or whose worker may.
    pub(crate) fn expect(&self, pid: u32) {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
    }

    pub(crate) fn killed(&self) -> Option<(u32, Instant)> {
        *self.killed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process at the other end of a connection was killed now.
    pub(crate) fn springs(&self, moment: Moment, peer: SocketAddr, here: SocketAddr) -> bool {
        if self.at != Some(moment) || self.killed().is_some() {
            return false;
        }
        std::thread::sleep(self.after);
        let mut killed = self.killed.lock().unwrap_or_else(PoisonError::into_inner);
        if killed.is_some() {
            return false;
        }
        let expected = || {
            let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
            let workers = workers().into_iter().filter(|(_, parent)| expected.contains(parent));
            let pids = expected.iter().copied().chain(workers.map(|(pid, _)| pid));
            pids.map(|pid| (pid, ())).collect()
        };
        let Some((pid, ())) = owner(peer, here, expected) else { return false };
        let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
        *killed = Some((pid, Instant::now()));
        kill_process(process, Signal::KILL).is_ok()
    }
}
