//! What OpenClaw 2026.4.24 takes for granted about providers: markers that stand in the
//! place of a key, the variables that count without its bundled plugins, model names.
//!
//! Invariant: it is data (`conventions.json`); the code here names no provider.

use crate::profile::normalize_provider_id;
use indexmap::IndexMap;
use serde::Deserialize;

const BUILT_IN: &str = include_str!("conventions.json");

/// The conventions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conventions {
    /// The model when the configuration names none.
    pub default_model: Model,
    markers: Markers,
    built_in_environment: Vec<String>,
    command_line_backends: Vec<String>,
    own_authentication: Vec<String>,
    without_cooldown: Vec<String>,
    model_names: IndexMap<String, IndexMap<String, String>>,
    model_prefixes: IndexMap<String, Prefix>,
    /// Whether OpenClaw's bundled plugins count.
    #[serde(skip)]
    with_plugins: bool,
}

/// A provider and one of its models.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Model {
    /// The normalised provider id.
    pub provider: String,
    /// The model id.
    pub model: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Markers {
    always: Vec<String>,
    prefixes: Vec<String>,
    bundled: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
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
    pub fn load(with_plugins: bool) -> Self {
        // A test reads them; what is compiled in cannot be wrong later.
        let built_in = serde_json::from_str(BUILT_IN).unwrap_or_default();
        Self { with_plugins, ..built_in }
    }

    /// Whether the bundled plugins count.
    pub const fn with_plugins(&self) -> bool {
        self.with_plugins
    }

    /// Whether `value`, where a key should be, only says how the provider authenticates.
    pub fn is_marker(&self, value: &str) -> bool {
        let is_one_of = |markers: &[String]| markers.iter().any(|marker| marker == value);
        self.markers.prefixes.iter().any(|prefix| value.starts_with(prefix.as_str()))
            || is_one_of(&self.markers.always)
            || (self.with_plugins && is_one_of(&self.markers.bundled))
    }

    /// Whether the variables of a provider count.
    pub fn has_environment(&self, provider: &str) -> bool {
        self.with_plugins || self.built_in_environment.iter().any(|id| id == provider)
    }

    /// Whether a provider is run through a command of its own, which has its own login.
    pub fn is_command_line_backend(&self, provider: &str) -> bool {
        self.with_plugins && self.command_line_backends.iter().any(|id| id == provider)
    }

    /// Whether a plugin of OpenClaw's authenticates to a provider by itself.
    pub fn has_own_authentication(&self, provider: &str) -> bool {
        self.with_plugins && self.own_authentication.iter().any(|id| id == provider)
    }

    /// Whether cooldowns do not apply to a provider.
    pub fn is_without_cooldown(&self, provider: &str) -> bool {
        let provider = normalize_provider_id(provider);
        self.without_cooldown.contains(&provider)
    }

    /// The present name of a model.
    fn model_name(&self, provider: &str, model: &str) -> String {
        let names = self.model_names.get(provider);
        if let Some(name) = names.and_then(|names| names.get(&model.to_lowercase())) {
            return name.clone();
        }
        match self.model_prefixes.get(provider) {
            Some(Prefix::Add(prefix)) if !model.contains('/') => format!("{prefix}{model}"),
            Some(Prefix::Remove(prefix)) => {
                model.strip_prefix(prefix.as_str()).unwrap_or(model).to_owned()
            }
            _ => model.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_conventions_are_read() {
        let conventions: Conventions = serde_json::from_str(BUILT_IN).unwrap();
        assert_eq!(conventions.default_model.to_string(), "openai/gpt-5.5");
    }

    #[test]
    fn markers_are_not_keys() {
        let (all, few) = (Conventions::load(true), Conventions::load(false));
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
        let conventions = Conventions::load(true);
        let name =
            |provider: &str, model: &str| Model::new(&conventions, provider, model).to_string();
        assert_eq!(name("Anthropic", "Opus-4.6"), "anthropic/claude-opus-4-6");
        assert_eq!(name("openrouter", "auto"), "openrouter/openrouter/auto");
        assert_eq!(name("openrouter", "a/b"), "openrouter/a/b");
        assert_eq!(name("huggingface", "huggingface/a/b"), "huggingface/a/b");
        assert_eq!(name("z-ai", " glm "), "zai/glm");
    }
}
