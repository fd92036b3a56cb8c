//! The logins that were moved away, and those that a move was interrupted for: one file a grant,
//! named by its hash.
//!
//! Invariant: the file is durable before the login is anywhere else, and stays. While it is there,
//! the refresh token of the grant is not posted here: wherever it comes back from, a backup or an
//! old file, its owner is another.

use crate::profile::{AgentId, Millis, ProfileId};
use crate::secret::Secret;
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// Where a login goes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MovedTo {
    /// A new file. Its part was there before this was noted.
    File(PathBuf),
    /// Standard output.
    Output,
    /// Another agent.
    Agent(AgentId),
}

/// What is noted of a login that moves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// The profile that held it.
    pub profile_id: ProfileId,
    /// The agent.
    pub agent_id: AgentId,
    /// Where it goes.
    pub to: MovedTo,
    /// Since when, in milliseconds since the epoch.
    pub at: Millis,
    /// Whether it is there.
    pub is_there: bool,
    /// Whether it is removed here as well.
    pub is_removed: bool,
}

impl Move {
    /// Whether the login is elsewhere for certain.
    pub const fn is_away(&self) -> bool {
        self.is_there || self.is_removed
    }
}

/// The notes.
#[derive(Clone, Debug)]
pub struct Moves(PathBuf);

/// A note has at most so many bytes.
const LARGEST: u64 = 64 * 1024;

impl Moves {
    /// Those in `directory`.
    pub const fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    fn path(&self, grant: &Secret) -> PathBuf {
        self.path_of(&grant.fingerprint())
    }

    fn path_of(&self, hash: &str) -> PathBuf {
        self.0.join(hash).with_extension("json")
    }

    /// What is noted of `grant`. A note that cannot be read is one of a move that did not end.
    pub fn find(&self, grant: &Secret) -> Option<Move> {
        self.find_by_hash(&grant.fingerprint())
    }

    /// As [`Self::find`], by the hash of the grant.
    pub fn find_by_hash(&self, hash: &str) -> Option<Move> {
        let path = self.path_of(hash);
        let unreadable = || Move {
            profile_id: "".into(),
            agent_id: AgentId::main(),
            to: MovedTo::Output,
            at: 0,
            is_there: false,
            is_removed: false,
        };
        let read = file::read_up_to(&path, LARGEST);
        let Some((text, _)) = read.ok().flatten() else {
            return path.exists().then(unreadable);
        };
        Some(serde_json::from_str(&text).unwrap_or_else(|_| unreadable()))
    }

    /// Whether nothing is noted of any grant: then there is nothing to hash.
    pub fn is_empty(&self) -> bool {
        self.0.read_dir().map_or(true, |mut entries| entries.next().is_none())
    }

    /// Notes it, durably.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, grant: &Secret, noted: &Move) -> io::Result<()> {
        file::create_private_directory(&self.0)?;
        file::replace(&self.path(grant), &serde_json::to_vec(noted)?)
    }

    /// Forgets what is noted of `grant`: it is ours.
    ///
    /// # Errors
    /// The note is still there.
    pub fn forget(&self, grant: &Secret) -> io::Result<()> {
        file::remove(&self.path(grant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_found_by_its_grant_alone_and_holds_no_secret() {
        let root = tempfile::tempdir().unwrap();
        let moves = Moves::new(root.path().join("moves"));
        let grant = Secret::new("fake-refresh");
        let noted = Move {
            profile_id: "p:1".into(),
            agent_id: AgentId::main(),
            to: MovedTo::File("/x".into()),
            at: 7,
            is_there: false,
            is_removed: false,
        };
        assert_eq!(moves.find(&grant), None);
        assert!(moves.is_empty());
        moves.note(&grant, &noted).unwrap();
        assert_eq!(moves.find(&grant), Some(noted));
        assert!(!moves.is_empty());
        assert_eq!(moves.find(&Secret::new("fake-other")), None);
        assert!(!std::fs::read_to_string(moves.path(&grant)).unwrap().contains("fake-refresh"));
        file::replace(&moves.path(&grant), b"{").unwrap();
        assert!(!moves.find(&grant).unwrap().is_there);
        moves.forget(&grant).unwrap();
        assert_eq!(moves.find(&grant), None);
    }
}
