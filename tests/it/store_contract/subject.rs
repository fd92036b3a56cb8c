//! The adapter between the contract and the engines: the one file that a changed API of the
//! store changes, and that a further engine extends.
//!
//! A [`World`] is one state directory, schema or database, with the stores of its agents and
//! its spool. A [`Subject`] is a handle on the store of one agent. Methods whose names begin
//! with `foreign` act as a program that keeps to no rule of ours; they return whether the
//! engine lets that happen.

mod foreign;
mod spool;
mod world;

use super::{BOUND, PROVIDER};
use openclaw_auth::oauth::{Grant, Members};
use openclaw_auth::profile::Identity;
use openclaw_auth::profile::{ProfileId, ProviderId};
use openclaw_auth::secret::Secret;
use openclaw_auth::store::{
    Backup, Begun, Document, Ended, GrantNote, IssuedCredential, LastOutcome, Lease, LeaseAttempt,
    LeaseKey, Notices, Prepared, StateDocument, Store, StoreError, Turn, Version, renewed_entry,
};
use openclaw_auth::system::permissions::Permissions;
use openclaw_auth::system::{Clock, block_on};
use serde_json::Value;
pub(super) use spool::Waiting;
use std::path::PathBuf;
use std::time::Duration;
pub(super) use world::{World, is_lock};

/// The engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// JSON documents, as OpenClaw up to 2026.5 has them.
    Files,
    /// Databases, as OpenClaw has them from 2026.8 on.
    Sqlite,
}

/// All engines that can be tried here.
pub(super) fn engines() -> impl Iterator<Item = Engine> {
    let has_sqlite = cfg!(feature = "sqlite");
    [Engine::Files, Engine::Sqlite].into_iter().filter(move |it| has_sqlite || *it == Engine::Files)
}

/// Why the store refuses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It cannot be read.
    Unreadable,
    /// What it holds is no document.
    Invalid,
    /// It cannot be written.
    Unwritable,
    /// Somebody else holds the lock or the lease.
    Held,
    /// The lease is not ours any more.
    Lost,
    /// It has moved to another generation of OpenClaw.
    Elsewhere,
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Read { .. } => Self::Unreadable,
            StoreError::Invalid { .. } => Self::Invalid,
            StoreError::Write { .. } | StoreError::Lock { .. } => Self::Unwritable,
            StoreError::LockTimeout { .. } | StoreError::Maintenance { .. } => Self::Held,
            StoreError::NewerGeneration { .. }
            | StoreError::Converting { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::NoAgentDatabase { .. }
            | StoreError::VersionBetween { .. }
            | StoreError::OfAnotherUser { .. } => Self::Elsewhere,
        }
    }
}

/// One moment of a store.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) document: Document,
    pub(super) state: StateDocument,
    /// `None` where nothing is stored.
    pub(super) version: Option<Version>,
}

impl Moment {
    /// An entry as JSON.
    pub(super) fn entry(&self, id: &str) -> Option<Value> {
        self.document.entry(id).map(|entry| serde_json::from_str(entry).unwrap())
    }

    /// The ids of all entries.
    pub(super) fn ids(&self) -> Vec<String> {
        self.document.entries().map(|(id, _)| id.to_owned()).collect()
    }
}

/// A handle on the store of one agent.
pub(super) struct Subject {
    engine: Engine,
    agent: String,
    store: Store,
    directory: PathBuf,
    root: PathBuf,
    notices: Notices,
}

/// A lease that is held, and on which grant.
#[derive(Debug)]
pub(super) struct Held {
    lease: Lease,
    grant: Secret,
}

impl Held {
    /// Whether it is still ours.
    pub(super) fn is_ours(&self) -> bool {
        self.lease.is_held()
    }
}

const fn key<'k>(
    (provider, profile_id): (&'k ProviderId, &'k ProfileId),
    grant: Option<&'k Secret>,
) -> LeaseKey<'k> {
    LeaseKey { provider, profile_id, grant }
}

/// What ended the wait for a lease.
#[derive(Debug)]
pub(super) enum Waited<T> {
    /// It is ours.
    Leased(Held),
    /// There is what it was wanted for.
    Found(T),
}

/// A refresh that was cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CutOff {
    pub(super) pid: u32,
    pub(super) at: i64,
}

impl Subject {
    pub(super) fn read(&self) -> Result<Moment, Wrong> {
        let snapshot = self.store.read()?;
        let version = snapshot.version;
        let (document, state) = snapshot.into_documents()?;
        Ok(Moment { document, state, version })
    }

    pub(super) fn version(&self) -> Option<Version> {
        self.store.version()
    }

    /// Changes the profiles; `change` returns whether to write them.
    pub(super) fn update<T>(
        &self,
        change: impl Fn(&mut Document) -> (bool, T),
    ) -> Result<T, Wrong> {
        Ok(self.store.update(|document| Ok(change(document)))?)
    }

    /// Changes the state; `change` returns whether to write it.
    pub(super) fn update_state(
        &self,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), Wrong> {
        Ok(self.store.update_state(change)?)
    }

    /// As [`Self::update_state`], beside a lease, and with so much patience.
    pub(super) fn update_state_with(
        &self,
        held: &Held,
        patience: Duration,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), Wrong> {
        Ok(self.store.update_state_with(Some(&held.lease), patience, change)?)
    }

    /// Makes sure that a change will succeed.
    pub(super) fn prepare(&self, patience: Duration) -> Result<Option<Prepared>, Wrong> {
        Ok(self.store.prepare(patience)?)
    }

    /// Puts what a refresh brought in the place of what it spent.
    pub(super) fn commit(
        &self,
        held: &Held,
        prepared: Option<Prepared>,
        id: &str,
        renewal: &IssuedCredential,
    ) -> Result<(), Wrong> {
        let change = |document: &mut Document| {
            let entry = renewed_entry(document.entry(id).unwrap_or("{}"), renewal)?;
            document.set_entry(id, entry);
            Ok((true, ()))
        };
        Ok(self.store.update_prepared(prepared, Some(&held.lease), BOUND, change)?)
    }

    /// Sets an entry.
    pub(super) fn put(&self, id: &str, entry: &Value) -> Result<(), Wrong> {
        self.update(|document| {
            set(document, id, entry);
            (true, ())
        })
    }

    /// Tries the lease on a profile that holds a grant; who holds it, where it is held.
    pub(super) fn try_lease(
        &self,
        id: &str,
        grant: &str,
    ) -> Result<Result<Held, Option<u32>>, Wrong> {
        let grant = Secret::new(grant);
        Ok(match self.store.try_lease(&key((&PROVIDER.into(), &id.into()), Some(&grant)))? {
            LeaseAttempt::Acquired(lease) => Ok(Held { lease, grant }),
            LeaseAttempt::Held(holder) => Err(holder.pid),
        })
    }

    /// The lease on a profile without a grant, where it is free.
    pub(super) fn lease_without_grant(&self, id: &str) -> Option<Lease> {
        match self.store.try_lease(&key((&PROVIDER.into(), &id.into()), None)).unwrap() {
            LeaseAttempt::Acquired(lease) => Some(lease),
            LeaseAttempt::Held(_) => None,
        }
    }

    /// Waits for a lease, or until `look` finds something.
    pub(super) fn turn<T>(
        &self,
        id: &str,
        grant: &str,
        patience: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<Waited<T>, Wrong> {
        let grant = Secret::new(grant);
        let look = || Ok::<_, StoreError>(look());
        let (provider, id) = (PROVIDER.into(), id.into());
        let key = key((&provider, &id), Some(&grant));
        match block_on(self.store.wait_for_lease(&key, &Clock::System, patience, look)).unwrap()? {
            Turn::Leased(lease) => Ok(Waited::Leased(Held { lease, grant })),
            Turn::Found(found) => Ok(Waited::Found(found)),
            Turn::TimedOut(error) => Err(error.into()),
        }
    }

    /// The lease, where it is free.
    pub(super) fn lease(&self, id: &str, grant: &str) -> Option<Held> {
        self.try_lease(id, grant).unwrap().ok()
    }

    /// Moves a lease to another grant; whether it was on another one.
    pub(super) fn follow(
        &self,
        held: &mut Held,
        grant: &str,
        patience: Duration,
    ) -> Result<bool, Wrong> {
        held.grant = Secret::new(grant);
        Ok(self.store.follow_grant(&mut held.lease, &held.grant, patience)?)
    }

    /// Notes that the grant is about to be spent; who was cut off before.
    pub(super) fn begin(&self, held: &Held) -> Result<Option<CutOff>, Wrong> {
        match self.store.begin(&held.lease, &held.grant)? {
            Begun::Noted => Ok(None),
            Begun::Interrupted(it) => Ok(Some(CutOff { pid: it.pid, at: it.at })),
            Begun::Lost => Err(Wrong::Lost),
        }
    }

    /// The outcome is known.
    pub(super) fn end(&self, held: &Held) {
        self.store.end(&held.grant, Ended::Known);
    }

    /// The outcome is that the server refuses the grant.
    pub(super) fn end_refused(&self, held: &Held) {
        self.store.end(&held.grant, Ended::Refused);
    }

    /// Notes that a grant is refused, where no refresh of it began.
    pub(super) fn note_refused(&self, grant: &str) {
        self.store.end(&Secret::new(grant), Ended::Refused);
    }

    /// Notes that a logout revoked a grant.
    pub(super) fn note_revoked(&self, grant: &str, at: i64) {
        self.store.end(&Secret::new(grant), Ended::Revoked(at));
    }

    /// What the journal says of a grant, looked up among all.
    pub(super) fn note_of(&self, grant: &str, now: i64) -> GrantNote {
        self.store.grant_notes().of(&Secret::new(grant), now)
    }

    /// Whether the journal says nothing of any grant.
    pub(super) fn has_no_notes(&self) -> bool {
        self.store.grant_notes().is_empty()
    }

    /// Whether the journal says that a grant is refused.
    pub(super) fn is_refused(&self, grant: &str) -> bool {
        self.store.has_noted_refusal(&Secret::new(grant))
    }

    /// The journal need not say it any more: every store does.
    pub(super) fn forget_refused(&self, grant: &str) {
        self.store.end(&Secret::new(grant), Ended::RefusalStored);
    }

    /// How the last request for a grant ended, if that is remembered.
    pub(super) fn last_outcome(&self, grant: &str) -> Option<LastOutcome> {
        self.store.last_outcome(&Secret::new(grant))
    }

    /// Remembers how a request for a grant ended; forgets it where there is nothing.
    pub(super) fn remember_outcome(&self, grant: &str, outcome: Option<&LastOutcome>) {
        let grant = Secret::new(grant);
        match outcome {
            Some(outcome) => self.store.remember_outcome(&grant, outcome),
            None => self.store.forget_outcome(&grant),
        }
    }

    /// Earlier versions, the newest first.
    pub(super) fn backups(&self) -> Vec<Backup> {
        self.store.backups()
    }

    pub(super) fn read_backup(&self, backup: &Backup) -> Result<Document, Wrong> {
        Ok(self.store.read_backup(backup)?)
    }

    /// What went less well than it could.
    pub(super) fn notices(&self) -> Vec<String> {
        self.notices.take().iter().map(ToString::to_string).collect()
    }

    /// What the store says that others could read of it.
    pub(super) fn exposures(&self) -> Vec<String> {
        let exposures = self.store.exposures(&Permissions::of(&self.root));
        exposures.iter().map(ToString::to_string).collect()
    }
}

/// Sets an entry of a document.
pub(super) fn set(document: &mut Document, id: &str, entry: &Value) {
    document.set_entry(id, serde_json::value::to_raw_value(entry).unwrap());
}

/// What a refresh brought.
pub(super) fn renewal(access: &str, refresh: Option<&str>) -> IssuedCredential {
    let (access, refresh) = (Secret::new(access), refresh.map(Secret::new));
    let grant =
        Grant { members: Members::default(), access, refresh, id_token: None, expires: None };
    let fields = vec![("region".to_owned(), "eu".into())];
    IssuedCredential {
        grant,
        expires: Some(9_000),
        issued: Some(5_000),
        identity: Identity::default(),
        fields,
    }
}
