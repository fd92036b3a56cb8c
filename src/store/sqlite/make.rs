//! The one database that this program makes: the shared one, with the single table that
//! OpenClaw builds all others around.
//!
//! Invariant: it appears under its name whole, and where none was. The database of an agent is
//! never made.

use super::connection::write_failed;
use crate::store::StoreError;
use crate::system::file;
use crate::system::file_system::shared_file_system;
use rusqlite::Connection;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// As OpenClaw 2026.9 lays it out. The schema stays 0 until it has built the rest.
const LAYOUT: &str = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL";
const MINIMAL: &str = "
    CREATE TABLE config_machine_state (
      state_key TEXT NOT NULL PRIMARY KEY,
      value_json TEXT NOT NULL,
      updated_at_ms INTEGER NOT NULL
    ) STRICT;";

/// Makes the shared database at `path`, unless there is one.
pub(super) fn shared(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Write { location: path.into(), source: Arc::new(source) };
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let directory = path.parent().ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    check_owner(path)?;
    file::create_private_directory(directory).map_err(failed)?;
    let made = tempfile::Builder::new().prefix(".openclaw-").suffix(".tmp").tempfile_in(directory);
    let made = made.map_err(failed)?;
    let build = || {
        let connection = Connection::open(made.path())?;
        connection.execute_batch(LAYOUT)?;
        // Where hosts share files, a log of that kind is none.
        if shared_file_system(directory).is_none() {
            connection.execute_batch("PRAGMA journal_mode = WAL")?;
        }
        connection.execute_batch(MINIMAL)?;
        connection.close().map_err(|(_, error)| error)
    };
    build().map_err(|error| write_failed(path, &error, Duration::ZERO))?;
    made.as_file().sync_all().map_err(failed)?;
    match made.persist_noclobber(path) {
        // Somebody was faster.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(error.error)),
        Ok(_) => {}
    }
    file::sync_directory(directory).map_err(failed)
}

/// Another user's database would keep the owner of the directory out.
pub(super) fn check_owner(path: &Path) -> Result<(), StoreError> {
    let present = path.ancestors().skip(1).find_map(|it| it.metadata().ok());
    let owner = present.map(|it| it.uid());
    let user = rustix::process::geteuid().as_raw();
    match owner {
        // Everybody's directory, as that for temporary files, is nobody's.
        Some(owner) if owner != user && owner != 0 => {
            Err(StoreError::OfAnotherUser { location: path.into(), owner })
        }
        _ => Ok(()),
    }
}
