//! Failures of files as errors of the store.

use crate::store::StoreError;
use serde_json::error::Category;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The file at `path` cannot be written.
pub(super) fn write_failed(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Write { location: path.into(), source: Arc::new(source) }
}

/// The file at `path` cannot be read.
pub(super) fn read_failed(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Read { location: path.into(), source: Arc::new(source) }
}

/// What stands at `path` cannot be locked.
pub(super) fn lock_failed(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Lock { location: path.into(), source: Arc::new(source) }
}

/// The file at `path` is not the document that it should be.
pub(in crate::store) fn invalid(path: &Path, error: &serde_json::Error) -> StoreError {
    // The text of such an error can quote a secret, unless it is our own.
    let reason = match error.classify() {
        Category::Syntax | Category::Eof => "it is not JSON",
        Category::Data if error.to_string().contains("repeats the ") => "it repeats a key",
        _ => "it is not an object of profiles",
    };
    let reason = match error.line() {
        0 => reason.to_owned(),
        line => format!("{reason} (line {line}, column {})", error.column()),
    };
    StoreError::Invalid { location: path.to_owned().into(), reason }
}
