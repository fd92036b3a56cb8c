//! The store of one agent on disk.

use super::generation::newer_database;
use super::lease::{LeaseAttempt, lease_path, try_lease};
use super::{Document, StateDocument, StoreError, legacy};
use crate::system::file::{self, Fingerprint};
use crate::system::lock::{self, Attempt, SidecarLock};
use crate::system::now;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long an update waits for the lock of a document.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a waiting update looks again.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// The store of one agent: `auth-profiles.json` and `auth-state.json` in its directory.
#[derive(Clone, Debug)]
pub struct AgentStore {
    state_dir: PathBuf,
    agent_dir: PathBuf,
}

/// A document as it was at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The document; without a file, what the former files hold.
    pub document: Document,
    /// The version of the file; `None` when there is none.
    pub fingerprint: Option<Fingerprint>,
}

impl AgentStore {
    /// The store in `agent_dir` of the state directory `state_dir`.
    pub const fn new(state_dir: PathBuf, agent_dir: PathBuf) -> Self {
        Self { state_dir, agent_dir }
    }

    /// The agent's directory.
    pub fn agent_dir(&self) -> &Path {
        &self.agent_dir
    }

    /// The document of the profiles.
    pub fn profiles_path(&self) -> PathBuf {
        self.agent_dir.join("auth-profiles.json")
    }

    fn state_path(&self) -> PathBuf {
        self.agent_dir.join("auth-state.json")
    }

    /// The profiles as they are now. Takes no lock.
    ///
    /// # Errors
    /// The document exists and cannot be read.
    pub fn read(&self) -> Result<Snapshot, StoreError> {
        let path = self.profiles_path();
        match file::read(&path) {
            Ok(None) => {
                let document = legacy::read(&self.state_dir, &self.agent_dir)?;
                Ok(Snapshot { document, fingerprint: None })
            }
            Ok(Some((text, fingerprint))) => {
                let document = Document::parse(&text).map_err(|error| invalid(&path, &error))?;
                Ok(Snapshot { document, fingerprint: Some(fingerprint) })
            }
            Err(source) => Err(StoreError::Read { path, source }),
        }
    }

    /// What is remembered about the use of the profiles. Takes no lock. The old layout,
    /// inside the profiles document, fills what the state file leaves out.
    ///
    /// # Errors
    /// The document exists and cannot be read.
    pub fn read_state(&self, profiles: &Document) -> Result<StateDocument, StoreError> {
        let path = self.state_path();
        let mut state = match file::read(&path) {
            Ok(None) => StateDocument::default(),
            Ok(Some((text, _))) => {
                StateDocument::parse(&text).map_err(|error| invalid(&path, &error))?
            }
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        state.fill_from(profiles);
        Ok(state)
    }

    /// The version of the profiles document now.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        file::fingerprint(&self.profiles_path())
    }

    /// Whether this store may be written.
    ///
    /// # Errors
    /// OpenClaw 2026.6 or later has taken the credentials over.
    pub fn check_generation(&self) -> Result<(), StoreError> {
        match newer_database(&self.state_dir, &self.agent_dir) {
            None => Ok(()),
            Some(database) => {
                Err(StoreError::NewerGeneration { database, path: self.profiles_path() })
            }
        }
    }

    /// Changes the profiles under the lock. `change` gets the document as it is then and
    /// returns whether to write it, with its result.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update<T>(
        &self,
        change: impl FnOnce(&mut Document) -> serde_json::Result<(bool, T)>,
    ) -> Result<T, StoreError> {
        self.check_generation()?;
        let path = self.profiles_path();
        let _lock = self.lock(&path)?;
        let Snapshot { mut document, .. } = self.read()?;
        let (changed, result) = change(&mut document).map_err(|error| invalid(&path, &error))?;
        if changed {
            let text = document.to_text().map_err(|error| invalid(&path, &error))?;
            write(&path, &text)?;
        }
        Ok(result)
    }

    /// Changes the state document under its lock. `change` returns whether to write it.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn update_state(
        &self,
        change: impl FnOnce(&mut StateDocument) -> bool,
    ) -> Result<(), StoreError> {
        self.check_generation()?;
        let path = self.state_path();
        // One lock guards both documents, as OpenClaw has it.
        let _lock = self.lock(&self.profiles_path())?;
        let profiles = self.read()?.document;
        let mut state = self.read_state(&profiles)?;
        if change(&mut state) {
            let text = state.to_text().map_err(|error| invalid(&path, &error))?;
            write(&path, &text)?;
        }
        Ok(())
    }

    /// Tries once to take the lease on refreshing `profile_id`.
    ///
    /// # Errors
    /// Locks cannot be used there.
    pub fn try_lease(&self, provider: &str, profile_id: &str) -> Result<LeaseAttempt, StoreError> {
        self.check_generation()?;
        try_lease(&self.lease_path(provider, profile_id), now())
    }

    /// Where the lease on refreshing `profile_id` is.
    pub fn lease_path(&self, provider: &str, profile_id: &str) -> PathBuf {
        lease_path(&self.state_dir, provider, profile_id)
    }

    /// Waits for the lock that guards `document`: the one beside its name, which OpenClaw
    /// takes, and where the name is a symbolic link, the one beside its target as well.
    fn lock(&self, document: &Path) -> Result<Vec<SidecarLock>, StoreError> {
        let failed = |source| StoreError::Lock { path: document.to_owned(), source };
        file::create_private_directory(&self.agent_dir).map_err(failed)?;
        let named = match (self.agent_dir.canonicalize(), document.file_name()) {
            (Ok(directory), Some(name)) => directory.join(name),
            _ => document.to_owned(),
        };
        let target = file::resolve(document);
        let mut locks = vec![acquire(&named)?];
        if target != named {
            locks.push(acquire(&target)?);
        }
        Ok(locks)
    }
}

/// Waits for the lock file beside `document`.
fn acquire(document: &Path) -> Result<SidecarLock, StoreError> {
    let mut path = document.as_os_str().to_owned();
    path.push(".lock");
    let started = Instant::now();
    loop {
        let attempt = lock::try_acquire(Path::new(&path), now())
            .map_err(|source| StoreError::Lock { path: document.to_owned(), source })?;
        match attempt {
            Attempt::Acquired(lock) => return Ok(lock),
            Attempt::Held(holder) if started.elapsed() >= LOCK_TIMEOUT => {
                let path = document.to_owned();
                return Err(StoreError::LockTimeout { path, waited: LOCK_TIMEOUT, holder });
            }
            Attempt::Held(_) => std::thread::sleep(LOCK_POLL),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), StoreError> {
    file::replace(path, text.as_bytes())
        .map_err(|source| StoreError::Write { path: path.to_owned(), source })
}

fn invalid(path: &Path, error: &serde_json::Error) -> StoreError {
    StoreError::Invalid { path: path.to_owned(), reason: error.to_string() }
}
