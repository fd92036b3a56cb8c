//! Where a store, or a part of it, is: a value for messages and reports.
//!
//! Invariant: what is above `store` shows a location and does not open it.

use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a document, a lock or a reply is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file or a directory.
    File(PathBuf),
}

impl Location {
    /// The path, where the location is a file or a directory of this host.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// The text that [`fmt::Display`] gives.
impl Serialize for Location {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}
