//! The store of one agent: reads, and changes that lose nothing.
//!
//! Invariant: a change is a pure function of the document as it is under the lock, and runs
//! again when the document has changed meanwhile.

use super::engine::{AnyEngine, Swap};
use super::files::Files;
use super::{
    BackupPolicy, Document, Lease, Leftover, Location, Prepared, Snapshot, StateDocument,
    StoreError, Unspent, Version,
};
use crate::config::InstalledOpenClaw;
use crate::profile::{AgentId, Millis};
use crate::secret::Secret;
use crate::store::{Backup, Begun, Ended, GrantNotes, LastOutcome, NotedRefusal};
use crate::system::lock;
use crate::system::permissions::{Exposure, Permissions};
use std::path::PathBuf;
use std::time::Duration;

/// How long a login waits for the lock when its data exists nowhere else: OpenClaw may hold
/// the lock during a refresh of its own, which takes up to 120 seconds.
pub const PATIENT_LOCK_TIMEOUT: Duration = Duration::from_secs(150);

/// The store of one agent.
#[derive(Clone, Debug)]
pub struct Store {
    agent_id: AgentId,
    pub(super) engine: AnyEngine,
    /// The OpenClaw that says where the first login goes.
    pub(super) installed: InstalledOpenClaw,
}

impl Store {
    /// The store of the agent `agent_id` in files: in `agent_dir` of the state directory
    /// `state_dir`. `oauth_file` is the legacy file that agent `main` imports.
    pub fn new(
        agent_id: AgentId,
        state_dir: PathBuf,
        agent_dir: PathBuf,
        oauth_file: Option<PathBuf>,
    ) -> Self {
        let files = Files { state_dir, agent_dir, oauth_file, backup_policy: None };
        let engine = AnyEngine::new(agent_id.clone(), files);
        Self { agent_id, engine, installed: InstalledOpenClaw::default() }
    }

    /// The same store, keeping what a change of the profiles replaces.
    #[must_use]
    pub fn with_backups(mut self, policy: BackupPolicy) -> Self {
        self.engine.set_backup_policy(policy);
        self
    }

    /// The same store; where nothing is stored yet, the first login goes where this OpenClaw
    /// looks for it.
    #[must_use]
    pub fn with_installed(mut self, installed: InstalledOpenClaw) -> Self {
        self.installed = installed;
        self
    }

    /// The agent whose store this is.
    pub const fn agent_id(&self) -> &AgentId {
        &self.agent_id
    }

    /// Whether both are the same store.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is_of_all_agents() == other.is_of_all_agents() && self.engine.is_at(&other.location())
    }

    /// What every agent has of the store of `main`, which this is. In documents, and where `main`
    /// has no database of its own, that is all of it.
    #[must_use]
    pub fn of_all_agents(mut self) -> Self {
        if self.has_hiding_rows() {
            self.engine = self.engine.of_all_agents();
        }
        self
    }

    /// Whether it is that, and not all of the store.
    pub const fn is_of_all_agents(&self) -> bool {
        self.engine.is_of_all()
    }

    /// Whether there may be profiles that no other agent has, though their store is that of all.
    fn has_hiding_rows(&self) -> bool {
        self.is_in_database() && self.engine.files.agent_database().symlink_metadata().is_ok()
    }

    /// Where the profiles are.
    pub fn location(&self) -> Location {
        self.engine.at_first().location()
    }

    /// The document that a change of the profiles replaces: where links lead.
    pub fn resolved(&self) -> Location {
        let location = self.engine.at_first().location();
        location.path().and_then(|path| path.canonicalize().ok()).map_or(location, Location::from)
    }

    /// Where order and usage are.
    pub fn state_location(&self) -> Location {
        self.engine.at_first().state_location()
    }

    /// The place that OpenClaw names as that of order and usage: the agent's own database,
    /// where it has profiles. It costs a read.
    pub fn openclaw_location(&self) -> Location {
        #[cfg(feature = "sqlite")]
        if !self.is_in_database() && self.is_new_in_database() {
            use super::engine::Engine;
            return self.engine.databases().openclaw_location();
        }
        self.engine.at_first().openclaw_location()
    }

    /// Whether the document of the profiles is there, readable or not.
    pub fn has_document(&self) -> bool {
        self.engine.at_first().has_document()
    }

    /// Profiles and state as they are now; what the legacy files hold, where there is no
    /// document yet. Takes no lock.
    ///
    /// # Errors
    /// The profiles exist and cannot be read, or nothing is there because a later OpenClaw
    /// has taken the credentials over.
    pub fn read(&self) -> Result<Snapshot, StoreError> {
        self.engine.read()
    }

    /// The profiles alone, as they are now. Takes no lock.
    ///
    /// # Errors
    /// They exist and cannot be read.
    pub fn profiles(&self) -> Result<Document, StoreError> {
        self.engine.read_profiles().map(|(document, _)| document)
    }

    /// The version of the profiles now; `None` when nothing is stored yet. It costs one look.
    pub fn version(&self) -> Option<Version> {
        self.engine.version()
    }

    /// Whether the documents were in a database at the first look of this store, as those of
    /// OpenClaw 2026.6 and later are.
    pub fn is_in_database(&self) -> bool {
        self.engine.is_in_database()
    }

    /// Whether this store may be written.
    ///
    /// # Errors
    /// OpenClaw 2026.6 or later has taken the credentials over, or they are only read; or nothing
    /// is stored yet, and the OpenClaw that is installed would not find it.
    pub fn check_generation(&self) -> Result<(), StoreError> {
        self.engine.check_generation()?;
        self.check_first()
    }

    /// Whether the documents could be written, found out without writing.
    ///
    /// # Errors
    /// The directory, or the one in which it would be made, cannot be written.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        self.engine.check_writable()
    }

    /// Changes the profiles under the lock. `change` gets the document as it is then and
    /// returns whether to write it, with its result. It runs again when somebody without
    /// the lock has written meanwhile.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update<T>(
        &self,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        self.update_within(lock::TIMEOUT, change)
    }

    /// As [`Self::update`], for who waits so long for the lock.
    ///
    /// # Errors
    /// See there.
    pub fn update_within<T>(
        &self,
        lock_timeout: Duration,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        self.engine.check_generation()?;
        self.change_profiles(None, None, lock_timeout, change)
    }

    /// Makes sure that the profiles can be written, now and after a request whose outcome
    /// must not be lost: the lock is free, the space is there. `None` when there is no
    /// agent directory yet.
    ///
    /// # Errors
    /// The lock, the generation or the disk; nothing has changed then.
    pub fn prepare(&self, lock_timeout: Duration) -> Result<Option<Prepared>, StoreError> {
        self.wait_until_free(None, lock_timeout)?;
        self.prepare_space()
    }

    /// The first half of [`Self::prepare`]: waits for the lock, and lets it go. Who holds a
    /// lease says so: it saves work.
    ///
    /// # Errors
    /// The lock or the generation.
    pub fn wait_until_free(
        &self,
        lease: Option<&Lease>,
        lock_timeout: Duration,
    ) -> Result<(), StoreError> {
        self.engine.check_generation()?;
        self.engine.wait_until_free(lease, lock_timeout)
    }

    /// The second half of [`Self::prepare`]: sets space aside.
    ///
    /// # Errors
    /// The disk; nothing has changed then.
    pub fn prepare_space(&self) -> Result<Option<Prepared>, StoreError> {
        self.engine.prepare()
    }

    /// As [`Self::update`], with what [`Self::prepare`] gave and with a patience of its own: what
    /// is to be stored may exist nowhere else.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update_prepared<T>(
        &self,
        prepared: Option<Prepared>,
        lease: Option<&Lease>,
        lock_timeout: Duration,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        self.change_profiles(prepared, lease, lock_timeout, change)
    }

    fn change_profiles<T>(
        &self,
        mut prepared: Option<Prepared>,
        lease: Option<&Lease>,
        lock_timeout: Duration,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        if lease.is_none() {
            self.begin_storing()?;
        }
        let mut exclusion = self.engine.exclusive(lease, lock_timeout)?;
        loop {
            let (mut document, version) = self.engine.read_profiles()?;
            let changed = change(&mut document).map_err(|error| self.engine.invalid(&error));
            let (is_changed, result) = changed?;
            if !is_changed {
                return Ok(result);
            }
            match self.engine.swap(&exclusion, prepared.take(), version, &mut document)? {
                Swap::Done => return Ok(result),
                Swap::Changed(again) => prepared = Some(again),
                Swap::ExclusionLost(again) => {
                    prepared = Some(again);
                    drop(exclusion);
                    exclusion = self.engine.exclusive(lease, lock_timeout)?;
                }
            }
        }
    }

    /// Changes the state document under its lock. `change` returns whether to write it. A
    /// document that says nothing any more is removed.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update_state(
        &self,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), StoreError> {
        self.update_state_with(None, lock::TIMEOUT, change)
    }

    /// As [`Self::update_state`], for who may hold a lease, and waits so long for the lock.
    ///
    /// # Errors
    /// See there.
    pub fn update_state_with(
        &self,
        lease: Option<&Lease>,
        lock_timeout: Duration,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), StoreError> {
        self.engine.check_generation()?;
        self.begin_storing()?;
        let exclusion = self.engine.exclusive(lease, lock_timeout)?;
        let (document, version) = self.engine.read_profiles()?;
        let mut state = self.engine.read_state(&document)?;
        if change(&mut state) {
            self.engine.write_state(&exclusion, version, document, state)?;
        }
        Ok(())
    }

    /// What somebody else could read or change of the store: its directories, its
    /// documents, the legacy files that it reads, its backups. `permissions` is that of its state
    /// directory.
    pub fn exposures(&self, permissions: &Permissions) -> Vec<Exposure> {
        self.engine.at_first().exposures(permissions)
    }

    /// The files of an earlier OpenClaw that keep the present one from the logins of this
    /// agent, which are in a database.
    pub fn blocking_files(&self) -> Vec<Location> {
        if !self.is_in_database() {
            return Vec::new();
        }
        let files = self.engine.files.credential_files().into_iter();
        files.filter(|path| path.symlink_metadata().is_ok()).map(Location::from).collect()
    }

    /// The locks and abandoned temporary files beside the documents, by name.
    pub fn leftovers(&self) -> Vec<Leftover> {
        self.engine.leftovers()
    }

    /// Notes, durably, that `grant`, which `lease` is on, is about to be spent. The note of an
    /// earlier process that did not end it stays.
    ///
    /// # Errors
    /// The note cannot be written, or an earlier one cannot be read.
    pub fn begin(&self, lease: &Lease, grant: &Secret) -> Result<Begun, StoreError> {
        self.engine.begin(lease, grant)
    }

    /// Keeps OpenClaw from spending `grant`, which is about to be spent, where it would not wait
    /// for the lease, after `wait` at most. Who reads the store finds the login as it was.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn mark(&self, grant: &Secret, now: Millis, wait: Duration) -> Result<(), StoreError> {
        self.engine.mark(grant, now, wait)
    }

    /// Undoes [`Self::mark`], as far as that can be done: no other credential came for `grant`.
    /// What cannot be undone now is undone by the next refresh.
    pub fn unmark(&self, grant: &Secret, unspent: Unspent) {
        let _ = self.engine.unmark(grant, unspent);
    }

    /// Notes how a refresh of `grant` ended. A note that cannot be changed stays: it claims
    /// less certainty than there is, which does no harm.
    pub fn end(&self, grant: &Secret, ended: Ended) {
        self.engine.end(grant, ended);
    }

    /// Whether the journal says that the server refused `grant`, or that a logout revoked it.
    pub fn has_noted_refusal(&self, grant: &Secret) -> bool {
        self.noted_refusal(grant).is_some()
    }

    /// What the journal says of a refusal or revocation of `grant`.
    pub fn noted_refusal(&self, grant: &Secret) -> Option<NotedRefusal> {
        self.engine.noted_refusal(grant)
    }

    /// What the journal says of all grants, for who reports on many. Takes no lock.
    pub fn grant_notes(&self) -> GrantNotes {
        self.engine.grant_notes()
    }

    /// Notes that the reply which replaced `grant` is at `kept_in`, outside the state directory,
    /// in place of the note that a refresh has begun.
    pub fn note_kept(&self, grant: &Secret, kept_in: &Location) {
        self.engine.note_kept(grant, kept_in);
    }

    /// Where the reply is that replaced `grant`, as [`Self::note_kept`] has it.
    pub fn find_kept(&self, grant: &Secret) -> Option<Location> {
        self.engine.find_kept(grant)
    }

    /// The reply to the grants of those hashes is stored.
    pub fn forget_kept(&self, grants: &[String]) {
        for grant in grants {
            self.engine.forget_kept(grant);
        }
    }

    /// Notes that `given` has replaced the refresh token `grant`, and is stored.
    pub fn note_replaced(&self, grant: &Secret, given: &Secret) {
        self.engine.note_replaced(grant, given);
    }

    /// Whether the refresh token `grant` was replaced, as far as is known here.
    pub fn is_replaced(&self, grant: &Secret) -> bool {
        self.engine.is_replaced(grant)
    }

    /// Lets a refresh token that was replaced be posted again: a person wants it back.
    pub fn forget_replaced(&self, grant: &Secret) {
        self.engine.forget_replaced(grant);
    }

    /// How the last request for `grant` ended, where it brought no token and the login may
    /// live on. Takes no lock.
    pub fn last_outcome(&self, grant: &Secret) -> Option<LastOutcome> {
        self.engine.last_outcome(grant)
    }

    /// Remembers how a request for `grant` ended, for all that hold the lease later. What
    /// cannot be written is not remembered.
    pub fn remember_outcome(&self, grant: &Secret, outcome: &LastOutcome) {
        self.engine.remember_outcome(grant, outcome);
    }

    /// Forgets how requests for `grant` ended: the server has said what is true.
    pub fn forget_outcome(&self, grant: &Secret) {
        self.engine.forget_outcome(grant);
    }

    /// Where the backups are.
    pub fn backups_location(&self) -> Location {
        self.engine.backups_location()
    }

    /// The backups, the newest first.
    pub fn backups(&self) -> Vec<Backup> {
        self.engine.backups()
    }

    /// Where a backup is.
    pub fn backup_location(&self, backup: &Backup) -> Location {
        self.engine.backup_location(backup)
    }

    /// What a backup holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError> {
        self.engine.read_backup(backup)
    }
}
