//! Whether the files of a store are in this user's hands alone.

use super::place::Files;
use crate::system::permissions::{Exposure, Kind, Permissions};
use std::path::Path;

/// What somebody else could read or change: the directories, the documents, the legacy
/// files, the backups, the directories of the locks.
pub(super) fn exposures(files: &Files, permissions: &Permissions) -> Vec<Exposure> {
    let Files { state_dir, agent_dir, oauth_file, .. } = files;
    let mut found: Vec<_> = permissions.exposure(state_dir, Kind::Directory).into_iter().collect();
    if permissions.is_entered_by_others(state_dir) {
        found.extend(permissions.exposures_between(state_dir, agent_dir));
        found.extend(exposed_locks(state_dir, permissions));
    }
    let mut places = vec![
        (agent_dir.clone(), Kind::Directory),
        (files.profiles_path(), Kind::Secrets),
        (files.state_path(), Kind::Settings),
        (agent_dir.join("auth.json"), Kind::Secrets),
        (files.backup_dir(), Kind::Directory),
    ];
    if let Some(file) = oauth_file {
        places.extend(file.parent().map(|parent| (parent.to_owned(), Kind::Directory)));
        places.push((file.clone(), Kind::Secrets));
    }
    found.extend(places.iter().filter_map(|(path, kind)| permissions.exposure(path, *kind)));
    found
}

/// Who can write among the locks can say that a login is over, or keep everybody waiting.
fn exposed_locks(state_dir: &Path, permissions: &Permissions) -> Vec<Exposure> {
    let locks = state_dir.join("locks");
    if locks.symlink_metadata().is_err() {
        return Vec::new();
    }
    let inside = ["oauth-refresh", "login"].map(|name| locks.join(name));
    let all = std::iter::once(&locks).chain(&inside);
    all.filter_map(|directory| permissions.exposure(directory, Kind::Directory)).collect()
}
