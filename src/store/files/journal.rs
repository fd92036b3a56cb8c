//! The journal of refreshes: a note for each grant that a request is about to spend.
//!
//! The note is on the disk before the request is sent, and is removed once the outcome is
//! known. A note that is found means that an earlier process was killed in between: the
//! refresh token may be spent although it is still stored. A note names its grant by the
//! hash alone. When the server refuses the grant, the note is renamed: it then says so until
//! every store does.

use super::failure::write_failed;
use super::lease::Lease;
use crate::profile::Millis;
use crate::store::{Ended, InterruptedRefresh, StoreError};
use crate::system::{file, now};
use serde::Deserialize;
use std::fs::File;
use std::path::{Path, PathBuf};

/// As it is in the file: written as a note, or the payload of the lock that was held.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    pid: u32,
    at: Option<Millis>,
    created_at: Option<String>,
}

impl InterruptedRefresh {
    fn read(text: &str) -> Option<Self> {
        let Wire { pid, at, created_at } = serde_json::from_str(text).ok()?;
        let created = || created_at?.parse::<jiff::Timestamp>().ok();
        Some(Self { pid, at: at.or_else(|| Some(created()?.as_millisecond()))? })
    }
}

fn note_path(lock: &Path) -> PathBuf {
    lock.with_extension("intent")
}

/// Writes the note beside the `lock` of the grant, which `lease` is on.
pub(super) fn begin(lock: &Path, lease: &Lease) -> Result<Option<InterruptedRefresh>, StoreError> {
    let path = note_path(lock);
    let failed = write_failed(&path);
    if let Some((text, _)) = file::read(&path).map_err(&failed)? {
        File::open(&path).and_then(|note| note.sync_all()).map_err(&failed)?;
        // A note that cannot be read was written all the same.
        let unreadable = || InterruptedRefresh { pid: 0, at: now() };
        return Ok(Some(InterruptedRefresh::read(&text).unwrap_or_else(unreadable)));
    }
    // The lock says who and since when. Its file under one more name costs no new one.
    if lease.lock().leave_note(&path).is_ok() {
        return Ok(None);
    }
    let write = || {
        let note = InterruptedRefresh { pid: std::process::id(), at: now() };
        file::replace(&path, &serde_json::to_vec(&note)?)
    };
    write().map(|()| None).map_err(|source| {
        let _ = std::fs::remove_file(note_path(lock));
        failed(source)
    })
}

/// Writes how the refresh ended.
pub(super) fn end(lock: &Path, ended: Ended) {
    match ended {
        Ended::Known => drop(std::fs::remove_file(note_path(lock))),
        Ended::Refused => refuse(lock),
        Ended::RefusalStored => drop(std::fs::remove_file(refusal_path(lock))),
    }
}

/// Whether there is a note that the server refused the grant.
pub(super) fn is_refused(lock: &Path) -> bool {
    refusal_path(lock).exists()
}

/// Makes the note say that the server refused the grant. To rename a note takes no space:
/// that works on a full disk. Where there is no note, one is written.
#[expect(clippy::disallowed_methods, reason = "nothing is written and nothing replaced")]
fn refuse(lock: &Path) {
    let refusal = refusal_path(lock);
    if std::fs::rename(note_path(lock), &refusal).is_ok() {
        let directory = lock.parent().map(File::open);
        let _ = directory.and_then(Result::ok).map(|directory| directory.sync_all());
    } else if !refusal.exists() {
        let _ = file::replace(&refusal, b"");
    }
}

fn refusal_path(lock: &Path) -> PathBuf {
    lock.with_extension("refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_in_either_form() {
        let read = |text| InterruptedRefresh::read(text).map(|found| (found.pid, found.at));
        assert_eq!(read(r#"{"pid":7,"at":5}"#), Some((7, 5)));
        let lock = r#"{"pid":7,"createdAt":"1970-01-01T00:00:00.005Z","owner":"openclaw-auth"}"#;
        assert_eq!(read(lock), Some((7, 5)));
        assert_eq!(read(r#"{"pid":7}"#), None);
    }
}
