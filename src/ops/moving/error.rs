//! Why a login is not moved.

use super::settle::NotRemoved;
use crate::app::AppError;
use crate::external::Tool;
use crate::ops::name::NameError;
use crate::ops::record::ProfileIdError;
use crate::ops::refresh::LeaseError;
use crate::profile::ProfileId;
use crate::store::Location;
use std::io;
use std::path::PathBuf;

/// Why a login is not moved. It is here as before, except with [`MoveError::NotRemoved`].
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The configuration or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The name leads to no profile or several.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Another process is refreshing the login.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The profile is not the agent's own.
    #[error("there is no profile `{profile_id}` in {location}")]
    NoProfile {
        /// The profile.
        profile_id: ProfileId,
        /// The document.
        location: Location,
    },
    /// There is nothing in it that could be moved.
    #[error("the profile `{profile_id}` holds nothing that could be moved")]
    Empty {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The server has refused it, or a refresh token was replaced.
    #[error("the login `{profile_id}` is over: {reason}")]
    Over {
        /// The profile.
        profile_id: ProfileId,
        /// Why.
        reason: String,
    },
    /// Nobody knows whether its refresh token is spent.
    #[error("the outcome of the last refresh of `{profile_id}` is not known: {last}")]
    Unknown {
        /// The profile.
        profile_id: ProfileId,
        /// What is known.
        last: String,
    },
    /// Another agent holds the same login.
    #[error("{location} holds the same login: one that stays there would be a copy")]
    Shared {
        /// The document.
        location: Location,
    },
    /// Another program holds the same login.
    #[error("{} holds the same login: one that stays there would be a copy", tool.program().label)]
    HeldBy {
        /// The program.
        tool: Tool,
    },
    /// A move was interrupted before, and nobody knows whether anybody has what it wrote.
    #[error(
        "an earlier move of `{profile_id}` was interrupted: whoever has what it wrote may have the login"
    )]
    Interrupted {
        /// The profile.
        profile_id: ProfileId,
    },
    /// It was moved before.
    #[error("the login `{profile_id}` was moved away before")]
    Away {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The file is there, or cannot be written.
    #[error("could not write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Standard output takes no more.
    #[error("could not write the login to standard output")]
    Output(#[source] io::Error),
    /// The move cannot be noted.
    #[error("could not note the move")]
    NotNoted(#[source] io::Error),
    /// The agent is the one that has it.
    #[error("agent `{0}` has the login already")]
    SameAgent(crate::profile::AgentId),
    /// The destination has another login under that id.
    #[error("{location} has another login `{profile_id}`")]
    Taken {
        /// The profile.
        profile_id: ProfileId,
        /// The document.
        location: Location,
    },
    /// What was carried here is no login.
    #[error("standard input holds no login that was moved")]
    NoLogin,
    /// The wanted id cannot be used.
    #[error(transparent)]
    ProfileId(#[from] ProfileIdError),
    /// It is stored, and not recorded everywhere.
    #[error("the login `{profile_id}` is stored and not recorded completely")]
    NotRecorded {
        /// The profile.
        profile_id: ProfileId,
        /// Why.
        source: AppError,
    },
    /// It is at the destination, and could not be removed here. It is not used here any more.
    #[error("the login `{profile_id}` is moved and could not be removed here")]
    NotRemoved {
        /// The profile.
        profile_id: ProfileId,
        /// Why.
        source: NotRemoved,
    },
}

impl<E: Into<AppError>> From<E> for MoveError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}
