//! The configuration as it is read.

use super::{AgentDir, ConfigError, Paths};
use crate::profile::{Kind, MAIN_AGENT, normalize_agent_id, normalize_provider_id};
use crate::system::file;
use jsonc_parser::ParseOptions;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The configuration; empty when there is no file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    value: Value,
}

/// An agent that the configuration lists.
#[derive(Clone, Copy, Debug)]
pub struct AgentEntry<'c>(&'c Value);

/// JSON5: every extension that OpenClaw accepts.
pub(super) const JSON5: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: true,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: true,
    allow_hexadecimal_numbers: true,
    allow_unary_plus_numbers: true,
    allow_bare_decimal_point_numbers: true,
    allow_non_finite_numbers: true,
    allow_extended_string_escapes: true,
};

impl Config {
    /// The configuration at `path`.
    ///
    /// # Errors
    /// The file exists and cannot be read, or it is not a JSON5 object.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match file::read(path) {
            Ok(None) => Ok(Self::default()),
            Ok(Some((text, _))) => Self::parse(path, &text),
            Err(source) => Err(ConfigError::Read { path: path.to_owned(), source }),
        }
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let invalid = |reason| ConfigError::Invalid { path: path.to_owned(), reason };
        let text = text.trim_start_matches('\u{feff}');
        // Written by OpenClaw, it is plain JSON; the JSON5 parser is for people.
        let value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(_) => jsonc_parser::parse_to_serde_value::<Value>(text, &JSON5)
                .map_err(|error| invalid(error.to_string()))?,
        };
        let problems = super::check::problems(&value);
        if !problems.is_empty() {
            return Err(invalid(problems.join("; ")));
        }
        match value {
            Value::Object(_) | Value::Null => Ok(Self { value }),
            _ => Err(invalid("it is not an object".to_owned())),
        }
    }

    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer)
    }

    /// The agents that are listed.
    pub fn agents(&self) -> impl Iterator<Item = AgentEntry<'_>> {
        let list = self.at("/agents/list").and_then(Value::as_array);
        list.into_iter().flatten().filter(|entry| entry["id"].is_string()).map(AgentEntry)
    }

    /// The agent that commands mean when they name none: the first one marked as the
    /// default, else the first, else `main`.
    pub fn default_agent(&self) -> String {
        let marked = self.agents().find(|agent| agent.0["default"] == true);
        marked
            .or_else(|| self.agents().next())
            .map_or_else(|| MAIN_AGENT.to_owned(), |agent| agent.id())
    }

    /// The directory of an agent by its id.
    pub fn agent_dir(&self, paths: &Paths, id: &str) -> AgentDir {
        let configured = self.agents().find(|agent| agent.id() == id);
        let path = configured
            .and_then(|agent| agent.text("agentDir"))
            .map_or_else(|| paths.agent_dir(id), |path| paths.expand(path));
        AgentDir { id: id.to_owned(), path }
    }

    /// The workspace of an agent by its id.
    pub fn workspace(&self, paths: &Paths, id: &str) -> PathBuf {
        let configured = self.agents().find(|agent| agent.id() == id);
        if let Some(workspace) = configured.and_then(|agent| agent.text("workspace")) {
            return paths.expand(workspace);
        }
        let shared = self.at("/agents/defaults/workspace").and_then(Value::as_str);
        let shared = shared.map(str::trim).filter(|path| !path.is_empty());
        if id == self.default_agent() {
            return shared
                .map_or_else(|| paths.home.join(".openclaw/workspace"), |path| paths.expand(path));
        }
        match shared {
            Some(path) => paths.expand(path).join(id),
            None => paths.state_dir.join(format!("workspace-{id}")),
        }
    }

    /// How many bindings lead to an agent.
    pub fn bindings(&self, agent_id: &str) -> usize {
        let bindings = self.at("/bindings").and_then(Value::as_array);
        let leads_there = |binding: &&Value| {
            binding["agentId"].as_str().is_some_and(|id| normalize_agent_id(id) == agent_id)
                && binding["type"].as_str().is_none_or(|kind| kind == "route")
        };
        bindings.map_or(0, |bindings| bindings.iter().filter(leads_there).count())
    }

    /// The configured order of a provider's profiles.
    pub fn auth_order(&self, provider: &str) -> Option<Vec<String>> {
        let orders = self.at("/auth/order")?.as_object()?;
        let order = orders.iter().find(|(key, _)| normalize_provider_id(key) == provider)?.1;
        let ids = order.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
        Some(ids.collect())
    }

    /// The profiles of a provider that are configured, with their modes.
    pub fn auth_profiles(&self, provider: &str) -> Vec<(String, Option<Kind>)> {
        let profiles = self.at("/auth/profiles").and_then(Value::as_object);
        profiles
            .into_iter()
            .flatten()
            .filter(|(_, profile)| {
                let of = profile["provider"].as_str().unwrap_or_default();
                normalize_provider_id(of) == provider
            })
            .map(|(id, profile)| (id.clone(), profile["mode"].as_str().and_then(Kind::from_name)))
            .collect()
    }

    /// The mode that the configuration gives a profile.
    pub fn auth_mode(&self, profile_id: &str) -> Option<Kind> {
        let mode = self.value.get("auth")?.get("profiles")?.get(profile_id)?.get("mode")?;
        Kind::from_name(mode.as_str()?)
    }
}

impl<'c> AgentEntry<'c> {
    /// The normalised id.
    pub fn id(&self) -> String {
        normalize_agent_id(self.0["id"].as_str().unwrap_or_default())
    }

    /// A text of the entry, unless it is blank.
    pub fn text(&self, key: &str) -> Option<&'c str> {
        self.0.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The model, given as text or as the `primary` of an object.
    pub fn model(&self) -> Option<&'c str> {
        let model = self.0.get("model")?;
        model.as_str().or_else(|| model.get("primary")?.as_str())
    }

    /// A text of the identity.
    pub fn identity(&self, key: &str) -> Option<&'c str> {
        self.0.get("identity")?.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("openclaw.json"), text).unwrap()
    }

    #[test]
    fn json5_is_read() {
        let config = config(
            "// c\n{ agents: { list: [ {id: 'Work Bot', default: true, agentDir: '~/a',}, ], }, /* x */ }",
        );
        assert_eq!(config.default_agent(), "work-bot");
        let home = Paths::new(&crate::system::Environment::of([("HOME", "/h")]), Path::new("/"));
        assert_eq!(config.agent_dir(&home, "work-bot").path, Path::new("/h/a"));
        assert_eq!(config.agent_dir(&home, "main").path, home.agent_dir("main"));
    }

    #[test]
    fn what_is_no_configuration_is_refused_with_its_place() {
        for text in ["[]", "3", "{ a: }", "not json at all"] {
            let error = Config::parse(Path::new("/x/openclaw.json"), text).unwrap_err();
            assert!(error.to_string().contains("/x/openclaw.json"), "{error}");
        }
        assert_eq!(config("").default_agent(), "main");
    }

    #[test]
    fn providers_are_compared_normalised() {
        let config = config(
            r#"{"auth": {"order": {"Z.AI": ["zai:a", 5]}, "profiles": {"zai:a": {"provider": "z-ai", "mode": "api_key"}}}}"#,
        );
        assert_eq!(config.auth_order("zai"), Some(vec!["zai:a".to_owned()]));
        assert_eq!(config.auth_profiles("zai"), [("zai:a".to_owned(), Some(Kind::ApiKey))]);
        assert_eq!(config.auth_mode("zai:a"), Some(Kind::ApiKey));
        assert_eq!(config.auth_order("openai"), None);
    }
}
