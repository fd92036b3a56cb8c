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
    _locks: Vec<SidecarLock>,
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

/// Tries once to take the locks at `paths`, in their order.
pub(super) fn try_lease(paths: &[PathBuf], now: Millis) -> Result<LeaseAttempt, StoreError> {
    let mut locks = Vec::new();
    for path in paths {
        let failed = |source| StoreError::Lock { path: path.clone(), source };
        if let Some(directory) = path.parent() {
            create_private_directory(directory).map_err(failed)?;
        }
        match lock::try_acquire(path, now).map_err(failed)? {
            Attempt::Acquired(lock) => locks.push(lock),
            Attempt::Held(holder) => return Ok(LeaseAttempt::Held(holder)),
        }
    }
    Ok(LeaseAttempt::Acquired(Lease { _locks: locks }))
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
