//! How old a marker of OpenClaw's is: since when it has stood in the place of the tokens.
//!
//! A marker has no time. The row that holds it was not written before it was, and any other
//! write makes the row younger; so who waits for a marker notes when it was there already, and
//! the earliest time that is known counts. The notes are files of ours, one for each marker.
//!
//! Invariant: a look writes nothing; a marker never becomes younger once it is noted, and never
//! older than it is by a clock that does not jump.

use super::extras;
use super::place::Sqlite;
use super::rows::Row;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::file;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A note that nobody has removed goes after this long, in milliseconds.
const OLD: Millis = 30 * 24 * 3_600_000;

impl Sqlite {
    /// Since when `marker` has been in the rows, at the latest; `None` where it is in none.
    pub(super) fn marked_since(&self, marker: &str, now: Millis) -> Option<Millis> {
        let look = self.look().ok()?;
        let rows = [look.own_rows(), look.shared_rows()].into_iter().flatten();
        let rows = rows.filter_map(|rows| rows.store.as_ref());
        let holds = |row: &&Row| row.text.expose().contains(marker);
        // A clock that was set back tells nothing of its age.
        let written = rows.filter(holds).map(|row| row.at.min(now)).min()?;
        Some(noted(&self.marker_note(marker)).map_or(written, |noted| noted.min(written)))
    }

    /// Notes since when `marker` has been there.
    pub(super) fn note_marker(&self, marker: &str, now: Millis) {
        let Some(since) = self.marked_since(marker, now) else { return };
        let note = self.marker_note(marker);
        if noted(&note).is_some_and(|noted| noted <= since) {
            return;
        }
        let Some(directory) = note.parent() else { return };
        remove_old(directory, now);
        // Without the note it is only waited for once more.
        let _ = file::create_private_directory(directory)
            .and_then(|()| file::replace(&note, since.to_string().as_bytes()));
    }

    /// Forgets a marker that is gone.
    pub(super) fn forget_marker(&self, marker: &str) {
        let _ = file::remove(&self.marker_note(marker));
    }

    fn marker_note(&self, marker: &str) -> PathBuf {
        let name = Secret::new(marker).fingerprint().replace("sha256:", "");
        extras::directory(&self.files.state_dir).join("markers").join(name)
    }
}

fn noted(note: &Path) -> Option<Millis> {
    file::read(note).ok()??.0.trim().parse().ok()
}

fn remove_old(directory: &Path, now: Millis) {
    for entry in directory.read_dir().into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let since = modified.ok().and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        let since = since.and_then(|since| Millis::try_from(since.as_millis()).ok());
        if since.is_some_and(|since| now.saturating_sub(since) > OLD) {
            let _ = file::remove(&entry.path());
        }
    }
}
