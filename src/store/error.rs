//! Why a store cannot be read or changed.

use crate::system::lock::Holder;
use std::path::PathBuf;
use std::time::Duration;

/// Why a store cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The document cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The document.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The document is not what it should be.
    #[error("{} is not a valid document: {reason}", path.display())]
    Invalid {
        /// The document.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The document cannot be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The document.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The lock cannot be used at all.
    #[error("could not lock {}", path.display())]
    Lock {
        /// What should have been locked.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Somebody else held the lock all the time.
    #[error(
        "could not lock {} within {} s: it is held by {holder}",
        path.display(), waited.as_secs()
    )]
    LockTimeout {
        /// What should have been locked.
        path: PathBuf,
        /// How long we waited.
        waited: Duration,
        /// Who holds the lock and since when.
        holder: Holder,
    },
    /// The credentials of this state directory have moved to OpenClaw's SQLite store.
    #[error(
        "{} belongs to OpenClaw 2026.6 or later, which keeps credentials there and no longer \
         reads {}",
        database.display(), path.display()
    )]
    NewerGeneration {
        /// The database.
        database: PathBuf,
        /// The document that must not be written any more.
        path: PathBuf,
    },
}
