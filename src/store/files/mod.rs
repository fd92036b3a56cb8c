//! The file engine: `auth-profiles.json` and `auth-state.json`, as in OpenClaw up to 2026.5.
//!
//! Invariant: a document is replaced as a whole (rename) under OpenClaw's own lock, and not
//! at all when somebody without the lock has changed it since it was read.

pub(in crate::store) mod backup;
pub(in crate::store) mod elsewhere;
mod exposure;
mod failure;
pub(in crate::store) mod generation;
mod grant_notes;
pub(in crate::store) mod journal;
pub(in crate::store) mod lease;
mod leftover;
mod legacy;
mod place;
mod reading;
pub(in crate::store) mod replaced;

pub use elsewhere::notes_of_kept;
pub(in crate::store) use failure::invalid;
use failure::write_failed;
pub use grant_notes::{GrantNote, GrantNotes, NotedRefusal};
pub use lease::{Lease, LeaseAttempt};
pub use leftover::{Leftover, shared_leftovers};
pub(super) use place::Files;

use super::engine::{Engine, Swap};
use super::kept_backup::KeptBackup;
use super::snapshot::{Aside, Mark};
use super::{
    Backup, Begun, Document, Ended, Exclusion, LastOutcome, LeaseKey, Location, Notice, Prepared,
    StateDocument, StoreError, Version,
};
use crate::secret::Secret;
use crate::system::file::{self, Reserved};
use crate::system::lock::{self, Attempt, Holder, SidecarLock, StaleRule};
use crate::system::permissions::{Exposure, Permissions};
use crate::system::worker::Waiter;
use crate::system::{in_place, now};
use generation::newer_database;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// So much may the tokens of one refresh add to a document.
const ROOM_FOR_TOKENS: u64 = 128 * 1024;
/// So much do they add at most as a rule: mostly they take the place of others.
const DEFAULT_ROOM: u64 = 16 * 1024;

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
        match newer_database(&self.state_dir, &self.agent_dir)? {
            None => Ok(()),
            Some(database) => Err(StoreError::NewerGeneration {
                database: database.into(),
                location: self.location(),
            }),
        }
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        for path in [self.profiles_path(), self.state_path()] {
            reading::refuse_dead_link(&path)?;
            file::check_replaceable(&path).map_err(write_failed(&path))?;
        }
        Ok(())
    }

    fn read_profiles(&self) -> Result<(Document, Option<Version>), StoreError> {
        let mut read = reading::profiles(self)?;
        if read.is_unfinished && self.finish(None, Duration::ZERO).is_ok() {
            read = reading::profiles(self)?;
        }
        Ok((read.value, read.version))
    }

    fn read_state(&self, profiles: &Document) -> Result<StateDocument, StoreError> {
        let read = reading::state(self)?;
        if read.is_unfinished {
            // What was read is what it says then.
            let _ = self.finish(None, Duration::ZERO);
        }
        let mut state = read.value;
        state.fill_from(profiles);
        Ok(state)
    }

    fn version(&self) -> Option<Version> {
        file::fingerprint(&self.profiles_path()).map(|found| Version(Mark::File(found)))
    }

    /// The lock beside the name of the document, which OpenClaw takes; where the name is a
    /// symbolic link, the one beside its target as well. One lock guards both documents, as
    /// OpenClaw has it.
    fn exclusive(&self, lease: Option<&Lease>, wait: Duration) -> Result<Exclusion, StoreError> {
        let document = self.profiles_path();
        self.make_agent_dir(lease).map_err(|source| StoreError::Lock {
            location: self.location(),
            source: Arc::new(source),
        })?;
        let target = file::behind_link(&document);
        let held = lease.map(Lease::lock);
        let mut locks = vec![acquire(&document, held, wait)?];
        if target != document {
            locks.push(acquire(&target, held, wait)?);
        }
        for path in [target, file::behind_link(&self.state_path())] {
            in_place::complete(&path).map_err(write_failed(&path))?;
        }
        Ok(Exclusion::Locks(locks))
    }

    fn wait_until_free(&self, lease: Option<&Lease>, wait: Duration) -> Result<(), StoreError> {
        if self.agent_dir.is_dir() {
            drop(self.exclusive(lease, wait)?);
        }
        Ok(())
    }

    fn prepare(&self) -> Result<Option<Prepared>, StoreError> {
        // A refusal is to be stored as well.
        self.check_writable()?;
        if !self.agent_dir.is_dir() {
            return Ok(None);
        }
        let path = self.profiles_path();
        let (document, version) = self.read_profiles()?;
        self.rehearse(&document)?;
        let present = document.original().len() as u64;
        let (held, size) = (present + DEFAULT_ROOM, present + ROOM_FOR_TOKENS);
        let reserve = || {
            let reserved = Reserved::of_document(&path)?;
            reserved.make_room(held, size).map(|()| reserved)
        };
        let reserved = reserve().map_err(write_failed(&path))?;
        let backups = self.backups_of_profiles();
        let kept = |version| {
            Some((backups.keep_backup(document.original(), reserved.overwrites())?, version))
        };
        let backup = version.and_then(kept).filter(|(_, version)| self.version() == Some(*version));
        Ok(Some(Prepared { aside: Aside::Room(reserved), backup }))
    }

    fn swap(
        &self,
        under: &Exclusion,
        prepared: Option<Prepared>,
        read: Option<Version>,
        document: &mut Document,
    ) -> Result<Swap, StoreError> {
        let path = self.profiles_path();
        let Some(locks) = under.locks() else {
            return Ok(Swap::ExclusionLost(prepared.unwrap_or_else(Prepared::nothing)));
        };
        let (mut reserved, backup) = match prepared {
            Some(Prepared { aside: Aside::Room(reserved), backup }) => (reserved, backup),
            _ => (Reserved::of_document(&path).map_err(write_failed(&path))?, None),
        };
        let imports = read.is_none() && !reading::was_there(self);
        self.move_old_layout(document)?;
        let text = document.to_text().map_err(|error| invalid(&path, &error))?;
        let text = Zeroizing::new(text);
        reserved.write(text.as_bytes()).map_err(write_failed(&path))?;
        drop(text);
        let (overwrites, backups) = (reserved.overwrites(), self.backups_of_profiles());
        let backup = match (backup, read) {
            (Some((backup, of)), Some(read)) if of == read => Some(backup),
            (_, read) => read.and_then(|_| backups.keep_backup(document.original(), overwrites)),
        };
        // OpenClaw's login writes without a lock, and its release may remove ours. Nothing
        // stands between this comparison and the rename.
        let is_held = locks.iter().all(SidecarLock::is_held);
        if !is_held || self.version() != read {
            let again = Prepared { aside: Aside::Room(reserved), backup: None };
            return Ok(if is_held { Swap::Changed(again) } else { Swap::ExclusionLost(again) });
        }
        let unsynced = match reserved.put_in_place() {
            Ok(unsynced) => unsynced,
            Err(error) => {
                // What was overwritten may be half gone.
                let _ = backup.filter(|_| overwrites).map(KeptBackup::stay);
                return Err(write_failed(&path)(error));
            }
        };
        // The change is stored: nothing fails from here on.
        if let Some(reason) = unsynced {
            self.tell(Notice::NotDurable { document: path.into(), reason });
        }
        if let Some(backup) = backup {
            backups.finish_backup(backup, document.is_renewal());
        }
        self.retire_legacy(document, imports);
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
        let imports = read.is_none() && document.entry_count() > 0 && !reading::was_there(self);
        if document.has_old_layout() {
            self.move_old_layout(&mut document)?;
            self.write_profiles(&document)?;
            state.set_version();
        } else if imports {
            self.write_profiles(&document)?;
            self.retire_legacy(&document, true);
        }
        self.write_state_document(&state)
    }

    fn invalid(&self, error: &serde_json::Error) -> StoreError {
        invalid(&self.profiles_path(), error)
    }

    fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
        self.check_generation()?;
        let path = lease::lease_path(&self.state_dir, key.provider, key.profile_id);
        let document = self.profiles_path();
        let attempt = lease::try_lease(&path, StaleRule::ByAge, self.locks(&document), key)?;
        // What is read from here on is what the request spends.
        if let LeaseAttempt::Acquired(lease) = &attempt
            && in_place::is_pending(&file::behind_link(&document))
        {
            self.finish(Some(lease), lock::TIMEOUT)?;
        }
        Ok(attempt)
    }

    fn lease_holder(&self, key: &LeaseKey<'_>) -> Holder {
        let path = lease::lease_path(&self.state_dir, key.provider, key.profile_id);
        lock::look(&path, StaleRule::ByAge, now()).map(|(holder, _)| holder).unwrap_or_default()
    }

    fn waiter_to_start(&self, grant: &Secret) -> Result<Waiter, StoreError> {
        self.check_generation()?;
        let path = lease::start_path(&self.state_dir, grant);
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
        lease.follow(&lease::grant_paths(self.locks(&self.profiles_path()), grant), wait)
    }

    fn begin(&self, lease: &Lease, grant: &Secret) -> Result<Begun, StoreError> {
        journal::begin(self.locks(&self.profiles_path()), lease, grant)
    }

    fn end(&self, grant: &Secret, ended: Ended) {
        journal::end(self.locks(&self.profiles_path()), grant, ended);
    }

    fn noted_refusal(&self, grant: &Secret) -> Option<NotedRefusal> {
        journal::refusal(self.locks(&self.profiles_path()), grant)
    }

    fn grant_notes(&self) -> GrantNotes {
        GrantNotes::read(self.locks(&self.profiles_path()))
    }

    fn note_kept(&self, grant: &Secret, kept_in: &Location) {
        elsewhere::note(self.locks(&self.profiles_path()), &grant.fingerprint(), kept_in);
    }

    fn find_kept(&self, grant: &Secret) -> Option<Location> {
        elsewhere::find(self.locks(&self.profiles_path()), &grant.fingerprint())
    }

    fn forget_kept(&self, grant: &str) {
        elsewhere::forget(self.locks(&self.profiles_path()), grant);
    }

    fn note_replaced(&self, grant: &Secret, given: &Secret) {
        replaced::note(self.locks(&self.profiles_path()), grant, given);
    }

    fn is_replaced(&self, grant: &Secret) -> bool {
        replaced::is_replaced(self.locks(&self.profiles_path()), grant)
    }

    fn forget_replaced(&self, grant: &Secret) {
        replaced::forget(self.locks(&self.profiles_path()), grant);
    }

    fn last_outcome(&self, grant: &Secret) -> Option<LastOutcome> {
        journal::last_outcome(self.locks(&self.profiles_path()), grant)
    }

    fn remember_outcome(&self, grant: &Secret, outcome: &LastOutcome) {
        journal::remember(self.locks(&self.profiles_path()), grant, outcome);
    }

    fn forget_outcome(&self, grant: &Secret) {
        journal::forget(self.locks(&self.profiles_path()), grant);
    }

    fn backups(&self) -> Vec<Backup> {
        backup::list(&self.backup_dir())
    }

    fn backups_location(&self) -> Location {
        self.backup_dir().into()
    }

    fn backup_location(&self, backup: &Backup) -> Location {
        self.backups_of_profiles().path(backup).into()
    }

    fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError> {
        backup::read(&self.backups_of_profiles().path(backup))
    }

    fn exposures(&self, permissions: &Permissions) -> Vec<Exposure> {
        exposure::exposures(self, permissions)
    }

    fn leftovers(&self) -> Vec<Leftover> {
        leftover::leftovers_in(&self.agent_dir)
    }
}

impl Files {
    /// Takes once the memory that storing a reply will take: where there is not so much, this
    /// ends here, and not after the request.
    fn rehearse(&self, document: &Document) -> Result<(), StoreError> {
        let text = document.to_text().map_err(|error| invalid(&self.profiles_path(), &error))?;
        let text = Zeroizing::new(text);
        let room = vec![1_u8; usize::try_from(ROOM_FOR_TOKENS).unwrap_or_default()];
        std::hint::black_box((&text, &room));
        Ok(())
    }

    /// Lets writes in place that were interrupted be completed, as every change does.
    fn finish(&self, lease: Option<&Lease>, wait: Duration) -> Result<(), StoreError> {
        self.exclusive(lease, wait).map(drop)
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
        self.write(&path, text)
    }

    /// Writes a document, and tells where its directory could not be brought to the disk.
    fn write(&self, path: &Path, text: String) -> Result<(), StoreError> {
        let text = Zeroizing::new(text);
        let write = || {
            let mut reserved = Reserved::of_document(path)?;
            reserved.write(text.as_bytes())?;
            reserved.put_in_place()
        };
        if let Some(reason) = write().map_err(write_failed(path))? {
            self.tell(Notice::NotDurable { document: path.into(), reason });
        }
        Ok(())
    }

    /// Puts `auth.json` away once `document`, which is stored, has taken over from it.
    fn retire_legacy(&self, document: &Document, just_imported: bool) {
        if let Err(reason) = legacy::retire(&self.agent_dir, document, just_imported) {
            self.tell(Notice::LegacyLeft { document: self.location(), reason });
        }
    }

    /// Writes order and usage; a document that says nothing any more is removed.
    fn write_state_document(&self, state: &StateDocument) -> Result<(), StoreError> {
        let path = self.state_path();
        if state.is_empty() {
            return file::remove(&path).map_err(write_failed(&path));
        }
        let text = state.to_text().map_err(|error| invalid(&path, &error))?;
        self.write(&path, text)
    }
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
