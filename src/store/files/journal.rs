//! The journal of refreshes: a note for each grant that a request is about to spend.
//!
//! The note is on the disk before the request is sent, and is removed once the outcome is
//! known. A note that is found means that an earlier process was killed in between: the
//! refresh token may be spent although it is still stored. A note names its grant by the
//! hash alone. When the server refuses the grant, the note is renamed: it then says so until
//! every store does. A logout that revokes the grant leaves such a note, which stays: the grant
//! may come back from a backup.
//!
//! A note is written beside each lock on the grant: in the state directory, for the other
//! agents of it, and beside the document, for other state directories that share that. One of
//! them is enough to be believed.
//!
//! The outcome of a request that brought nothing is a file of its own there (`.outcome`). It
//! may outlive its grant, and says nothing of any other.

use super::failure::write_failed;
use super::lease::{Lease, LockPlace, grant_paths};
use crate::profile::{Millis, Refusal};
use crate::secret::Secret;
use crate::store::{Begun, Ended, InterruptedRefresh, LastOutcome, StoreError};
use crate::system::{file, now};
use crate::text::printable;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind};
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

pub(super) fn note_path(lock: &Path) -> PathBuf {
    lock.with_extension("intent")
}

fn refusal_path(lock: &Path) -> PathBuf {
    lock.with_extension("refused")
}

fn outcome_path(lock: &Path) -> PathBuf {
    lock.with_extension("outcome")
}

/// A remembered outcome has at most so many bytes.
const LARGEST_OUTCOME: u64 = 4096;

/// An error code that a note gives has at most so many characters.
const LONGEST_CODE: usize = 80;

/// Writes the notes on `grant`, which `lease` is on.
pub(in crate::store) fn begin(
    place: LockPlace<'_>,
    lease: &Lease,
    grant: &Secret,
) -> Result<Begun, StoreError> {
    if !lease.is_held() {
        return Ok(Begun::Lost);
    }
    let notes: Vec<_> = grant_paths(place, grant).iter().map(|lock| note_path(lock)).collect();
    for note in &notes {
        if let Some(earlier) = read(note)? {
            return Ok(Begun::Interrupted(earlier));
        }
    }
    let mut is_linked = false;
    for note in &notes {
        // The lock says who and since when. Its file under one more name costs no new one.
        match lease.lock().link(note) {
            Ok(()) => is_linked = true,
            // Whoever has the lease by now makes the request.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Begun::Lost),
            Err(_) => write(note).map_err(|source| take_back(&notes, note, source))?,
        }
    }
    if is_linked && let Err(source) = lease.lock().sync() {
        return Err(take_back(&notes, &notes[0], source));
    }
    // One that was taken over while this was written may have a request under way. The notes
    // stay: they claim less certainty than there is.
    Ok(if lease.is_held() { Begun::Noted } else { Begun::Lost })
}

/// The note that an earlier process left at `path`; it is on the disk then.
fn read(path: &Path) -> Result<Option<InterruptedRefresh>, StoreError> {
    let failed = write_failed(path);
    let Some((text, _)) = file::read(path).map_err(&failed)? else { return Ok(None) };
    File::open(path).and_then(|note| note.sync_all()).map_err(&failed)?;
    // A note that cannot be read was written all the same.
    let unreadable = || InterruptedRefresh { pid: 0, at: now() };
    Ok(Some(InterruptedRefresh::read(&text).unwrap_or_else(unreadable)))
}

fn write(path: &Path) -> io::Result<()> {
    let note = InterruptedRefresh { pid: std::process::id(), at: now() };
    file::replace(path, &serde_json::to_vec(&note)?)
}

/// Nothing was begun, because the note at `failed` could not be written.
fn take_back(notes: &[PathBuf], failed: &Path, source: io::Error) -> StoreError {
    for note in notes {
        let _ = std::fs::remove_file(note);
    }
    write_failed(failed)(source)
}

/// Writes how the refresh of `grant` ended.
pub(in crate::store) fn end(place: LockPlace<'_>, grant: &Secret, ended: Ended) {
    let locks = grant_paths(place, grant);
    match ended {
        Ended::Known => remove(place, &locks, note_path),
        Ended::Refused => locks.iter().for_each(|lock| refuse(lock)),
        Ended::Revoked(at) => note_revocation(&locks, at),
        Ended::RefusalStored => remove(place, &locks, refusal_path),
    }
}

/// A note that a grant is over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct NotedRefusal {
    /// The server's error code, or that a logout revoked it; `None` where the note does not say.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, in milliseconds since the epoch, where that is known.
    #[serde(default)]
    pub at: Option<Millis>,
}

impl NotedRefusal {
    /// The error code; a word where the note does not say.
    pub fn code(&self) -> &str {
        self.reason.as_deref().unwrap_or("refused")
    }
}

/// The note that the server refused the grant, or that a logout revoked it.
pub(in crate::store) fn refusal(place: LockPlace<'_>, grant: &Secret) -> Option<NotedRefusal> {
    grant_paths(place, grant).iter().find_map(|lock| refusal_at(&refusal_path(lock)))
}

/// What the note at `path` says. A renamed note of a request holds the payload of a lock, and
/// one that was written on a full disk holds nothing: both say that the grant is over.
pub(super) fn refusal_at(path: &Path) -> Option<NotedRefusal> {
    let metadata = path.symlink_metadata().ok()?;
    let text = file::read_up_to(path, LARGEST_OUTCOME).ok().flatten();
    let said = text.and_then(|(text, _)| serde_json::from_str(&text).ok());
    let NotedRefusal { reason, at } = said.unwrap_or(NotedRefusal { reason: None, at: None });
    let reason = reason.map(|reason| printable(&reason, LONGEST_CODE));
    Some(NotedRefusal { reason, at: at.or_else(|| modified(&metadata)) })
}

/// When a file was last written, in milliseconds since the epoch.
fn modified(metadata: &std::fs::Metadata) -> Option<Millis> {
    let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Millis::try_from(since.as_millis()).ok()
}

/// Notes that a logout revoked a grant, as far as it can be written.
fn note_revocation(locks: &[PathBuf], at: Millis) {
    let why = NotedRefusal { reason: Some(Refusal::REVOKED.to_owned()), at: Some(at) };
    let Ok(text) = serde_json::to_vec(&why) else { return };
    for lock in locks {
        let _ = file::replace(&refusal_path(lock), &text);
    }
}

/// The outcome that is remembered of `grant`: the last one. What cannot be read is none.
pub(in crate::store) fn last_outcome(place: LockPlace<'_>, grant: &Secret) -> Option<LastOutcome> {
    let locks = grant_paths(place, grant);
    let read = |lock: &PathBuf| outcome_at(&outcome_path(lock));
    locks.iter().filter_map(read).max_by_key(|outcome| outcome.at)
}

/// The outcome in a note.
pub(super) fn outcome_at(path: &Path) -> Option<LastOutcome> {
    let (text, _) = file::read_up_to(path, LARGEST_OUTCOME).ok()??;
    LastOutcome::read(&text)
}

/// The refresh that a note tells of; one that cannot be read was written all the same.
pub(super) fn interrupted_at(path: &Path) -> Option<InterruptedRefresh> {
    let at = modified(&path.symlink_metadata().ok()?).unwrap_or(0);
    let text = file::read_up_to(path, LARGEST_OUTCOME).ok().flatten();
    let read = text.and_then(|(text, _)| InterruptedRefresh::read(&text));
    Some(read.unwrap_or(InterruptedRefresh { pid: 0, at }))
}

/// Remembers an outcome, as far as it can be written.
pub(in crate::store) fn remember(place: LockPlace<'_>, grant: &Secret, outcome: &LastOutcome) {
    let Ok(text) = serde_json::to_vec(outcome) else { return };
    for lock in grant_paths(place, grant) {
        let _ = file::replace(&outcome_path(&lock), &text);
    }
}

/// Forgets the outcome that is remembered of `grant`, whoever wrote it.
pub(in crate::store) fn forget(place: LockPlace<'_>, grant: &Secret) {
    let locks = grant_paths(place, grant);
    let is_removed = |lock: &PathBuf| std::fs::remove_file(outcome_path(lock)).is_ok();
    let removed: Vec<_> = locks.iter().map(is_removed).collect();
    if removed.contains(&true) {
        remove_of_others(place, &locks, &[outcome_path]);
    }
}

/// Removes the notes beside the `locks` of a grant.
pub(in crate::store) fn remove(
    place: LockPlace<'_>,
    locks: &[PathBuf],
    note: impl Fn(&Path) -> PathBuf,
) {
    let [in_state, beside @ ..] = locks else { return };
    let is_removed = |lock: &Path| std::fs::remove_file(note(lock)).is_ok();
    let was_noted = is_removed(in_state);
    let was_noted_here = beside.iter().any(|lock| is_removed(lock));
    // Another agent has begun what ends here: its notes are beside its document.
    if was_noted && !was_noted_here {
        remove_of_others(place, locks, &[note_path, refusal_path]);
    }
}

/// Removes what is noted of a grant beside the documents of all agents of the state directory.
fn remove_of_others(place: LockPlace<'_>, locks: &[PathBuf], notes: &[fn(&Path) -> PathBuf]) {
    let Some(name) = locks.first().and_then(|lock| lock.file_name()) else { return };
    let agents = place.state_dir.join("agents").read_dir().into_iter().flatten().flatten();
    for agent in agents {
        let document = agent.path().join("agent/auth-profiles.json");
        let lock = file::behind_link(&document).with_file_name(name);
        for left in notes {
            let _ = std::fs::remove_file(left(&lock));
        }
    }
}

/// Makes the note say that the server refused the grant. To rename a note takes no space:
/// that works on a full disk. Where there is no note, one is written.
#[expect(clippy::disallowed_methods, reason = "nothing is written and nothing replaced")]
fn refuse(lock: &Path) {
    let refusal = refusal_path(lock);
    if std::fs::rename(note_path(lock), &refusal).is_ok() {
        let _ = lock.parent().map(file::sync_directory);
    } else if !refusal.exists() {
        let _ = file::replace(&refusal, b"");
    }
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
