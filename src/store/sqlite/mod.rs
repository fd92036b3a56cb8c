//! The engine of OpenClaw's databases: rows of `state/openclaw.sqlite`, under those of
//! `openclaw-agent.sqlite` in an agent's directory, as OpenClaw has them from 2026.8 on. The
//! layout of 2026.6 and 2026.7 is read only.
//!
//! Invariants: a database is never made, replaced or removed, and only by its owner opened. A
//! change is one transaction of a few milliseconds that has read the rows again. What
//! OpenClaw would drop from them is in a file of ours, and so are leases, journal, spool and
//! backups.

mod bound;
mod claim;
mod connection;
mod conversion;
mod coordinator;
mod extras;
mod gateway;
mod held;
mod hold;
mod look;
mod make;
mod marker_age;
mod merge;
mod place;
mod reading;
mod rows;
mod token;
mod write;

pub(super) use held::Held;
pub(super) use place::Sqlite;

use super::engine::{Engine, Swap};
use super::files::generation::check_no_conversion;
use super::files::{backup, elsewhere, journal, lease, replaced};
use super::{
    Backup, Begun, Document, Ended, Exclusion, GatewayNews, GrantNotes, LastOutcome, Lease,
    LeaseAttempt, LeaseKey, Leftover, Location, NotedRefusal, Notice, Prepared, ReadOnly, Snapshot,
    StateDocument, StoreError, Unspent, Version,
};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::file;
use crate::system::lock::{self, Holder, StaleRule};
use crate::system::now;
use crate::system::permissions::{Exposure, Kind, Permissions};
use crate::system::worker::Waiter;
use look::{Layout, Look};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

impl Engine for Sqlite {
    fn location(&self) -> Location {
        self.database().into()
    }

    fn state_location(&self) -> Location {
        self.database().into()
    }

    fn openclaw_location(&self) -> Location {
        let has_own = |look: &Look| look.own_rows().is_some_and(|rows| rows.store.is_some());
        // Without a shared one, OpenClaw looks into that of `main`.
        let is_own =
            self.shared.symlink_metadata().is_err() || self.look().is_ok_and(|look| has_own(&look));
        if is_own { self.own.as_path().into() } else { self.shared.as_path().into() }
    }

    fn is_at(&self, location: &Location) -> bool {
        let same = |other: &Path| {
            self.database() == other || file::resolve(self.database()) == file::resolve(other)
        };
        location.path().is_some_and(same)
    }

    fn has_document(&self) -> bool {
        self.look().is_ok_and(|look| look.version(self.is_shared()).is_some())
    }

    fn check_generation(&self) -> Result<(), StoreError> {
        let refusal = self.refusal(&self.look()?);
        refusal.map_or(Ok(()), Err)
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        let failed = |path: &Path| {
            let location = Location::from(path);
            move |source| StoreError::Write { location, source: Arc::new(source) }
        };
        for path in [self.shared.as_path(), self.database()] {
            if let Some(directory) = path.parent() {
                file::check_writable(directory).map_err(failed(path))?;
            }
        }
        Ok(())
    }

    fn read_profiles(&self) -> Result<(Document, Option<Version>), StoreError> {
        let (look, document) = self.look_and_read()?;
        if self.is_blocked(&look) {
            return self.files.read_profiles();
        }
        Ok((document, look.version(self.is_shared())))
    }

    fn read_state(&self, profiles: &Document) -> Result<StateDocument, StoreError> {
        let look = self.look()?;
        if self.is_blocked(&look) {
            return self.files.read_state(profiles);
        }
        self.state(&look, None)
    }

    fn read(&self) -> Result<Snapshot, StoreError> {
        let (look, document) = self.look_and_read()?;
        if self.is_blocked(&look) {
            return self.files.read();
        }
        if look.is_unknown() {
            return Err(self.blocked());
        }
        if document.entry_count() == 0 {
            // They may be on their way.
            check_no_conversion(&self.files.state_dir)?;
        }
        if document.is_new()
            && let Some(refusal @ StoreError::ReadOnly { reason: ReadOnly::NewerSchema { .. }, .. }) =
                self.refusal(&look)
        {
            // It may keep them where this program does not look.
            return Err(refusal);
        }
        let state = self.state(&look, Some(&document));
        Ok(Snapshot::new(document, look.version(self.is_shared()), state))
    }

    fn version(&self) -> Option<Version> {
        self.current_version()
    }

    fn marked_since(&self, marker: &str, now: Millis) -> Option<Millis> {
        Self::marked_since(self, marker, now)
    }

    fn note_marker(&self, marker: &str, now: Millis) {
        Self::note_marker(self, marker, now);
    }

    fn forget_marker(&self, marker: &str) {
        Self::forget_marker(self, marker);
    }

    fn exclusive(&self, _lease: Option<&Lease>, wait: Duration) -> Result<Exclusion, StoreError> {
        self.hold(wait).map(|held| Exclusion::Rows(Box::new(held)))
    }

    fn wait_until_free(&self, _lease: Option<&Lease>, wait: Duration) -> Result<(), StoreError> {
        self.hold(wait).map(drop)
    }

    fn prepare(&self) -> Result<Option<Prepared>, StoreError> {
        self.check_writable()?;
        file::check_room(self.database(), ROOM).map_err(|source| StoreError::Write {
            location: self.location(),
            source: Arc::new(source),
        })?;
        Ok(Some(Prepared::nothing()))
    }

    fn swap(
        &self,
        under: &Exclusion,
        prepared: Option<Prepared>,
        read: Option<Version>,
        document: &mut Document,
    ) -> Result<Swap, StoreError> {
        let prepared = prepared.unwrap_or_else(Prepared::nothing);
        let Exclusion::Rows(held) = under else { return Ok(Swap::ExclusionLost(prepared)) };
        let Some(look) = held.look(self)? else { return Ok(Swap::ExclusionLost(prepared)) };
        if look.version(self.is_shared()) != read {
            return Ok(Swap::Changed(prepared));
        }
        let (kept, present) = (self.kept(), self.profiles(&look)?);
        let replaced = self.as_main_sees(&present)?;
        let replaced = replaced.as_ref().unwrap_or(&present);
        let backup = read.and_then(|_| kept.keep_backup(replaced.original(), true));
        self.write_profiles(held, &look, &present, document)?;
        if let Some(backup) = backup {
            kept.finish_backup(backup, document.is_renewal());
        }
        self.tell_of_openclaw(document);
        Ok(Swap::Done)
    }

    fn write_state(
        &self,
        under: &Exclusion,
        _read: Option<Version>,
        _document: Document,
        state: StateDocument,
    ) -> Result<(), StoreError> {
        let lost = || StoreError::LockTimeout {
            location: self.location(),
            waited: Duration::ZERO,
            holder: Holder::default(),
        };
        let Exclusion::Rows(held) = under else { return Err(lost()) };
        let look = held.look(self)?.ok_or_else(lost)?;
        self.write_state_rows(held, &look, state)?;
        self.tell_of_files();
        Ok(())
    }

    fn invalid(&self, error: &serde_json::Error) -> StoreError {
        self.invalid_row("the document", error)
    }

    fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
        self.check_generation()?;
        lease::try_lease(&self.lease_path(key), StaleRule::ByProcess, self.locks(), key)
    }

    fn lease_holder(&self, key: &LeaseKey<'_>) -> Holder {
        let found = lock::look(&self.lease_path(key), StaleRule::ByProcess, now());
        found.map(|(holder, _)| holder).unwrap_or_default()
    }

    fn waiter_to_start(&self, grant: &Secret) -> Result<Waiter, StoreError> {
        self.check_generation()?;
        let path = lease::start_path(&self.files.state_dir, grant);
        let directory = path.parent().map_or(Ok(()), file::create_private_directory);
        directory.map_err(|source| StoreError::Lock {
            location: path.as_path().into(),
            source: Arc::new(source),
        })?;
        Ok(Waiter::new(path))
    }

    fn lease_location(&self, key: &LeaseKey<'_>) -> Location {
        self.lease_path(key).into()
    }

    fn follow_grant(
        &self,
        lease: &mut Lease,
        grant: &Secret,
        wait: Duration,
    ) -> Result<bool, StoreError> {
        lease.follow(&lease::grant_paths(self.locks(), grant), wait)
    }

    fn begin(&self, lease: &Lease, grant: &Secret) -> Result<Begun, StoreError> {
        journal::begin(self.locks(), lease, grant)
    }

    fn mark(&self, grant: &Secret, now: Millis, wait: Duration) -> Result<(), StoreError> {
        Self::mark(self, grant, now, wait)
    }

    fn unmark(&self, grant: &Secret, unspent: Unspent) -> Result<(), StoreError> {
        Self::unmark(self, grant, unspent)
    }

    fn end(&self, grant: &Secret, ended: Ended) {
        journal::end(self.locks(), grant, ended);
    }

    fn noted_refusal(&self, grant: &Secret) -> Option<NotedRefusal> {
        journal::refusal(self.locks(), grant)
    }

    fn grant_notes(&self) -> GrantNotes {
        GrantNotes::read(self.locks())
    }

    fn note_kept(&self, grant: &Secret, kept_in: &Location) {
        elsewhere::note(self.locks(), &grant.fingerprint(), kept_in);
    }

    fn find_kept(&self, grant: &Secret) -> Option<Location> {
        elsewhere::find(self.locks(), &grant.fingerprint())
    }

    fn forget_kept(&self, grant: &str) {
        elsewhere::forget(self.locks(), grant);
    }

    fn note_replaced(&self, grant: &Secret, given: &Secret) {
        replaced::note(self.locks(), grant, given);
    }

    fn is_replaced(&self, grant: &Secret) -> bool {
        replaced::is_replaced(self.locks(), grant)
    }

    fn forget_replaced(&self, grant: &Secret) {
        replaced::forget(self.locks(), grant);
    }

    fn last_outcome(&self, grant: &Secret) -> Option<LastOutcome> {
        journal::last_outcome(self.locks(), grant)
    }

    fn remember_outcome(&self, grant: &Secret, outcome: &LastOutcome) {
        journal::remember(self.locks(), grant, outcome);
    }

    fn forget_outcome(&self, grant: &Secret) {
        journal::forget(self.locks(), grant);
    }

    fn backups(&self) -> Vec<Backup> {
        backup::list(&self.kept().directory)
    }

    fn backups_location(&self) -> Location {
        self.kept().directory.into()
    }

    fn backup_location(&self, backup: &Backup) -> Location {
        self.kept().path(backup).into()
    }

    fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError> {
        backup::read(&self.kept().path(backup))
    }

    fn exposures(&self, permissions: &Permissions) -> Vec<Exposure> {
        let mut found = self.files.exposures(permissions);
        let ours = extras::directory(&self.files.state_dir);
        let mut places = vec![
            (self.shared.clone(), Kind::Secrets),
            (self.own.clone(), Kind::Secrets),
            (self.extras_path(), Kind::Secrets),
            (self.kept().directory, Kind::Directory),
            (ours, Kind::Directory),
        ];
        for database in [&self.shared, &self.own] {
            places.extend(database.parent().map(|it| (it.to_owned(), Kind::Directory)));
            let beside = ["-wal", "-shm"].map(|it| file::with_suffix(database, it));
            places.extend(beside.map(|it| (it, Kind::Secrets)));
        }
        found.extend(places.iter().filter_map(|(path, kind)| permissions.exposure(path, *kind)));
        found
    }

    fn leftovers(&self) -> Vec<Leftover> {
        self.files.leftovers()
    }
}

/// So much room is there for what one refresh writes, twice.
const ROOM: u64 = 1024 * 1024;

impl Sqlite {
    /// Whether only the files of an earlier OpenClaw hold credentials, which a later one wants
    /// to take over: they are read until then.
    fn is_blocked(&self, look: &Look) -> bool {
        look.layout == Layout::Nothing && self.has_files()
    }

    /// Tells what keeps OpenClaw from the change that is `document`. Of renewed tokens it is
    /// told nothing: it uses those that it has, and looks before it refreshes.
    fn tell_of_openclaw(&self, document: &Document) {
        let Some(policy) = &self.files.backup_policy else { return };
        self.tell_of_files();
        if document.is_renewal() {
            return;
        }
        if self.may_have_gateway() {
            let news = GatewayNews { done: None, agent_id: self.agent.clone() };
            policy.notices.add_of_gateway(news);
        }
    }

    /// Tells of files that keep OpenClaw from the logins.
    fn tell_of_files(&self) {
        let Some(policy) = &self.files.backup_policy else { return };
        let files = self.files.credential_files().into_iter();
        if let Some(file) = files.into_iter().find(|it| it.symlink_metadata().is_ok()) {
            policy.notices.add(Notice::BlocksOpenClaw { location: file.into() });
        }
    }

    fn lease_path(&self, key: &LeaseKey<'_>) -> std::path::PathBuf {
        crate::store::lock_name::lease_path(&self.files.state_dir, key.provider, key.profile_id)
    }
}
