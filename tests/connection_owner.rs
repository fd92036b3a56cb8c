//! Which process of this machine is at the other end of a connection, and which are workers:
//! the torture and the benchmark include this file.

use std::fs;
use std::net::SocketAddr;

/// The process at the other end of a connection, `peer` there and `here`, among those that
/// are known by their ids; `None` when it is dead already.
pub(crate) fn owner<T>(
    peer: SocketAddr,
    here: SocketAddr,
    known: impl Fn() -> Vec<(u32, T)>,
) -> Option<(u32, T)> {
    let find = || {
        let socket = format!("socket:[{}]", inode(peer, here)?);
        known().into_iter().find(|(pid, _)| {
            let descriptors = fs::read_dir(format!("/proc/{pid}/fd"));
            descriptors.into_iter().flatten().flatten().any(|descriptor| {
                fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == &*socket)
            })
        })
    };
    // The kernel's table is not read at one moment: a line can be missed.
    (0..5).find_map(|_| find())
}

/// The workers of this program that live (`openclaw-auth refresh-worker`), each with the id of
/// its parent: who started it, or who took it over from one that is gone.
pub(crate) fn workers() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|pid: u32| Some((pid, parent_of_worker(pid)?))).collect()
}

fn parent_of_worker(pid: u32) -> Option<u32> {
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    if command.split(|byte| *byte == 0).nth(1)? != b"refresh-worker" {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut after_name = status.rsplit_once(") ")?.1.split(' ');
    let (state, parent) = (after_name.next()?, after_name.next()?);
    if state == "Z" { None } else { parent.parse().ok() }
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
