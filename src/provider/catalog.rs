//! The catalog: built-in rows, with the user's files merged over them (RFC 7396).

use super::Definition;
use crate::profile::normalize_provider_id;
use serde_json::Value;
use std::path::{Path, PathBuf};

const BUILT_IN: &str = include_str!("catalog.json");

/// A provider definition and the file that had a say in it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The definition in effect.
    pub definition: Definition,
    /// The user's file that was merged over the built-in row, or that stands alone.
    pub file: Option<PathBuf>,
    /// The keys that the file sets over a built-in row.
    pub overridden: Vec<String>,
}

/// Every provider that can be signed in to.
#[derive(Clone, Debug)]
pub struct Catalog(Vec<Provider>);

/// Why there is no catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A provider file cannot be read.
    #[error("could not read the provider file {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A provider file, or a built-in row, is not a valid definition.
    #[error("the provider definition {origin} is not valid: {reason}")]
    Invalid {
        /// The file or row.
        origin: String,
        /// What is wrong, naming the key.
        reason: String,
    },
}

impl Catalog {
    /// The built-in rows with the files of `directory` merged over them.
    ///
    /// # Errors
    /// A file that cannot be read or is not a valid definition: see [`CatalogError`].
    pub fn load(directory: &Path) -> Result<Self, CatalogError> {
        let mut rows: Vec<(Value, Option<PathBuf>, Vec<String>)> =
            serde_json::from_str::<Vec<Value>>(BUILT_IN)
                .map_err(|error| invalid("built in", &error))?
                .into_iter()
                .map(|row| (row, None, Vec::new()))
                .collect();
        for file in definition_files(directory)? {
            let patch = read_definition(&file)?;
            let id = patch["id"].clone();
            match rows.iter_mut().find(|(row, ..)| row["id"] == id) {
                Some((row, origin, overridden)) => {
                    *overridden = changed_keys(row, &patch);
                    merge_patch(row, patch);
                    *origin = Some(file);
                }
                None => rows.push((patch, Some(file), Vec::new())),
            }
        }
        let providers = rows.into_iter().map(|(row, file, overridden)| {
            let origin =
                || file.as_ref().map_or("built in".into(), |file| file.display().to_string());
            let definition: Definition =
                serde_json::from_value(row).map_err(|error| invalid(origin(), &error))?;
            Ok(Provider { definition, file, overridden })
        });
        providers.collect::<Result<_, _>>().map(Self)
    }

    /// The provider with this id or alias, normalised.
    pub fn find(&self, id: &str) -> Option<&Provider> {
        let id = normalize_provider_id(id);
        self.0
            .iter()
            .find(|provider| provider.definition.id == id)
            .or_else(|| self.0.iter().find(|provider| provider.definition.aliases.contains(&id)))
    }

    /// Every provider, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }
}

/// The `.json` files of a directory in the order of their names; none when there is no
/// such directory.
fn definition_files(directory: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(CatalogError::Read { file: directory.to_owned(), source }),
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    Ok(files)
}

/// The object in a provider file, its `id` taken from the file name when it has none.
fn read_definition(file: &Path) -> Result<Value, CatalogError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| CatalogError::Read { file: file.to_owned(), source })?;
    let mut definition: Value =
        serde_json::from_str(&text).map_err(|error| invalid(file.display(), &error))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let Some(object) = definition.as_object_mut() else {
        return Err(invalid(file.display(), &"it is not an object"));
    };
    let id = object.entry("id").or_insert_with(|| name.clone().into_owned().into());
    if *id != *name {
        let reason = format!("its id is {id}, which the file name must be too");
        return Err(invalid(file.display(), &reason));
    }
    Ok(definition)
}

fn invalid(origin: impl std::fmt::Display, reason: &impl std::fmt::Display) -> CatalogError {
    CatalogError::Invalid { origin: origin.to_string(), reason: reason.to_string() }
}

/// The top-level keys to which `patch` gives another value than `row` has.
fn changed_keys(row: &Value, patch: &Value) -> Vec<String> {
    let keys = patch.as_object().into_iter().flatten();
    keys.filter(|(key, value)| row.get(key) != Some(value)).map(|(key, _)| key.clone()).collect()
}

/// JSON merge patch (RFC 7396 section 2).
fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            merge_patch(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn load(files: &[(&str, Value)]) -> Result<Catalog, CatalogError> {
        let root = tempfile::tempdir().unwrap();
        for (name, value) in files {
            crate::system::file::replace(&root.path().join(name), value.to_string().as_bytes())
                .unwrap();
        }
        Catalog::load(root.path())
    }

    fn registration(catalog: &Catalog) -> &crate::provider::Registration {
        catalog.find("openai-codex").unwrap().definition.registration.as_ref().unwrap()
    }

    #[test]
    fn every_built_in_row_is_valid_and_found_by_id_and_alias() {
        let catalog = load(&[]).unwrap();
        let mut names = std::collections::HashSet::new();
        for provider in catalog.iter() {
            let Definition { id, aliases, .. } = &provider.definition;
            assert_eq!(&normalize_provider_id(id), id);
            for name in aliases.iter().chain([id]) {
                assert!(names.insert(name.clone()), "{name} is given twice");
                assert_eq!(&catalog.find(name).unwrap().definition.id, id);
            }
        }
        assert!(catalog.find(" OpenAI-Codex ").is_some());
        assert!(catalog.find("nope").is_none());
    }

    #[test]
    fn the_codex_row_has_the_registered_values() {
        let catalog = load(&[]).unwrap();
        let codex = registration(&catalog);
        assert_eq!(codex.client_id, "app_EMoamEEZ73f0CkXaXp7hrann");
        assert_eq!(
            codex.endpoints.authorization.as_str(),
            "https://auth.openai.com/oauth/authorize"
        );
        assert_eq!(codex.endpoints.token.as_str(), "https://auth.openai.com/oauth/token");
        assert_eq!(codex.redirect.ports, [1455, 1457]);
        assert_eq!(codex.scopes.join(" "), "openid profile email offline_access");
        assert_eq!(codex.authorization_parameters["originator"], "openclaw");
    }

    #[test]
    fn a_file_is_merged_over_the_built_in_row() {
        let patch = json!({
            "tokenEndpoint": "http://127.0.0.1:9/token",
            "redirect": {"ports": [2000]},
            "revocationEndpoint": null,
        });
        let catalog = load(&[("openai-codex.json", patch)]).unwrap();
        let provider = catalog.find("openai-codex").unwrap();
        let definition = registration(&catalog);
        assert_eq!(definition.endpoints.token.as_str(), "http://127.0.0.1:9/token");
        assert_eq!(definition.redirect.ports, [2000]);
        assert_eq!(definition.redirect.path, "/auth/callback");
        assert!(definition.endpoints.revocation.is_none());
        assert_eq!(definition.endpoints.authorization.host_str(), Some("auth.openai.com"));
        assert_eq!(provider.overridden, ["tokenEndpoint", "redirect", "revocationEndpoint"]);
    }

    #[test]
    fn a_bad_file_is_refused_with_its_name_and_the_key() {
        for (patch, reason) in [
            (json!({"tokenEndpoint": "http://as.example.test/token"}), "tokenEndpoint"),
            (json!({"tokenEndpoint": "ftp://127.0.0.1/token"}), "tokenEndpoint"),
            (json!({"authorizationEndpoint": "nonsense"}), "relative URL"),
            (json!({"authorizationEndpoint": "https://u:p@as.example.test/"}), "user name"),
            (json!({"redirect": {"host": "example.test"}}), "redirect.host"),
            (json!({"redirect": {"host": "localhost/x"}}), "redirect.host"),
            (json!({"redirect": {"host": "127.0.0.2"}}), "redirect.host"),
            (json!({"authorizationParameters": {"state": "fixed"}}), "`state`"),
            (json!({"label": "a\u{1b}[31m"}), "control characters"),
            (json!({"redirect": {"ports": []}}), "redirect.ports"),
            (json!({"redirect": {"path": "x"}}), "redirect.path"),
            (json!({"identity": {"email": ["email"]}}), "identity"),
            (json!({"clientID": "x"}), "clientID"),
            (json!({"tokenRequestFormat": "xml"}), "xml"),
            (json!({"id": "other"}), "file name"),
            (json!([]), "not an object"),
        ] {
            let error = load(&[("openai-codex.json", patch)]).unwrap_err().to_string();
            assert!(error.contains("openai-codex.json") && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_file_of_its_own_makes_a_new_provider() {
        let definition = json!({
            "label": "Example", "clientId": "c",
            "authorizationEndpoint": "https://as.example.test/a",
            "tokenEndpoint": "https://as.example.test/t",
            "redirect": {"host": "127.0.0.1", "ports": [4000], "path": "/cb"},
        });
        let catalog = load(&[("example.json", definition)]).unwrap();
        assert_eq!(catalog.find("example").unwrap().definition.label, "Example");
    }
}
