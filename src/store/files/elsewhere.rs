//! The note that the reply which replaced a refresh token waits outside the state directory, in
//! the spool of one home directory: a process with another one would not find it there, and
//! must not post the token.
//!
//! It is the note of the journal under another name, so that it costs no space on a full disk.
//! Where the reply is stands in it, as its last line.

use super::journal::{note_path, remove};
use super::lease::{LockPlace, paths_of};
use crate::store::Location;
use crate::system::file;
use std::io::Write;
use std::path::{Path, PathBuf};

fn kept_path(lock: &Path) -> PathBuf {
    lock.with_extension("spooled")
}

/// Makes the notes on the grant of that hash say that its reply is kept at `kept_in`.
pub(in crate::store) fn note(place: LockPlace<'_>, grant: &str, kept_in: &Location) {
    for lock in paths_of(place, grant) {
        let path = kept_path(&lock);
        let is_there = rename(&note_path(&lock), &path);
        let line = format!("\n{kept_in}\n");
        // One that can be written anew is no longer a name of the lock file. On a full disk
        // the line fits behind what is there.
        if file::replace(&path, line.as_bytes()).is_err() && is_there {
            let _ = append(&path, &line);
        }
        let _ = lock.parent().map(file::sync_directory);
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing is written and nothing replaced")]
fn rename(note: &Path, path: &Path) -> bool {
    std::fs::rename(note, path).is_ok()
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options().append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}

/// Where the reply of the grant of that hash is kept, if there is such a note; the note itself
/// where it does not say.
pub(in crate::store) fn find(place: LockPlace<'_>, grant: &str) -> Option<Location> {
    let kept = paths_of(place, grant).into_iter().map(|lock| kept_path(&lock));
    let mut notes = kept.filter(|path| path.symlink_metadata().is_ok());
    notes.next().map(|note| read(&note))
}

/// The reply of the grant of that hash is stored.
pub(in crate::store) fn forget(place: LockPlace<'_>, grant: &str) {
    let locks = paths_of(place, grant);
    remove(place, &locks, kept_path);
    // The notes may have been away with their directory when the reply was kept.
    remove(place, &locks, note_path);
}

/// The notes of a state directory, each with where the reply is that it tells of.
pub fn notes_of_kept(state_dir: &Path) -> Vec<(Location, Location)> {
    let entries = state_dir.join("locks/oauth-refresh").read_dir().into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let notes = paths.filter(|path| path.extension().is_some_and(|it| it == "spooled"));
    notes.map(|note| (note.as_path().into(), read(&note))).collect()
}

fn read(note: &Path) -> Location {
    let text = file::read(note).ok().flatten().map(|(text, _)| text).unwrap_or_default();
    let last = text.lines().rev().find(|line| line.starts_with('/'));
    last.map_or_else(|| note.into(), |path| Path::new(path).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::store::files::Files;

    #[test]
    fn a_note_becomes_another_and_says_where_the_reply_is_until_it_is_stored() {
        let root = tempfile::tempdir().unwrap();
        let (state_dir, agent_dir) = (root.path().join("state"), root.path().join("agent"));
        let files = Files { state_dir, agent_dir, oauth_file: None, backup_policy: None };
        let document = files.agent_dir.join("auth-profiles.json");
        let place = files.locks(&document);
        let grant = Secret::new("fake-0").fingerprint();
        let locks = paths_of(place, &grant);
        let directories = [locks[0].parent().unwrap(), files.agent_dir.as_path()];
        for directory in directories {
            file::create_private_directory(directory).unwrap();
        }
        assert_eq!(find(place, &grant), None);
        file::replace(&note_path(&locks[0]), b"{}").unwrap();
        let kept_in = Location::from(Path::new("/home/somebody/recovery/x.json"));
        note(place, &grant, &kept_in);
        assert!(!note_path(&locks[0]).exists());
        assert_eq!(find(place, &grant), Some(kept_in.clone()));
        assert_eq!(
            notes_of_kept(place.state_dir),
            [(kept_path(&locks[0]).as_path().into(), kept_in)]
        );
        // One that could be renamed, and no more.
        file::replace(&kept_path(&locks[0]), b"{}").unwrap();
        assert_eq!(find(place, &grant), Some(kept_path(&locks[0]).as_path().into()));
        append(&kept_path(&locks[0]), "\n/a/b\n").unwrap();
        assert_eq!(find(place, &grant), Some(Path::new("/a/b").into()));
        forget(place, &grant);
        assert_eq!(find(place, &grant), None);
    }
}
