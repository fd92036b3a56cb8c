//! The lease on a profile: OpenClaw's refresh lock, held across a token request so that
//! one process refreshes while the others wait for its result.

use super::StoreError;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::file::create_private_directory;
use crate::system::lock::{self, Attempt, Holder, SidecarLock};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A lease that is held until it is dropped.
#[derive(Debug)]
pub struct Lease {
    /// The lock on the profile.
    profile: SidecarLock,
    /// That on the grant, where there is one.
    _grant: Option<SidecarLock>,
}

impl Lease {
    /// The lock in whose file its holder takes others.
    pub(super) const fn lock(&self) -> &SidecarLock {
        &self.profile
    }
}

/// What came of one attempt to take a lease.
#[derive(Debug)]
pub enum LeaseAttempt {
    /// The lease is ours.
    Acquired(Lease),
    /// Another process is refreshing.
    Held(Holder),
}

/// `$STATE/locks/oauth-refresh/sha256-<hex of sha256(provider NUL profile id)>.lock`, as
/// OpenClaw 2026.4.24 names it.
pub(super) fn lease_path(state_dir: &Path, provider: &str, profile_id: &str) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(provider.as_bytes());
    hash.update([0]);
    hash.update(profile_id.as_bytes());
    state_dir.join("locks/oauth-refresh").join(format!("sha256-{:x}.lock", hash.finalize()))
}

/// The lock on a grant, whichever profiles hold it: two of them must not spend one refresh
/// token.
pub(super) fn grant_path(state_dir: &Path, refresh_token: &Secret) -> PathBuf {
    let name = refresh_token.fingerprint().replace("sha256:", "grant-sha256-");
    state_dir.join("locks/oauth-refresh").join(format!("{name}.lock"))
}

/// Tries once to take the lock on the profile, then that on its grant.
pub(super) fn try_lease(
    profile: &Path,
    grant: Option<&Path>,
    now: Millis,
) -> Result<LeaseAttempt, StoreError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Lock { path, source }
    };
    if let Some(directory) = profile.parent() {
        create_private_directory(directory).map_err(failed(profile))?;
    }
    let profile = match lock::try_acquire(profile, now).map_err(failed(profile))? {
        Attempt::Acquired(lock) => lock,
        Attempt::Held(holder) => return Ok(LeaseAttempt::Held(holder)),
    };
    let Some(grant) = grant else {
        return Ok(LeaseAttempt::Acquired(Lease { profile, _grant: None }));
    };
    match lock::try_acquire_beside(grant, Some(&profile), now).map_err(failed(grant))? {
        Attempt::Acquired(grant) => {
            Ok(LeaseAttempt::Acquired(Lease { profile, _grant: Some(grant) }))
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

    const HASH: &str = "cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65";
}
