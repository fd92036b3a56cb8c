//! The listing that OpenClaw's `channels list` gives of the main store.

use crate::app::App;
use crate::config::AgentDir;
use crate::exit::Failure;
use crate::profile::{Kind, MAIN_AGENT};
use std::path::PathBuf;

/// What `channels list` shows.
#[derive(Debug)]
pub struct Listing {
    /// The profiles of the main store.
    pub auth: Vec<Row>,
    /// The store.
    pub store_path: PathBuf,
    /// How many entries of the store cannot be interpreted.
    pub invalid_entries: usize,
}

/// One profile.
#[derive(Debug)]
pub struct Row {
    /// The profile id.
    pub id: String,
    /// The provider as the profile spells it.
    pub provider: String,
    /// The credential kind.
    pub kind: Kind,
}

/// Lists the profiles of the main store, whichever agent is the default.
///
/// # Errors
/// The store cannot be read.
pub fn list(app: &App) -> Result<Listing, Failure> {
    let usual = || AgentDir { id: MAIN_AGENT.to_owned(), path: app.paths.agent_dir(MAIN_AGENT) };
    let store = app.store(&app.paths.main_agent().unwrap_or_else(usual));
    let snapshot = store.read()?;
    if snapshot.fingerprint.is_none() {
        // Nothing is there because it has moved on.
        store.check_generation()?;
    }
    let document = snapshot.document;
    let mut auth: Vec<Row> = document
        .profiles()
        .map(|profile| Row {
            id: profile.id.to_owned(),
            kind: profile.credential.kind(),
            provider: profile.credential.provider,
        })
        .collect();
    // JavaScript lists keys that look like array indices first, in ascending order.
    auth.sort_by_key(|row| array_index(&row.id).map_or((1, 0), |index| (0, index)));
    let invalid_entries = document.entry_count() - auth.len();
    Ok(Listing { auth, store_path: store.profiles_path(), invalid_entries })
}

/// `id` as an array index (ECMA-262): a canonical integer below 2^32 - 1.
fn array_index(id: &str) -> Option<u32> {
    let index: u32 = id.parse().ok()?;
    (index != u32::MAX && index.to_string() == id).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::array_index;

    #[test]
    fn only_canonical_integers_are_array_indices() {
        assert_eq!(array_index("10"), Some(10));
        for id in ["01", "-1", "+1", "4294967295", "1.0", "a", ""] {
            assert_eq!(array_index(id), None, "{id}");
        }
    }
}
