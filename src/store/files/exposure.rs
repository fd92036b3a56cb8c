//! Whether the files of a store are in this user's hands alone.

use super::place::Files;
use crate::system::custody::{Custody, Exposure, Kind};

/// What somebody else could read or change: the directories, the documents, the legacy
/// files, the backups, the directories of the locks.
pub(super) fn exposures(files: &Files, custody: &Custody) -> Vec<Exposure> {
    let Files { state_dir, agent_dir, oauth_file, .. } = files;
    let mut found: Vec<_> = custody.exposure(state_dir, Kind::Directory).into_iter().collect();
    // Who can write among the locks can say that a login is over, or keep everybody waiting.
    let locks =
        ["locks/oauth-refresh/x.lock", "locks/login/x.lock"].map(|lock| state_dir.join(lock));
    let between = [agent_dir.as_path(), &locks[0], &locks[1]];
    found.extend(custody.exposures_between(state_dir, &between));
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
    found.extend(places.iter().filter_map(|(path, kind)| custody.exposure(path, *kind)));
    found
}
