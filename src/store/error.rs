//! Why a store cannot be read or changed.

use super::Location;
use crate::exit::{ExitStatus, Failure};
use crate::system::lock::Holder;
use std::io::ErrorKind;
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

/// The directory that a location is in.
fn parent(location: &Location) -> String {
    let parent = location.path().and_then(std::path::Path::parent);
    parent.map_or_else(|| location.to_string(), |parent| parent.display().to_string())
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let (status, hint) = match &error {
            StoreError::Invalid { location, .. } => (
                ExitStatus::StoreUnusable,
                Some(format!(
                    "repair the file, or move it away to start anew: mv {location} {location}.broken"
                )),
            ),
            StoreError::Lock { source, .. } if source.kind() == ErrorKind::Unsupported => (
                ExitStatus::StoreUnusable,
                Some(
                    "keep the state directory on a file system with locks: \
                     OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
                        .to_owned(),
                ),
            ),
            StoreError::Read { location, .. }
            | StoreError::Write { location, .. }
            | StoreError::Lock { location, .. } => (
                ExitStatus::StoreUnusable,
                Some(format!(
                    "look at its owner, mode and free space: ls -ld {}",
                    parent(location)
                )),
            ),
            StoreError::LockTimeout { .. } => (
                ExitStatus::LockTimeout,
                Some("wait for that process to end, or end it, and try again".to_owned()),
            ),
            StoreError::NewerGeneration { .. } => (
                ExitStatus::StoreUnusable,
                Some(
                    "use that OpenClaw's own commands for this state directory, or another one: \
                     OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
                        .to_owned(),
                ),
            ),
        };
        Self { status, cause: error.into(), hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_no_matter_of_owners_and_modes() {
        let hint_of = |kind: ErrorKind| {
            let error = StoreError::Lock {
                location: Location::File("/s/d".into()),
                source: Arc::new(kind.into()),
            };
            Failure::from(error).hint.unwrap()
        };
        assert!(hint_of(ErrorKind::Unsupported).contains("OPENCLAW_STATE_DIR="));
        assert!(hint_of(ErrorKind::PermissionDenied).contains("ls -ld /s"));
    }
}
