//! Where the databases of one agent are, and what of ours is beside them.

use super::extras::{self, Extras};
use super::look::Look;
use super::token::Token;
use crate::profile::AgentId;
use crate::store::files::Files;
use crate::store::files::backup::Backups;
use crate::store::files::generation::are_documents_in_charge;
use crate::store::files::lease::LockPlace;
use crate::store::{ReadOnly, StoreError, Version};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The databases of one agent.
#[derive(Clone, Debug)]
pub(in crate::store) struct Sqlite {
    pub(super) agent: AgentId,
    /// The files of an earlier OpenClaw, which may be there still.
    pub(super) files: Files,
    /// The shared database.
    pub(super) shared: PathBuf,
    /// That of the agent.
    pub(super) own: PathBuf,
    /// Whether this is the move between documents and databases itself.
    pub(super) converts: bool,
    /// The version that was found last, and where.
    seen: Arc<Mutex<Option<Seen>>>,
}

#[derive(Debug)]
struct Seen {
    tokens: (Option<Token>, Option<Token>),
    version: Option<Version>,
}

fn shared(files: &Files) -> PathBuf {
    files.state_dir.join("state/openclaw.sqlite")
}

fn own(files: &Files) -> PathBuf {
    files.agent_dir.join("openclaw-agent.sqlite")
}

impl Sqlite {
    /// Those of `agent`, whose files would be `files`.
    pub(in crate::store) fn new(agent: AgentId, files: Files) -> Self {
        let (shared, own) = (shared(&files), own(&files));
        Self { agent, files, shared, own, converts: false, seen: Arc::default() }
    }

    /// As [`Self::new`], for the move between documents and databases itself: nothing is
    /// stored of what it replaces, for its tokens live on elsewhere.
    pub(in crate::store) fn for_conversion(agent: AgentId, files: Files) -> Self {
        let files = Files { backup_policy: None, ..files };
        Self { converts: true, ..Self::new(agent, files) }
    }

    /// Whether there is a database beside `files`: then it says where the credentials are.
    pub(in crate::store) fn is_there(files: &Files) -> bool {
        let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
        (is_there(shared(files)) || is_there(own(files)))
            && !are_documents_in_charge(&files.state_dir)
    }

    /// Whether the rows of all agents are this agent's.
    pub(super) fn is_shared(&self) -> bool {
        self.agent.is_main()
    }

    /// What the databases say now.
    pub(super) fn look(&self) -> Result<Look, StoreError> {
        Look::at(&self.shared, &self.own, self.agent.as_str())
    }

    /// The version of the profiles; it is read again where the files have changed.
    pub(super) fn current_version(&self) -> Option<Version> {
        let token = |path: &Path| Token::of(path).ok().flatten();
        let tokens = (token(&self.shared), token(&self.own));
        {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(seen) = seen.as_ref().filter(|seen| seen.tokens == tokens) {
                return seen.version;
            }
        }
        let version = self.look().ok()?.version(self.is_shared());
        // The tokens are older than the look: a change in between is found the next time, but
        // for one that comes so soon that the files have the same times.
        let are_settled = [&tokens.0, &tokens.1].into_iter().flatten().all(Token::is_settled);
        if !are_settled {
            return version;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(Seen { tokens, version });
        version
    }

    /// The database that holds the profiles.
    pub(super) fn database(&self) -> &Path {
        if self.is_shared() { &self.shared } else { &self.own }
    }

    /// What OpenClaw would drop.
    pub(super) fn extras(&self) -> Extras {
        Extras::read(&self.extras_path())
    }

    pub(super) fn extras_path(&self) -> PathBuf {
        extras::path(&self.files.state_dir, &self.agent)
    }

    /// The backups of the profiles.
    pub(super) fn kept(&self) -> Backups<'_> {
        let directory = extras::directory(&self.files.state_dir).join("backups");
        Backups {
            directory: directory.join(self.agent.as_str()),
            location: self.database().into(),
            document: None,
            policy: self.files.backup_policy.as_ref(),
        }
    }

    /// Where the locks on grants are: beside the agent's own database as well, to which several
    /// state directories may lead.
    pub(super) fn locks(&self) -> LockPlace<'_> {
        let is_there = self.own.symlink_metadata().is_ok();
        let document = is_there.then_some(self.own.as_path());
        LockPlace { state_dir: &self.files.state_dir, document }
    }

    /// The profiles are read and not written.
    pub(super) fn read_only(&self, reason: ReadOnly) -> StoreError {
        StoreError::ReadOnly { location: self.database().into(), reason }
    }
}
