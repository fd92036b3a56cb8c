//! Why a reference does not resolve.

use crate::profile::secret_ref::Source;
use crate::system::trust::Distrust;
use std::path::PathBuf;

/// Why a reference does not resolve. No variant holds anything that a provider printed,
/// except the message that it gives for one id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing of this alias is configured.
    #[error("there is no secret provider `{alias}`")]
    UnknownProvider {
        /// The alias.
        alias: String,
    },
    /// The provider serves another source.
    #[error("the secret provider `{alias}` is of source `{}`", source_of.name())]
    OtherSource {
        /// The alias.
        alias: String,
        /// What it is for.
        source_of: Source,
    },
    /// The id does not follow the grammar of its source.
    #[error("{expected}")]
    InvalidId {
        /// What an id has to be.
        expected: &'static str,
    },
    /// More than the configuration allows.
    #[error("the secret provider `{alias}` is asked for more than {what}")]
    TooMuch {
        /// The alias.
        alias: String,
        /// The limit, with its key.
        what: String,
    },
    /// The provider may not read this variable.
    #[error("the variable {name} is not in the allowlist of the secret provider `{alias}`")]
    NotAllowed {
        /// The variable.
        name: String,
        /// The alias.
        alias: String,
    },
    /// The variable has no value.
    #[error("the variable {name} is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The file or command could be somebody else's.
    #[error("{} {distrust}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        distrust: Distrust,
    },
    /// The file cannot be read.
    #[error("could not read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file has nothing at this place.
    #[error("{} has nothing at `{id}`", path.display())]
    NothingThere {
        /// The file.
        path: PathBuf,
        /// The JSON pointer.
        id: String,
    },
    /// The command failed.
    #[error("the command {} {reason}", path.display())]
    Command {
        /// The command.
        path: PathBuf,
        /// How.
        reason: String,
    },
    /// What stands there is no text, or an empty one.
    #[error("what stands there is not a text, or it is empty")]
    NoText,
}
