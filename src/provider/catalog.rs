//! The catalog: built-in rows, with the user's files merged over them (RFC 7396).

use super::Definition;
use super::built_in::aliases_of;
use super::catalog_text::{Row, rows, variables};
use super::definition_file::{definition_files, provider_id, read_definition};
use super::patch::{changed_keys, leave_behind, merge_patch};
use crate::profile::normalize_provider_id;
use serde_json::Value;
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

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

/// Every provider that is known.
#[derive(Debug)]
pub struct Catalog {
    entries: Vec<Entry>,
    /// Files that are no valid definitions, by the provider id that they are for.
    broken: Vec<(String, CatalogError)>,
}

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
        /// What is wrong, naming the key.
        reason: String,
    },
}

/// One provider of the catalog.
#[derive(Debug)]
enum Entry {
    /// A built-in row that no file changes. It is read when it is needed: most are not.
    Row { id: &'static str, text: &'static str, read: OnceCell<Option<Box<Provider>>> },
    /// What a file says, over a row or alone.
    Described(Box<Provider>),
}

impl Entry {
    const fn of(row: Row) -> Self {
        Self::Row { id: row.id, text: row.text, read: OnceCell::new() }
    }

    fn id(&self) -> &str {
        match self {
            Self::Row { id, .. } => id,
            Self::Described(provider) => &provider.definition.id,
        }
    }

    fn has_alias(&self, wanted: &str) -> bool {
        match self {
            Self::Row { id, .. } => aliases_of(id).any(|alias| alias == wanted),
            Self::Described(provider) => {
                let mut aliases = provider.definition.aliases.iter();
                aliases.any(|alias| normalize_provider_id(alias) == wanted)
            }
        }
    }

    /// The provider. A test reads every row: none is missing later.
    fn provider(&self) -> Option<&Provider> {
        match self {
            Self::Row { id, text, read, .. } => read
                .get_or_init(|| provider(Some(row(&Row { id, text })), None).ok().map(Box::new))
                .as_deref(),
            Self::Described(provider) => Some(provider),
        }
    }
}

impl Catalog {
    /// The built-in rows with the files of `directory` merged over them. A file that is no
    /// valid definition breaks its own provider alone.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn load(directory: &Path) -> Result<Self, CatalogError> {
        let mut catalog = Self { entries: Vec::new(), broken: Vec::new() };
        let files = definition_files(directory)?;
        let mut files: Vec<_> = files.into_iter().map(|file| (provider_id(&file), file)).collect();
        for built_in in rows() {
            match files.iter().position(|(id, _)| id == built_in.id) {
                Some(at) => {
                    let (id, file) = files.remove(at);
                    catalog.add(id, Some(row(&built_in)), file);
                }
                None => catalog.entries.push(Entry::of(built_in)),
            }
        }
        for (id, file) in files {
            catalog.add(id, None, file);
        }
        Ok(catalog)
    }

    fn add(&mut self, id: String, row: Option<Value>, file: PathBuf) {
        match provider(row, Some(file)) {
            Ok(provider) => self.entries.push(Entry::Described(Box::new(provider))),
            Err(error) => self.broken.push((id, error)),
        }
    }

    /// The provider with this id or alias, normalised; `None` when there is none.
    pub fn find(&self, id: &str) -> Option<&Provider> {
        let id = normalize_provider_id(id);
        let by_id = self.entries.iter().find(|entry| entry.id() == id);
        let found = by_id.or_else(|| self.entries.iter().find(|entry| entry.has_alias(&id)));
        found?.provider()
    }

    /// The providers with a key variable that `is_meant`.
    pub fn with_variable(
        &self,
        is_meant: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = &Provider> {
        let has = move |entry: &&Entry| match entry {
            Entry::Row { text, .. } => variables(text).iter().any(|name| is_meant(name)),
            Entry::Described(provider) => provider.definition.env.iter().any(|name| is_meant(name)),
        };
        self.entries.iter().filter(has).filter_map(Entry::provider)
    }

    /// Why the provider with this id cannot be used, when its file is not valid.
    pub fn problem(&self, id: &str) -> Option<&CatalogError> {
        let id = normalize_provider_id(id);
        self.broken.iter().find(|(broken, _)| *broken == id).map(|(_, error)| error)
    }

    /// What is wrong with provider files.
    pub fn problems(&self) -> impl Iterator<Item = &CatalogError> {
        self.broken.iter().map(|(_, error)| error)
    }

    /// Every provider, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.entries.iter().filter_map(Entry::provider)
    }
}

/// A built-in row with its aliases.
fn row(Row { id, text }: &Row) -> Value {
    let mut row: Value = serde_json::from_str(text).unwrap_or_default();
    let aliases: Vec<Value> = aliases_of(id).map(Value::from).collect();
    if let Some(row) = row.as_object_mut().filter(|_| !aliases.is_empty()) {
        row.insert("aliases".to_owned(), aliases.into());
    }
    row
}

/// A built-in row with a file merged over it, or one of the two alone.
fn provider(row: Option<Value>, file: Option<PathBuf>) -> Result<Provider, CatalogError> {
    let origin = file.as_ref().map_or("built in".to_owned(), |file| file.display().to_string());
    let patch = file.as_deref().map(read_definition).transpose()?;
    let (value, overridden) = match (row, patch) {
        (Some(mut row), Some(mut patch)) => {
            leave_behind(&row, &mut patch);
            let overridden = changed_keys(&row, &patch);
            merge_patch(&mut row, patch);
            (row, overridden)
        }
        (row, patch) => (row.or(patch).unwrap_or_default(), Vec::new()),
    };
    let definition = serde_json::from_value(value).map_err(|error| invalid(origin, &error))?;
    Ok(Provider { definition, file, overridden })
}

pub(super) fn invalid(
    origin: impl std::fmt::Display,
    reason: &impl std::fmt::Display,
) -> CatalogError {
    CatalogError::Invalid { origin: origin.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Environment;
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
        assert_eq!(catalog.iter().count(), crate::provider::built_in::ROWS.len());
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
        let environment = Environment::default();
        let client = codex.client(&environment, None).unwrap();
        assert_eq!(client.id, "app_EMoamEEZ73f0CkXaXp7hrann");
        let url = |url: &Option<url::Url>| url.as_ref().unwrap().to_string();
        let endpoints = &client.endpoints;
        assert_eq!(url(&endpoints.authorization), "https://auth.openai.com/oauth/authorize");
        assert_eq!(url(&endpoints.token), "https://auth.openai.com/oauth/token");
        assert_eq!(codex.redirect(&environment).unwrap().ports, [1455, 1457]);
        assert_eq!(
            codex.scopes(&environment).unwrap().join(" "),
            "openid profile email offline_access"
        );
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
        let environment = Environment::default();
        let client = registration(&catalog).client(&environment, None).unwrap();
        assert_eq!(client.token_endpoint().unwrap().as_str(), "http://127.0.0.1:9/token");
        let redirect = registration(&catalog).redirect(&environment).unwrap();
        assert_eq!(redirect.ports, [2000]);
        assert_eq!(redirect.path, "/auth/callback");
        assert!(client.endpoints.revocation.is_none());
        let authorization = client.endpoints.authorization.unwrap();
        assert_eq!(authorization.host_str(), Some("auth.openai.com"));
        assert_eq!(
            provider.overridden,
            ["tokenEndpoint", "redirect", "revocationEndpoint", "device", "usage"]
        );
    }

    #[test]
    fn a_method_can_have_a_server_of_its_own() {
        let catalog = load(&[]).unwrap();
        let definition = &catalog.find("minimax-portal").unwrap().definition;
        let host = |method: Option<&str>| {
            let registration = definition.registration_of(method).unwrap();
            let client = registration.client(&Environment::default(), None).unwrap();
            let device = client.endpoints.device.as_ref().unwrap();
            assert_eq!(device.flow, crate::oauth::DeviceFlow::UserCode, "the patch is merged");
            client.token_endpoint().unwrap().host_str().unwrap().to_owned()
        };
        assert_eq!(host(None), "api.minimax.io");
        assert_eq!(host(Some("oauth")), "api.minimax.io");
        assert_eq!(host(Some("oauth-cn")), "api.minimaxi.com");
    }

    #[test]
    fn an_account_whose_name_hides_characters_has_none() {
        use base64::Engine;
        let catalog = load(&[]).unwrap();
        let email = |email: &str| {
            let claims = json!({"https://api.openai.com/profile": {"email": email}}).to_string();
            let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
            let token = crate::secret::Secret::new(format!("e30.{claims}.fake"));
            registration(&catalog).identity(&token, None, None).email
        };
        assert_eq!(email("a@x").as_deref(), Some("a@x"));
        assert_eq!(email("a\u{202e}@x"), None);
        assert_eq!(email("a\u{1b}@x"), None);
    }

    #[test]
    fn a_method_that_moves_takes_no_other_endpoint_of_the_first_server_along() {
        let definition = json!({
            "label": "Example", "clientId": "c",
            "authorizationEndpoint": "https://as.example.test/a",
            "tokenEndpoint": "https://as.example.test/t",
            "revocationEndpoint": "https://as.example.test/r",
            "userinfoEndpoint": "https://as.example.test/u",
            "usage": {"format": "claude", "endpoint": "https://as.example.test/usage"},
            "tokenExchange": {"endpoint": "https://as.example.test/exchange"},
            "methods": [
                {"id": "far", "kind": "oauth", "label": "Far",
                 "override": {"tokenEndpoint": "https://far.example.test/t"}},
                {"id": "near", "kind": "oauth", "label": "Near", "override": {"clientId": "n"}},
            ],
        });
        let catalog = load(&[("example.json", definition)]).unwrap();
        let definition = &catalog.find("example").unwrap().definition;
        let known = |method: &str| {
            let registration = definition.registration_of(Some(method)).unwrap();
            let endpoints = registration.client(&Environment::default(), None).unwrap().endpoints;
            [
                endpoints.revocation.is_some(),
                endpoints.userinfo.is_some(),
                definition.usage_of(Some(method)).is_some(),
                definition.token_exchange_of(Some(method)).is_some(),
            ]
        };
        assert_eq!(known("far"), [false; 4]);
        assert_eq!(known("near"), [true; 4]);
        assert!(definition.usage_of(Some("gone")).is_none());
        assert!(definition.token_exchange_of(None).is_some());
    }

    #[test]
    fn a_device_authorization_that_moves_leaves_its_former_server_behind() {
        let device = |patch: Value| {
            let catalog = load(&[("openai-codex.json", json!({"device": patch}))]).unwrap();
            let client = registration(&catalog).client(&Environment::default(), None).unwrap();
            client.endpoints.device.unwrap()
        };
        let moved = device(json!({"authorizationEndpoint": "https://as.example.test/device"}));
        assert_eq!((moved.token_endpoint, moved.redirect_uri), (None, None));
        assert_eq!(moved.flow, crate::oauth::DeviceFlow::Pairing);
        assert!(device(json!({"flow": "standard"})).token_endpoint.is_some());
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
            let catalog = load(&[("openai-codex.json", patch)]).unwrap();
            assert!(catalog.find("openai-codex").is_none(), "the built-in row does not step in");
            assert!(catalog.find("anthropic").is_some(), "the others are not touched");
            let error = catalog.problem("openai-codex").unwrap().to_string();
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
        let catalog = load(&[("Example.json", definition), (".#x.json", json!(5))]).unwrap();
        assert_eq!(catalog.find(" EXAMPLE ").unwrap().definition.label, "Example");
        assert!(catalog.problem("#x").is_none());
    }
}
