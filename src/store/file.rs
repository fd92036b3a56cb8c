//! The store of one agent on disk.

use super::generation::newer_database;
use super::lease::Lease;
use super::snapshot::{Prepared, Snapshot, Version};
use super::{BackupPolicy, Document, Location, StateDocument, StoreError, legacy};
use crate::system::file::{self, Reserved};
use crate::system::lock::{self, Attempt, SidecarLock};
use serde_json::error::Category;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long an update waits for the lock when its data exists nowhere else: OpenClaw may hold the lock during
/// a refresh of its own, which takes up to 120 seconds.
const PATIENT_LOCK_TIMEOUT: Duration = Duration::from_secs(150);
/// So much may the tokens of one refresh add to a document.
const ROOM_FOR_TOKENS: u64 = 128 * 1024;
/// So much do they add at most as a rule: mostly they take the place of others.
const USUAL_ROOM: u64 = 16 * 1024;

/// The store of one agent: `auth-profiles.json` and `auth-state.json` in its directory.
#[derive(Clone, Debug)]
pub struct AgentStore {
    agent_id: String,
    state_dir: PathBuf,
    agent_dir: PathBuf,
    /// The shared legacy file that this store imports.
    oauth_file: Option<PathBuf>,
    backups: Option<BackupPolicy>,
}

impl AgentStore {
    /// The store of the agent `agent_id` in `agent_dir` of the state directory `state_dir`.
    /// `oauth_file` is the legacy file that agent `main` imports.
    pub const fn new(
        agent_id: String,
        state_dir: PathBuf,
        agent_dir: PathBuf,
        oauth_file: Option<PathBuf>,
    ) -> Self {
        Self { agent_id, state_dir, agent_dir, oauth_file, backups: None }
    }

    /// The same store, keeping what a change of the profiles replaces.
    #[must_use]
    pub fn with_backups(mut self, policy: BackupPolicy) -> Self {
        self.backups = Some(policy);
        self
    }

    pub(super) const fn backup_policy(&self) -> Option<&BackupPolicy> {
        self.backups.as_ref()
    }

    /// The directories and legacy file that the store is in: of the state, of the agent.
    pub(super) fn places(&self) -> (&Path, &Path, Option<&Path>) {
        (&self.state_dir, &self.agent_dir, self.oauth_file.as_deref())
    }

    /// Whether both are the same store.
    pub fn is_same(&self, other: &Self) -> bool {
        self.agent_dir == other.agent_dir
            || file::is_one_directory(&self.agent_dir, &other.agent_dir)
    }

    /// The agent whose store this is.
    pub fn agent_id(&self) -> &str {
        &self.agent_id
    }

    /// Where the profiles are.
    pub fn location(&self) -> Location {
        self.profiles_path().into()
    }

    /// Where order and usage are.
    pub fn state_location(&self) -> Location {
        self.state_path().into()
    }

    /// Whether the document of the profiles is there, readable or not.
    pub fn has_document(&self) -> bool {
        self.profiles_path().is_file()
    }

    pub(super) fn profiles_path(&self) -> PathBuf {
        self.agent_dir.join("auth-profiles.json")
    }

    pub(super) fn state_path(&self) -> PathBuf {
        self.agent_dir.join("auth-state.json")
    }

    /// Profiles and state as they are now; what the legacy files hold, where there is no
    /// document yet. Takes no lock.
    ///
    /// # Errors
    /// The profiles exist and cannot be read, or nothing is there because a later OpenClaw
    /// has taken the credentials over.
    pub fn read(&self) -> Result<Snapshot, StoreError> {
        let (document, version) = self.read_profiles()?;
        if version.is_none() {
            self.check_generation()?;
        }
        let state = self.read_state(&document);
        Ok(Snapshot::new(document, version, state))
    }

    /// The profiles alone, as they are now. Takes no lock.
    ///
    /// # Errors
    /// They exist and cannot be read.
    pub fn profiles(&self) -> Result<Document, StoreError> {
        self.read_profiles().map(|(document, _)| document)
    }

    fn read_profiles(&self) -> Result<(Document, Option<Version>), StoreError> {
        let path = self.profiles_path();
        match file::read(&path) {
            Ok(None) => {
                let document = legacy::read(&self.agent_dir, self.oauth_file.as_deref())?;
                Ok((document, None))
            }
            Ok(Some((text, fingerprint))) => {
                let document = Document::parse(text).map_err(|error| invalid(&path, &error))?;
                Ok((document, Some(Version(fingerprint))))
            }
            Err(source) => {
                Err(StoreError::Read { location: path.into(), source: Arc::new(source) })
            }
        }
    }

    fn read_state(&self, profiles: &Document) -> Result<StateDocument, StoreError> {
        let path = self.state_path();
        let mut state = match file::read(&path) {
            Ok(None) => StateDocument::default(),
            Ok(Some((text, _))) => {
                StateDocument::parse(&text).map_err(|error| invalid(&path, &error))?
            }
            Err(source) => {
                return Err(StoreError::Read { location: path.into(), source: Arc::new(source) });
            }
        };
        state.fill_from(profiles);
        Ok(state)
    }

    /// The version of the profiles now; `None` when nothing is stored yet. It costs one look.
    pub fn version(&self) -> Option<Version> {
        file::fingerprint(&self.profiles_path()).map(Version)
    }

    /// Whether this store may be written.
    ///
    /// # Errors
    /// OpenClaw 2026.6 or later has taken the credentials over.
    pub fn check_generation(&self) -> Result<(), StoreError> {
        match newer_database(&self.state_dir, &self.agent_dir) {
            None => Ok(()),
            Some(database) => Err(StoreError::NewerGeneration {
                database: database.into(),
                location: self.location(),
            }),
        }
    }

    /// Whether the documents could be written, found out without writing.
    ///
    /// # Errors
    /// The directory, or the one in which it would be made, cannot be written.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        file::check_writable(&self.agent_dir).map_err(|source| StoreError::Write {
            location: self.location(),
            source: Arc::new(source),
        })
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
        self.check_generation()?;
        self.change_profiles(None, None, lock::TIMEOUT, change)
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
        self.check_generation()?;
        if self.agent_dir.is_dir() {
            drop(self.lock(&self.profiles_path(), lease, lock_timeout)?);
        }
        Ok(())
    }

    /// The second half of [`Self::prepare`]: sets space aside.
    ///
    /// # Errors
    /// The disk; nothing has changed then.
    pub fn prepare_space(&self) -> Result<Option<Prepared>, StoreError> {
        let path = self.profiles_path();
        let failed =
            |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
        if !self.agent_dir.is_dir() {
            return self.check_writable().map(|()| None);
        }
        let present = path.metadata().map_or(0, |metadata| metadata.len());
        let (held, size) = (present + USUAL_ROOM, present + ROOM_FOR_TOKENS);
        let reserved = Reserved::new(&path).map_err(failed)?;
        reserved.make_room(held, size).map_err(failed)?;
        Ok(Some(Prepared(reserved)))
    }

    /// As [`Self::update`], with what [`Self::prepare`] gave and with more patience: what
    /// is to be stored exists nowhere else.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update_prepared<T>(
        &self,
        prepared: Option<Prepared>,
        lease: Option<&Lease>,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        self.change_profiles(prepared, lease, PATIENT_LOCK_TIMEOUT, change)
    }

    fn change_profiles<T>(
        &self,
        prepared: Option<Prepared>,
        lease: Option<&Lease>,
        lock_timeout: Duration,
        change: impl Fn(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        let path = self.profiles_path();
        let failed =
            |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
        let locks = self.lock(&path, lease, lock_timeout)?;
        let mut reserved = match prepared {
            Some(Prepared(reserved)) => reserved,
            None => Reserved::new(&path).map_err(failed)?,
        };
        loop {
            let (mut document, version) = self.read_profiles()?;
            let (changed, result) =
                change(&mut document).map_err(|error| invalid(&path, &error))?;
            if !changed {
                return Ok(result);
            }
            self.move_old_layout(&mut document)?;
            let text = Zeroizing::new(document.to_text().map_err(|error| invalid(&path, &error))?);
            reserved.write(text.as_bytes()).map_err(failed)?;
            // OpenClaw's login writes without a lock, and its release may remove ours.
            if self.version() == version && locks.iter().all(SidecarLock::is_held) {
                self.keep_backup(&document);
                reserved.put_in_place().map_err(failed)?;
                legacy::retire(&self.agent_dir, &document, version.is_none())?;
                return Ok(result);
            }
            if !locks.iter().all(SidecarLock::is_held) {
                drop(locks);
                return self.change_profiles(Some(Prepared(reserved)), lease, lock_timeout, change);
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
        self.update_state_beside(None, lock::TIMEOUT, change)
    }

    /// As [`Self::update_state`], for who may hold a lease, and waits so long for the lock.
    ///
    /// # Errors
    /// See there.
    pub fn update_state_beside(
        &self,
        lease: Option<&Lease>,
        lock_timeout: Duration,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), StoreError> {
        self.check_generation()?;
        // One lock guards both documents, as OpenClaw has it.
        let _lock = self.lock(&self.profiles_path(), lease, lock_timeout)?;
        let (mut profiles, version) = self.read_profiles()?;
        let mut state = self.read_state(&profiles)?;
        if change(&mut state) {
            if let Some(member) = state.foreign_member() {
                let reason = format!("`{member}` is not an object");
                return Err(StoreError::Invalid { location: self.state_location(), reason });
            }
            let imports = version.is_none() && profiles.entry_count() > 0;
            if profiles.has_old_layout() {
                self.move_old_layout(&mut profiles)?;
                self.write_profiles(&profiles)?;
                state.set_version();
            } else if imports {
                self.write_profiles(&profiles)?;
                legacy::retire(&self.agent_dir, &profiles, true)?;
            }
            self.write_state(&state)?;
        }
        Ok(())
    }

    /// Moves what the old layout keeps among the profiles to the state document, which is
    /// written first: whenever this is interrupted, both documents together say the same.
    fn move_old_layout(&self, document: &mut Document) -> Result<(), StoreError> {
        if !document.has_old_layout() {
            return Ok(());
        }
        let mut state = self.read_state(document)?;
        state.set_version();
        self.write_state(&state)?;
        let dropped = document.drop_old_layout();
        dropped.map(drop).map_err(|error| invalid(&self.profiles_path(), &error))
    }

    fn write_profiles(&self, profiles: &Document) -> Result<(), StoreError> {
        let path = self.profiles_path();
        let text = profiles.to_text().map_err(|error| invalid(&path, &error))?;
        write(&path, &text)
    }

    fn write_state(&self, state: &StateDocument) -> Result<(), StoreError> {
        let path = self.state_path();
        if state.is_empty() {
            return file::remove(&path).map_err(|source| StoreError::Write {
                location: path.into(),
                source: Arc::new(source),
            });
        }
        let text = state.to_text().map_err(|error| invalid(&path, &error))?;
        write(&path, &text)
    }

    /// Waits for the lock that guards `document`: the one beside its name, which OpenClaw
    /// takes, and where the name is a symbolic link, the one beside its target as well.
    fn lock(
        &self,
        document: &Path,
        lease: Option<&Lease>,
        timeout: Duration,
    ) -> Result<Vec<SidecarLock>, StoreError> {
        let failed = |source| StoreError::Lock {
            location: document.to_owned().into(),
            source: Arc::new(source),
        };
        file::create_private_directory(&self.agent_dir).map_err(failed)?;
        let target = file::behind_link(document);
        let held = lease.map(Lease::lock);
        let mut locks = vec![acquire(document, held, timeout)?];
        if target != document {
            locks.push(acquire(&target, held, timeout)?);
        }
        Ok(locks)
    }
}

/// Waits for the lock file beside `document`, for one who may hold a lock already.
pub(super) fn acquire(
    document: &Path,
    held: Option<&SidecarLock>,
    timeout: Duration,
) -> Result<SidecarLock, StoreError> {
    let path = document.to_owned();
    match lock::wait_beside(&path, held, timeout) {
        Ok(Attempt::Acquired(lock)) => Ok(lock),
        Ok(Attempt::Held(holder)) => {
            Err(StoreError::LockTimeout { location: path.into(), waited: timeout, holder })
        }
        Err(source) => Err(StoreError::Lock { location: path.into(), source: Arc::new(source) }),
    }
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), StoreError> {
    file::replace(path, text.as_bytes()).map_err(|source| StoreError::Write {
        location: path.to_owned().into(),
        source: Arc::new(source),
    })
}

pub(super) fn invalid(path: &Path, error: &serde_json::Error) -> StoreError {
    // The text of such an error can quote a secret, unless it is our own.
    let reason = match error.classify() {
        Category::Syntax | Category::Eof => "it is not JSON",
        Category::Data if error.to_string().contains("repeats the ") => "it repeats a key",
        _ => "it is not an object of profiles",
    };
    let reason = match error.line() {
        0 => reason.to_owned(),
        line => format!("{reason} (line {line}, column {})", error.column()),
    };
    StoreError::Invalid { location: path.to_owned().into(), reason }
}
