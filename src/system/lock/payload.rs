//! What a sidecar lock says about its holder, and whether that one is dead.

use crate::profile::Millis;
use crate::system::file::with_suffix;
use crate::system::process;
use rand::RngCore;
use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
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
            pid: payload.and_then(|payload| payload.pid),
            since: payload.and_then(|payload| payload.created_at.clone()),
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

/// When a lock file that nobody of ours holds was left behind: each generation of OpenClaw has
/// its own rule for the locks that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleRule {
    /// OpenClaw to 2026.5: when its process is gone, or it is too old.
    ByAge,
    /// OpenClaw from 2026.6 on: when its process is gone, however old it is; by its age only
    /// where it names no process. A directory `<lock>.reclaim` keeps everybody waiting.
    ByProcess,
}

impl StaleRule {
    /// Whether somebody is removing the lock at `path`, so that nobody else may.
    pub(super) fn is_reclaimed(self, path: &Path) -> bool {
        self == Self::ByProcess && with_suffix(path, ".reclaim").symlink_metadata().is_ok()
    }
}

/// The text of a lock file. What is missing, or of another type, says nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) pid: Option<u32>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) created_at: Option<String>,
    /// When the process began, in clock ticks since the start of the system, as OpenClaw
    /// 2026.9 has it: one of the same id that began at another time is another one.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    starttime: Option<u64>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(from)?).ok())
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

/// OpenClaw to 2026.5 holds no lock longer than two minutes: an older one was left by a process
/// whose id now belongs to another, as happens to pid 1 of a container.
const FOREIGN_STALE_AFTER: Duration = Duration::from_mins(10);
/// By its age, a lock file without a readable payload counts as abandoned after this long.
const UNREADABLE_STALE_AFTER: Duration = Duration::from_secs(30);
/// OpenClaw from 2026.6 on lets a lock that names no process become so old.
const NAMELESS_STALE_AFTER: Duration = Duration::from_mins(3);

/// The text of a lock of this process, made at `now`.
pub(super) fn payload_at(now: Millis) -> serde_json::Result<Vec<u8>> {
    static STARTTIME: OnceLock<Option<u64>> = OnceLock::new();
    let pid = std::process::id();
    let starttime = *STARTTIME.get_or_init(|| process::start_ticks(pid));
    let (created_at, owner) = (Some(iso(now)), Some(OWNER.to_owned()));
    serde_json::to_vec_pretty(&Payload { pid: Some(pid), created_at, starttime, owner })
}

/// What stands behind the payload, as OpenClaw 2026.9 has it: white space that makes the text of
/// each lock another one. Who rewrites the payload leaves it as it is.
pub(super) fn ownership_token() -> String {
    let mut random = [0; 16];
    rand::rngs::OsRng.fill_bytes(&mut random);
    let bits = u128::from_be_bytes(random);
    let random = (0..128).map(|bit| if bits >> bit & 1 == 0 { ' ' } else { '\t' });
    let token: String = std::iter::repeat_n('\t', 8).chain(random).collect();
    format!("\n{token}\n")
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
pub fn look(path: &Path, rule: StaleRule, now: Millis) -> Option<(Holder, bool)> {
    let mut file = open(path, OpenOptions::new().read(true)).ok()?;
    let metadata = file.metadata().ok()?;
    let payload = Payload::read(&mut file);
    let holder = Holder::of(payload.as_ref());
    // A shared lock is let go of at once: who tries meanwhile tries again.
    let is_free = fs2::FileExt::try_lock_shared(&file).is_ok();
    Some((holder, !is_free || !is_dead(payload.as_ref(), &metadata, rule, now)))
}

/// Whether a lock file whose flock nobody holds was left behind, by the rule of who takes it.
pub(super) fn is_dead(
    payload: Option<&Payload>,
    metadata: &Metadata,
    rule: StaleRule,
    now: Millis,
) -> bool {
    if payload.is_some_and(|payload| payload.owner.as_deref() == Some(OWNER)) {
        return true;
    }
    match rule {
        StaleRule::ByAge => is_dead_by_age(payload, metadata, now),
        StaleRule::ByProcess => payload.is_some_and(|payload| is_dead_by_process(payload, now)),
    }
}

/// Nothing is respected for ever: where `createdAt` is no time, or one to come, the file says
/// how old it is. A file from a time to come tells of a clock that jumped back, and not of
/// youth. Only a lock that tells when its process began is that process's as long as it lives.
fn is_dead_by_age(payload: Option<&Payload>, metadata: &Metadata, now: Millis) -> bool {
    let written = metadata.mtime().saturating_mul(1000);
    let since_written = Duration::from_millis(now.abs_diff(written));
    let said = payload.and_then(|it| Some((it.pid?, it.created_at.as_deref()?, it.starttime)));
    match said {
        Some((pid, _, Some(starttime))) => is_gone(pid, Some(starttime)),
        Some((pid, created_at, None)) => {
            is_gone(pid, None)
                || process::was_started_after(pid, created_at)
                || age_of(created_at, now).unwrap_or(since_written) > FOREIGN_STALE_AFTER
        }
        None => since_written > UNREADABLE_STALE_AFTER,
    }
}

/// A lock that names its process is that one's as long as it lives; one that names none is
/// respected until it is too old; and one that says neither for ever.
fn is_dead_by_process(payload: &Payload, now: Millis) -> bool {
    match (payload.pid.filter(|pid| *pid > 0), &payload.created_at) {
        (Some(pid), _) => is_gone(pid, payload.starttime),
        (None, Some(created_at)) => {
            age_of(created_at, now).is_some_and(|age| age > NAMELESS_STALE_AFTER)
        }
        (None, None) => false,
    }
}

/// Whether a process has ended, as far as can be seen from here.
fn is_gone(pid: u32, starttime: Option<u64>) -> bool {
    let is_other = |told| process::start_ticks(pid).is_some_and(|found| found != told);
    !process::is_alive(pid) || starttime.is_some_and(is_other)
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
                [StaleRule::ByAge, StaleRule::ByProcess].map(|rule| !is_dead(
                    Some(&payload),
                    &metadata,
                    rule,
                    crate::system::now()
                )),
                [is_held; 2],
                "{text}"
            );
        }
    }

    #[test]
    fn a_lock_of_a_later_openclaw_is_judged_by_its_process_then_by_its_age() {
        let (file, now) = (tempfile::tempfile().unwrap(), 1_800_000_000_000);
        let metadata = file.metadata().unwrap();
        let (me, ago) = (std::process::id(), |seconds: i64| iso(now - seconds * 1_000));
        let cases = [
            // A process that lives, however old the lock is.
            (format!(r#"{{"pid":{me},"createdAt":"{}"}}"#, ago(900_000_000)), false),
            (format!(r#"{{"pid":{me}}}"#), false),
            (format!(r#"{{"pid":{me},"createdAt":"soon","starttime":"x"}}"#), false),
            (format!(r#"{{"pid":{me},"createdAt":7,"starttime":1}}"#), true),
            (format!(r#"{{"pid":4194304,"createdAt":"{}"}}"#, ago(0)), true),
            (r#"{"pid":4194304}"#.to_owned(), true),
            // None is named.
            (format!(r#"{{"createdAt":"{}"}}"#, ago(179)), false),
            (format!(r#"{{"createdAt":"{}"}}"#, ago(181)), true),
            (format!(r#"{{"createdAt":"{}"}}"#, ago(-90_000)), false),
            (format!(r#"{{"pid":"{me}","createdAt":"{}"}}"#, ago(181)), true),
            (format!(r#"{{"pid":0,"createdAt":"{}"}}"#, ago(181)), true),
            (format!(r#"{{"pid":-4,"createdAt":"{}"}}"#, ago(31)), false),
            // Nothing is said.
            (r#"{"createdAt":"soon"}"#.to_owned(), false),
            ("{}".to_owned(), false),
        ];
        for (text, expected) in cases {
            let payload: Payload = serde_json::from_str(&text).unwrap();
            assert_eq!(
                is_dead(Some(&payload), &metadata, StaleRule::ByProcess, now),
                expected,
                "{text}"
            );
        }
        let later = now + 1_000_000_000_000;
        assert!(!is_dead(None, &metadata, StaleRule::ByProcess, later), "nothing can be read");
        assert!(is_dead(None, &metadata, StaleRule::ByAge, later));
    }

    #[test]
    fn behind_each_payload_is_white_space_that_no_other_has() {
        let [one, other] = [ownership_token(), ownership_token()];
        assert_ne!(one, other);
        for token in [one, other] {
            assert!(token.starts_with("\n\t\t\t\t\t\t\t\t") && token.ends_with('\n'));
            let characters = token[1..token.len() - 1].chars();
            assert!(characters.clone().all(|it| it == ' ' || it == '\t'));
            assert_eq!(characters.count(), 136);
        }
    }

    #[test]
    fn a_lock_of_ours_tells_when_its_process_began() {
        let payload: Payload = serde_json::from_slice(&payload_at(0).unwrap()).unwrap();
        assert_eq!(payload.starttime, process::start_ticks(std::process::id()));
        assert!(payload.starttime.is_some() && payload.owner.as_deref() == Some(OWNER));
    }
}
