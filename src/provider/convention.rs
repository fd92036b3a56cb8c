//! What OpenClaw 2026.4.24 takes for granted about providers: markers that stand in the
//! place of a key, the variables that count without its bundled plugins, model names.
//!
//! Invariant: it is data (`conventions.json`); the code here names no provider.

use super::built_in::{ROWS, names};
use super::members::Members;
use crate::profile::normalize_provider_id;
use serde::Deserialize;
use serde_json::value::RawValue;
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
#[serde(rename_all = "camelCase", deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Table {
    default_model: Model,
    markers: Markers,
    without_plugins: WithoutPlugins,
    command_line_backends: Vec<&'static str>,
    own_authentication: Vec<&'static str>,
    /// Providers that route to many others: a failure says nothing of the credential.
    without_cooldown: Vec<&'static str>,
    /// Former names of models with the present ones, by provider: [`Members`] in text that
    /// is read for the one provider that is asked about.
    model_names: Members<&'static RawValue>,
    model_prefixes: Members<Prefix<'static>>,
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
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct Markers {
    always: Vec<&'static str>,
    prefixes: Vec<&'static str>,
    bundled: Vec<&'static str>,
    /// Names of variables, whether or not a provider has them.
    variables: Vec<&'static str>,
}

/// What counts without the bundled plugins.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct WithoutPlugins {
    /// The providers whose variables count.
    providers: Vec<&'static str>,
    /// Variables that count besides.
    variables: Vec<&'static str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Prefix<'t> {
    Add(&'t str),
    Remove(&'t str),
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
        let markers = &self.table.markers;
        markers.prefixes.iter().any(|prefix| value.starts_with(prefix))
            || markers.always.contains(&value)
            || (self.with_plugins && markers.bundled.contains(&value))
    }

    /// Whether `value`, where a key should be, is the name of the variable that holds it.
    pub fn is_variable_marker(&self, value: &str) -> bool {
        self.is_key_variable(value) || self.table.markers.variables.contains(&value)
    }

    /// Whether a variable of this name holds the key of a provider.
    pub fn is_key_variable(&self, name: &str) -> bool {
        let mut rows = ROWS.iter();
        rows.any(|(id, variables)| {
            self.has_environment(id) && names(variables).any(|it| it == name)
        }) || self.table.without_plugins.variables.contains(&name)
    }

    /// Whether the variables of a provider count.
    pub fn has_environment(&self, provider: &str) -> bool {
        self.with_plugins || self.table.without_plugins.providers.contains(&provider)
    }

    /// Whether a provider is run through a command of its own, which has its own login.
    pub fn is_command_line_backend(&self, provider: &str) -> bool {
        self.with_plugins && self.table.command_line_backends.contains(&provider)
    }

    /// Whether a plugin of OpenClaw's authenticates to a provider by itself.
    pub fn has_own_authentication(&self, provider: &str) -> bool {
        self.with_plugins && self.table.own_authentication.contains(&provider)
    }

    /// The present name of a model.
    fn model_name(&self, provider: &str, model: &str) -> String {
        let names = self.table.model_names.get(provider).copied().map(model_names);
        if let Some(name) = names.and_then(|names| names.get(&model.to_lowercase()).copied()) {
            return name.to_owned();
        }
        match self.table.model_prefixes.get(provider) {
            Some(Prefix::Add(prefix)) if !model.contains('/') => format!("{prefix}{model}"),
            Some(Prefix::Remove(prefix)) => model.strip_prefix(prefix).unwrap_or(model).to_owned(),
            _ => model.to_owned(),
        }
    }
}

/// The names of the models of one provider. A test reads them all.
fn model_names(text: &'static RawValue) -> Members<&'static str> {
    serde_json::from_str(text.get()).unwrap_or_default()
}

/// Whether failures keep profiles of `provider` away for a while.
pub fn cools_down(provider: &str) -> bool {
    !TABLE.without_cooldown.contains(&normalize_provider_id(provider).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_conventions_are_read() {
        let table: Table = serde_json::from_str(BUILT_IN).unwrap();
        assert_eq!(table.default_model.to_string(), "openai/gpt-5.5");
        assert!(table.model_names.iter().all(|(_, names)| model_names(names).iter().len() > 0));
        let is_row = |id: &&str| ROWS.get(id).is_some();
        assert!(table.without_plugins.providers.iter().chain(&table.without_cooldown).all(is_row));
        for id in table.command_line_backends.iter().chain(&table.own_authentication) {
            assert_eq!(normalize_provider_id(id), *id);
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
