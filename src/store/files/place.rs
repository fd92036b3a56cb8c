//! Where the files of one agent are.

use super::backup::Backups;
use super::lease::LockPlace;
use crate::store::{BackupPolicy, Lease, Notice};
use crate::system::file;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// The files of one agent.
#[derive(Clone, Debug)]
pub(in crate::store) struct Files {
    pub(in crate::store) state_dir: PathBuf,
    pub(in crate::store) agent_dir: PathBuf,
    /// The shared legacy file that this store imports.
    pub(in crate::store) oauth_file: Option<PathBuf>,
    pub(in crate::store) backup_policy: Option<BackupPolicy>,
}

impl Files {
    /// Where a later OpenClaw has the database of the agent.
    pub(in crate::store) fn agent_database(&self) -> PathBuf {
        self.agent_dir.join("openclaw-agent.sqlite")
    }

    /// The document of the profiles.
    pub(in crate::store) fn profiles_path(&self) -> PathBuf {
        self.agent_dir.join("auth-profiles.json")
    }

    /// The files that hold logins, or held them once.
    pub(in crate::store) fn credential_files(&self) -> Vec<PathBuf> {
        let own = [self.profiles_path(), self.agent_dir.join("auth.json")];
        own.into_iter().chain(self.oauth_file.clone()).collect()
    }

    /// The document of order and usage.
    pub(in crate::store) fn state_path(&self) -> PathBuf {
        self.agent_dir.join("auth-state.json")
    }

    /// Where the backups are. OpenClaw looks at no such directory; it goes where its agent
    /// goes.
    pub(super) fn backup_dir(&self) -> PathBuf {
        self.agent_dir.join("backups")
    }

    /// Makes the directory of the agent where there is none. Under a lease, whose locks are in
    /// the state directory, that one was there: if it is away now (a mount that went), nothing
    /// is made in its place.
    ///
    /// # Errors
    /// It cannot be made, or the state directory is away.
    pub(in crate::store) fn make_agent_dir(&self, lease: Option<&Lease>) -> io::Result<()> {
        if lease.is_some() && !self.state_dir.is_dir() {
            return Err(ErrorKind::NotFound.into());
        }
        file::create_private_directory(&self.agent_dir)
    }

    /// The backups of the profiles.
    pub(super) fn backups_of_profiles(&self) -> Backups<'_> {
        let document = self.profiles_path();
        Backups {
            directory: self.backup_dir(),
            location: document.as_path().into(),
            document: Some(document),
            policy: self.backup_policy.as_ref(),
        }
    }

    /// Where the locks on grants are; `document` is that of the profiles.
    pub(in crate::store) fn locks<'p>(&'p self, document: &'p std::path::Path) -> LockPlace<'p> {
        LockPlace { state_dir: &self.state_dir, document: Some(document) }
    }

    /// Tells what went less well than it could, at the end of the run.
    pub(super) fn tell(&self, notice: Notice) {
        if let Some(policy) = &self.backup_policy {
            policy.notices.add(notice);
        }
    }
}
