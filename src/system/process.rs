//! Other processes: whether one is alive, what it is called, which one holds a port.

use super::Environment;
use crate::profile::Millis;
use std::path::Path;

/// Whether a process with this id runs in our pid namespace; a zombie does not.
pub fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    if matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)) {
        return false;
    }
    let state =
        stat(pid.as_raw_nonzero().get().unsigned_abs()).and_then(|stat| stat.chars().next());
    !matches!(state, Some('Z' | 'X'))
}

/// The fields of proc(5) `stat` from the third on, the state.
fn stat(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.trim_start().to_owned())
}

/// What the process is called, where the system tells.
pub fn name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(crate::text::printable(name.trim(), 40)).filter(|name| !name.is_empty())
}

/// Whether the process surely began after `time` (RFC 3339): its id was reused.
pub fn was_started_after(pid: u32, time: &str) -> bool {
    /// Start times are counted in clock ticks and the boot time in whole seconds.
    const TOLERANCE: Millis = 3_000;
    let time = time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    match (started_at(pid), time) {
        // A start in the future tells of a clock that jumped, and of nothing else.
        (Some(started), Some(time)) => {
            started > time.saturating_add(TOLERANCE) && started <= super::now() + TOLERANCE
        }
        _ => false,
    }
}

/// When the process was started, in clock ticks since the start of the system (proc(5), field 22
/// of `stat`).
pub fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid)?.split_whitespace().nth(19)?.parse().ok()
}

/// When the process was started, in milliseconds since the epoch (proc(5), field 22 of
/// `stat`).
fn started_at(pid: u32) -> Option<Millis> {
    let ticks = i64::try_from(start_ticks(pid)?).ok()?;
    let boot = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()?;
    let per_second = i64::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    Some(boot * 1_000 + ticks * 1_000 / per_second.max(1))
}

/// Keeps the memory of this process, which holds secrets, from the disk and from other
/// processes of this user: no core dump, no tracing (prctl(2), `PR_SET_DUMPABLE`). A
/// program that it starts is not affected, but for the soft limit on core dumps, which it
/// may raise. Where the system refuses, the program works all the same.
pub fn keep_memory_private() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Whether the end of this process may end others that it has started: it or its parent may be
/// the first of its pid namespace, with which everything in it ends, or the main process of a
/// unit of systemd, after which the rest of the unit is killed. A parent outside the namespace
/// cannot be told.
pub fn may_end_others(environment: &Environment) -> bool {
    let (own, parent) = (std::process::id(), rustix::process::getppid());
    let parent = parent.map_or(1, |parent| parent.as_raw_nonzero().get().unsigned_abs());
    let of_unit = environment.text("SYSTEMD_EXEC_PID").and_then(|pid| pid.parse().ok());
    own == 1 || parent == 1 || of_unit.is_some_and(|main: u32| [own, parent].contains(&main))
}

/// The name of this machine.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Which process listens on this TCP port of the loopback addresses, where it can be
/// known: `node (pid 123)`.
pub fn port_holder(port: u16) -> Option<String> {
    let socket = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| listening_inode(&std::fs::read_to_string(table).ok()?, port))?;
    let link = format!("socket:[{socket}]");
    for entry in Path::new("/proc").read_dir().ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(descriptors) = entry.path().join("fd").read_dir() else { continue };
        let holds = descriptors.flatten().any(|descriptor| {
            descriptor.path().read_link().is_ok_and(|target| target.as_os_str() == link.as_str())
        });
        if holds {
            let name = name(pid).unwrap_or_else(|| "a process".to_owned());
            return Some(format!("{name} (pid {pid})"));
        }
    }
    None
}

/// The inode of the socket that listens on `port`, from a table of `/proc/net`.
fn listening_inode(table: &str, port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1)?;
        let state = columns.nth(1)?;
        let inode = columns.nth(5)?;
        let (_, hex) = local.rsplit_once(':')?;
        (state == LISTEN && u16::from_str_radix(hex, 16) == Ok(port)).then(|| inode.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_has_a_name_and_began_after_2001() {
        let pid = std::process::id();
        assert!(is_alive(pid));
        assert!(!is_alive(0) && !is_alive(u32::MAX));
        assert!(name(pid).is_some());
        assert!(was_started_after(pid, "2001-01-01T00:00:00Z"));
        assert!(!was_started_after(pid, "2999-01-01T00:00:00Z"));
    }

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = port_holder(listener.local_addr().unwrap().port()).unwrap();
        assert!(holder.contains(&format!("pid {}", std::process::id())), "{holder}");
    }
}
