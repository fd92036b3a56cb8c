//! The lease: while one process makes a token request, the others wait for its result.
//!
//! It is three locks, taken in this order and let go of together:
//! 1. that of the profile in the state directory, which is OpenClaw's refresh lock;
//! 2. that of the grant in the state directory, which 0.1.0 takes (for one release);
//! 3. that of the grant beside the document that holds it, wherever links lead there: state
//!    directories that share the directory of an agent, or its document, take turns by it.
//!
//! Nobody waits for one of them and holds another but the first. The notes of the journal are
//! beside the second and the third.

use super::failure::lock_failed;
use crate::profile::{Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::store::{LeaseKey, StoreError};
use crate::system::file::{behind_link, create_private_directory};
use crate::system::lock::{self, Attempt, Holder, POLL, SidecarLock, StaleRule};
use crate::system::now;
use fs2::FileExt;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the locks on grants are, and the notes of the journal beside them.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct LockPlace<'p> {
    /// The state directory.
    pub(in crate::store) state_dir: &'p Path,
    /// The document beside which there are further ones, where links may lead to it.
    pub(in crate::store) document: Option<&'p Path>,
}

/// What came of one attempt to take a lease.
#[derive(Debug)]
pub enum LeaseAttempt {
    /// The lease is ours.
    Acquired(Lease),
    /// Another process is refreshing.
    Held(Holder),
}

/// A lease that is held until it is dropped.
#[derive(Debug)]
pub struct Lease {
    /// The lock on the profile.
    profile: SidecarLock,
    /// Those on the grant, where there is one.
    grants: Vec<GrantLock>,
}

/// A lock on a grant.
#[derive(Debug)]
struct GrantLock {
    /// Where its file is, or would be.
    path: PathBuf,
    held: HeldBy,
}

#[derive(Debug)]
enum HeldBy {
    /// A lock file.
    File(SidecarLock),
    /// A lock on the directory itself, which takes no new file. Nothing can be stored there
    /// either, so nothing is posted; whoever finds out waits their turn.
    Directory { _directory: File },
}

impl Lease {
    /// The lock in whose file its holder takes others.
    pub(in crate::store) const fn lock(&self) -> &SidecarLock {
        &self.profile
    }

    /// Whether it is still ours: nobody has taken it over, as OpenClaw does with one that is
    /// too old. Asked last before a request.
    pub fn is_held(&self) -> bool {
        let is_held = |grant: &GrantLock| match &grant.held {
            HeldBy::File(lock) => lock.is_held(),
            HeldBy::Directory { .. } => true,
        };
        self.profile.is_held() && self.grants.iter().all(is_held)
    }

    /// Moves the lease to the grant whose locks are at `paths`, and waits for whoever has one.
    /// Whether it was on another one.
    ///
    /// # Errors
    /// A lock, or the time is over.
    pub(in crate::store) fn follow(
        &mut self,
        paths: &[PathBuf],
        timeout: Duration,
    ) -> Result<bool, StoreError> {
        if self.grants.iter().map(|grant| &grant.path).eq(paths) {
            return Ok(false);
        }
        // Nobody waits for a grant and keeps others from one.
        self.grants.clear();
        let started = Instant::now();
        loop {
            let (path, holder) = match try_grants(&self.profile, paths, now())? {
                Ok(grants) => {
                    self.grants = grants;
                    return Ok(true);
                }
                Err(held) => held,
            };
            let waited = started.elapsed();
            if waited >= timeout {
                return Err(StoreError::LockTimeout {
                    location: path.into(),
                    waited: timeout,
                    holder,
                });
            }
            std::thread::sleep(lock::pause(waited, POLL));
        }
    }
}

/// `$STATE/locks/oauth-refresh/sha256-<hex of sha256(provider NUL profile id)>.lock`, as
/// OpenClaw 2026.4.24 names it.
pub(in crate::store) fn lease_path(
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

/// Where the locks on a grant are, whichever profiles hold it: two of them must not spend one
/// refresh token.
pub(in crate::store) fn grant_paths(place: LockPlace<'_>, refresh_token: &Secret) -> Vec<PathBuf> {
    paths_of(place, &refresh_token.fingerprint())
}

/// As [`grant_paths`], by the hash of the refresh token.
pub(in crate::store) fn paths_of(place: LockPlace<'_>, grant: &str) -> Vec<PathBuf> {
    let name = grant.replace("sha256:", "grant-sha256-");
    let name = format!("{name}.lock");
    let in_state = place.state_dir.join("locks/oauth-refresh").join(&name);
    let document = place.document.map(behind_link);
    // Where there is no directory, nothing is shared.
    let beside = document.as_deref().and_then(Path::parent).filter(|directory| directory.is_dir());
    std::iter::once(in_state).chain(beside.map(|directory| directory.join(name))).collect()
}

/// The start slot of the worker that refreshes a grant.
pub(in crate::store) fn start_path(state_dir: &Path, refresh_token: &Secret) -> PathBuf {
    let name = refresh_token.fingerprint().replace("sha256:", "grant-sha256-");
    state_dir.join("locks/oauth-refresh").join(format!("{name}.start"))
}

/// Tries once to take a lease whose lock on the profile is at `profile`, where OpenClaw takes
/// one by `rule`.
pub(in crate::store) fn try_lease(
    profile: &Path,
    rule: StaleRule,
    place: LockPlace<'_>,
    key: &LeaseKey<'_>,
) -> Result<LeaseAttempt, StoreError> {
    let grants = key.grant.map(|grant| grant_paths(place, grant)).unwrap_or_default();
    try_locks(profile, rule, &grants, now())
}

/// Tries once to take the lock on the profile, then those on its grant.
fn try_locks(
    profile: &Path,
    rule: StaleRule,
    grants: &[PathBuf],
    now: Millis,
) -> Result<LeaseAttempt, StoreError> {
    if let Some(directory) = profile.parent() {
        create_private_directory(directory).map_err(lock_failed(profile))?;
    }
    let profile = match lock::try_acquire(profile, rule, now).map_err(lock_failed(profile))? {
        Attempt::Acquired(lock) => lock,
        Attempt::Held(holder) => return Ok(LeaseAttempt::Held(holder)),
    };
    Ok(match try_grants(&profile, grants, now)? {
        Ok(grants) => LeaseAttempt::Acquired(Lease { profile, grants }),
        Err((_, holder)) => LeaseAttempt::Held(holder),
    })
}

/// Tries once to take all locks on a grant; which one somebody else holds, and who.
fn try_grants(
    profile: &SidecarLock,
    paths: &[PathBuf],
    now: Millis,
) -> Result<Result<Vec<GrantLock>, (PathBuf, Holder)>, StoreError> {
    let mut grants = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        // Nobody but processes of ours takes these.
        let taken = lock::try_acquire_beside(path, Some(profile), StaleRule::ByAge, now);
        let held = match taken {
            Ok(Attempt::Acquired(lock)) => HeldBy::File(lock),
            Ok(Attempt::Held(holder)) => return Ok(Err((path.clone(), holder))),
            Err(error) if number > 0 && takes_no_file(&error) => match lock_directory(path) {
                Ok(Some(directory)) => HeldBy::Directory { _directory: directory },
                Ok(None) => return Ok(Err((path.clone(), Holder::default()))),
                Err(error) => return Err(lock_failed(path)(error)),
            },
            Err(error) => return Err(lock_failed(path)(error)),
        };
        grants.push(GrantLock { path: path.clone(), held });
    }
    Ok(Ok(grants))
}

/// Whether a directory cannot be written, whoever tries.
fn takes_no_file(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Tries once to lock the directory that `path` is in; `None` while somebody else does.
fn lock_directory(path: &Path) -> io::Result<Option<File>> {
    let directory = File::open(path.parent().ok_or(ErrorKind::InvalidInput)?)?;
    match directory.try_lock_exclusive() {
        Ok(()) => Ok(Some(directory)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

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
        let document = root.path().join("a/document");
        create_private_directory(&root.path().join("a")).unwrap();
        let place = LockPlace { state_dir: root.path(), document: Some(&document) };
        let [old, new] = ["fake-0", "fake-1"].map(|it| grant_paths(place, &Secret::new(it)));
        assert_eq!(old.len(), 2);
        let lease =
            |profile, grant: &[PathBuf]| match try_locks(profile, StaleRule::ByAge, grant, now)
                .unwrap()
            {
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
        let store = Store::new("main".into(), root.path().to_owned(), agent_dir, None);
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

    #[test]
    fn a_directory_that_takes_no_file_is_locked_itself() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.lock");
        let held = lock_directory(&path).unwrap();
        assert!(held.is_some() && lock_directory(&path).unwrap().is_none());
        drop(held);
        assert!(lock_directory(&path).unwrap().is_some());
        assert!(takes_no_file(&rustix::io::Errno::ROFS.into()));
        assert!(takes_no_file(&rustix::io::Errno::ACCESS.into()));
        assert!(!takes_no_file(&rustix::io::Errno::NOSPC.into()));
    }

    const HASH: &str = "cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65";
}
