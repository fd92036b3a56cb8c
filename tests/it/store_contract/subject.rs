//! The adapter between the contract and the engines: the one file that a changed API of the
//! store changes, and that a further engine extends.
//!
//! A [`World`] is one state directory, schema or database, with the stores of its agents and
//! its spool. A [`Subject`] is a handle on the store of one agent. Methods whose names begin
//! with `foreign` act as a program that keeps to no rule of ours; they return whether the
//! engine lets that happen.

mod foreign;
mod spool;

use openclaw_auth::oauth::{Grant, Members};
use openclaw_auth::profile::Identity;
use openclaw_auth::secret::Secret;
use openclaw_auth::store::{
    AgentStore, Backup, BackupPolicy, Document, Lease, LeaseAttempt, Notices, Renewal,
    StateDocument, StoreError, renewed_entry,
};
use openclaw_auth::system::custody::Custody;
use openclaw_auth::system::file::{Fingerprint, Reserved};
use serde_json::Value;
pub(super) use spool::{Spool, Waiting};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// The engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// JSON documents, as OpenClaw up to 2026.5 has them.
    Files,
}

/// All engines that can be tried here.
pub(super) fn engines() -> [Engine; 1] {
    [Engine::Files]
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
    /// It has moved to another generation of OpenClaw.
    Elsewhere,
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Read { .. } => Self::Unreadable,
            StoreError::Invalid { .. } => Self::Invalid,
            StoreError::Write { .. } | StoreError::Lock { .. } => Self::Unwritable,
            StoreError::LockTimeout { .. } => Self::Held,
            StoreError::NewerGeneration { .. } => Self::Elsewhere,
        }
    }
}

/// Changes with every change of the profiles.
pub(super) type Version = Fingerprint;
/// What [`Subject::prepare`] sets aside.
pub(super) type Prepared = Option<Reserved>;

/// The state directory, schema or database that the agents of one installation share.
pub(super) struct World {
    pub(super) engine: Engine,
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl World {
    /// A new one, empty.
    pub(super) fn new(engine: Engine) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().to_owned();
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o700)).unwrap();
        Self { engine, root, _temporary: Some(temporary) }
    }

    /// What leads a child process here: the engine and the place.
    pub(super) fn address(&self) -> String {
        format!("{:?} {}", self.engine, self.root.display())
    }

    /// The world of a parent process.
    pub(super) fn at(address: &str) -> Self {
        let (name, root) = address.split_once(' ').unwrap();
        let engine = engines().into_iter().find(|engine| format!("{engine:?}") == name).unwrap();
        Self { engine, root: root.into(), _temporary: None }
    }

    /// Where its files are, for those who trace a process.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A new handle on the store of an agent.
    pub(super) fn store(&self, agent: &str) -> Subject {
        self.store_with_backups(agent, 5)
    }

    /// As [`Self::store`], with so many backups of either sort.
    pub(super) fn store_with_backups(&self, agent: &str, count: usize) -> Subject {
        let directory = self.root.join("agents").join(agent).join("agent");
        let notices = Notices::default();
        let store = AgentStore::new(self.root.clone(), directory.clone(), None)
            .with_backups(BackupPolicy { count, notices: notices.clone() });
        Subject { store, directory, root: self.root.clone(), notices }
    }

    /// The replies that could not be stored.
    pub(super) fn spool(&self) -> Spool {
        Spool { places: ["spool", "home"].map(|name| self.root.join(name)) }
    }

    /// What is left behind of locks, leases and notes.
    pub(super) fn left_locks(&self) -> Vec<PathBuf> {
        self.files(&[".lock", ".intent", ".refused"])
    }

    /// What is left behind of writes that did not end.
    pub(super) fn left_drafts(&self) -> Vec<PathBuf> {
        self.files(&[".tmp"])
    }

    /// What others could read or change, whoever left it.
    pub(super) fn open_to_others(&self) -> Vec<PathBuf> {
        let files = all_files(&self.root);
        let directories = files.iter().flat_map(|file| file.ancestors());
        let inside = directories.filter(|path| path.starts_with(&self.root));
        let is_open = |path: &&Path| path.metadata().unwrap().permissions().mode() & 0o077 != 0;
        inside.filter(is_open).map(Path::to_path_buf).collect()
    }

    fn files(&self, endings: &[&str]) -> Vec<PathBuf> {
        let is_wanted = |path: &PathBuf| {
            let name = path.to_string_lossy().into_owned();
            endings.iter().any(|ending| name.ends_with(ending))
        };
        all_files(&self.root).into_iter().filter(is_wanted).collect()
    }

    /// Whether a text stands anywhere but where credentials are kept.
    pub(super) fn tells(&self, text: &str) -> bool {
        let is_credentials = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_draft = name.starts_with("auth-profiles.json") && name.ends_with(".tmp");
            name == "auth-profiles.json"
                || is_draft
                || ["backups", "spool", "home"].iter().any(|name| path.iter().any(|it| it == *name))
        };
        all_files(&self.root).iter().filter(|path| !is_credentials(path)).any(|path| {
            let held = std::fs::read(path).unwrap_or_default();
            path.to_string_lossy().contains(text) || String::from_utf8_lossy(&held).contains(text)
        })
    }
}

/// Whether a file is the lock of an update or a lease, or is going to be one.
pub(super) fn is_lock(path: &str) -> bool {
    path.contains(".lock")
}

fn all_files(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
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
    store: AgentStore,
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

/// A refresh that was cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CutOff {
    pub(super) pid: u32,
    pub(super) at: i64,
}

impl Subject {
    pub(super) fn read(&self) -> Result<Moment, Wrong> {
        let snapshot = self.store.read()?;
        let state = self.store.read_state(&snapshot.document)?;
        Ok(Moment { document: snapshot.document, state, version: snapshot.fingerprint })
    }

    pub(super) fn version(&self) -> Option<Version> {
        self.store.fingerprint()
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
    pub(super) fn update_state_beside(
        &self,
        held: &Held,
        patience: Duration,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), Wrong> {
        Ok(self.store.update_state_beside(Some(&held.lease), patience, change)?)
    }

    /// Makes sure that a change will succeed.
    pub(super) fn prepare(&self, patience: Duration) -> Result<Prepared, Wrong> {
        Ok(self.store.reserve(patience)?)
    }

    /// Puts what a refresh brought in the place of what it spent.
    pub(super) fn commit(
        &self,
        held: &Held,
        prepared: Prepared,
        id: &str,
        renewal: &Renewal,
    ) -> Result<(), Wrong> {
        let change = |document: &mut Document| {
            let entry = renewed_entry(document.entry(id).unwrap_or("{}"), renewal)?;
            document.set_entry(id, entry);
            Ok((true, ()))
        };
        Ok(self.store.update_reserved(prepared, Some(&held.lease), change)?)
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
        Ok(match self.store.try_lease(super::PROVIDER, id, Some(&grant))? {
            LeaseAttempt::Acquired(lease) => Ok(Held { lease, grant }),
            LeaseAttempt::Held(holder) => Err(holder.pid),
        })
    }

    /// The lease on a profile without a grant, where it is free.
    pub(super) fn lease_without_grant(&self, id: &str) -> Option<Lease> {
        match self.store.try_lease(super::PROVIDER, id, None).unwrap() {
            LeaseAttempt::Acquired(lease) => Some(lease),
            LeaseAttempt::Held(_) => None,
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
        let earlier = self.store.begin_refresh(&held.grant, &held.lease)?;
        Ok(earlier.map(|it| CutOff { pid: it.pid, at: it.at }))
    }

    /// The outcome is known.
    pub(super) fn end(&self, held: &Held) {
        self.store.end_refresh(&held.grant);
    }

    /// The outcome is that the server refuses the grant.
    pub(super) fn end_refused(&self, held: &Held) {
        self.store.note_refusal(&held.grant);
    }

    /// Notes that a grant is refused, where no refresh of it began.
    pub(super) fn note_refused(&self, grant: &str) {
        self.store.keep_refusal(&Secret::new(grant));
    }

    /// Whether the journal says that a grant is refused.
    pub(super) fn is_refused(&self, grant: &str) -> bool {
        self.store.has_noted_refusal(&Secret::new(grant))
    }

    /// The journal need not say it any more: every store does.
    pub(super) fn forget_refused(&self, grant: &str) {
        self.store.end_noted_refusal(&Secret::new(grant));
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
        self.notices.take()
    }

    /// What the store says that others could read of it.
    pub(super) fn exposures(&self) -> Vec<String> {
        let exposures = self.store.exposures(&Custody::of(&self.root));
        exposures.iter().map(ToString::to_string).collect()
    }
}

/// Sets an entry of a document.
pub(super) fn set(document: &mut Document, id: &str, entry: &Value) {
    document.set_entry(id, serde_json::value::to_raw_value(entry).unwrap());
}

/// What a refresh brought.
pub(super) fn renewal(access: &str, refresh: Option<&str>) -> Renewal {
    let (access, refresh) = (Secret::new(access), refresh.map(Secret::new));
    let grant =
        Grant { members: Members::default(), access, refresh, id_token: None, expires: None };
    let fields = vec![("region".to_owned(), "eu".into())];
    Renewal { grant, expires: Some(9_000), identity: Identity::default(), fields }
}
