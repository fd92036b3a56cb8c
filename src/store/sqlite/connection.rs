//! Opening OpenClaw's databases, and what SQLite says as errors of the store.
//!
//! Invariants: a database is never made, and never opened by another user than its owner, who
//! would be kept out by what that leaves beside it. A look at one that nobody is writing
//! leaves nothing behind.

use super::token::Token;
use crate::store::{Location, ReadOnly, StoreError};
use crate::system::file_system::shared_file_system;
use crate::system::lock::Holder;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A reader waits so long for who brings a database in order.
const READING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(3);

/// Asks the database at `path`, in one transaction; `None` where there is none.
pub(super) fn read<T>(
    path: &Path,
    ask: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let Some(token) = Token::of(path).map_err(|error| unreadable(path, error))? else {
        return Ok(None);
    };
    check_owner(path)?;
    // Most of the time nobody has it open: then it is read as it stands, without a trace.
    if token.is_at_rest(path)
        && let Ok(value) = open_as_it_stands(path).and_then(|it| ask(&it))
        && token.is_present(path)
    {
        return Ok(Some(value));
    }
    check_file_system(path, shared_file_system(path))?;
    let shared = || open_beside_others(path).and_then(|it| ask(&it));
    match patiently(READING, shared) {
        Ok(value) => Ok(Some(value)),
        // A directory that takes no file: nobody writes there.
        Err(error) if cannot_open(&error) && token.is_checkpointed() => {
            let value = open_as_it_stands(path).and_then(|it| ask(&it));
            value.map(Some).map_err(|error| read_failed(path, &error))
        }
        Err(error) => Err(read_failed(path, &error)),
    }
}

fn open_beside_others(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(READING)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// Opens a database that nobody writes while it is read.
fn open_as_it_stands(path: &Path) -> rusqlite::Result<Connection> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                uri.push(char::from(*byte));
            }
            _ => {
                // A string takes everything.
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags)
}

/// Opens a database to write it, and begins a transaction in which nobody else writes.
pub(super) fn begin(path: &Path, wait: Duration) -> Result<Connection, StoreError> {
    check_owner(path)?;
    check_file_system(path, shared_file_system(path))?;
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(wait)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(connection)
    };
    patiently(wait, open).map_err(|error| write_failed(path, &error, wait))
}

/// Tries again, for so long, where those who open and close a database at the same time were
/// in each other's way: SQLite itself waits only for who holds a lock.
fn patiently<T>(wait: Duration, attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let started = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_crowded(&error) && started.elapsed() < wait => {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

fn is_crowded(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::FileLockingProtocolFailed)) || is_busy(error)
}

fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Fails where another user owns the database.
pub(super) fn check_owner(path: &Path) -> Result<(), StoreError> {
    let owner = path.metadata().map_err(|error| unreadable(path, error))?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(StoreError::OfAnotherUser { location: path.into(), owner })
}

/// Fails where the database has a write-ahead log and other hosts share the file system: the
/// index of the log is memory that they do not share. OpenClaw keeps none there. The files of a
/// virtual machine are those of one host.
fn check_file_system(path: &Path, shared: Option<String>) -> Result<(), StoreError> {
    let Some(name) = shared.filter(|name| name != "9p" && name != "virtiofs") else {
        return Ok(());
    };
    if has_log(path).map_err(|error| unreadable(path, error))? {
        let reason = ReadOnly::NetworkFileSystem(name);
        return Err(StoreError::ReadOnly { location: path.into(), reason });
    }
    Ok(())
}

/// Whether the head of the database says that it has a write-ahead log.
fn has_log(path: &Path) -> io::Result<bool> {
    let mut head = [0; 20];
    match File::open(path)?.read_exact_at(&mut head, 0) {
        Ok(()) => Ok(head[18..] == [2, 2]),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn cannot_open(error: &Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}

fn unreadable(path: &Path, source: io::Error) -> StoreError {
    StoreError::Read { location: path.into(), source: Arc::new(source) }
}

/// The database cannot be read.
pub(super) fn read_failed(path: &Path, error: &Error) -> StoreError {
    let location = Location::from(path);
    match error.sqlite_error_code() {
        _ if is_crowded(error) => {
            StoreError::LockTimeout { location, waited: READING, holder: Holder::default() }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path),
        _ if is_odd(error) => odd(path),
        code => StoreError::Read { location, source: Arc::new(cause(code)) },
    }
}

/// The database cannot be written.
pub(super) fn write_failed(path: &Path, error: &Error, waited: Duration) -> StoreError {
    let location = Location::from(path);
    match error.sqlite_error_code() {
        _ if is_crowded(error) => {
            StoreError::LockTimeout { location, waited, holder: Holder::default() }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path),
        _ if is_odd(error) => odd(path),
        code => StoreError::Write { location, source: Arc::new(cause(code)) },
    }
}

/// Whether a table or a value is not what OpenClaw makes.
fn is_odd(error: &Error) -> bool {
    match error {
        Error::InvalidColumnType(..) | Error::FromSqlConversionFailure(..) => true,
        _ => matches!(error.sqlite_error_code(), Some(ErrorCode::Unknown)),
    }
}

fn odd(path: &Path) -> StoreError {
    invalid(path, "its tables are not those of OpenClaw")
}

fn damaged(path: &Path) -> StoreError {
    invalid(path, "it is not an SQLite database, or a damaged one")
}

/// The database is not what it should be.
pub(super) fn invalid(path: &Path, reason: &str) -> StoreError {
    StoreError::Invalid { location: path.into(), reason: reason.to_owned() }
}

/// Without the words of SQLite: they can quote what is stored.
fn cause(code: Option<ErrorCode>) -> io::Error {
    use io::ErrorKind;
    match code {
        Some(ErrorCode::DiskFull) => ErrorKind::StorageFull.into(),
        Some(ErrorCode::ReadOnly) => ErrorKind::ReadOnlyFilesystem.into(),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            let reason = "the file or its directory does not let it be opened";
            io::Error::new(ErrorKind::PermissionDenied, reason)
        }
        Some(ErrorCode::SystemIoFailure) => io::Error::other("the disk failed"),
        code => io::Error::other(format!("SQLite failed ({code:?})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_not_used_where_hosts_share_files() {
        let root = tempfile::tempdir().unwrap();
        let [with, without] = ["with.sqlite", "without.sqlite"].map(|it| root.path().join(it));
        for (path, mode) in [(&with, "WAL"), (&without, "DELETE")] {
            let made = Connection::open(path).unwrap();
            let statements = format!("PRAGMA journal_mode = {mode}; CREATE TABLE t (a TEXT)");
            made.execute_batch(&statements).unwrap();
        }
        let check = |path: &Path, shared: Option<&str>| {
            check_file_system(path, shared.map(ToOwned::to_owned))
        };
        for shared in ["NFS", "FUSE (sshfs)"] {
            let refused = check(&with, Some(shared)).unwrap_err().to_string();
            assert!(refused.contains(&format!("network file system ({shared})")), "{refused}");
            assert!(check(&without, Some(shared)).is_ok());
        }
        assert!(check(&with, None).is_ok() && check(&with, Some("9p")).is_ok());
    }
}
