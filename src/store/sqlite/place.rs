//! Where the databases of one agent are, and what of ours is beside them.

use super::connection;
use super::extras::{self, Extras};
use super::look::{Look, Own, Shared};
use super::merge;
use super::rows::{Owner, Which};
use super::token::Token;
use crate::profile::AgentId;
use crate::store::files::Files;
use crate::store::files::backup::Backups;
use crate::store::files::generation::are_documents_in_charge;
use crate::store::files::lease::LockPlace;
use crate::store::{Document, ReadOnly, StoreError, Version};
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
    /// Whether it is what every agent has: without what is the own of `main`, whose rows of all
    /// agents are.
    is_of_all: bool,
    /// The version that was found last, and where.
    seen: Arc<Mutex<Option<Seen>>>,
}

/// What the own profiles of `main` hide of those of all agents.
pub(super) struct Hidden(Option<Document>);

impl Hidden {
    /// Whether a profile is hidden.
    pub(super) fn has(&self, id: &str) -> bool {
        self.0.as_ref().is_some_and(|own| own.has_entry(id))
    }

    /// The own profiles.
    pub(super) const fn by(&self) -> Option<&Document> {
        self.0.as_ref()
    }
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
    files.agent_database()
}

impl Sqlite {
    /// Those of `agent`, whose files would be `files`.
    pub(in crate::store) fn new(agent: AgentId, files: Files) -> Self {
        let (shared, own) = (shared(&files), own(&files));
        Self { agent, files, shared, own, converts: false, is_of_all: false, seen: Arc::default() }
    }

    /// The same, without the rows of the agent's own where there are rows of all agents.
    pub(in crate::store) fn of_all_agents(self) -> Self {
        Self { is_of_all: true, seen: Arc::default(), ..self }
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
        let shared = connection::read(&self.shared, Shared::ask)?;
        let own = self.look_at_own(shared.as_ref())?;
        self.look_of(shared, own)
    }

    /// What the agent's own database says, where that counts.
    pub(super) fn look_at_own(&self, shared: Option<&Shared>) -> Result<Option<Own>, StoreError> {
        if self.is_of_all && shared.is_some_and(Shared::is_claimed) {
            return Ok(None);
        }
        connection::read(&self.own, Own::ask)
    }

    /// What both say together.
    pub(super) fn look_of(
        &self,
        shared: Option<Shared>,
        own: Option<Own>,
    ) -> Result<Look, StoreError> {
        Look::of(shared, own, (&self.shared, &self.own), self.agent.as_str())
    }

    /// The profiles of the agent's own that hide some of all agents from it, where this is what
    /// every agent has. What is in the file of ours under their names is about them.
    pub(super) fn hidden(&self) -> Result<Hidden, StoreError> {
        if !self.is_of_all {
            return Ok(Hidden(None));
        }
        let own = connection::read(&self.own, Own::ask)?;
        let text = own.as_ref().and_then(|own| own.rows.store.as_ref());
        let parsed = text.map(|row| Document::parse(row.text.expose())).transpose();
        parsed
            .map(Hidden)
            .map_err(|error| self.invalid_row(Owner::Agent.name(Which::Store), &error))
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

    /// What is seen here, with the own profiles of `main` that hide some of it: backups are of
    /// that.
    /// None where that is the same.
    pub(super) fn as_main_sees(&self, seen: &Document) -> Result<Option<Document>, StoreError> {
        let hidden = self.hidden()?;
        let Some(own) = hidden.by().filter(|own| own.entry_count() > 0) else {
            return Ok(None);
        };
        let both = || {
            let mut both = merge::again(seen)?;
            for (id, _) in own.entries() {
                both.copy_entry(own, id);
            }
            self.extras().complete(merge::again(&both)?)
        };
        both().map(Some).map_err(|error| self.invalid_row(self.row_name(Which::Store), &error))
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
