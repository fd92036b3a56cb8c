//! What tells, at the price of a few looks at files, that a database may have changed.
//!
//! Invariants: two equal tokens, of which the first was settled, mean that nothing was committed
//! in between. Different ones may mean nothing: a checkpoint moves what is stored, and changes no
//! row. No file of a database is opened for it: whoever closes one lets go of all locks that
//! SQLite holds on it for this process (fcntl(2)).

use crate::system::file_system::shared_file_system;
use crate::system::now;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file is at rest when it was last written so long ago, in milliseconds, whatever its file
/// system: the coarsest times of files are two seconds apart.
const AT_REST: u64 = 2_000;

/// So long after a file was last written, a further write of it gives it another time.
const SETTLED: u64 = 50;

/// The state of the files of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    main: Stamp,
    log: Option<Stamp>,
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

    /// Whether its file system has times that are finer than [`SETTLED`].
    const fn is_finely_timed(&self) -> bool {
        self.written.1 % 10_000_000 != 0
    }

    /// Whether it was written less than so many milliseconds ago.
    fn is_younger_than(&self, age: u64) -> bool {
        let (seconds, nanoseconds) = self.written;
        now().abs_diff(seconds * 1_000 + nanoseconds / 1_000_000) < age
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
        let log = crate::system::file::with_suffix(path, "-wal").metadata().ok();
        let log = log.filter(|log| log.is_file() && log.size() > 0);
        Ok(Some(Self { main, log: log.map(|found| Stamp::of(&found)) }))
    }

    /// Whether it is that of the database at `path` still.
    pub(super) fn is_present(&self, path: &Path) -> bool {
        matches!(Self::of(path), Ok(Some(present)) if present == *self)
    }

    /// Whether whatever is committed from now on makes another token.
    pub(super) fn is_settled(&self) -> bool {
        let mut files = std::iter::once(&self.main).chain(&self.log);
        !files.any(|file| file.is_younger_than(SETTLED))
    }

    /// Whether all that is stored stands in the main file at `path`, and was not written so
    /// recently that a further write would go unnoticed.
    pub(super) fn is_at_rest(&self, path: &Path) -> bool {
        self.is_checkpointed()
            && (!self.main.is_younger_than(AT_REST)
                || (!self.main.is_younger_than(SETTLED)
                    && self.main.is_finely_timed()
                    && shared_file_system(path).is_none()))
    }

    /// Whether all that is stored stands in the main file.
    pub(super) const fn is_checkpointed(&self) -> bool {
        self.log.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// How many locks there are on a file.
    fn locks_on(path: &Path) -> usize {
        let inode = format!(":{} ", path.metadata().unwrap().ino());
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().filter(|line| line.contains(&inode)).count()
    }

    #[test]
    fn a_look_lets_go_of_no_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE a (b)").unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let index = directory.path().join("a.sqlite-shm");
        let before = (locks_on(&path), locks_on(&index));
        assert!(before.1 > 0, "{before:?}");
        let token = Token::of(&path).unwrap().unwrap();
        assert_eq!((locks_on(&path), locks_on(&index)), before);
        assert!(!token.is_settled() && token.is_present(&path));
    }
}
