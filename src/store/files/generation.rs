//! Which OpenClaw generation a state directory belongs to: from 2026.6 on, credentials
//! live in SQLite and a JSON document beside it blocks every login.
//!
//! Invariant: a database takes precedence, unless `store convert --to json` has put the
//! documents in charge and they are still there.

use crate::store::{StoreError, StoreFormat};
use crate::system::file;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The database that has taken over from the JSON documents, if there is one: the shared
/// one of the state directory (2026.9), or the agent's own (2026.6). Fails while the logins are
/// between both.
pub(super) fn newer_database(
    state_dir: &Path,
    agent_dir: &Path,
) -> Result<Option<PathBuf>, StoreError> {
    check_no_conversion(state_dir)?;
    let shared = state_dir.join("state/openclaw.sqlite");
    // A log without its database holds what OpenClaw wants to put back.
    let log = file::with_suffix(&shared, "-wal");
    let databases = [shared, log, agent_dir.join("openclaw-agent.sqlite")];
    let present = databases.into_iter().find(|database| database.symlink_metadata().is_ok());
    Ok(present.filter(|_| !are_documents_in_charge(state_dir)))
}

/// The directory of what is ours beside OpenClaw's databases.
pub(in crate::store) fn own_directory(state_dir: &Path) -> PathBuf {
    state_dir.join("openclaw-auth")
}

/// The file that names the document of `main`, once the logins have moved from databases to
/// documents.
pub(in crate::store) fn charge_path(state_dir: &Path) -> PathBuf {
    own_directory(state_dir).join("documents-in-charge")
}

/// Whether the logins have moved from databases to documents, which are still there.
pub(in crate::store) fn are_documents_in_charge(state_dir: &Path) -> bool {
    let named = file::read(&charge_path(state_dir)).ok().flatten();
    named.is_some_and(|(document, _)| Path::new(document.trim_end()).is_file())
}

/// The note of a move between documents and databases that has not ended.
pub(in crate::store) fn conversion_path(state_dir: &Path) -> PathBuf {
    own_directory(state_dir).join("conversion.json")
}

/// Fails while the logins are between documents and databases.
pub(in crate::store) fn check_no_conversion(state_dir: &Path) -> Result<(), StoreError> {
    /// What is of interest of it.
    #[derive(Deserialize)]
    struct Note {
        to: StoreFormat,
    }
    let path = conversion_path(state_dir);
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let text = file::read(&path).ok().flatten().map(|(text, _)| text).unwrap_or_default();
    let to = serde_json::from_str::<Note>(&text).map_or(StoreFormat::Sqlite, |note| note.to);
    Err(StoreError::Converting { location: path.into(), to })
}
