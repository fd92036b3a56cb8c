//! The note that a refresh is under way: which grant, since when, by whom.
//!
//! It is on the disk before the request is sent and goes away once the outcome is known.
//! One that is found tells that somebody was cut off in between, so that the refresh token
//! may be spent although it is still stored. It names the grant by its hash alone. Where the
//! server refuses the grant, the note is renamed and says that until the stores do.

use super::StoreError;
use super::lease::Lease;
use crate::profile::Millis;
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A refresh whose outcome nobody has told.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Intent {
    /// The process that was refreshing.
    pub pid: u32,
    /// When it began, or when that process last gave a sign of life, in milliseconds since
    /// the epoch.
    pub at: Millis,
}

/// As it is in the file: written as a note, or the payload of the lock that was held.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    pid: u32,
    at: Option<Millis>,
    created_at: Option<String>,
}

impl Intent {
    fn read(text: &str) -> Option<Self> {
        let Wire { pid, at, created_at } = serde_json::from_str(text).ok()?;
        let created = || created_at?.parse::<jiff::Timestamp>().ok();
        Some(Self { pid, at: at.or_else(|| Some(created()?.as_millisecond()))? })
    }
}

fn path_of(lock: &Path) -> PathBuf {
    lock.with_extension("intent")
}

/// Notes beside the `lock` of the grant, which `lease` holds, that it is about to be spent; on
/// the disk. Returns what an earlier process noted and did not take back: it was cut off
/// before it knew, or could not know, the outcome. That note stays.
pub(super) fn begin(lock: &Path, lease: &Lease, now: Millis) -> Result<Option<Intent>, StoreError> {
    let path = path_of(lock);
    let failed =
        |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
    if let Some((text, _)) = file::read(&path).map_err(failed)? {
        File::open(&path).and_then(|note| note.sync_all()).map_err(failed)?;
        // A note that cannot be read was written all the same.
        return Ok(Some(Intent::read(&text).unwrap_or(Intent { pid: 0, at: now })));
    }
    // The lock says who and since when. Its file under one more name costs no new one.
    if lease.lock().leave_note(&path).is_ok() {
        return Ok(None);
    }
    let write = || {
        let note = serde_json::to_vec(&Intent { pid: std::process::id(), at: now })?;
        file::replace(&path, &note)
    };
    write().map(|()| None).map_err(|source| {
        end(lock);
        failed(source)
    })
}

/// Takes the note back.
pub(super) fn end(lock: &Path) {
    // One that stays tells of less certainty than there is, and does no harm.
    let _ = std::fs::remove_file(path_of(lock));
}

/// Makes the note say that the server refused the grant. That takes no space: it can be said
/// on a full disk.
#[expect(clippy::disallowed_methods, reason = "nothing is written and nothing replaced")]
pub(super) fn refuse(lock: &Path) {
    if std::fs::rename(path_of(lock), refusal_path(lock)).is_ok()
        && let Some(directory) = lock.parent()
    {
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
}

/// As [`refuse`], where there may be no note.
pub(super) fn keep_refusal(lock: &Path) {
    if !is_refused(lock) {
        let _ = file::replace(&refusal_path(lock), b"");
    }
}

/// Whether a note says that the server refused the grant.
pub(super) fn is_refused(lock: &Path) -> bool {
    refusal_path(lock).exists()
}

/// Takes that back: it is remembered elsewhere.
pub(super) fn end_refusal(lock: &Path) {
    let _ = std::fs::remove_file(refusal_path(lock));
}

fn refusal_path(lock: &Path) -> PathBuf {
    lock.with_extension("refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_in_either_form() {
        let read = |text| Intent::read(text).map(|intent| (intent.pid, intent.at));
        assert_eq!(read(r#"{"pid":7,"at":5}"#), Some((7, 5)));
        let lock = r#"{"pid":7,"createdAt":"1970-01-01T00:00:00.005Z","owner":"openclaw-auth"}"#;
        assert_eq!(read(lock), Some((7, 5)));
        assert_eq!(read(r#"{"pid":7}"#), None);
    }
}
