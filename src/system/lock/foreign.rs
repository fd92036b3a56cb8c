//! The locks of other programs, each taken as that program takes it.
//!
//! Invariant: a lock is waited for, taken over only when it is older than its program lets
//! one become, and released only while it is still the one that was taken.

use super::wait::POLL;
use fs2::FileExt;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How a program marks that it holds a lock.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// An advisory lock (flock(2)) on a file, which stays.
    Flock,
    /// A directory that exists while the lock is held (mkdir(2)); abandoned when it was not
    /// touched for so long.
    Directory(Duration),
    /// A file that exists while the lock is held (`O_EXCL`); abandoned likewise.
    Exclusive(Duration),
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct ForeignLock {
    path: PathBuf,
    protocol: Protocol,
    /// Holds a [`Protocol::Flock`].
    _file: Option<File>,
    /// Which file or directory was made.
    made: (u64, u64),
}

/// Waits up to `timeout` for the lock at `path`; `None` when somebody holds it all the time.
///
/// # Errors
/// The lock cannot be made there.
pub fn wait(path: &Path, protocol: Protocol, timeout: Duration) -> io::Result<Option<ForeignLock>> {
    let started = Instant::now();
    loop {
        if let Some(lock) = attempt(path, protocol)? {
            return Ok(Some(lock));
        }
        if started.elapsed() >= timeout {
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

fn attempt(path: &Path, protocol: Protocol) -> io::Result<Option<ForeignLock>> {
    let open = |options: &mut OpenOptions| options.write(true).mode(0o600).open(path);
    let taken = match protocol {
        Protocol::Flock => {
            let file = open(OpenOptions::new().create(true).truncate(false))?;
            file.try_lock_exclusive().map(|()| Some(file))
        }
        Protocol::Directory(_) => DirBuilder::new().mode(0o700).create(path).map(|()| None),
        Protocol::Exclusive(_) => open(OpenOptions::new().create_new(true)).map(|mut file| {
            // The name is the lock; what stands in it is for people.
            let _ = write!(file, "openclaw-auth {}", std::process::id());
            None
        }),
    };
    match (taken, protocol) {
        (Ok(file), _) => Ok(Some(ForeignLock {
            path: path.to_owned(),
            protocol,
            _file: file,
            made: identity(&path.symlink_metadata()?),
        })),
        (Err(error), Protocol::Flock) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        (Err(error), Protocol::Directory(stale) | Protocol::Exclusive(stale))
            if error.kind() == ErrorKind::AlreadyExists =>
        {
            if is_older(path, stale) {
                remove(path, protocol)?;
            }
            Ok(None)
        }
        (Err(error), _) => Err(error),
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn is_older(path: &Path, age: Duration) -> bool {
    let modified = path.symlink_metadata().ok().map(|metadata| metadata.mtime());
    let now = crate::system::now() / 1_000;
    modified.is_some_and(|modified| {
        u64::try_from(now.saturating_sub(modified)).is_ok_and(|seconds| seconds > age.as_secs())
    })
}

fn remove(path: &Path, protocol: Protocol) -> io::Result<()> {
    let removed = match protocol {
        Protocol::Flock => return Ok(()),
        Protocol::Directory(_) => std::fs::remove_dir(path),
        Protocol::Exclusive(_) => std::fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Drop for ForeignLock {
    fn drop(&mut self) {
        let present = self.path.symlink_metadata();
        if present.is_ok_and(|present| identity(&present) == self.made) {
            // It becomes stale by itself when this fails.
            let _ = remove(&self.path, self.protocol);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    const STALE: Duration = Duration::from_secs(30);

    #[test]
    fn a_lock_excludes_until_it_is_released() {
        let root = tempfile::tempdir().unwrap();
        for protocol in [Protocol::Flock, Protocol::Directory(STALE), Protocol::Exclusive(STALE)] {
            let path = root.path().join("x.lock");
            let held = wait(&path, protocol, Duration::ZERO).unwrap();
            assert!(held.is_some(), "{protocol:?}");
            assert!(wait(&path, protocol, Duration::ZERO).unwrap().is_none(), "{protocol:?}");
            drop(held);
            assert!(wait(&path, protocol, Duration::ZERO).unwrap().is_some(), "{protocol:?}");
            let _ = std::fs::remove_file(&path);
        }
    }

    #[test]
    fn only_what_is_older_than_its_program_allows_is_taken_over() {
        let root = tempfile::tempdir().unwrap();
        for protocol in [Protocol::Directory(STALE), Protocol::Exclusive(STALE)] {
            let path = root.path().join("x.lock");
            let abandoned = wait(&path, protocol, Duration::ZERO).unwrap().unwrap();
            let touch = |age| {
                let then = SystemTime::UNIX_EPOCH
                    + Duration::from_millis(u64::try_from(crate::system::now()).unwrap())
                    - age;
                File::open(&path).unwrap().set_modified(then).unwrap();
            };
            touch(Duration::from_secs(20));
            assert!(wait(&path, protocol, Duration::ZERO).unwrap().is_none());
            touch(Duration::from_secs(40));
            let taken = wait(&path, protocol, Duration::from_mins(1)).unwrap();
            assert!(taken.is_some());
            if taken.as_ref().is_some_and(|taken| taken.made != abandoned.made) {
                drop(abandoned);
                assert!(path.exists(), "a lock is released by whoever holds it");
            }
        }
    }
}
