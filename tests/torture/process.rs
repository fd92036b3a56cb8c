//! The processes under test that run now, the workers that they have started among them: who
//! owns a connection, and how a signal is sent to one.

#[path = "../connection_owner.rs"]
mod connection_owner;

use super::operation::{Harm, When};
use connection_owner::{owner, workers};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A run of the program that has not ended.
struct Running {
    operation: usize,
    descriptor: OwnedFd,
    started: Instant,
    harm: Option<Harm>,
}

/// Who makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The process of an operation itself.
    Operation(usize),
    /// A worker, and the operation that started it, when that still ran.
    Worker(u32, Option<usize>),
}

/// A worker that lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worker {
    pub(crate) pid: u32,
    /// Who started it; 1 or the like when that is gone.
    parent: u32,
}

/// The running processes by their ids.
pub(crate) struct Processes {
    /// The home directory in the environment of all that are ours.
    home: PathBuf,
    running: Mutex<HashMap<u32, Running>>,
    /// The signals that workers got from here.
    signalled: Mutex<Vec<(u32, Signal, Instant)>>,
}

impl Processes {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home, running: Mutex::default(), signalled: Mutex::default() }
    }

    pub(crate) fn add(&self, pid: u32, operation: usize, harm: Option<Harm>) {
        // It cannot be reaped yet: its parent has not waited for it.
        let descriptor = pidfd(pid).expect("a process descriptor");
        let running = Running { operation, descriptor, started: Instant::now(), harm };
        self.running.lock().unwrap().insert(pid, running);
    }

    pub(crate) fn remove(&self, pid: u32) {
        self.running.lock().unwrap().remove(&pid);
    }

    /// Does the harm to the process of an operation, if it still runs.
    pub(crate) fn harm(&self, pid: u32, harm: Harm) {
        let running = self.running.lock().unwrap();
        let Some(found) = running.get(&pid) else { return };
        if harm.group {
            let _ = kill_process_group(raw(pid), harm.signal);
        } else {
            let _ = pidfd_send_signal(&found.descriptor, harm.signal);
        }
    }

    /// Sends a signal to a worker; whether it was there to get it.
    pub(crate) fn signal_worker(&self, worker: u32, signal: Signal) -> bool {
        let Some(descriptor) = pidfd(worker) else { return false };
        // The descriptor is open: the id is of this process from here on.
        if !self.workers().iter().any(|alive| alive.pid == worker) {
            return false;
        }
        self.signalled.lock().unwrap().push((worker, signal, Instant::now()));
        pidfd_send_signal(&descriptor, signal).is_ok()
    }

    /// When that worker was killed.
    pub(crate) fn killed_worker(&self, pid: u32) -> Option<Instant> {
        let signalled = self.signalled.lock().unwrap();
        let mut kills = signalled.iter().filter(|(_, signal, _)| *signal == Signal::KILL);
        kills.find(|(worker, ..)| *worker == pid).map(|(.., at)| *at)
    }

    /// The workers that were killed at about that time.
    pub(crate) fn killed_workers_at(&self, time: Instant) -> Vec<u32> {
        const ABOUT: Duration = Duration::from_secs(3);
        let signalled = self.signalled.lock().unwrap();
        let kills = signalled.iter().filter(|(_, signal, at)| {
            *signal == Signal::KILL && *at < time + ABOUT && time < *at + ABOUT
        });
        kills.map(|(worker, ..)| *worker).collect()
    }

    /// The signals that a worker got.
    pub(crate) fn signals_of(&self, pid: u32) -> Vec<Signal> {
        let signalled = self.signalled.lock().unwrap();
        signalled
            .iter()
            .filter(|(worker, ..)| *worker == pid)
            .map(|(_, signal, _)| *signal)
            .collect()
    }

    /// Kills what hangs, so that the run ends; those operations.
    pub(crate) fn kill_older_than(&self, age: Duration) -> Vec<usize> {
        let running = self.running.lock().unwrap();
        let old = running.values().filter(|running| running.started.elapsed() > age);
        old.map(|running| {
            let _ = pidfd_send_signal(&running.descriptor, Signal::KILL);
            running.operation
        })
        .collect()
    }

    /// What is to be done to the operation behind a request, by when it is due; its process.
    pub(crate) fn doom(&self, asker: Asker) -> Option<(u32, Harm)> {
        let (Asker::Operation(operation) | Asker::Worker(_, Some(operation))) = asker else {
            return None;
        };
        let running = self.running.lock().unwrap();
        let (pid, found) = running.iter().find(|(_, running)| running.operation == operation)?;
        let harm = found.harm?;
        (!matches!(harm.when, When::Part(_))).then_some((*pid, harm))
    }

    /// The process at the other end of a connection; `None` when it is dead already.
    pub(crate) fn of_connection(&self, peer: SocketAddr, gate: SocketAddr) -> Option<Asker> {
        let known = || {
            let workers = self.workers();
            let running = self.running.lock().unwrap();
            let operation = |pid: u32| running.get(&pid).map(|running| running.operation);
            let mut known: Vec<_> = running
                .iter()
                .map(|(pid, running)| (*pid, Asker::Operation(running.operation)))
                .collect();
            let asker = |worker: &Worker| Asker::Worker(worker.pid, operation(worker.parent));
            known.extend(workers.iter().map(|worker| (worker.pid, asker(worker))));
            known
        };
        owner(peer, gate, known).map(|(_, asker)| asker)
    }

    /// The workers that live now.
    pub(crate) fn workers(&self) -> Vec<Worker> {
        let alive = workers().into_iter().map(|(pid, parent)| Worker { pid, parent });
        alive.filter(|worker| self.is_ours(worker.pid)).collect()
    }

    /// Every process of this run that lives now, whatever it does.
    pub(crate) fn all(&self) -> Vec<u32> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|pid| self.is_ours(*pid)).collect()
    }

    fn is_ours(&self, pid: u32) -> bool {
        let home = format!("HOME={}", self.home.display());
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == home.as_bytes())
    }
}

fn raw(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

fn pidfd(pid: u32) -> Option<OwnedFd> {
    pidfd_open(raw(pid), PidfdFlags::empty()).ok()
}
