//! The seam: what a store needs of the place where an agent's documents are kept.
//!
//! [`Store`](super::Store) has the loops and the pure changes; an engine has the
//! reads, locks and writes. `tests/it/store_contract` holds every engine to this.

use super::files::Files;
#[cfg(feature = "sqlite")]
use super::sqlite::Sqlite;
use super::{
    Backup, Begun, Document, Ended, Exclusion, GrantNotes, LastOutcome, Lease, LeaseAttempt,
    LeaseKey, Leftover, Location, NotedRefusal, Prepared, Snapshot, StateDocument, StoreError,
    Version,
};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::lock::Holder;
use crate::system::permissions::{Exposure, Permissions};
use crate::system::worker::Waiter;
use std::fmt::Debug;
use std::ops::Deref;
use std::time::Duration;

/// Where the documents of one agent are kept.
pub(super) trait Engine: Debug {
    /// Where the profiles are, for people.
    fn location(&self) -> Location;

    /// Where order and usage are, for people.
    fn state_location(&self) -> Location;

    /// Whether the profiles at `location` are the ones here, whatever links lead there.
    fn is_at(&self, location: &Location) -> bool;

    /// Whether there is a document of the profiles, readable or not.
    fn has_document(&self) -> bool;

    /// Fails where the documents are not to be written: [`StoreError::NewerGeneration`] where a
    /// later OpenClaw has taken over, [`StoreError::ReadOnly`] where they are only read.
    fn check_generation(&self) -> Result<(), StoreError>;

    /// Fails where the documents could not be written. Nothing is written.
    fn check_writable(&self) -> Result<(), StoreError>;

    /// The profiles now, with their version; empty and `None` where nothing is stored yet.
    /// Takes no lock.
    fn read_profiles(&self) -> Result<(Document, Option<Version>), StoreError>;

    /// Order and usage beside `profiles`, which may hold what the old layout kept there.
    /// Takes no lock.
    fn read_state(&self, profiles: &Document) -> Result<StateDocument, StoreError>;

    /// Profiles and state of one moment. Takes no lock. Fails where nothing is there because
    /// the credentials are kept elsewhere.
    fn read(&self) -> Result<Snapshot, StoreError> {
        let (document, version) = self.read_profiles()?;
        if version.is_none() {
            self.check_generation()?;
        }
        let state = self.read_state(&document);
        Ok(Snapshot::new(document, version, state))
    }

    /// The version of the profiles now. Cheap: waiters ask for it all the time.
    fn version(&self) -> Option<Version>;

    /// When the profiles were last written, where the place says it.
    fn written_at(&self) -> Option<Millis> {
        None
    }

    /// The right to change the documents, as long as it is held. Who has a lease says so.
    fn exclusive(&self, lease: Option<&Lease>, wait: Duration) -> Result<Exclusion, StoreError>;

    /// Waits until [`Self::exclusive`] could be had at once; nothing where nothing is stored
    /// yet.
    fn wait_until_free(&self, lease: Option<&Lease>, wait: Duration) -> Result<(), StoreError>;

    /// Sets aside what a later change needs, so that it does not fail for lack of it. `None`
    /// where nothing is stored yet.
    fn prepare(&self) -> Result<Option<Prepared>, StoreError>;

    /// Replaces the profiles that were `read` by `document`, durably, unless they have
    /// changed since.
    fn swap(
        &self,
        under: &Exclusion,
        prepared: Option<Prepared>,
        read: Option<Version>,
        document: &mut Document,
    ) -> Result<Swap, StoreError>;

    /// Replaces order and usage, durably. `document` is what was `read` of the profiles
    /// beside them.
    fn write_state(
        &self,
        under: &Exclusion,
        read: Option<Version>,
        document: Document,
        state: StateDocument,
    ) -> Result<(), StoreError>;

    /// The error for a document whose change does not give a document.
    fn invalid(&self, error: &serde_json::Error) -> StoreError;

    /// Tries once to take the lease.
    fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError>;

    /// Who holds a lease now, as far as can be told.
    fn lease_holder(&self, key: &LeaseKey<'_>) -> Holder;

    /// One who wants to start a worker that refreshes `grant`.
    fn waiter_to_start(&self, grant: &Secret) -> Result<Waiter, StoreError>;

    /// Where a lease is, for people.
    fn lease_location(&self, key: &LeaseKey<'_>) -> Location;

    /// Moves a lease to `grant`; whether it was on another one.
    fn follow_grant(
        &self,
        lease: &mut Lease,
        grant: &Secret,
        wait: Duration,
    ) -> Result<bool, StoreError>;

    /// Notes, durably, that `grant`, which `lease` is on, is about to be spent, unless an
    /// earlier refresh of it did not end, or the lease is lost.
    fn begin(&self, lease: &Lease, grant: &Secret) -> Result<Begun, StoreError>;

    /// Keeps OpenClaw from spending `grant`, which is about to be spent, where it would not
    /// wait for the lease. Nothing where it always does.
    fn mark(&self, _grant: &Secret, _now: Millis) -> Result<(), StoreError> {
        Ok(())
    }

    /// Undoes [`Self::mark`]: no other credential came for `grant`.
    fn unmark(&self, _grant: &Secret, _unspent: Unspent) -> Result<(), StoreError> {
        Ok(())
    }

    /// Notes how a refresh of `grant` ended.
    fn end(&self, grant: &Secret, ended: Ended);

    /// What the journal says of a refusal or revocation of `grant`.
    fn noted_refusal(&self, grant: &Secret) -> Option<NotedRefusal>;

    /// What the journal says of all grants. Takes no lock.
    fn grant_notes(&self) -> GrantNotes;

    /// Notes that the reply which replaced `grant` is kept where another process may not look.
    fn note_kept(&self, grant: &Secret, kept_in: &Location);

    /// Where such a reply is.
    fn find_kept(&self, grant: &Secret) -> Option<Location>;

    /// The reply to the grant of that hash is stored: removes what is noted of it.
    fn forget_kept(&self, grant: &str);

    /// Notes that `given` has replaced `grant`, and is stored.
    fn note_replaced(&self, grant: &Secret, given: &Secret);

    /// Whether `grant` was replaced: to post it again would end the login.
    fn is_replaced(&self, grant: &Secret) -> bool;

    /// A person wants a replaced `grant` back.
    fn forget_replaced(&self, grant: &Secret);

    /// The outcome that the journal remembers of `grant`. Takes no lock.
    fn last_outcome(&self, grant: &Secret) -> Option<LastOutcome>;

    /// Remembers the outcome of a request for `grant`, as far as it can be written.
    fn remember_outcome(&self, grant: &Secret, outcome: &LastOutcome);

    /// Forgets the outcome that is remembered of `grant`.
    fn forget_outcome(&self, grant: &Secret);

    /// The earlier versions of the profiles, the newest first.
    fn backups(&self) -> Vec<Backup>;

    /// Where the backups are, for people.
    fn backups_location(&self) -> Location;

    /// Where a backup is, for people.
    fn backup_location(&self, backup: &Backup) -> Location;

    /// What a backup holds.
    fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError>;

    /// What somebody else could read or change.
    fn exposures(&self, permissions: &Permissions) -> Vec<Exposure>;

    /// The locks and abandoned temporary files beside the documents.
    fn leftovers(&self) -> Vec<Leftover>;
}

/// Whether a grant that was posted without success is as good as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unspent {
    /// The server has not taken it.
    Surely,
    /// Nobody knows what the server did.
    Perhaps,
}

/// What came of replacing the profiles.
#[derive(Debug)]
pub(super) enum Swap {
    /// They are replaced.
    Done,
    /// Somebody without the lock has changed them since they were read: read again.
    Changed(Prepared),
    /// The exclusion was lost meanwhile: take it again.
    ExclusionLost(Prepared),
}

/// The engines of one agent, of which one is right at a time.
#[derive(Clone, Debug)]
pub(super) struct AnyEngine {
    /// Files of OpenClaw to 2026.5.
    pub(super) files: Files,
    /// The databases of later ones.
    #[cfg(feature = "sqlite")]
    pub(super) sqlite: Sqlite,
}

/// The engine that is right now: it is found out afresh each time, at the price of one look.
impl Deref for AnyEngine {
    type Target = dyn Engine;

    #[cfg(feature = "sqlite")]
    fn deref(&self) -> &Self::Target {
        if self.sqlite.is_there() { &self.sqlite } else { &self.files }
    }

    #[cfg(not(feature = "sqlite"))]
    fn deref(&self) -> &Self::Target {
        &self.files
    }
}
