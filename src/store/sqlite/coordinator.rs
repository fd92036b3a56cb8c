//! OpenClaw's coordinators: empty databases below `/tmp` whose locks say who works on the
//! shared database. They are held in its shared form, and only around a write.
//!
//! | coordinator | who holds it exclusively |
//! |---|---|
//! | `state-handles` | who replaces the file: a restore, a repair |
//! | `state-lifecycle` | who opens it afresh, or writes it, for a moment |

use super::connection::write_failed;
use crate::store::StoreError;
use crate::system::file;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Takes those of `database`, until they are dropped; who replaces it is not waited for.
pub(super) fn take(database: &Path, wait: Duration) -> Result<[Connection; 2], StoreError> {
    let directory = directory();
    prepare(&directory).map_err(|source| StoreError::Lock {
        location: directory.clone().into(),
        source: Arc::new(source),
    })?;
    let handles = directory.join(name("state-handles", database));
    let handles =
        share(&handles, Duration::ZERO).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Maintenance { location: database.into() }
            }
            _ => write_failed(&handles, &error, Duration::ZERO),
        })?;
    let lifecycle = directory.join(name("state-lifecycle", database));
    let lifecycle =
        share(&lifecycle, wait).map_err(|error| write_failed(&lifecycle, &error, wait))?;
    Ok([handles, lifecycle])
}

/// Where the coordinators of this user are, whatever `TMPDIR` says.
fn directory() -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/tmp/openclaw-state-locks-{user}"))
}

/// A directory that others could have made is none.
fn prepare(directory: &Path) -> io::Result<()> {
    file::create_private_directory(directory)?;
    let found = directory.symlink_metadata()?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_dir() && is_ours && found.permissions().mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    let reason = "it is not a directory of this user alone";
    Err(io::Error::new(ErrorKind::PermissionDenied, reason))
}

/// The name of a coordinator: of its family, and of the hash of where the database is.
fn name(family: &str, database: &Path) -> String {
    let real = file::resolve(database);
    let hash = Sha256::digest(real.as_os_str().as_bytes());
    let mut name = format!("{family}.");
    for byte in &hash[..4] {
        // A string takes everything.
        let _ = write!(name, "{byte:02x}");
    }
    name + ".lock.sqlite"
}

fn share(path: &Path, wait: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(wait)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinator_is_named_as_openclaw_names_it() {
        // printf /nowhere/state/openclaw.sqlite | sha256sum
        let named = name("state-handles", Path::new("/nowhere/state/openclaw.sqlite"));
        assert_eq!(named, "state-handles.1041b2f8.lock.sqlite");
    }
}
