//! Why a store cannot be read or changed.

use super::{Location, StoreFormat};
use crate::profile::AgentId;
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
    /// The documents are read and not written.
    #[error("{location} is read-only here: {reason}")]
    ReadOnly {
        /// Where they are.
        location: Location,
        /// Why.
        reason: ReadOnly,
    },
    /// What an agent has of its own is kept in its database, which is not there yet.
    #[error("agent `{agent}` has no database {location} yet, and only OpenClaw makes one")]
    NoAgentDatabase {
        /// Where it would be.
        location: Location,
        /// The agent.
        agent: AgentId,
    },
    /// The OpenClaw that is installed has a layout that this program does not write.
    #[error(
        "OpenClaw {version} is installed, which reads logins from {location} alone, and that it \
         alone makes"
    )]
    VersionBetween {
        /// The database.
        location: Location,
        /// The version.
        version: String,
    },
    /// The logins are between documents and databases.
    #[error("the logins are being moved to {to}, or that was interrupted ({location})")]
    Converting {
        /// The note that says so.
        location: Location,
        /// Where they move to.
        to: StoreFormat,
    },
    /// Another user's process would leave files there that keep its owner out.
    #[error("{location} belongs to the user with the id {owner}: no other user may open it")]
    OfAnotherUser {
        /// The database.
        location: Location,
        /// Its owner.
        owner: u32,
    },
    /// OpenClaw may be replacing the database.
    #[error("OpenClaw is doing maintenance on {location}")]
    Maintenance {
        /// The database.
        location: Location,
    },
}

/// Why documents are read and not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadOnly {
    /// A later OpenClaw has made it.
    #[error("its schema {found} is newer than the newest that this program knows, {known}")]
    NewerSchema {
        /// The schema that it has.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// An earlier OpenClaw has made it, or a version between two releases.
    #[error("its schema {found} is older than that of OpenClaw 2026.8")]
    OlderSchema {
        /// The schema that it has.
        found: i64,
    },
    /// The layout of OpenClaw 2026.6 and 2026.7.
    #[error("its layout is that of OpenClaw 2026.6 and 2026.7")]
    AgentLayout,
    /// `gateway.supervision` is set.
    #[error("its gateway is supervised by another program, which alone lets it be changed")]
    Supervised,
    /// Its log needs memory that hosts do not share.
    #[error(
        "it has a write-ahead log and is on a network file system ({0}), where that can be lost"
    )]
    NetworkFileSystem(String),
}
