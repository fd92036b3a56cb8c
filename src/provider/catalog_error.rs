//! Why there is no catalog, or no definition of a provider.

use super::invalid_definition::InvalidDefinition;
use std::path::PathBuf;

/// Why there is no catalog.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CatalogError {
    /// A provider file, or their directory, cannot be read.
    #[error("could not read {}: {reason}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A provider file, or a built-in row, is not a valid definition.
    #[error("the provider definition {origin} is not valid: {reason}")]
    Invalid {
        /// The file or row.
        origin: String,
        /// What is wrong.
        reason: InvalidDefinition,
    },
}

/// The error of the definition at `origin`: a file, or a built-in row.
pub(super) fn invalid(origin: impl std::fmt::Display, reason: InvalidDefinition) -> CatalogError {
    CatalogError::Invalid { origin: origin.to_string(), reason }
}

/// What is wrong with a definition that is not JSON.
pub(super) fn unreadable(error: &serde_json::Error) -> InvalidDefinition {
    InvalidDefinition::Unreadable { key: None, reason: error.to_string() }
}
