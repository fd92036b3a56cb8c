//! The catalog: built-in rows, with the user's files merged over them (RFC 7396).
//!
//! Ids, aliases and variables answer most questions; the text of a row is read when it is
//! needed.

use super::built_in::{BuiltIn, ROWS};
use super::catalog_error::{CatalogError, invalid, unreadable};
use super::convention::predecessor;
use super::definition::Definition;
use super::definition_file::{definition_files, provider_id, read_definition};
use super::patch::{changed_keys, leave_behind, merge_patch};
use crate::profile::ProviderId;
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
    broken: Vec<(ProviderId, CatalogError)>,
}

/// One provider of the catalog.
#[derive(Debug)]
enum Entry {
    /// A built-in row that no file changes. It is read when it is needed: most are not.
    Row { row: &'static BuiltIn, read: OnceCell<Option<Box<Provider>>> },
    /// What a file says, over a row or alone.
    Described(Box<Provider>),
}

/// What a provider goes by. Nothing else of it has been read.
#[derive(Clone, Copy, Debug)]
pub struct ProviderNames<'c>(&'c Entry);

impl<'c> ProviderNames<'c> {
    /// The provider id.
    pub fn id(self) -> &'c str {
        self.0.id()
    }

    /// Other ids under which the provider is known.
    pub fn aliases(self) -> impl Iterator<Item = &'c str> {
        let (built_in, described) = match self.0 {
            Entry::Row { row, .. } => (row.aliases, &[][..]),
            Entry::Described(provider) => (&[][..], &provider.definition.aliases[..]),
        };
        built_in.iter().copied().chain(described.iter().map(String::as_str))
    }

    /// The environment variables that hold a key, first found wins.
    pub fn variables(self) -> impl Iterator<Item = &'c str> {
        let (built_in, described) = match self.0 {
            Entry::Row { row, .. } => (row.variables, &[][..]),
            Entry::Described(provider) => (&[][..], &provider.definition.env[..]),
        };
        built_in.iter().copied().chain(described.iter().map(String::as_str))
    }
}

impl Entry {
    fn id(&self) -> &str {
        match self {
            Self::Row { row, .. } => row.id,
            Self::Described(provider) => provider.definition.id.as_str(),
        }
    }

    fn has_alias(&self, wanted: &ProviderId) -> bool {
        match self {
            Self::Row { row, .. } => row.aliases.contains(&wanted.as_str()),
            Self::Described(provider) => {
                let mut aliases = provider.definition.aliases.iter();
                aliases.any(|alias| wanted.is_spelt(alias))
            }
        }
    }

    /// The provider. A test reads every row: none is missing later.
    fn provider(&self) -> Option<&Provider> {
        match self {
            Self::Row { row, read } => {
                read.get_or_init(|| provider(Some(row), None).ok().map(Box::new)).as_deref()
            }
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
        let mut catalog = Self { entries: Vec::with_capacity(ROWS.len()), broken: Vec::new() };
        let mut files = definition_files(directory)?;
        for row in ROWS {
            match files.iter().position(|file| provider_id(file).as_str() == row.id) {
                Some(file) => catalog.add(row.id.into(), Some(row), files.remove(file)),
                None => catalog.entries.push(Entry::Row { row, read: OnceCell::new() }),
            }
        }
        for file in files {
            catalog.add(provider_id(&file), None, file);
        }
        Ok(catalog)
    }

    fn add(&mut self, id: ProviderId, row: Option<&BuiltIn>, file: PathBuf) {
        match provider(row, Some(file)) {
            Ok(provider) => self.entries.push(Entry::Described(Box::new(provider))),
            Err(error) => self.broken.push((id, error)),
        }
    }

    /// The provider with this id or alias; `None` when there is none.
    pub fn find(&self, id: &ProviderId) -> Option<&Provider> {
        self.entry(id)?.provider()
    }

    /// The provider that signs in to and refreshes the logins of `id`: itself, else the one
    /// whose logins are kept under that id by now.
    pub fn find_login(&self, id: &ProviderId) -> Option<&Provider> {
        let found = self.find(id);
        if found.is_some_and(|found| found.definition.has_login()) {
            return found;
        }
        let former = predecessor(id).and_then(|former| self.find(&former));
        former.filter(|former| former.definition.has_login()).or(found)
    }

    /// What the provider with this id or alias goes by.
    pub fn names_of(&self, id: &ProviderId) -> Option<ProviderNames<'_>> {
        self.entry(id).map(ProviderNames)
    }

    /// What every provider goes by, the built-in ones first.
    pub fn all_names(&self) -> impl Iterator<Item = ProviderNames<'_>> {
        self.entries.iter().map(ProviderNames)
    }

    fn entry(&self, id: &ProviderId) -> Option<&Entry> {
        let by_id = self.entries.iter().find(|entry| entry.id() == id.as_str());
        by_id.or_else(|| self.entries.iter().find(|entry| entry.has_alias(id)))
    }

    /// Why the provider with this id cannot be used, when its file is not valid.
    pub fn problem(&self, id: &ProviderId) -> Option<&CatalogError> {
        self.broken.iter().find(|(broken, _)| broken == id).map(|(_, error)| error)
    }

    /// What is wrong with provider files, each with the provider that it is for.
    pub fn problems(&self) -> impl Iterator<Item = (&ProviderId, &CatalogError)> {
        self.broken.iter().map(|(id, error)| (id, error))
    }

    /// Every provider, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.entries.iter().filter_map(Entry::provider)
    }
}

/// A built-in row with a file merged over it, or one of the two alone.
fn provider(row: Option<&BuiltIn>, file: Option<PathBuf>) -> Result<Provider, CatalogError> {
    let origin = file.as_ref().map_or("built in".to_owned(), |file| file.display().to_string());
    let patch = file.as_deref().map(read_definition).transpose()?;
    let row = row.map_or(Ok(Value::Null), |row| serde_json::from_str(row.text));
    let mut value: Value = row.map_err(|error| invalid(&origin, unreadable(&error)))?;
    let mut overridden = Vec::new();
    match patch {
        Some(mut patch) if value.is_object() => {
            leave_behind(&value, &mut patch);
            overridden = changed_keys(&value, &patch);
            merge_patch(&mut value, patch);
        }
        Some(patch) => value = patch,
        None => {}
    }
    let definition = Definition::try_from(value).map_err(|reason| invalid(origin, reason))?;
    Ok(Provider { definition, file, overridden })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{Clients, Environment};
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
        catalog.find(&"openai-codex".into()).unwrap().definition.registration.as_ref().unwrap()
    }

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_built_in_row_is_valid_and_found_by_id_and_alias() {
        let catalog = load(&[]).unwrap();
        assert_eq!(catalog.iter().count(), ROWS.len());
        for (provider, row) in catalog.iter().zip(ROWS) {
            let Definition { id, aliases, env, .. } = &provider.definition;
            assert_eq!(
                (id.as_str(), &aliases[..], &env[..]),
                (row.id, &texts(row.aliases)[..], &texts(row.variables)[..])
            );
            for name in aliases.iter().map(String::as_str).chain([id.as_str()]) {
                assert_eq!(&catalog.find(&name.into()).unwrap().definition.id, id);
            }
        }
        assert!(catalog.find(&" OpenAI-Codex ".into()).is_some());
        assert!(catalog.find(&"nope".into()).is_none());
    }

    #[test]
    fn the_codex_row_has_the_registered_values() {
        let catalog = load(&[]).unwrap();
        let codex = registration(&catalog);
        let environment = Environment::default();
        let client = codex.client(&Clients::default(), None).unwrap();
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
        let provider = catalog.find(&"openai-codex".into()).unwrap();
        let environment = Environment::default();
        let client = registration(&catalog).client(&Clients::default(), None).unwrap();
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
        let definition = &catalog.find(&"minimax-portal".into()).unwrap().definition;
        let host = |method: Option<&str>| {
            let registration = definition.registration_of(method).unwrap();
            let client = registration.client(&Clients::default(), None).unwrap();
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
        let definition = &catalog.find(&"example".into()).unwrap().definition;
        let known = |method: &str| {
            let registration = definition.registration_of(Some(method)).unwrap();
            let endpoints = registration.client(&Clients::default(), None).unwrap().endpoints;
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
            let client = registration(&catalog).client(&Clients::default(), None).unwrap();
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
            assert!(
                catalog.find(&"openai-codex".into()).is_none(),
                "the built-in row does not step in"
            );
            assert!(catalog.find(&"anthropic".into()).is_some(), "the others are not touched");
            let error = catalog.problem(&"openai-codex".into()).unwrap().to_string();
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
        assert_eq!(catalog.find(&" EXAMPLE ".into()).unwrap().definition.label, "Example");
        assert!(catalog.problem(&"#x".into()).is_none());
    }
}
