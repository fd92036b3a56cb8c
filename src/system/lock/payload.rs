//! What a sidecar lock says about its holder, and whether that one is dead.

use crate::profile::Millis;
use crate::system::process;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// Who holds a lock, as far as its file says.
#[derive(Clone, Debug, Default)]
pub struct Holder {
    /// The process id.
    pub pid: Option<u32>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
}

impl Holder {
    /// What a payload says, where it can be read.
    pub(super) fn of(payload: Option<&Payload>) -> Self {
        Self {
            pid: payload.map(|payload| payload.pid),
            since: payload.map(|payload| payload.created_at.clone()),
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => match process::name(pid) {
                Some(name) => write!(f, "process {pid} ({name})")?,
                None => write!(f, "process {pid}")?,
            },
            None => f.write_str("an unknown process")?,
        }
        match &self.since {
            Some(since) => write!(f, " since {}", crate::text::printable(since, 40)),
            None => Ok(()),
        }
    }
}

/// The text of a lock file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload {
    pub(super) pid: u32,
    pub(super) created_at: String,
    /// When the process began, in clock ticks since the start of the system, as OpenClaw
    /// 2026.9 has it: one of the same id that began at another time is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starttime: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

impl Payload {
    /// What stands in a lock file, if it can be read.
    pub(super) fn read(file: &mut File) -> Option<Self> {
        let mut text = String::new();
        let _ = file.take(4096).read_to_string(&mut text);
        serde_json::from_str(&text).ok()
    }
}

/// Marks a payload of ours: its holder is alive exactly as long as its flock is.
pub(super) const OWNER: &str = "openclaw-auth";

/// OpenClaw holds no lock longer than two minutes: an older one was left by a process
/// whose id now belongs to another, as happens to pid 1 of a container.
const FOREIGN_STALE_AFTER: Duration = Duration::from_mins(10);
/// A lock file without a readable payload counts as abandoned after this long.
const UNREADABLE_STALE_AFTER: Duration = Duration::from_secs(30);

/// The text of a lock of this process, made at `now`.
pub(super) fn payload_at(now: Millis) -> serde_json::Result<Vec<u8>> {
    static STARTTIME: OnceLock<Option<u64>> = OnceLock::new();
    let pid = std::process::id();
    let starttime = *STARTTIME.get_or_init(|| process::start_ticks(pid));
    let (created_at, owner) = (iso(now), Some(OWNER.to_owned()));
    serde_json::to_vec_pretty(&Payload { pid, created_at, starttime, owner })
}

/// Opens a lock file, and waits for nobody: what is no regular file is none. Nobody of ours or
/// of OpenClaw's makes anything else there, and to take one over that somebody else has put
/// there could take over the lock that replaces it.
///
/// # Errors
/// There is none, it cannot be opened, or it is something else (of the kind
/// [`ErrorKind::InvalidInput`]).
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default()).open(path);
    let is_other = match &opened {
        Ok(file) => !file.metadata()?.is_file(),
        // A symbolic link, or a socket.
        Err(_) => path.symlink_metadata().is_ok_and(|it| !it.is_file() && !it.is_dir()),
    };
    if is_other {
        let reason = format!("{} is no lock file; remove it", path.display());
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    opened
}

/// A lock file as it stands, for a report: who holds it, and whether that process is there
/// still. `None` when there is no lock file, or it cannot be read.
pub fn look(path: &Path, now: Millis) -> Option<(Holder, bool)> {
    let mut file = open(path, OpenOptions::new().read(true)).ok()?;
    let metadata = file.metadata().ok()?;
    let payload = Payload::read(&mut file);
    let holder = Holder::of(payload.as_ref());
    // A shared lock is let go of at once: who tries meanwhile tries again.
    let is_free = fs2::FileExt::try_lock_shared(&file).is_ok();
    Some((holder, !is_free || !is_dead(payload.as_ref(), &metadata, now)))
}

/// Whether a lock file whose flock nobody holds was left behind.
///
/// Nothing is respected for ever: where `createdAt` is no time, or one to come, the file says
/// how old it is. A file from a time to come tells of a clock that jumped back, and not of
/// youth. Only a lock that tells when its process began (OpenClaw 2026.9) is that process's as
/// long as it lives.
pub(super) fn is_dead(payload: Option<&Payload>, metadata: &Metadata, now: Millis) -> bool {
    let written = metadata.mtime().saturating_mul(1000);
    let since_written = Duration::from_millis(now.abs_diff(written));
    match payload {
        Some(payload) if payload.owner.as_deref() == Some(OWNER) => true,
        Some(Payload { pid, starttime: Some(starttime), .. }) => {
            !process::is_alive(*pid)
                || process::start_ticks(*pid).is_some_and(|found| found != *starttime)
        }
        Some(payload) => {
            !process::is_alive(payload.pid)
                || process::was_started_after(payload.pid, &payload.created_at)
                || age_of(&payload.created_at, now).unwrap_or(since_written) > FOREIGN_STALE_AFTER
        }
        None => since_written > UNREADABLE_STALE_AFTER,
    }
}

/// How long ago `time` (RFC 3339) was; `None` when it is to come, or no time.
pub(super) fn age_of(time: &str, now: Millis) -> Option<Duration> {
    let time = time.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    u64::try_from(now.saturating_sub(time)).ok().map(Duration::from_millis)
}

/// `time` as RFC 3339 in UTC with milliseconds.
pub fn iso(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time)
        .map_or_else(|_| time.to_string(), |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_tells_when_its_process_began_is_held_as_long_as_that_lives() {
        let file = tempfile::tempfile().unwrap();
        let metadata = file.metadata().unwrap();
        let me = std::process::id();
        let began = process::start_ticks(me).unwrap();
        // As OpenClaw 2026.9 writes it, with a token of white space behind.
        let token = " \t\t ".repeat(34);
        for (pid, starttime, is_held) in
            [(me, began, true), (me, began + 1, false), (4_194_304, began, false)]
        {
            let text = format!(
                "{{\n  \"pid\": {pid},\n  \"createdAt\": \"2001-01-01T00:00:00.000Z\",\n  \
                 \"starttime\": {starttime}\n}}\n{token}\n"
            );
            let payload: Payload = serde_json::from_str(&text).unwrap();
            assert_eq!(
                !is_dead(Some(&payload), &metadata, crate::system::now()),
                is_held,
                "{text}"
            );
        }
    }

    #[test]
    fn a_lock_of_ours_tells_when_its_process_began() {
        let payload: Payload = serde_json::from_slice(&payload_at(0).unwrap()).unwrap();
        assert_eq!(payload.starttime, process::start_ticks(std::process::id()));
        assert!(payload.starttime.is_some() && payload.owner.as_deref() == Some(OWNER));
    }
}
