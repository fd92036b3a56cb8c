//! What both directions have in common: who moves, what moves, and the steps.

use super::error::ConversionError;
use super::movement::{Movement, RenameProvider};
use crate::profile::{AgentId, Millis};
use crate::store::files::Files;
use crate::store::sqlite::Sqlite;
use crate::store::{Document, LeaseAttempt, LeaseKey, Location, StateDocument, StoreError};
use std::time::Duration;

/// How long a lock is waited for.
pub(super) const WAIT: Duration = Duration::from_secs(10);

/// The stores of an agent that moves: its documents and its rows.
pub(super) struct AgentStores<'c> {
    pub(super) agent: &'c AgentId,
    pub(super) files: Files,
    pub(super) sqlite: Sqlite,
}

/// What an agent has at the source, and what becomes of it.
pub(super) struct Contents {
    pub(super) originals: Vec<(String, Vec<u8>)>,
    pub(super) movement: Movement,
    /// What is stored at the source now.
    pub(super) document: Document,
}

impl Contents {
    pub(super) fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }
}

/// One of the two directions.
pub(super) trait Direction {
    /// Fails where the move cannot be made.
    fn check(&self, mover: &AgentStores<'_>) -> Result<(), ConversionError>;
    /// What is at the source. `main` is what `main` has at the destination then.
    fn pack(
        &self,
        mover: &AgentStores<'_>,
        main: Option<&Document>,
        rename: RenameProvider<'_>,
    ) -> Result<Contents, ConversionError>;
    /// Tries once to be the only one who refreshes.
    fn lease(
        &self,
        mover: &AgentStores<'_>,
        key: &LeaseKey<'_>,
    ) -> Result<LeaseAttempt, StoreError>;
    /// Takes what is at the source away, where it still is what `contents` has; whether it was.
    fn take_out(&self, mover: &AgentStores<'_>, contents: &Contents) -> Result<bool, StoreError>;
    /// Adds what is noted to the destination at the time `now`; nothing there is replaced.
    fn store(
        &self,
        mover: &AgentStores<'_>,
        noted: (&Document, &StateDocument),
        now: Millis,
    ) -> Result<(), StoreError>;
    /// What the destination holds.
    fn stored(&self, mover: &AgentStores<'_>) -> Result<Document, StoreError>;
    /// Where the profiles are at the source, and at the destination.
    fn locations(&self, mover: &AgentStores<'_>) -> (Location, Location);
}

pub(super) fn invalid(mover: &AgentStores<'_>, error: &serde_json::Error) -> StoreError {
    crate::store::files::invalid(&mover.files.profiles_path(), error)
}
