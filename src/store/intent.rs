//! The note that a refresh is under way: which grant, since when, by whom.
//!
//! It is on the disk before the request is sent and goes away once the outcome is known.
//! One that is found tells that somebody was cut off in between, so that the refresh token
//! may be spent although it is still stored. It names the grant by its hash alone.

use super::StoreError;
use crate::profile::Millis;
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A refresh whose outcome nobody has told.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Intent {
    /// The process that was refreshing.
    pub pid: u32,
    /// Since when, in milliseconds since the epoch.
    pub at: Millis,
}

fn path_of(lock: &Path) -> PathBuf {
    lock.with_extension("intent")
}

/// Writes the note beside the lock of the grant; returns one that was there.
pub(super) fn begin(lock: &Path, now: Millis) -> Result<Option<Intent>, StoreError> {
    let path = path_of(lock);
    let failed = |source| StoreError::Write { path: path.clone(), source };
    let earlier = file::read(&path).map_err(failed)?.map(|(text, _)| text);
    let note = serde_json::to_vec(&Intent { pid: std::process::id(), at: now });
    let note = note.map_err(|error| failed(error.into()))?;
    file::replace(&path, &note).map_err(failed)?;
    // A note that cannot be read was written all the same.
    let unreadable = Intent { pid: 0, at: now };
    Ok(earlier.map(|text| serde_json::from_str(&text).unwrap_or(unreadable)))
}

/// Takes the note back.
pub(super) fn end(lock: &Path) {
    // One that stays tells of less certainty than there is, and does no harm.
    let _ = std::fs::remove_file(path_of(lock));
}
