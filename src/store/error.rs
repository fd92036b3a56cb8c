//! Why a store cannot be read or changed.

use super::Location;
use crate::system::lock::Holder;
use std::sync::Arc;
use std::time::Duration;

/// Why a store cannot be read or changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The document cannot be read.
    #[error("could not read {location}")]
    Read {
        /// The document.
        location: Location,
        /// The reason.
        source: Arc<std::io::Error>,
    },
    /// The document is not what it should be.
    #[error("{location} is not a valid document: {reason}")]
    Invalid {
        /// The document.
        location: Location,
        /// What is wrong with it.
        reason: String,
    },
    /// The document cannot be written.
    #[error("could not write {location}")]
    Write {
        /// The document.
        location: Location,
        /// The reason.
        source: Arc<std::io::Error>,
    },
    /// The lock cannot be used at all.
    #[error("could not lock {location}")]
    Lock {
        /// What should have been locked.
        location: Location,
        /// The reason.
        source: Arc<std::io::Error>,
    },
    /// Somebody else held the lock all the time.
    #[error("could not lock {location} within {} s: it is held by {holder}", waited.as_secs())]
    LockTimeout {
        /// What should have been locked.
        location: Location,
        /// How long we waited.
        waited: Duration,
        /// Who holds the lock and since when.
        holder: Holder,
    },
    /// The credentials of this state directory have moved to OpenClaw's SQLite store.
    #[error(
        "{database} belongs to OpenClaw 2026.6 or later, which keeps credentials there and no \
         longer reads {location}"
    )]
    NewerGeneration {
        /// The database.
        database: Location,
        /// The document that must not be written any more.
        location: Location,
    },
}
