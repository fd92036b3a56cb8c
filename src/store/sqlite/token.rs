//! What tells, at the price of a few looks at files, that a database may have changed.
//!
//! Invariant: two equal tokens mean that nothing was committed in between. Different ones may
//! mean nothing: a checkpoint moves what is stored, and changes no row.

use crate::system::now;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// A file is at rest when it was last written so long ago, in milliseconds: times of files
/// are no finer than a few of them.
const AT_REST: u64 = 2_000;

/// The head of the index of the write-ahead log: it counts commits.
const HEAD: usize = 48;

/// The state of the files of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    main: Stamp,
    log: Option<Stamp>,
    /// The head of the index of the log, while somebody has the database open.
    index: Option<[u8; HEAD]>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    inode: (u64, u64),
    size: u64,
    written: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            inode: (found.dev(), found.ino()),
            size: found.size(),
            written: (found.mtime(), found.mtime_nsec()),
        }
    }

    fn is_young(&self) -> bool {
        let (seconds, nanoseconds) = self.written;
        now().abs_diff(seconds * 1_000 + nanoseconds / 1_000_000) < AT_REST
    }
}

impl Token {
    /// The state of the database at `path`; `None` where there is none.
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        let main = match path.metadata() {
            Ok(found) => Stamp::of(&found),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let beside = |suffix| crate::system::file::with_suffix(path, suffix);
        let log = beside("-wal").metadata().ok().filter(|log| log.is_file() && log.size() > 0);
        let log = log.map(|found| Stamp::of(&found));
        let index = File::open(beside("-shm")).ok().and_then(|index| {
            let mut head = [0; HEAD];
            index.read_exact_at(&mut head, 0).ok().map(|()| head)
        });
        Ok(Some(Self { main, log, index }))
    }

    /// Whether it is that of the database at `path` still.
    pub(super) fn is_present(&self, path: &Path) -> bool {
        matches!(Self::of(path), Ok(Some(present)) if present == *self)
    }

    /// Whether all that is stored stands in the main file, and was not written just now.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_checkpointed() && !self.main.is_young()
    }

    /// Whether all that is stored stands in the main file.
    pub(super) const fn is_checkpointed(&self) -> bool {
        self.log.is_none()
    }
}
