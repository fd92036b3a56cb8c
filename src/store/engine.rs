//! The seam: what a store needs of the place where an agent's documents are kept.
//!
//! [`Store`](super::Store) has the loops and the pure changes; an engine has the
//! reads, locks and writes. `tests/it/store_contract` holds every engine to this.

use super::files::Files;
#[cfg(feature = "sqlite")]
use super::sqlite::Sqlite;
use super::{
    Backup, BackupPolicy, Begun, Document, Ended, Exclusion, GrantNotes, LastOutcome, Lease,
    LeaseAttempt, LeaseKey, Leftover, Location, NotedRefusal, Prepared, Snapshot, StateDocument,
    StoreError, Version,
};
use crate::profile::{AgentId, Millis};
use crate::secret::Secret;
use crate::system::lock::Holder;
use crate::system::permissions::{Exposure, Permissions};
use crate::system::worker::Waiter;
use std::fmt::Debug;
use std::ops::Deref;
#[cfg(feature = "sqlite")]
use std::sync::OnceLock;
use std::time::Duration;

/// Where the documents of one agent are kept.
pub(super) trait Engine: Debug {
    /// Where the profiles are, for people.
    fn location(&self) -> Location;

    /// Where order and usage are, for people.
    fn state_location(&self) -> Location;

    /// The place that OpenClaw names as that of order and usage.
    fn openclaw_location(&self) -> Location {
        self.state_location()
    }

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
    fn mark(&self, _grant: &Secret, _now: Millis, _wait: Duration) -> Result<(), StoreError> {
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
///
/// To dereference it gives the engine that is right now, at the price of one look.
#[derive(Clone, Debug)]
pub(super) struct AnyEngine {
    /// Files of OpenClaw to 2026.5.
    pub(super) files: Files,
    /// The databases of later ones, once they are needed.
    #[cfg(feature = "sqlite")]
    sqlite: OnceLock<Sqlite>,
    /// Whether they were there at the first look.
    #[cfg(feature = "sqlite")]
    first: OnceLock<bool>,
    /// Set when they were made since.
    #[cfg(feature = "sqlite")]
    made: OnceLock<()>,
    #[cfg(feature = "sqlite")]
    agent: AgentId,
    /// Whether it is what every agent has; see [`Self::of_all_agents`].
    is_of_all: bool,
}

impl AnyEngine {
    #[cfg(feature = "sqlite")]
    pub(super) const fn new(agent: AgentId, files: Files) -> Self {
        Self {
            files,
            agent,
            sqlite: OnceLock::new(),
            first: OnceLock::new(),
            made: OnceLock::new(),
            is_of_all: false,
        }
    }

    #[cfg(not(feature = "sqlite"))]
    pub(super) fn new(_agent: AgentId, files: Files) -> Self {
        Self { files, is_of_all: false }
    }

    /// Those of `main` without what is its own where databases tell that apart: what every agent
    /// has.
    pub(super) fn of_all_agents(mut self) -> Self {
        self.is_of_all = true;
        #[cfg(feature = "sqlite")]
        self.sqlite.take();
        self
    }

    /// Whether it is that.
    pub(super) const fn is_of_all(&self) -> bool {
        self.is_of_all
    }

    /// Keeps what a change of the profiles replaces.
    pub(super) fn set_backup_policy(&mut self, policy: BackupPolicy) {
        self.files.backup_policy = Some(policy);
        #[cfg(feature = "sqlite")]
        self.sqlite.take();
    }

    /// Whether the documents were in a database at the first look.
    #[cfg(feature = "sqlite")]
    pub(super) fn is_in_database(&self) -> bool {
        self.made.get().is_some() || *self.first.get_or_init(|| self.has_database())
    }

    #[cfg(not(feature = "sqlite"))]
    #[expect(clippy::unused_self, reason = "the other engine has something to look at")]
    pub(super) const fn is_in_database(&self) -> bool {
        false
    }

    /// The engine that was right at the first look: enough for names, and for a read that finds
    /// something.
    pub(super) fn at_first(&self) -> &dyn Engine {
        self.engine(self.is_in_database())
    }

    /// The engine that was not right at the first look.
    #[cfg(feature = "sqlite")]
    pub(super) fn other_than_first(&self) -> &dyn Engine {
        self.engine(!self.is_in_database())
    }

    /// Profiles and state of one moment; see [`Engine::read`].
    pub(super) fn read(&self) -> Result<Snapshot, StoreError> {
        match self.at_first().read() {
            Ok(found) if found.version.is_some() => Ok(found),
            // They may have moved since.
            _ => (**self).read(),
        }
    }

    #[cfg(feature = "sqlite")]
    fn has_database(&self) -> bool {
        Sqlite::is_there(&self.files)
    }

    /// The databases, whether they are there or not.
    #[cfg(feature = "sqlite")]
    pub(super) fn databases(&self) -> &Sqlite {
        self.sqlite.get_or_init(|| {
            let all = Sqlite::new(self.agent.clone(), self.files.clone());
            if self.is_of_all { all.of_all_agents() } else { all }
        })
    }

    /// Makes the database that the first login goes to.
    ///
    /// # Errors
    /// It cannot be made.
    #[cfg(feature = "sqlite")]
    pub(super) fn make_first_database(&self) -> Result<(), StoreError> {
        self.databases().make_first()?;
        let _ = self.made.set(());
        Ok(())
    }

    #[cfg(feature = "sqlite")]
    fn engine(&self, is_in_database: bool) -> &(dyn Engine + 'static) {
        if is_in_database {
            return self.databases();
        }
        &self.files
    }

    #[cfg(not(feature = "sqlite"))]
    fn engine(&self, _is_in_database: bool) -> &(dyn Engine + 'static) {
        &self.files
    }
}

impl Deref for AnyEngine {
    type Target = dyn Engine;

    fn deref(&self) -> &Self::Target {
        #[cfg(feature = "sqlite")]
        return self.engine(self.has_database());
        #[cfg(not(feature = "sqlite"))]
        self.engine(false)
    }
}
