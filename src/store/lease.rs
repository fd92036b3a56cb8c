//! The lease on a profile: OpenClaw's refresh lock, held across a token request so that
//! one process refreshes while the others wait for its result.

use super::{AgentStore, StoreError};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::file::create_private_directory;
use crate::system::lock::{self, Attempt, Holder, SidecarLock};
use crate::system::now;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A lease that is held until it is dropped.
#[derive(Debug)]
pub struct Lease {
    /// The lock on the profile.
    profile: SidecarLock,
    /// That on the grant, where there is one.
    grant: Option<SidecarLock>,
}

impl Lease {
    /// The lock in whose file its holder takes others.
    pub(super) const fn lock(&self) -> &SidecarLock {
        &self.profile
    }

    /// Moves the lease to the grant whose lock is at `path`, and waits for whoever has that.
    /// Whether it was on another one.
    ///
    /// # Errors
    /// The lock, or the time is over.
    pub(super) fn follow(&mut self, path: &Path, timeout: Duration) -> Result<bool, StoreError> {
        if self.grant.as_ref().is_some_and(|grant| grant.path() == path) {
            return Ok(false);
        }
        // Nobody waits for a grant and keeps others from one.
        self.grant = None;
        let failed = |source| StoreError::Lock {
            location: path.to_owned().into(),
            source: Arc::new(source),
        };
        match lock::wait_at(path, Some(&self.profile), timeout).map_err(failed)? {
            Attempt::Acquired(grant) => self.grant = Some(grant),
            Attempt::Held(holder) => {
                let path = path.to_owned();
                return Err(StoreError::LockTimeout {
                    location: path.into(),
                    waited: timeout,
                    holder,
                });
            }
        }
        Ok(true)
    }
}

/// What a lease is on: a profile, by the spelling of its provider and its id, and the grant
/// that it holds.
#[derive(Clone, Copy, Debug)]
pub struct LeaseKey<'k> {
    /// The provider as the profile spells it.
    pub provider: &'k str,
    /// The profile id.
    pub profile_id: &'k str,
    /// The refresh token that the profile holds.
    pub grant: Option<&'k Secret>,
}

/// What came of one attempt to take a lease.
#[derive(Debug)]
pub enum LeaseAttempt {
    /// The lease is ours.
    Acquired(Lease),
    /// Another process is refreshing.
    Held(Holder),
}

/// What ended the wait for a lease.
#[derive(Debug)]
pub enum Turn<T> {
    /// The lease is ours.
    Leased(Lease),
    /// What the lease was wanted for is there.
    Found(T),
    /// The time is over: [`StoreError::LockTimeout`] with the holder.
    TimedOut(StoreError),
}

/// Who waits for a lease looks for a result at least so often.
const LOOK: Duration = Duration::from_millis(8);

/// When one that has tried the lease after waiting so long tries it again: less and less
/// often, and at the very end.
fn next_try(waited: Duration, timeout: Duration) -> Duration {
    let pause = (waited / 8).clamp(Duration::from_millis(20), Duration::from_secs(1));
    (waited + pause).min(timeout)
}

impl AgentStore {
    /// Waits for the lease, or until `look` finds what the lease is wanted for: another
    /// process has stored it. `look` runs before each attempt and often in between, so it
    /// has to be cheap where nothing has changed.
    ///
    /// # Errors
    /// Locks cannot be used there, or the error of `look`.
    pub fn wait_for_lease<T, E: From<StoreError>>(
        &self,
        key: &LeaseKey<'_>,
        timeout: Duration,
        mut look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Turn<T>, E> {
        let started = Instant::now();
        let mut holder = Holder::default();
        let mut next = Duration::ZERO;
        loop {
            let waited = started.elapsed();
            // To look costs next to nothing, to take the lease does not, and two hundred
            // processes wait at a time.
            if let Some(found) = look()? {
                return Ok(Turn::Found(found));
            }
            if waited >= next {
                next = next_try(waited, timeout);
                holder = match self.try_lease(key)? {
                    LeaseAttempt::Acquired(lease) => return Ok(Turn::Leased(lease)),
                    LeaseAttempt::Held(holder) => holder,
                };
            }
            if waited >= timeout {
                let location = self.lease_path(key).into();
                let error = StoreError::LockTimeout { location, waited: timeout, holder };
                return Ok(Turn::TimedOut(error));
            }
            std::thread::sleep(lock::pause(waited, LOOK));
        }
    }

    /// Tries once to take the lease.
    ///
    /// # Errors
    /// Locks cannot be used there.
    pub fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
        self.check_generation()?;
        let grant = key.grant.map(|grant| self.grant_lock(grant));
        try_lease(&self.lease_path(key), grant.as_deref(), now())
    }

    /// Moves a lease to `grant`, which the profile holds by now, and waits for whoever has
    /// that. Whether it was on another one, so that everything has to be read again.
    ///
    /// # Errors
    /// The lock, or the time is over.
    pub fn follow_grant(
        &self,
        lease: &mut Lease,
        grant: &Secret,
        timeout: Duration,
    ) -> Result<bool, StoreError> {
        lease.follow(&self.grant_lock(grant), timeout)
    }

    fn lease_path(&self, key: &LeaseKey<'_>) -> PathBuf {
        lease_path(self.places().0, key.provider, key.profile_id)
    }

    /// The lock on `grant`, which its note in the journal is named after.
    pub(super) fn grant_lock(&self, grant: &Secret) -> PathBuf {
        grant_path(self.places().0, grant)
    }
}

/// `$STATE/locks/oauth-refresh/sha256-<hex of sha256(provider NUL profile id)>.lock`, as
/// OpenClaw 2026.4.24 names it.
fn lease_path(state_dir: &Path, provider: &str, profile_id: &str) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(provider.as_bytes());
    hash.update([0]);
    hash.update(profile_id.as_bytes());
    state_dir.join("locks/oauth-refresh").join(format!("sha256-{:x}.lock", hash.finalize()))
}

/// The lock on a grant, whichever profiles hold it: two of them must not spend one refresh
/// token.
fn grant_path(state_dir: &Path, refresh_token: &Secret) -> PathBuf {
    let name = refresh_token.fingerprint().replace("sha256:", "grant-sha256-");
    state_dir.join("locks/oauth-refresh").join(format!("{name}.lock"))
}

/// Tries once to take the lock on the profile, then that on its grant.
fn try_lease(
    profile: &Path,
    grant: Option<&Path>,
    now: Millis,
) -> Result<LeaseAttempt, StoreError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Lock { location: path.into(), source: Arc::new(source) }
    };
    if let Some(directory) = profile.parent() {
        create_private_directory(directory).map_err(failed(profile))?;
    }
    let profile = match lock::try_acquire(profile, now).map_err(failed(profile))? {
        Attempt::Acquired(lock) => lock,
        Attempt::Held(holder) => return Ok(LeaseAttempt::Held(holder)),
    };
    let Some(grant) = grant else {
        return Ok(LeaseAttempt::Acquired(Lease { profile, grant: None }));
    };
    match lock::try_acquire_beside(grant, Some(&profile), now).map_err(failed(grant))? {
        Attempt::Acquired(grant) => {
            Ok(LeaseAttempt::Acquired(Lease { profile, grant: Some(grant) }))
        }
        Attempt::Held(holder) => Ok(LeaseAttempt::Held(holder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lease_file_is_named_as_openclaw_names_it() {
        // printf 'openai-codex\0openai-codex:default' | sha256sum
        assert_eq!(
            lease_path(Path::new("/s"), "openai-codex", "openai-codex:default"),
            Path::new("/s/locks/oauth-refresh").join(format!("sha256-{HASH}.lock"))
        );
    }

    #[test]
    fn a_lease_is_tried_less_and_less_often_and_at_the_very_end() {
        let timeout = Duration::from_mins(1);
        let (mut at, mut tries, mut longest) = (Duration::ZERO, 0, Duration::ZERO);
        while at < timeout {
            let next = next_try(at, timeout);
            (longest, at, tries) = (longest.max(next.saturating_sub(at)), next, tries + 1);
        }
        assert_eq!(at, timeout);
        assert!(longest <= Duration::from_secs(1) && tries < 120, "{longest:?} {tries}");
    }

    #[test]
    fn a_lease_follows_its_profile_to_another_grant() {
        let root = tempfile::tempdir().unwrap();
        let now = crate::system::now();
        let [mine, other] = ["p:1", "p:2"].map(|id| lease_path(root.path(), "p", id));
        let [old, new] = ["fake-0", "fake-1"].map(|it| grant_path(root.path(), &Secret::new(it)));
        let lease = |profile, grant| match try_lease(profile, Some(grant), now).unwrap() {
            LeaseAttempt::Acquired(lease) => Some(lease),
            LeaseAttempt::Held(_) => None,
        };
        let mut held = lease(&mine, &old).unwrap();
        assert!(!held.follow(&old, Duration::ZERO).unwrap());
        assert!(held.follow(&new, Duration::ZERO).unwrap());
        assert!(lease(&other, &new).is_none());
        let other = lease(&other, &old).unwrap();
        assert!(held.follow(&old, Duration::ZERO).is_err(), "another has it");
        drop((held, other));
        assert!(lease(&mine, &new).is_some());
    }

    #[test]
    fn a_lock_whose_name_could_not_be_removed_keeps_its_holder_from_nothing() {
        let root = tempfile::tempdir().unwrap();
        let agent_dir = root.path().join("agents/main/agent");
        create_private_directory(&agent_dir).unwrap();
        let store = AgentStore::new("main".to_owned(), root.path().to_owned(), agent_dir, None);
        let key = LeaseKey { provider: "p", profile_id: "p:1", grant: None };
        let LeaseAttempt::Acquired(lease) = store.try_lease(&key).unwrap() else { panic!("held") };
        let left = crate::system::file::with_suffix(&store.profiles_path(), ".lock");
        std::fs::hard_link(lease.lock().path(), &left).unwrap();
        let refused = store.update_state_beside(Some(&lease), lock::TIMEOUT, |state| {
            state.set_refused("p:1", &Secret::new("fake-0"), "invalid_grant", now());
            true
        });
        refused.unwrap();
        assert!(store.state_path().exists() && !left.exists());
    }

    const HASH: &str = "cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65";
}
