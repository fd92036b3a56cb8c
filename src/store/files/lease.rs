//! The lease on a profile: OpenClaw's refresh lock, held across a token request so that
//! one process refreshes while the others wait for its result.

use super::Files;
use crate::profile::{Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::{LeaseAttempt, LeaseKey, StoreError};
use crate::system::file::create_private_directory;
use crate::system::lock::{self, Attempt, SidecarLock};
use crate::system::now;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A lease that is held until it is dropped.
#[derive(Debug)]
pub struct Lease {
    /// The lock on the profile.
    profile: SidecarLock,
    /// That on the grant, where there is one.
    grant: Option<SidecarLock>,
}

impl Lease {
    /// Whether it is still ours: another process takes over the lease of one that is dead or
    /// was stopped for long.
    pub fn is_held(&self) -> bool {
        self.profile.is_held() && self.grant.as_ref().is_none_or(SidecarLock::is_held)
    }

    /// The lock in whose file its holder takes others.
    pub(in crate::store) const fn lock(&self) -> &SidecarLock {
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

/// `$STATE/locks/oauth-refresh/sha256-<hex of sha256(provider NUL profile id)>.lock`, as
/// OpenClaw 2026.4.24 names it.
pub(super) fn lease_path(
    state_dir: &Path,
    provider: &ProviderId,
    profile_id: &ProfileId,
) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(provider.spelling().as_bytes());
    hash.update([0]);
    hash.update(profile_id.as_str().as_bytes());
    state_dir.join("locks/oauth-refresh").join(format!("sha256-{:x}.lock", hash.finalize()))
}

/// The lock on a grant, whichever profiles hold it: two of them must not spend one refresh
/// token.
pub(super) fn grant_path(state_dir: &Path, refresh_token: &Secret) -> PathBuf {
    let name = refresh_token.fingerprint().replace("sha256:", "grant-sha256-");
    state_dir.join("locks/oauth-refresh").join(format!("{name}.lock"))
}

/// Tries once to take a lease.
pub(super) fn try_lease(files: &Files, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
    let profile = lease_path(&files.state_dir, key.provider, key.profile_id);
    let grant = key.grant.map(|grant| grant_path(&files.state_dir, grant));
    try_locks(&profile, grant.as_deref(), now())
}

/// Tries once to take the lock on the profile, then that on its grant.
fn try_locks(
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
    use crate::store::AgentStore;

    #[test]
    fn the_lease_file_is_named_as_openclaw_names_it() {
        // printf 'openai-codex\0openai-codex:default' | sha256sum
        assert_eq!(
            lease_path(Path::new("/s"), &"openai-codex".into(), &"openai-codex:default".into()),
            Path::new("/s/locks/oauth-refresh").join(format!("sha256-{HASH}.lock"))
        );
        let [spelt, normalized] = [" Z.AI", "zai"]
            .map(|provider| lease_path(Path::new("/s"), &provider.into(), &"zai:default".into()));
        assert_ne!(spelt, normalized, "the spelling of the file is hashed");
    }

    #[test]
    fn a_lease_follows_its_profile_to_another_grant() {
        let root = tempfile::tempdir().unwrap();
        let now = crate::system::now();
        let [mine, other] =
            ["p:1", "p:2"].map(|id| lease_path(root.path(), &"p".into(), &id.into()));
        let [old, new] = ["fake-0", "fake-1"].map(|it| grant_path(root.path(), &Secret::new(it)));
        let lease = |profile, grant| match try_locks(profile, Some(grant), now).unwrap() {
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
        let store = AgentStore::new("main".into(), root.path().to_owned(), agent_dir, None);
        let key = LeaseKey { provider: &"p".into(), profile_id: &"p:1".into(), grant: None };
        let LeaseAttempt::Acquired(lease) = store.try_lease(&key).unwrap() else { panic!("held") };
        let document = store.location().path().unwrap().to_owned();
        let left = crate::system::file::with_suffix(&document, ".lock");
        std::fs::hard_link(lease.lock().path(), &left).unwrap();
        let refused = store.update_state_with(Some(&lease), lock::TIMEOUT, |state| {
            state.set_refused("p:1", &Secret::new("fake-0"), "invalid_grant", now());
            true
        });
        refused.unwrap();
        assert!(store.state_location().path().unwrap().exists() && !left.exists());
    }

    const HASH: &str = "cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65";
}
