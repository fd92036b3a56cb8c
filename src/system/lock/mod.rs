//! The sidecar lock: one file beside what it guards, honoured by OpenClaw and by us.
//!
//! OpenClaw's protocol is a file `<target>.lock` that exists while it is held, with the
//! payload `{"pid", "createdAt"}`. Ours is an advisory lock (flock) on that same file.
//! Together: the file appears with its payload written and its flock taken (rename
//! without replacement), so nobody ever sees it half made; a dead holder of ours is known
//! by its lost flock, in any pid namespace; release removes only our own file.
//!
//! Who holds one lock and needs another gives the same file a second name (link(2)): they
//! are held, kept young and lost together, and the second costs neither file nor thread.

pub mod foreign;
mod heartbeat;
mod payload;
mod wait;

use self::heartbeat::{BEAT, Heartbeat};
pub use self::payload::{Holder, StaleRule, iso, look};
use self::payload::{Payload, is_dead, open, ownership_token, payload_at};
pub use self::wait::{POLL, TIMEOUT, pause, try_for, wait, wait_beside};
use crate::profile::Millis;
use crate::system::temporary;
use fs2::FileExt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A lock that is held, and kept young, until it is dropped.
#[derive(Debug)]
pub struct SidecarLock {
    path: PathBuf,
    held: Arc<Held>,
}

/// The file of a lock, which may be that of several.
#[derive(Debug)]
struct Held {
    file: File,
    /// The device and inode of the file.
    identity: (u64, u64),
    /// Without one, the lock is as good as OpenClaw's own: for thirty seconds.
    _heartbeat: Option<Heartbeat>,
}

/// What came of one attempt to take a lock.
#[derive(Debug)]
pub enum Attempt {
    /// The lock is ours.
    Acquired(SidecarLock),
    /// Somebody else holds it.
    Held(Holder),
}

/// Tries once, without waiting, to take the lock file at `path`; one left behind by `rule` goes.
///
/// # Errors
/// The directory cannot be written to, or its file system knows no locks (of the kind
/// [`ErrorKind::Unsupported`]).
pub fn try_acquire(path: &Path, rule: StaleRule, now: Millis) -> io::Result<Attempt> {
    try_acquire_beside(path, None, rule, now)
}

/// As [`try_acquire`], for one who holds the lock `held`, and no other at `path`.
///
/// # Errors
/// See [`try_acquire`].
pub fn try_acquire_beside(
    path: &Path,
    held: Option<&SidecarLock>,
    rule: StaleRule,
    now: Millis,
) -> io::Result<Attempt> {
    if rule.is_reclaimed(path) {
        return Ok(Attempt::Held(Holder::default()));
    }
    // Each round either ends or follows a removal by somebody else.
    for _ in 0..16 {
        let made = match held {
            Some(held) => held.under_another_name(path, now),
            // Making a file is work: it is not begun in vain.
            None if path.symlink_metadata().is_ok() => Err(ErrorKind::AlreadyExists.into()),
            None => create(path, now, BEAT),
        };
        match made {
            Ok(lock) => return Ok(Attempt::Acquired(lock)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        match inspect(path, rule, now)? {
            Verdict::Gone => {}
            Verdict::Held(holder) => return Ok(Attempt::Held(holder)),
        }
    }
    Ok(Attempt::Held(Holder::default()))
}

fn create(path: &Path, now: Millis, beat: Duration) -> io::Result<SidecarLock> {
    let mut temporary = temporary::create(path)?;
    temporary.write_all(&payload_at(now)?)?;
    temporary.write_all(ownership_token().as_bytes())?;
    temporary.as_file().try_lock_exclusive().map_err(without_lock_support)?;
    let file = temporary.persist_noclobber(path).map_err(|error| error.error)?;
    let metadata = file.metadata()?;
    let identity = (metadata.dev(), metadata.ino());
    let heartbeat = Heartbeat::start(&file, beat).ok();
    let held = Arc::new(Held { file, identity, _heartbeat: heartbeat });
    Ok(SidecarLock { path: path.to_owned(), held })
}

enum Verdict {
    /// The lock file is not there any more: try to create it.
    Gone,
    Held(Holder),
}

/// The flock of one who looks at a lock file. It is let go by name: a child that another thread
/// has just forked holds the file open, and by that the flock, until it executes its program.
struct Look<'f>(&'f File);

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let _ = FileExt::unlock(self.0);
    }
}

/// Looks at an existing lock file and removes it when its holder is dead.
fn inspect(path: &Path, rule: StaleRule, now: Millis) -> io::Result<Verdict> {
    let mut file = match open(path, OpenOptions::new().read(true).write(true)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Verdict::Gone),
        Err(error) => return Err(error),
    };
    let payload = Payload::read(&mut file);
    let holder = Holder::of(payload.as_ref());
    match file.try_lock_exclusive() {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Verdict::Held(holder)),
        Err(error) => return Err(without_lock_support(error)),
    }
    // From here on, nobody of ours judges or removes this very file.
    let _look = Look(&file);
    let metadata = file.metadata()?;
    if !is_at(path, (metadata.dev(), metadata.ino())) {
        return Ok(Verdict::Gone);
    }
    if !is_dead(payload.as_ref(), &metadata, rule, now) {
        return Ok(Verdict::Held(holder));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(Verdict::Gone),
    }
}

/// Whether the file of that device and inode, which is open, is at `path`.
fn is_at(path: &Path, identity: (u64, u64)) -> bool {
    path.symlink_metadata().is_ok_and(|found| (found.dev(), found.ino()) == identity)
}

fn without_lock_support(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock {
        return error;
    }
    let message = format!("this file system does not support file locks: {error}");
    io::Error::new(ErrorKind::Unsupported, message)
}

impl SidecarLock {
    /// Where the lock file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the lock file is still ours: nobody has removed or replaced it.
    pub fn is_held(&self) -> bool {
        is_at(&self.path, self.held.identity)
    }

    /// The lock at `path`, in the file of this one; in one of its own where the file system
    /// has no links or is another one.
    ///
    /// # Errors
    /// As [`create`]; [`ErrorKind::AlreadyExists`] when there is a lock file.
    fn under_another_name(&self, path: &Path, now: Millis) -> io::Result<Self> {
        // OpenClaw goes by the age of a lock: this one begins now.
        self.held.file.write_all_at(&payload_at(now)?, 0)?;
        match self.link(path) {
            Ok(()) => Ok(self.named(path)),
            // A release that failed has left the name, and whoever finds it sees the lock held.
            Err(_) if is_at(path, self.held.identity) => Ok(self.named(path)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) => create(path, now, BEAT),
        }
    }

    fn named(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), held: Arc::clone(&self.held) }
    }

    /// Gives the file of the lock the name `path` as well, until somebody removes it: a note
    /// that outlives the lock.
    ///
    /// # Errors
    /// There is something at `path`, the file system has no links or is another one, or the
    /// lock was lost ([`ErrorKind::NotFound`]).
    pub fn link(&self, path: &Path) -> io::Result<()> {
        if !self.is_held() {
            return Err(ErrorKind::NotFound.into());
        }
        std::fs::hard_link(&self.path, path)?;
        if is_at(path, self.held.identity) {
            return Ok(());
        }
        // Somebody has replaced our lock file just now, and that one was linked.
        std::fs::remove_file(path)?;
        Err(ErrorKind::NotFound.into())
    }

    /// Brings the payload of the lock, with all names that [`Self::link`] gave it, to the disk.
    ///
    /// # Errors
    /// The disk.
    pub fn sync(&self) -> io::Result<()> {
        // A file that is synced has the names on the disk that it was given before: on ext4,
        // XFS, Btrfs and F2FS.
        self.held.file.sync_all()
    }
}

impl Drop for SidecarLock {
    fn drop(&mut self) {
        if self.is_held() {
            // Without its file lock, whoever finds it knows that it is abandoned.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StaleRule::ByAge;
    use super::payload::{OWNER, age_of};
    use super::*;
    use crate::system::{file, now};

    fn acquired(path: &Path) -> Option<SidecarLock> {
        match try_acquire(path, ByAge, now()).unwrap() {
            Attempt::Acquired(lock) => Some(lock),
            Attempt::Held(_) => None,
        }
    }

    /// Writes a lock file as another program does, without a flock of ours.
    #[expect(clippy::disallowed_methods, reason = "another program writes it so")]
    fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
        std::fs::write(path, contents)
    }

    #[test]
    fn a_held_lock_is_refused_and_names_its_holder_until_it_is_released() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let lock = acquired(&path).unwrap();
        match try_acquire(&path, ByAge, now()).unwrap() {
            Attempt::Held(holder) => assert_eq!(holder.pid, Some(std::process::id())),
            Attempt::Acquired(_) => panic!("the lock was given twice"),
        }
        drop(lock);
        assert!(!path.exists(), "release leaves nothing behind");
        assert!(acquired(&path).is_some());
    }

    #[test]
    fn a_lock_of_a_dead_process_is_taken_at_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        write(&path, br#"{"pid":4194304,"createdAt":"2026-01-01T00:00:00.000Z"}"#).unwrap();
        assert!(acquired(&path).is_some());
        let ours = format!(r#"{{"pid":1,"createdAt":"{}","owner":"openclaw-auth"}}"#, iso(now()));
        write(&path, ours.as_bytes()).unwrap();
        assert!(acquired(&path).is_some(), "without its flock, a lock of ours is abandoned");
    }

    #[test]
    fn a_lock_of_a_live_foreign_process_is_respected() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let theirs = format!(r#"{{"pid":{},"createdAt":"{}"}}"#, std::process::id(), iso(now()));
        write(&path, theirs.as_bytes()).unwrap();
        assert!(acquired(&path).is_none());
        assert!(path.exists());
    }

    #[test]
    fn a_reused_process_id_does_not_hold_a_lock() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let before_we_started = r#""createdAt":"2001-01-01T00:00:00.000Z""#;
        let theirs = format!(r#"{{"pid":{},{before_we_started}}}"#, std::process::id());
        write(&path, theirs.as_bytes()).unwrap();
        assert!(acquired(&path).is_some());
    }

    #[test]
    fn an_empty_lock_file_is_respected_while_it_is_young() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        write(&path, b"").unwrap();
        assert!(acquired(&path).is_none());
        assert!(matches!(try_acquire(&path, ByAge, now() + 31_000).unwrap(), Attempt::Acquired(_)));
    }

    #[test]
    fn a_lock_is_kept_young_as_long_as_it_is_held() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let beat = Duration::from_millis(1);
        let lock = create(&path, 0, beat).unwrap();
        while file::read(&path).unwrap().unwrap().0.contains("1970-01-01T00:00:00.000Z") {
            std::thread::yield_now();
        }
        let payload: Payload =
            serde_json::from_str(&file::read(&path).unwrap().unwrap().0).unwrap();
        assert_eq!(payload.pid, Some(std::process::id()));
        assert!(age_of(&payload.created_at.unwrap(), now()).unwrap() < Duration::from_mins(1));
        assert!(lock.is_held());
        drop(lock);
        assert!(!path.exists());
    }

    #[test]
    fn two_locks_in_one_file_are_held_apart_from_others_and_released_one_by_one() {
        let root = tempfile::tempdir().unwrap();
        let [first, second] = ["a.lock", "b.lock"].map(|name| root.path().join(name));
        let lock = acquired(&first).unwrap();
        let beside = match try_acquire_beside(&second, Some(&lock), ByAge, now()).unwrap() {
            Attempt::Acquired(lock) => lock,
            Attempt::Held(_) => panic!("held"),
        };
        assert_eq!(first.metadata().unwrap().ino(), second.metadata().unwrap().ino());
        assert!(acquired(&first).is_none() && acquired(&second).is_none());
        drop(lock);
        assert!(!first.exists() && beside.is_held() && acquired(&second).is_none());
        drop(beside);
        assert!(!second.exists());
    }

    #[test]
    fn a_second_lock_in_a_file_is_as_young_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        let [first, second] = ["a.lock", "b.lock"].map(|name| root.path().join(name));
        let lock = create(&first, 0, BEAT).unwrap();
        let _beside = try_acquire_beside(&second, Some(&lock), ByAge, 60_000).unwrap();
        let text = file::read(&second).unwrap().unwrap().0;
        assert!(text.contains(&iso(60_000)), "{text}");
    }

    #[test]
    fn a_name_that_could_not_be_removed_is_taken_again_by_its_holder_alone() {
        let root = tempfile::tempdir().unwrap();
        let [first, second] = ["a.lock", "b.lock"].map(|name| root.path().join(name));
        let lock = acquired(&first).unwrap();
        std::fs::hard_link(&first, &second).unwrap();
        assert!(acquired(&second).is_none());
        let again = try_acquire_beside(&second, Some(&lock), ByAge, now()).unwrap();
        assert!(matches!(again, Attempt::Acquired(_)));
        drop(again);
        assert!(!second.exists() && lock.is_held());
    }

    #[test]
    fn a_lock_that_was_taken_away_gives_its_file_to_no_other() {
        let root = tempfile::tempdir().unwrap();
        let [first, second] = ["a.lock", "b.lock"].map(|name| root.path().join(name));
        let lock = acquired(&first).unwrap();
        file::replace(&first, b"thief").unwrap();
        let Attempt::Acquired(beside) =
            try_acquire_beside(&second, Some(&lock), ByAge, now()).unwrap()
        else {
            panic!("held")
        };
        assert!(beside.is_held() && acquired(&second).is_none());
        assert!(file::read(&second).unwrap().unwrap().0.contains(OWNER));
        assert_eq!(file::read(&first).unwrap().unwrap().0, "thief");
    }

    #[test]
    fn what_is_no_lock_file_is_an_error_and_nobody_waits_for_it() {
        let root = tempfile::tempdir().unwrap();
        let [pipe, socket, link, loops] =
            ["pipe", "socket", "link", "loops"].map(|name| root.path().join(name));
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        // Whoever follows it locks a file of somebody else.
        let target = root.path().join("target");
        file::replace(&target, b"").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        std::os::unix::fs::symlink(&loops, &loops).unwrap();
        for path in [&pipe, &socket, &link, &loops] {
            let error = try_acquire(path, ByAge, now()).unwrap_err();
            assert!(error.to_string().contains("no lock file"), "{} {error}", path.display());
            assert!(look(path, ByAge, now()).is_none(), "{}", path.display());
            assert!(path.symlink_metadata().is_ok(), "it stays");
        }
        assert!(look(root.path(), ByAge, now()).is_none());
        assert!(try_acquire(root.path(), ByAge, now()).is_err());
    }

    #[test]
    fn a_lock_from_a_time_to_come_is_not_respected_for_ever() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let me = std::process::id();
        for (payload, seconds) in [
            (String::new(), 40),
            ("{".to_owned(), 40),
            (format!(r#"{{"pid":{me},"createdAt":"{}"}}"#, iso(now() + 9_000_000)), -700),
            (format!(r#"{{"pid":{me},"createdAt":"2099-01-01T00:00:00Z"}}"#), 700),
            (format!(r#"{{"pid":{me},"createdAt":"soon"}}"#), 700),
            (format!(r#"{{"pid":{me},"createdAt":"soon"}}"#), -700),
            (format!(r#"{{"pid":{me},"createdAt":""}}"#), 86_400),
        ] {
            let modified = std::time::UNIX_EPOCH
                + Duration::from_millis(u64::try_from(now() + seconds * 1_000).unwrap());
            let mut file = File::create(&path).unwrap();
            file.write_all(payload.as_bytes()).unwrap();
            file.set_modified(modified).unwrap();
            assert!(acquired(&path).is_some(), "{payload} {seconds}");
        }
        for payload in [String::new(), format!(r#"{{"pid":{me},"createdAt":"soon"}}"#)] {
            write(&path, payload.as_bytes()).unwrap();
            assert!(acquired(&path).is_none(), "{payload}: it is young");
        }
    }

    #[test]
    fn release_leaves_the_lock_of_a_thief_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.lock");
        let lock = acquired(&path).unwrap();
        file::replace(&path, b"thief").unwrap();
        drop(lock);
        assert_eq!(file::read(&path).unwrap().unwrap().0, "thief");
    }
}
