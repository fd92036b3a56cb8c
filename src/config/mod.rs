//! `openclaw.json` and the paths.
//!
//! The file is JSON5. It is edited in place: comments, order, quotes and unknown keys
//! stay as they are.

mod document;
pub(crate) mod edit;
mod include;
mod installed;
mod invalid;
mod json5;
mod model;
mod paths;
mod record;
pub(crate) mod rename;
mod rotation;
mod substitute;
mod validate;
mod variables;

pub use document::{AgentEntry, Config};
pub use edit::{ConfigEdit, remove_profile, set_default_model};
pub use installed::{Installation, InstalledOpenClaw};
pub use invalid::{IncludeError, IncludedFileError, InvalidConfig, WrongPart, WrongValue};
pub use json5::Json5Error;
pub(crate) use model::model_ids;
pub use model::{AgentModel, ModelSettings, Utility};
pub use paths::{AgentDir, Paths};
pub use record::{record_profile, record_profiles};
pub use rename::{add_profile_id, replace_profile_id};
pub use variables::{Variables, assignments, unquote};

use crate::system::lock::Holder;
use std::path::{Path, PathBuf};

/// Why the configuration cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{} is not a valid configuration: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        reason: Box<InvalidConfig>,
    },
    /// The file cannot be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Another process is editing the file all the time.
    #[error("could not lock {}: it is held by {holder}", path.display())]
    LockTimeout {
        /// The file.
        path: PathBuf,
        /// Who holds the lock and since when.
        holder: Holder,
    },
}

impl ConfigError {
    /// The file at `path` is not what it should be.
    fn invalid(path: &Path, reason: impl Into<InvalidConfig>) -> Self {
        Self::Invalid { path: path.to_owned(), reason: Box::new(reason.into()) }
    }
}
