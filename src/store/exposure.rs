//! Whether the files of a store are in this user's hands alone.

use super::AgentStore;
use crate::system::custody::{Custody, Exposure, Kind};

impl AgentStore {
    /// What somebody else could read or change of the store: its directories, its
    /// documents, the legacy files that it reads, its backups. `custody` is that of its state
    /// directory.
    pub fn exposures(&self, custody: &Custody) -> Vec<Exposure> {
        let (state_dir, agent_dir, oauth_file) = self.places();
        let mut found: Vec<_> = custody.exposure(state_dir, Kind::Directory).into_iter().collect();
        found.extend(custody.exposures_between(state_dir, agent_dir));
        let mut places = vec![
            (agent_dir.to_owned(), Kind::Directory),
            (self.profiles_path(), Kind::Secrets),
            (self.state_path(), Kind::Settings),
            (agent_dir.join("auth.json"), Kind::Secrets),
            (self.backup_dir(), Kind::Directory),
        ];
        if let Some(file) = oauth_file {
            places.extend(file.parent().map(|parent| (parent.to_owned(), Kind::Directory)));
            places.push((file.to_owned(), Kind::Secrets));
        }
        found.extend(places.iter().filter_map(|(path, kind)| custody.exposure(path, *kind)));
        found
    }
}
