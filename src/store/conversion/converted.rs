//! What a move does, or has done, and its end.

use super::movement::MovedProfile;
use super::note::Note;
use crate::profile::AgentId;
use crate::store::{Location, StoreError, StoreFormat};
use crate::system::lock::foreign::ForeignLock;
use std::path::PathBuf;

/// What is done for one agent.
#[derive(Debug)]
pub struct AgentMove {
    /// The agent.
    pub agent_id: AgentId,
    /// Where its profiles were.
    pub from: Location,
    /// Where they are then.
    pub to: Location,
    /// What becomes of each.
    pub profiles: Vec<MovedProfile>,
}

/// What is done, or would be.
#[derive(Debug)]
pub struct Converted {
    /// Where the logins move to: with an earlier move that was finished, where that went.
    pub to: StoreFormat,
    /// Each agent that has something to move.
    pub agents: Vec<AgentMove>,
    /// Where the originals are sealed; `None` where nothing has moved.
    pub sealed_in: Option<Location>,
    /// Whether an earlier move was finished by this.
    pub is_resumed: bool,
    pub(super) note: Option<Note>,
    pub(super) state_dir: PathBuf,
    pub(super) turn: Option<ForeignLock>,
}

impl Converted {
    /// The move has ended: the configuration names the profiles as they are now.
    ///
    /// # Errors
    /// The note of the move cannot be removed.
    pub fn finish(mut self) -> Result<Self, StoreError> {
        if let Some(note) = self.note.take() {
            note.remove(&self.state_dir)?;
        }
        self.turn = None;
        Ok(self)
    }

    /// Whether something has moved, and the configuration is to follow.
    pub const fn has_begun(&self) -> bool {
        self.note.is_some()
    }
}
