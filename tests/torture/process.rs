//! The processes under test that run now: who owns a connection, and how to kill one.

#[path = "../connection_owner.rs"]
mod connection_owner;

use connection_owner::owner;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A run of the program that has not ended.
struct Running {
    operation: usize,
    descriptor: OwnedFd,
    started: Instant,
    kill_after_answer: Option<Duration>,
}

/// The running processes by their ids.
#[derive(Default)]
pub(crate) struct Processes(Mutex<HashMap<u32, Running>>);

impl Processes {
    pub(crate) fn add(&self, pid: u32, operation: usize, kill_after_answer: Option<Duration>) {
        let raw = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        // It cannot be reaped yet: its parent has not waited for it.
        let descriptor = pidfd_open(raw, PidfdFlags::empty()).expect("a process descriptor");
        let started = Instant::now();
        let running = Running { operation, descriptor, started, kill_after_answer };
        self.0.lock().unwrap().insert(pid, running);
    }

    pub(crate) fn remove(&self, pid: u32) {
        self.0.lock().unwrap().remove(&pid);
    }

    /// Kills a process, if it still runs.
    pub(crate) fn kill(&self, pid: u32) {
        if let Some(running) = self.0.lock().unwrap().get(&pid) {
            let _ = pidfd_send_signal(&running.descriptor, Signal::KILL);
        }
    }

    /// Kills what hangs, so that the run ends; those operations.
    pub(crate) fn kill_older_than(&self, age: Duration) -> Vec<usize> {
        let running = self.0.lock().unwrap();
        let old = running.values().filter(|running| running.started.elapsed() > age);
        old.map(|running| {
            let _ = pidfd_send_signal(&running.descriptor, Signal::KILL);
            running.operation
        })
        .collect()
    }

    /// How long after its answer a process is to be killed.
    pub(crate) fn doom(&self, pid: u32) -> Option<Duration> {
        self.0.lock().unwrap().get(&pid)?.kill_after_answer
    }

    /// The process at the other end of a connection and its operation; `None` when it is
    /// dead already.
    pub(crate) fn of_connection(&self, peer: SocketAddr, gate: SocketAddr) -> Option<(u32, usize)> {
        owner(peer, gate, || {
            let running = self.0.lock().unwrap();
            running.iter().map(|(pid, running)| (*pid, running.operation)).collect()
        })
    }
}
