//! The note that a refresh is under way: which grant, since when, by whom.
//!
//! It is on the disk before the request is sent and goes away once the outcome is known.
//! One that is found tells that somebody was cut off in between, so that the refresh token
//! may be spent although it is still stored. It names the grant by its hash alone.

use super::StoreError;
use super::lease::Lease;
use crate::profile::Millis;
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A refresh whose outcome nobody has told.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Intent {
    /// The process that was refreshing.
    pub pid: u32,
    /// Since when, in milliseconds since the epoch.
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

/// Writes the note beside the `lock` of the grant, which `lease` holds; returns one that
/// was there.
pub(super) fn begin(lock: &Path, lease: &Lease, now: Millis) -> Result<Option<Intent>, StoreError> {
    let path = path_of(lock);
    let failed = |source| StoreError::Write { path: path.clone(), source };
    let earlier = file::read(&path).map_err(failed)?.map(|(text, _)| text);
    // The lock says who and since when. Its file under one more name costs no new one.
    if earlier.is_none() && lease.lock().leave_note(&path).is_ok() {
        return Ok(None);
    }
    let note = serde_json::to_vec(&Intent { pid: std::process::id(), at: now });
    let note = note.map_err(|error| failed(error.into()))?;
    file::replace(&path, &note).map_err(failed)?;
    // A note that cannot be read was written all the same.
    let unreadable = Intent { pid: 0, at: now };
    Ok(earlier.map(|text| Intent::read(&text).unwrap_or(unreadable)))
}

/// Takes the note back.
pub(super) fn end(lock: &Path) {
    // One that stays tells of less certainty than there is, and does no harm.
    let _ = std::fs::remove_file(path_of(lock));
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
