//! Kills a process at a point that the server knows.

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::fs;
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
        // The kernel's table is not read at one moment: a line can be missed.
        let Some(pid) = (0..5).find_map(|_| self.process_of(peer, here)) else { return false };
        let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
        *killed = Some((pid, Instant::now()));
        kill_process(process, Signal::KILL).is_ok()
    }

    fn process_of(&self, peer: SocketAddr, here: SocketAddr) -> Option<u32> {
        let socket = format!("socket:[{}]", inode(peer, here)?);
        let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        expected.into_iter().find(|pid| {
            let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
            descriptors.into_iter().flatten().flatten().any(|descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == &*socket)
            })
        })
    }
}

/// The inode of the socket from `local` to `remote`, both IPv4, on this machine.
fn inode(local: SocketAddr, remote: SocketAddr) -> Option<String> {
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
