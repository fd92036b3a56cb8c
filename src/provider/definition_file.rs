//! The files in which a user describes providers.

use super::catalog_error::{CatalogError, invalid, unreadable};
use super::invalid_definition::InvalidDefinition;
use crate::profile::ProviderId;
use crate::system::file;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The id of the provider that a file is for.
pub(super) fn provider_id(file: &Path) -> ProviderId {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    ProviderId::from(&*name).normalized()
}

/// The `.json` files of a directory in the order of their names; none when there is no
/// such directory. Hidden files are an editor's business.
pub(super) fn definition_files(directory: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let failed = |error: std::io::Error| CatalogError::Read {
        file: directory.to_owned(),
        reason: error.to_string(),
    };
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return file::refuse_dead_link(directory).map(|()| Vec::new()).map_err(failed);
        }
        Err(error) => return Err(failed(error)),
    };
    let is_definition = |file: &PathBuf| {
        let is_hidden =
            file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !is_hidden && file.extension().is_some_and(|extension| extension == "json")
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_definition).collect();
    files.sort();
    Ok(files)
}

/// The object in a provider file, its `id` taken from the file name when it has none.
pub(super) fn read_definition(file: &Path) -> Result<Value, CatalogError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CatalogError::Read { file: file.to_owned(), reason: error.to_string() })?;
    let mut definition: Value =
        serde_json::from_str(&text).map_err(|error| invalid(file.display(), unreadable(&error)))?;
    let Some(object) = definition.as_object_mut() else {
        return Err(invalid(file.display(), InvalidDefinition::NoObject));
    };
    let name = provider_id(file);
    let given = object.get("id").map(|id| id.as_str().map(ProviderId::from));
    if given.is_some_and(|given| given.as_ref() != Some(&name)) {
        let reason = InvalidDefinition::OtherId(Box::new(name));
        return Err(invalid(file.display(), reason));
    }
    object.insert("id".to_owned(), name.as_str().into());
    Ok(definition)
}
