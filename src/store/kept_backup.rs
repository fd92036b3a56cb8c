//! A backup of a document that is about to be replaced.
//!
//! Invariant: it is gone when it is dropped, unless it was let stay: what it holds was not
//! replaced then, or not by this change.

use std::path::PathBuf;

/// The file of such a backup.
#[derive(Debug)]
pub(super) struct KeptBackup {
    path: PathBuf,
    is_wanted: bool,
}

impl KeptBackup {
    /// The backup at `path`.
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path, is_wanted: false }
    }

    /// Lets it stay; where it is.
    pub(super) fn stay(mut self) -> PathBuf {
        self.is_wanted = true;
        self.path.clone()
    }
}

impl Drop for KeptBackup {
    fn drop(&mut self) {
        if !self.is_wanted {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
