//! The right to start a worker: one worker runs for one purpose.
//!
//! Invariant: a slot is held as long as one copy of its open file is, in whichever process,
//! and its file goes with it.

use fs2::FileExt;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a worker leaves for those who wait has at most so many bytes.
const LARGEST_OUTCOME: u64 = 64 * 1024;

/// The right to start the one worker for something, as long as the file stays open.
#[derive(Debug)]
pub struct Slot {
    file: File,
    path: PathBuf,
}

impl Slot {
    /// The slot whose open file a worker has inherited.
    pub(super) const fn inherited(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// Its open file once more.
    pub(super) fn share(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the slot back without a word.
    pub fn release(self) {
        self.end("");
    }

    /// Leaves `outcome` for those who wait for the slot, and gives it back: its file goes,
    /// and who has it open reads the outcome there.
    pub fn end(mut self, outcome: &str) {
        let _ = self.file.write_all(outcome.as_bytes());
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// One who wants a slot.
#[derive(Debug)]
pub struct Waiter {
    path: PathBuf,
    /// The file of the slot that somebody else had when it was last tried.
    seen: Option<File>,
}

/// What came of one try for a slot.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(Slot),
    /// A worker has it, or who starts one.
    Busy,
    /// The worker that was waited for has ended, and left this outcome.
    Ended(String),
}

impl Waiter {
    /// One who wants the slot at `path`.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// Tries once to take the slot.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub fn try_take(&mut self) -> io::Result<Attempt> {
        loop {
            let file = match self.seen.take() {
                Some(mut file) if !is_at(&file, &self.path) => {
                    let mut outcome = String::new();
                    file.rewind()?;
                    file.take(LARGEST_OUTCOME).read_to_string(&mut outcome)?;
                    if !outcome.is_empty() {
                        return Ok(Attempt::Ended(outcome));
                    }
                    continue;
                }
                Some(file) => file,
                None => open(&self.path)?,
            };
            match file.try_lock_exclusive() {
                // The one who had it may have removed the file meanwhile.
                Ok(()) if !is_at(&file, &self.path) => self.seen = Some(file),
                Ok(()) => {
                    // A worker that was killed may have left something.
                    file.set_len(0)?;
                    return Ok(Attempt::Taken(Slot { file, path: self.path.clone() }));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.seen = Some(file);
                    return Ok(Attempt::Busy);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Opens the file of a slot, which is made (0600) where there is none.
fn open(path: &Path) -> io::Result<File> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(found)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (held.dev(), held.ino()) == (found.dev(), found.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(waiter: &mut Waiter) -> Slot {
        match waiter.try_take().unwrap() {
            Attempt::Taken(slot) => slot,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_slot_is_taken_once_and_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other] = [(); 2].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        slot.release();
        assert!(!path.exists());
        taken(&mut other).release();
        assert!(!path.exists());
    }

    #[test]
    fn who_waited_reads_what_the_holder_left_and_who_comes_later_does_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other, mut late] = [(); 3].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        slot.end("refused");
        assert!(matches!(late.try_take().unwrap(), Attempt::Taken(_)));
        assert!(matches!(other.try_take().unwrap(), Attempt::Ended(text) if text == "refused"));
    }

    #[test]
    fn a_slot_lives_as_long_as_a_copy_of_its_descriptor() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other] = [(); 2].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        let inherited = slot.file.try_clone().unwrap();
        drop(slot);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        drop(inherited);
        assert!(matches!(other.try_take().unwrap(), Attempt::Taken(_)));
    }

    #[test]
    fn what_is_no_file_is_no_slot() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        std::os::unix::fs::symlink(root.path().join("elsewhere"), &path).unwrap();
        assert!(Waiter::new(path).try_take().is_err());
        assert!(Waiter::new(root.path().to_owned()).try_take().is_err());
    }
}
