//! What a sidecar lock says about its holder, and whether that one is dead.

use crate::profile::Millis;
use crate::system::process;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// When the process was started, as proc(5) counts it: OpenClaw from 2026.6 on takes a lock
    /// for abandoned only where this is another, or the process is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starttime: Option<u64>,
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
    let owner = Some(OWNER.to_owned());
    let (pid, created_at) = (std::process::id(), iso(now));
    let starttime = process::start_ticks(pid);
    serde_json::to_vec_pretty(&Payload { pid, created_at, owner, starttime })
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
/// youth.
pub(super) fn is_dead(payload: Option<&Payload>, metadata: &Metadata, now: Millis) -> bool {
    let written = metadata.mtime().saturating_mul(1000);
    let since_written = Duration::from_millis(now.abs_diff(written));
    match payload {
        Some(payload) if payload.owner.as_deref() == Some(OWNER) => true,
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
