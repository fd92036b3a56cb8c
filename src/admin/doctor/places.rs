//! Where the documents are: a file system that other hosts share may not lock between them.

use super::{Code, Finding, What};
use crate::app::App;
use crate::store::Store;
use crate::system::file_system::shared_file_system;
use std::collections::HashSet;
use std::path::PathBuf;

/// A note for each shared file system, with the first place on it.
pub(super) fn examine(app: &App, stores: &[Store]) -> Vec<Finding> {
    let documents = stores.iter().filter_map(|store| store.location().path().map(PathBuf::from));
    let places = std::iter::once(app.paths.state_dir.clone()).chain(documents);
    let mut named = HashSet::new();
    let of = |place: PathBuf| Some((shared_file_system(&place)?, place));
    let shared = places.filter_map(of).filter(|(name, _)| named.insert(name.clone()));
    shared
        .map(|(name, place)| {
            Finding::note(Code::FileSystem, What::SharedFileSystem { name, place: place.into() })
        })
        .collect()
}
