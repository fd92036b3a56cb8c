//! What the journal says of all grants of a store, for who reports on many logins.
//!
//! Invariant: the directories are listed once, and nothing is hashed where they say nothing,
//! which is nearly always. Nothing is written and no lock is taken.

use super::journal;
pub use super::journal::NotedRefusal;
use super::lease::LockPlace;
use super::replaced;
use crate::secret::Secret;
use crate::store::{InterruptedRefresh, LastOutcome, OutcomeKind};
use crate::system::file;
use crate::system::lock::{self, StaleRule};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What the journal says of the grants of a store.
#[derive(Debug, Default)]
pub struct GrantNotes {
    /// The notes by the name of their grant.
    noted: HashMap<String, Vec<PathBuf>>,
    /// The hashes of the refresh tokens that were replaced.
    replaced: HashSet<String>,
}

/// What the journal says of one grant.
#[derive(Debug, Default)]
pub struct GrantNote {
    /// That it was refused or revoked.
    pub refusal: Option<NotedRefusal>,
    /// How its last request ended, where it brought no token.
    pub outcome: Option<LastOutcome>,
    /// A refresh that did not end, and that nobody is making now.
    pub interrupted: Option<InterruptedRefresh>,
    /// Whether what replaced it is kept where this process may not look.
    pub is_kept_elsewhere: bool,
    /// Whether it was replaced.
    pub is_replaced: bool,
}

impl GrantNotes {
    /// The notes in the directories of `place`.
    pub(in crate::store) fn read(place: LockPlace<'_>) -> Self {
        let document = place.document.map(file::behind_link);
        let beside = document.as_deref().and_then(Path::parent).map(Path::to_owned);
        let in_state = place.state_dir.join("locks/oauth-refresh");
        let mut noted: HashMap<String, Vec<PathBuf>> = HashMap::new();
        for directory in std::iter::once(in_state).chain(beside) {
            let entries = directory.read_dir().into_iter().flatten().flatten();
            for path in entries.map(|entry| entry.path()).filter(|path| is_note(path)) {
                if let Some(name) = path.file_stem().and_then(OsStr::to_str) {
                    noted.entry(name.to_owned()).or_default().push(path);
                }
            }
        }
        Self { noted, replaced: replaced::all(place) }
    }

    /// Whether nothing is noted of any grant.
    pub fn is_empty(&self) -> bool {
        self.noted.is_empty() && self.replaced.is_empty()
    }

    /// What is noted of a refresh token; of a login without one, of its access token.
    pub fn of(&self, grant: &Secret, now: crate::profile::Millis) -> GrantNote {
        self.note(grant, |path| interrupted(path, now))
    }

    /// As [`Self::of`], for who holds the lease on the grant: a refresh that did not end is none
    /// of another process.
    pub fn under_lease(&self, grant: &Secret) -> GrantNote {
        self.note(grant, journal::interrupted_at)
    }

    fn note(
        &self,
        grant: &Secret,
        interrupted: impl Fn(&Path) -> Option<InterruptedRefresh>,
    ) -> GrantNote {
        let hash = grant.fingerprint();
        let mut note =
            GrantNote { is_replaced: self.replaced.contains(&hash), ..GrantNote::default() };
        let name = hash.replace("sha256:", "grant-sha256-");
        for path in self.noted.get(&name).into_iter().flatten() {
            match path.extension().and_then(OsStr::to_str) {
                Some("refused") => {
                    note.refusal = note.refusal.or_else(|| journal::refusal_at(path));
                }
                Some("outcome") => {
                    let found = journal::outcome_at(path);
                    note.outcome = note.outcome.into_iter().chain(found).max_by_key(|it| it.at);
                }
                Some("intent") => {
                    note.interrupted = note.interrupted.or_else(|| interrupted(path));
                }
                Some("spooled") => note.is_kept_elsewhere = true,
                _ => {}
            }
        }
        note
    }
}

impl GrantNote {
    /// The last request, where it ended so.
    pub fn outcome_of(&self, kind: OutcomeKind) -> Option<&LastOutcome> {
        self.outcome.as_ref().filter(|outcome| outcome.kind == kind)
    }
}

fn is_note(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("refused" | "outcome" | "intent" | "spooled"))
}

/// A refresh that did not end. One whose lock is held is under way. The lock is looked at first:
/// a refresh that ends meanwhile takes its note with it.
fn interrupted(note: &Path, now: crate::profile::Millis) -> Option<InterruptedRefresh> {
    let found = lock::look(&note.with_extension("lock"), StaleRule::ByAge, now);
    let is_held = found.is_some_and(|(_, held)| held);
    if is_held { None } else { journal::interrupted_at(note) }
}
