//! The processes under test that run now: who owns a connection, and how to kill one.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::HashMap;
use std::fs;
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
        // The kernel's table is not read at one moment: a line can be missed.
        (0..5).find_map(|_| self.look_up(peer, gate))
    }

    fn look_up(&self, peer: SocketAddr, gate: SocketAddr) -> Option<(u32, usize)> {
        let socket = format!("socket:[{}]", inode_of(peer, gate)?);
        let known: Vec<(u32, usize)> = {
            let running = self.0.lock().unwrap();
            running.iter().map(|(pid, running)| (*pid, running.operation)).collect()
        };
        known.into_iter().find(|(pid, _)| {
            let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
            descriptors.into_iter().flatten().flatten().any(|descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == &*socket)
            })
        })
    }
}

/// The inode of the socket from `local` to `remote`, both IPv4, on this machine.
fn inode_of(local: SocketAddr, remote: SocketAddr) -> Option<String> {
    // Its port may have served another connection before, which is still listed.
    let (local, remote) = (hexadecimal(local)?, hexadecimal(remote)?);
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|line| line.get(1..3) == Some(&[local.as_str(), remote.as_str()]))?;
    line.get(9).filter(|inode| **inode != "0").map(|inode| (*inode).to_owned())
}

fn hexadecimal(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    Some(format!("{:08X}:{:04X}", u32::from_le_bytes(address.ip().octets()), address.port()))
}
