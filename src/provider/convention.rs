//! What OpenClaw 2026.4.24 takes for granted about providers: markers that stand in the
//! place of a key, the variables that count without its bundled plugins, model names.
//!
//! Invariant: it is data (`conventions.json`); the code here names no provider.

use super::built_in::{ROWS, auth_provider_id};
use crate::profile::ProviderId;

/// The conventions, with or without what OpenClaw's bundled plugins bring.
#[derive(Clone, Copy, Debug)]
pub struct Conventions {
    table: &'static Table,
    with_plugins: bool,
    /// Whether they are those of OpenClaw 2026.9.6, which has logins in databases.
    of_databases: bool,
}

static TABLE: Table = include!(concat!(env!("OUT_DIR"), "/conventions.rs"));

type Texts = &'static [&'static str];
type Pairs = &'static [(&'static str, &'static str)];

/// `conventions.json`, its keys in snake case.
#[derive(Debug)]
struct Table {
    default_provider: &'static str,
    default_model: &'static str,
    /// That of OpenClaw 2026.9.6.
    database_default_model: &'static str,
    /// The models for small tasks, by provider, of OpenClaw 2026.9.6.
    utility_models: Pairs,
    /// What OpenClaw 2026.9.6 runs the models of a provider in.
    runtimes: Pairs,
    /// Texts in the place of a key that are none.
    markers: Texts,
    marker_prefixes: Texts,
    bundled_markers: Texts,
    /// Names of variables, whether or not a provider has them.
    variable_markers: Texts,
    /// The providers whose variables count without the bundled plugins.
    providers_without_plugins: Texts,
    /// Variables that count besides.
    variables_without_plugins: Texts,
    command_line_backends: Texts,
    own_authentication: Texts,
    /// Those of OpenClaw 2026.9.6.
    database_own_authentication: Texts,
    /// The providers under which OpenClaw 2026.6 and later keep the logins of others.
    successors: Pairs,
    /// Providers that route to many others: a failure says nothing of the credential.
    without_cooldown: Texts,
    /// Former names of models with the present ones, by provider.
    model_names: &'static [(&'static str, Pairs)],
    /// What the models of a provider begin with.
    added_prefixes: Pairs,
    /// What is left out at the beginning of them.
    removed_prefixes: Pairs,
}

/// The value of a pair.
fn value_of<V: Copy>(pairs: &[(&'static str, V)], name: &str) -> Option<V> {
    pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// A provider and one of its models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The provider id.
    pub provider: ProviderId,
    /// The model id.
    pub model: String,
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.provider.spelling(), self.model)
    }
}

impl Model {
    /// As OpenClaw 2026.9.6 writes it: a model that begins with its provider does so once.
    pub fn key(&self) -> String {
        let provider = self.provider.spelling();
        let begins = self.model.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'));
        if begins { self.model.clone() } else { self.to_string() }
    }

    /// A model of a provider, its name the present one.
    pub fn new(conventions: &Conventions, provider: &str, model: &str) -> Self {
        let provider = ProviderId::from(provider).normalized();
        let model = conventions.model_name(&provider, model.trim());
        Self { provider, model }
    }
}

impl Conventions {
    /// The conventions with or without what OpenClaw's bundled plugins bring.
    pub fn of(with_plugins: bool) -> Self {
        Self { table: &TABLE, with_plugins, of_databases: false }
    }

    /// The same, of OpenClaw 2026.9.6 where logins are in databases.
    #[must_use]
    pub const fn in_databases(self, of_databases: bool) -> Self {
        Self { of_databases, ..self }
    }

    /// The model of a provider that OpenClaw 2026.9.6 takes for small tasks.
    pub fn utility_model(&self, provider: &ProviderId) -> Option<&'static str> {
        value_of(self.table.utility_models, provider.as_str())
    }

    /// What OpenClaw 2026.9.6 runs the models of a provider in, where that is none of its own.
    pub fn runtime(&self, provider: &ProviderId) -> Option<&'static str> {
        value_of(self.table.runtimes, provider.as_str())
    }

    /// The provider when the configuration names none.
    pub const fn default_provider(&self) -> &'static str {
        self.table.default_provider
    }

    /// The model when the configuration names none.
    pub fn default_model(&self) -> Model {
        let Table { default_provider, default_model, database_default_model, .. } = *self.table;
        let model = if self.of_databases { database_default_model } else { default_model };
        Model { provider: default_provider.into(), model: model.to_owned() }
    }

    /// Whether the bundled plugins count.
    pub const fn with_plugins(&self) -> bool {
        self.with_plugins
    }

    /// Whether `value`, where a key should be, only says how the provider authenticates.
    pub fn is_marker(&self, value: &str) -> bool {
        self.table.marker_prefixes.iter().any(|prefix| value.starts_with(prefix))
            || self.table.markers.contains(&value)
            || (self.with_plugins && self.table.bundled_markers.contains(&value))
    }

    /// Whether `value`, where a key should be, is the name of the variable that holds it.
    pub fn is_variable_marker(&self, value: &str) -> bool {
        self.is_key_variable(value) || self.table.variable_markers.contains(&value)
    }

    /// Whether a variable of this name holds the key of a provider.
    pub fn is_key_variable(&self, name: &str) -> bool {
        ROWS.iter().any(|row| self.has_environment(row.id) && row.variables.contains(&name))
            || self.table.variables_without_plugins.contains(&name)
    }

    /// Whether the variables of a provider, by its normalised id, count.
    pub fn has_environment(&self, provider: &str) -> bool {
        self.with_plugins || self.table.providers_without_plugins.contains(&provider)
    }

    /// Whether a provider is run through a command of its own, which has its own login.
    pub fn is_command_line_backend(&self, provider: &ProviderId) -> bool {
        self.with_plugins && self.table.command_line_backends.contains(&provider.as_str())
    }

    /// Whether a plugin of OpenClaw's authenticates to a provider by itself.
    pub fn has_own_authentication(&self, provider: &ProviderId) -> bool {
        let Table { own_authentication, database_own_authentication, .. } = self.table;
        let known =
            if self.of_databases { database_own_authentication } else { own_authentication };
        self.with_plugins && known.contains(&provider.as_str())
    }

    /// The present name of a model.
    fn model_name(&self, provider: &ProviderId, model: &str) -> String {
        let provider = provider.as_str();
        let Table { model_names, added_prefixes, removed_prefixes, .. } = self.table;
        let names = value_of(model_names, provider).unwrap_or_default();
        if let Some(name) = value_of(names, &model.to_lowercase()) {
            return name.to_owned();
        }
        if let Some(prefix) = value_of(added_prefixes, provider)
            && !model.contains('/')
        {
            return format!("{prefix}{model}");
        }
        let removed = value_of(removed_prefixes, provider);
        removed.and_then(|prefix| model.strip_prefix(prefix)).unwrap_or(model).to_owned()
    }
}

/// Whether failures keep profiles of `provider` away for a while.
pub fn cools_down(provider: &ProviderId) -> bool {
    !TABLE.without_cooldown.contains(&provider.as_str())
}

/// The provider under which OpenClaw 2026.6 and later keep the logins of `provider`.
pub fn successor(provider: &ProviderId) -> Option<ProviderId> {
    value_of(TABLE.successors, auth_provider_id(provider).as_str()).map(ProviderId::from)
}

/// Whether logins of one of the two providers are kept under the other by now.
pub fn is_one_login(one: &ProviderId, other: &ProviderId) -> bool {
    [(one, other), (other, one)].into_iter().any(|(former, present)| {
        successor(former).is_some_and(|successor| successor == auth_provider_id(present))
    })
}

/// The provider whose logins OpenClaw 2026.6 and later keep under `provider`.
pub fn predecessor(provider: &ProviderId) -> Option<ProviderId> {
    let mut pairs = TABLE.successors.iter();
    pairs.find(|(_, present)| provider.is_spelt(present)).map(|(former, _)| (*former).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conventions_are_about_known_providers() {
        let Table { providers_without_plugins, without_cooldown, .. } = TABLE;
        assert_eq!(Conventions::of(true).default_model().to_string(), "openai/gpt-5.5");
        let is_row = |id: &&str| ROWS.iter().any(|row| row.id == *id);
        assert!(providers_without_plugins.iter().chain(without_cooldown).all(is_row));
        for id in TABLE.command_line_backends.iter().chain(TABLE.own_authentication) {
            assert_eq!(ProviderId::from(*id).as_str(), *id);
        }
        assert!(!cools_down(&"OpenRouter".into()) && cools_down(&"p".into()));
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
