//! Which OpenClaw generation a state directory belongs to: from 2026.6 on, credentials
//! live in SQLite and a JSON document beside it blocks every login.

use std::path::{Path, PathBuf};

/// The database that has taken over from the JSON documents, if there is one: the shared
/// one of the state directory (2026.9), or the agent's own (2026.6).
pub(super) fn newer_database(state_dir: &Path, agent_dir: &Path) -> Option<PathBuf> {
    let shared = state_dir.join("state/openclaw.sqlite");
    // A log without its database holds what OpenClaw wants to put back.
    let log = crate::system::file::with_suffix(&shared, "-wal");
    [shared, log, agent_dir.join("openclaw-agent.sqlite")]
        .into_iter()
        .find(|database| database.symlink_metadata().is_ok())
}
