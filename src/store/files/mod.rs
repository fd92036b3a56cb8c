//! The file engine: `auth-profiles.json` and `auth-state.json` in an agent's directory, as
//! OpenClaw keeps them up to 2026.5.
//!
//! Invariant: a document is replaced as a whole (rename) under OpenClaw's own lock, and not
//! at all when somebody without the lock has changed it since it was read.

mod backup;
mod exposure;
mod generation;
mod journal;
mod lease;
mod leftover;
mod legacy;

pub use lease::Lease;
pub use leftover::{Leftover, shared_leftovers};

use super::engine::{Engine, Swap};
use super::{
    Backup, BackupPolicy, Document, Ended, Exclusion, InterruptedRefresh, LeaseAttempt, LeaseKey,
    Location, Prepared, StateDocument, StoreError, Version,
};
use crate::secret::Secret;
use crate::system::custody::{Custody, Exposure};
use crate::system::file::{self, Reserved};
use crate::system::lock::{self, Attempt, Holder, SidecarLock};
use crate::system::now;
use crate::system::worker::Waiter;
use generation::newer_database;
use serde_json::error::Category;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// So much may the tokens of one refresh add to a document.
const ROOM_FOR_TOKENS: u64 = 128 * 1024;
/// So much do they add at most as a rule: mostly they take the place of others.
const USUAL_ROOM: u64 = 16 * 1024;

/// The files of one agent.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) state_dir: PathBuf,
    pub(super) agent_dir: PathBuf,
    /// The shared legacy file that this store imports.
    pub(super) oauth_file: Option<PathBuf>,
    pub(super) backup_policy: Option<BackupPolicy>,
}

impl Engine for Files {
    fn location(&self) -> Location {
        self.profiles_path().into()
    }

    fn state_location(&self) -> Location {
        self.state_path().into()
    }

    fn is_at(&self, location: &Location) -> bool {
        location.path().and_then(Path::parent).is_some_and(|other| {
            self.agent_dir == other || file::is_one_directory(&self.agent_dir, other)
        })
    }

    fn has_document(&self) -> bool {
        self.profiles_path().is_file()
    }

    fn check_generation(&self) -> Result<(), StoreError> {
        match newer_database(&self.state_dir, &self.agent_dir) {
            None => Ok(()),
            Some(database) => Err(StoreError::NewerGeneration {
                database: database.into(),
                location: self.location(),
            }),
        }
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        let path = self.profiles_path();
        file::check_writable(&self.agent_dir).map_err(write_failed(&path))
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

    fn version(&self) -> Option<Version> {
        file::fingerprint(&self.profiles_path()).map(Version)
    }

    /// The lock beside the name of the document, which OpenClaw takes; where the name is a
    /// symbolic link, the one beside its target as well. One lock guards both documents, as
    /// OpenClaw has it.
    fn exclusive(&self, lease: Option<&Lease>, wait: Duration) -> Result<Exclusion, StoreError> {
        let document = self.profiles_path();
        file::create_private_directory(&self.agent_dir).map_err(|source| StoreError::Lock {
            location: self.location(),
            source: Arc::new(source),
        })?;
        let target = file::behind_link(&document);
        let held = lease.map(Lease::lock);
        let mut locks = vec![acquire(&document, held, wait)?];
        if target != document {
            locks.push(acquire(&target, held, wait)?);
        }
        Ok(Exclusion(locks))
    }

    fn wait_until_free(&self, lease: Option<&Lease>, wait: Duration) -> Result<(), StoreError> {
        if self.agent_dir.is_dir() {
            drop(self.exclusive(lease, wait)?);
        }
        Ok(())
    }

    fn prepare(&self) -> Result<Option<Prepared>, StoreError> {
        if !self.agent_dir.is_dir() {
            return self.check_writable().map(|()| None);
        }
        let path = self.profiles_path();
        let present = path.metadata().map_or(0, |metadata| metadata.len());
        let (held, size) = (present + USUAL_ROOM, present + ROOM_FOR_TOKENS);
        let reserve = || {
            let reserved = Reserved::new(&path)?;
            reserved.make_room(held, size).map(|()| reserved)
        };
        reserve().map(|reserved| Some(Prepared(reserved))).map_err(write_failed(&path))
    }

    fn swap(
        &self,
        under: &Exclusion,
        prepared: Option<Prepared>,
        read: Option<Version>,
        document: &mut Document,
    ) -> Result<Swap, StoreError> {
        let path = self.profiles_path();
        let mut reserved = match prepared {
            Some(Prepared(reserved)) => reserved,
            None => Reserved::new(&path).map_err(write_failed(&path))?,
        };
        self.move_old_layout(document)?;
        let text = document.to_text().map_err(|error| invalid(&path, &error))?;
        let text = Zeroizing::new(text);
        reserved.write(text.as_bytes()).map_err(write_failed(&path))?;
        // OpenClaw's login writes without a lock, and its release may remove ours.
        if !under.is_held() {
            return Ok(Swap::ExclusionLost(Prepared(reserved)));
        }
        if self.version() != read {
            return Ok(Swap::Changed(Prepared(reserved)));
        }
        self.keep_backup(document);
        reserved.put_in_place().map_err(write_failed(&path))?;
        legacy::retire(&self.agent_dir, document, read.is_none())?;
        Ok(Swap::Done)
    }

    fn write_state(
        &self,
        _under: &Exclusion,
        read: Option<Version>,
        mut document: Document,
        mut state: StateDocument,
    ) -> Result<(), StoreError> {
        if let Some(member) = state.foreign_member() {
            let reason = format!("`{member}` is not an object");
            return Err(StoreError::Invalid { location: self.state_location(), reason });
        }
        let imports = read.is_none() && document.entry_count() > 0;
        if document.has_old_layout() {
            self.move_old_layout(&mut document)?;
            self.write_profiles(&document)?;
            state.set_version();
        } else if imports {
            self.write_profiles(&document)?;
            legacy::retire(&self.agent_dir, &document, true)?;
        }
        self.write_state_document(&state)
    }

    fn invalid(&self, error: &serde_json::Error) -> StoreError {
        invalid(&self.profiles_path(), error)
    }

    fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
        self.check_generation()?;
        lease::try_lease(self, key)
    }

    fn lease_holder(&self, key: &LeaseKey<'_>) -> Holder {
        let path = lease::lease_path(&self.state_dir, key.provider, key.profile_id);
        lock::look(&path, now()).map(|(holder, _)| holder).unwrap_or_default()
    }

    fn waiter_to_start(&self, grant: &Secret) -> Result<Waiter, StoreError> {
        self.check_generation()?;
        let path = lease::grant_path(&self.state_dir, grant).with_extension("start");
        let directory = path.parent().map_or(Ok(()), file::create_private_directory);
        let failed =
            |source| StoreError::Lock { location: path.as_path().into(), source: Arc::new(source) };
        directory.map_err(failed)?;
        Ok(Waiter::new(path))
    }

    fn lease_location(&self, key: &LeaseKey<'_>) -> Location {
        lease::lease_path(&self.state_dir, key.provider, key.profile_id).into()
    }

    fn follow_grant(
        &self,
        lease: &mut Lease,
        grant: &Secret,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        lease.follow(&lease::grant_path(&self.state_dir, grant), wait)
    }

    fn begin(
        &self,
        lease: &Lease,
        grant: &Secret,
    ) -> Result<Option<InterruptedRefresh>, StoreError> {
        journal::begin(&lease::grant_path(&self.state_dir, grant), lease)
    }

    fn end(&self, grant: &Secret, ended: Ended) {
        journal::end(&lease::grant_path(&self.state_dir, grant), ended);
    }

    fn has_noted_refusal(&self, grant: &Secret) -> bool {
        journal::is_refused(&lease::grant_path(&self.state_dir, grant))
    }

    fn backups(&self) -> Vec<Backup> {
        backup::list(&self.backup_dir())
    }

    fn backups_location(&self) -> Location {
        self.backup_dir().into()
    }

    fn backup_location(&self, backup: &Backup) -> Location {
        self.backup_path(backup).into()
    }

    fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError> {
        backup::read(&self.backup_path(backup))
    }

    fn exposures(&self, custody: &Custody) -> Vec<Exposure> {
        exposure::exposures(self, custody)
    }

    fn leftovers(&self) -> Vec<Leftover> {
        leftover::leftovers_in(&self.agent_dir)
    }
}

impl Files {
    fn profiles_path(&self) -> PathBuf {
        self.agent_dir.join("auth-profiles.json")
    }

    fn state_path(&self) -> PathBuf {
        self.agent_dir.join("auth-state.json")
    }

    /// Moves what the old layout keeps among the profiles to the state document, which is
    /// written first: whenever this is interrupted, both documents together say the same.
    fn move_old_layout(&self, document: &mut Document) -> Result<(), StoreError> {
        if !document.has_old_layout() {
            return Ok(());
        }
        let mut state = self.read_state(document)?;
        state.set_version();
        self.write_state_document(&state)?;
        let dropped = document.drop_old_layout();
        dropped.map(drop).map_err(|error| invalid(&self.profiles_path(), &error))
    }

    fn write_profiles(&self, profiles: &Document) -> Result<(), StoreError> {
        let path = self.profiles_path();
        let text = profiles.to_text().map_err(|error| invalid(&path, &error))?;
        write(&path, &text)
    }

    /// Writes order and usage; a document that says nothing any more is removed.
    fn write_state_document(&self, state: &StateDocument) -> Result<(), StoreError> {
        let path = self.state_path();
        if state.is_empty() {
            return file::remove(&path).map_err(write_failed(&path));
        }
        let text = state.to_text().map_err(|error| invalid(&path, &error))?;
        write(&path, &text)
    }
}

impl Exclusion {
    fn is_held(&self) -> bool {
        self.0.iter().all(SidecarLock::is_held)
    }
}

fn write_failed(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::Write { location: path.into(), source: Arc::new(source) }
}

/// Waits for the lock file beside `document`, for one who may hold a lock already.
pub(in crate::store) fn acquire(
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

pub(in crate::store) fn write(path: &Path, text: &str) -> Result<(), StoreError> {
    file::replace(path, text.as_bytes()).map_err(|source| StoreError::Write {
        location: path.to_owned().into(),
        source: Arc::new(source),
    })
}

pub(in crate::store) fn invalid(path: &Path, error: &serde_json::Error) -> StoreError {
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
