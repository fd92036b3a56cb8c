//! What OpenClaw 2026.4.24 takes for granted about providers: markers that stand in the
//! place of a key, the variables that count without its bundled plugins, model names.
//!
//! Invariant: it is data (`conventions.json`); the code here names no provider.

use super::built_in::{ROWS, Row};
use crate::profile::normalize_provider_id;
use indexmap::IndexMap;
use serde::Deserialize;
use std::sync::LazyLock;

const BUILT_IN: &str = include_str!("conventions.json");

/// The conventions, with or without what OpenClaw's bundled plugins bring.
#[derive(Clone, Copy, Debug)]
pub struct Conventions {
    table: &'static Table,
    with_plugins: bool,
}

// A test reads the table; what is compiled in cannot be wrong later.
static TABLE: LazyLock<Table> =
    LazyLock::new(|| serde_json::from_str(BUILT_IN).unwrap_or_default());

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Table {
    default_model: Model,
    markers: Markers,
    without_plugins: WithoutPlugins,
    command_line_backends: Vec<String>,
    own_authentication: Vec<String>,
    /// Providers that route to many others: a failure says nothing of the credential.
    without_cooldown: Vec<String>,
    model_names: IndexMap<String, IndexMap<String, String>>,
    model_prefixes: IndexMap<String, Prefix>,
}

/// A provider and one of its models.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Model {
    /// The normalised provider id.
    pub provider: String,
    /// The model id.
    pub model: String,
}

/// Texts in the place of a key that are none.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Markers {
    always: Vec<String>,
    prefixes: Vec<String>,
    bundled: Vec<String>,
    /// Names of variables, whether or not a provider has them.
    variables: Vec<String>,
}

/// What counts without the bundled plugins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WithoutPlugins {
    /// The providers whose variables count.
    providers: Vec<String>,
    /// Variables that count besides.
    variables: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Prefix {
    Add(String),
    Remove(String),
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl Model {
    /// A model of a provider, its name the present one.
    pub fn new(conventions: &Conventions, provider: &str, model: &str) -> Self {
        let provider = normalize_provider_id(provider);
        let model = conventions.model_name(&provider, model.trim());
        Self { provider, model }
    }
}

impl Conventions {
    /// The conventions with or without what OpenClaw's bundled plugins bring.
    pub fn of(with_plugins: bool) -> Self {
        Self { table: &TABLE, with_plugins }
    }

    /// The model when the configuration names none.
    pub const fn default_model(&self) -> &'static Model {
        &self.table.default_model
    }

    /// Whether the bundled plugins count.
    pub const fn with_plugins(&self) -> bool {
        self.with_plugins
    }

    /// Whether `value`, where a key should be, only says how the provider authenticates.
    pub fn is_marker(&self, value: &str) -> bool {
        let is_one_of = |markers: &[String]| markers.iter().any(|marker| marker == value);
        let markers = &self.table.markers;
        markers.prefixes.iter().any(|prefix| value.starts_with(prefix.as_str()))
            || is_one_of(&markers.always)
            || (self.with_plugins && is_one_of(&markers.bundled))
    }

    /// Whether `value`, where a key should be, is the name of the variable that holds it.
    pub fn is_variable_marker(&self, value: &str) -> bool {
        self.is_key_variable(value) || self.table.markers.variables.iter().any(|name| name == value)
    }

    /// Whether a variable of this name holds the key of a provider.
    pub fn is_key_variable(&self, name: &str) -> bool {
        let has =
            |row: &Row| self.has_environment(&row.id) && row.env.iter().any(|key| key == name);
        ROWS.iter().any(has) || self.table.without_plugins.variables.iter().any(|key| key == name)
    }

    /// Whether the variables of a provider count.
    pub fn has_environment(&self, provider: &str) -> bool {
        self.with_plugins || self.table.without_plugins.providers.iter().any(|id| id == provider)
    }

    /// Whether a provider is run through a command of its own, which has its own login.
    pub fn is_command_line_backend(&self, provider: &str) -> bool {
        self.with_plugins && self.table.command_line_backends.iter().any(|id| id == provider)
    }

    /// Whether a plugin of OpenClaw's authenticates to a provider by itself.
    pub fn has_own_authentication(&self, provider: &str) -> bool {
        self.with_plugins && self.table.own_authentication.iter().any(|id| id == provider)
    }

    /// The present name of a model.
    fn model_name(&self, provider: &str, model: &str) -> String {
        let names = self.table.model_names.get(provider);
        if let Some(name) = names.and_then(|names| names.get(&model.to_lowercase())) {
            return name.clone();
        }
        match self.table.model_prefixes.get(provider) {
            Some(Prefix::Add(prefix)) if !model.contains('/') => format!("{prefix}{model}"),
            Some(Prefix::Remove(prefix)) => {
                model.strip_prefix(prefix.as_str()).unwrap_or(model).to_owned()
            }
            _ => model.to_owned(),
        }
    }
}

/// Whether failures keep profiles of `provider` away for a while.
pub fn cools_down(provider: &str) -> bool {
    !TABLE.without_cooldown.contains(&normalize_provider_id(provider))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_conventions_are_read() {
        let table: Table = serde_json::from_str(BUILT_IN).unwrap();
        assert_eq!(table.default_model.to_string(), "openai/gpt-5.5");
        let is_row = |id: &String| ROWS.iter().any(|row| row.id == *id);
        assert!(table.without_plugins.providers.iter().chain(&table.without_cooldown).all(is_row));
        for id in table.command_line_backends.iter().chain(&table.own_authentication) {
            assert_eq!(&normalize_provider_id(id), id);
        }
        assert!(!cools_down("OpenRouter") && cools_down("p"));
    }

    #[test]
    fn markers_are_not_keys() {
        let (all, few) = (Conventions::of(true), Conventions::of(false));
        for marker in ["oauth:x", "custom-local", "secretref-managed", "AWS_PROFILE"] {
            assert!(all.is_marker(marker) && few.is_marker(marker), "{marker}");
        }
        for marker in ["ollama-local", "minimax-oauth", "lmstudio-local"] {
            assert!(all.is_marker(marker) && !few.is_marker(marker), "{marker}");
        }
        for key in ["OPENAI_API_KEY", "secretref-env:X", "sk-fake"] {
            assert!(!all.is_marker(key), "{key}");
        }
    }

    #[test]
    fn model_names_are_the_present_ones() {
        let conventions = Conventions::of(true);
        let name =
            |provider: &str, model: &str| Model::new(&conventions, provider, model).to_string();
        assert_eq!(name("Anthropic", "Opus-4.6"), "anthropic/claude-opus-4-6");
        assert_eq!(name("openrouter", "auto"), "openrouter/openrouter/auto");
        assert_eq!(name("openrouter", "a/b"), "openrouter/a/b");
        assert_eq!(name("huggingface", "huggingface/a/b"), "huggingface/a/b");
        assert_eq!(name("z-ai", " glm "), "zai/glm");
    }
}
