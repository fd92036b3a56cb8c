//! The configuration as it is read.

use super::json5::parse_json5;
use super::substitute::{Missing, substitute};
use super::validate::wrong_values;
use super::{AgentDir, ConfigError, InvalidConfig, Paths, Variables, include};
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};
use crate::system::{Environment, file};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The configuration; empty when there is no file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    value: Value,
}

/// An agent that the configuration lists: in `agents.entries` by its id (OpenClaw 2026.8 and
/// later), or in `agents.list`.
#[derive(Clone, Copy, Debug)]
pub struct AgentEntry<'c> {
    id: &'c str,
    members: &'c Value,
}

/// The texts of the configuration that are read here; `*` stands for any key or index.
const OURS: [&str; 11] = [
    "auth",
    "session.store",
    "agents.defaults.workspace",
    "agents.defaults.model",
    "agents.list.*.id",
    "agents.list.*.workspace",
    "agents.list.*.agentDir",
    "agents.list.*.model",
    "agents.entries.*.workspace",
    "agents.entries.*.agentDir",
    "agents.entries.*.model",
];

/// Whether a place, as `agents.list[0].workspace`, is one that is read here, or in one.
fn is_ours(place: &str) -> bool {
    OURS.iter().any(|pattern| {
        let mut parts = place.split(['.', '[']);
        pattern.split('.').all(|part| parts.next().is_some_and(|at| part == "*" || part == at))
    })
}

impl Config {
    /// The configuration of `paths`, its includes and variables resolved.
    ///
    /// # Errors
    /// The file exists and cannot be read, is not a JSON5 object, includes what it must not,
    /// holds a value of the wrong form, gives two agents one directory, or names a variable
    /// that is not set where we need it.
    pub fn load(paths: &Paths, environment: &Environment) -> Result<Self, ConfigError> {
        let path = paths.config.as_path();
        let Some((text, _)) = file::read(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?
        else {
            return Ok(Self::default());
        };
        let mut config = Self::parse(path, &text)?;
        if !text.contains("${") {
            return config.with_own_directories(paths);
        }
        let variables = config.variables(environment, paths);
        let missing = substitute(&mut config.value, &variables);
        match missing.into_iter().find(|missing| is_ours(&missing.place)) {
            None => config.with_own_directories(paths),
            Some(Missing { place, name }) => {
                Err(ConfigError::invalid(path, InvalidConfig::UnsetVariable { place, name }))
            }
        }
    }

    /// Refuses two agents with one directory: they would share a store.
    fn with_own_directories(self, paths: &Paths) -> Result<Self, ConfigError> {
        // The usual ones differ.
        if !self.agents().any(|agent| agent.text("agentDir").is_some()) {
            return Ok(self);
        }
        let mut owners = HashMap::<PathBuf, AgentId>::new();
        for AgentDir { id, path } in self.agent_dirs(paths) {
            match owners.get(&path) {
                Some(owner) if *owner != id => {
                    let agents = [owner.clone(), id];
                    let shared = InvalidConfig::SharedDirectory { agents, directory: path };
                    return Err(ConfigError::invalid(&paths.config, shared));
                }
                _ => drop(owners.insert(path, id)),
            }
        }
        Ok(self)
    }

    /// The configuration in `text`, which is or would be at `path`: includes resolved,
    /// variables as they are written.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::parsed(path, text).map_err(|reason| ConfigError::invalid(path, reason))
    }

    fn parsed(path: &Path, text: &str) -> Result<Self, InvalidConfig> {
        let value = parse_json5(text)?;
        let value = include::resolve(value, &file::resolve(path))?;
        if !value.is_object() {
            return Err(InvalidConfig::NoObject);
        }
        let wrong = wrong_values(&value);
        if wrong.is_empty() { Ok(Self { value }) } else { Err(InvalidConfig::Values(wrong)) }
    }

    /// The variables of a run with this configuration.
    pub fn variables<'a>(&self, environment: &'a Environment, paths: &Paths) -> Variables<'a> {
        Variables::of(environment, paths, &self.value)
    }

    /// The whole of it, as it was read.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// What stands at `/key/key…`, below objects alone.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        pointer.split('/').skip(1).try_fold(&self.value, |value, key| value.get(key))
    }

    /// The agents that are listed.
    pub fn agents(&self) -> impl Iterator<Item = AgentEntry<'_>> {
        let entries = self.at("/agents/entries").and_then(Value::as_object);
        let entries = entries.into_iter().flatten();
        let entries = entries.map(|(id, members)| AgentEntry { id, members });
        let list = self.at("/agents/list").and_then(Value::as_array);
        entries.chain(
            list.into_iter().flatten().filter_map(|members| {
                Some(AgentEntry { id: members.get("id")?.as_str()?, members })
            }),
        )
    }

    /// Whether agents are listed by their ids, as OpenClaw 2026.8 and later list them; `None`
    /// where none is listed.
    pub fn lists_agents_by_id(&self) -> Option<bool> {
        let has = |place| self.at(place).is_some();
        has("/agents/entries").then_some(true).or_else(|| has("/agents/list").then_some(false))
    }

    /// The agent that commands mean when they name none: the one that
    /// `agents.defaults.systemAgent` names, else the first one marked as the default, else the
    /// first, else `main`.
    pub fn default_agent(&self) -> AgentId {
        let system = self.at("/agents/defaults/systemAgent/agentId").and_then(Value::as_str);
        let system = system.map(AgentId::from);
        if let Some(system) = system.filter(|id| self.agents().any(|agent| agent.id() == *id)) {
            return system;
        }
        let marked = self.agents().find(|agent| agent.members["default"] == true);
        marked.or_else(|| self.agents().next()).map_or_else(AgentId::main, |agent| agent.id())
    }

    /// The directory of an agent by its id.
    pub fn agent_dir(&self, paths: &Paths, id: &AgentId) -> AgentDir {
        let configured = self.agents().find(|agent| agent.id() == *id);
        let path = configured
            .and_then(|agent| agent.text("agentDir"))
            .map_or_else(|| paths.agent_dir(id), |path| paths.expand(path));
        AgentDir { id: id.clone(), path }
    }

    /// The directories of the agents that are listed, in one walk over the list.
    pub fn agent_dirs(&self, paths: &Paths) -> impl Iterator<Item = AgentDir> {
        // As for one of them, the first entry of an id counts.
        let mut first = HashMap::<AgentId, PathBuf>::new();
        self.agents().map(move |agent| {
            let id = agent.id();
            let own = || match agent.text("agentDir") {
                Some(path) => paths.expand(path),
                None => paths.agent_dir(&id),
            };
            let path = first.entry(id.clone()).or_insert_with(own).clone();
            AgentDir { id, path }
        })
    }

    /// The workspace of an agent by its id.
    pub fn workspace(&self, paths: &Paths, id: &AgentId) -> PathBuf {
        let configured = self.agents().find(|agent| agent.id() == *id);
        if let Some(workspace) = configured.and_then(|agent| agent.text("workspace")) {
            return paths.expand(workspace);
        }
        let shared = self.at("/agents/defaults/workspace").and_then(Value::as_str);
        let shared = shared.map(str::trim).filter(|path| !path.is_empty());
        if *id == self.default_agent() {
            return shared
                .map_or_else(|| paths.default_workspace.clone(), |path| paths.expand(path));
        }
        match shared {
            Some(path) => paths.expand(path).join(id.as_str()),
            None => paths.state_dir.join(format!("workspace-{}", id.as_str())),
        }
    }

    /// The configured order of a provider's profiles.
    pub fn auth_order(&self, provider: &ProviderId) -> Option<Vec<ProfileId>> {
        let orders = self.at("/auth/order")?.as_object()?;
        let order = orders.iter().find(|(key, _)| provider.is_spelt(key))?.1;
        let ids = order.as_array()?.iter().filter_map(Value::as_str).map(ProfileId::from);
        Some(ids.collect())
    }

    /// The configured orders, each with its provider.
    pub fn auth_orders(&self) -> Vec<(ProviderId, Vec<ProfileId>)> {
        let orders = self.at("/auth/order").and_then(Value::as_object).into_iter().flatten();
        let order = |(key, order): (&String, &Value)| {
            let ids = order.as_array()?.iter().filter_map(Value::as_str).map(ProfileId::from);
            Some((ProviderId::from(key.as_str()), ids.collect()))
        };
        orders.filter_map(order).collect()
    }

    /// The mode that the configuration gives a profile.
    pub fn auth_mode(&self, profile_id: &ProfileId) -> Option<Kind> {
        let mode = self.auth_profiles()?.get(profile_id.as_str())?.get("mode")?;
        Kind::from_name(mode.as_str()?)
    }
}

impl<'c> AgentEntry<'c> {
    /// The normalised id.
    pub fn id(&self) -> AgentId {
        AgentId::from(self.id)
    }

    /// A text of the entry, unless it is blank.
    pub fn text(&self, key: &str) -> Option<&'c str> {
        self.members.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// What stands for the model.
    pub(super) fn model(self) -> Option<&'c Value> {
        self.members.get("model")
    }

    pub(super) fn utility_model(self) -> Option<&'c Value> {
        self.members.get("utilityModel")
    }

    /// A text of the identity.
    pub fn identity(&self, key: &str) -> Option<&'c str> {
        self.members
            .get("identity")?
            .get(key)?
            .as_str()
            .map(str::trim)
            .filter(|text| !text.is_empty())
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
        assert_eq!(config.agent_dir(&home, &"work-bot".into()).path, Path::new("/h/a"));
        for AgentDir { id, path } in config.agent_dirs(&home) {
            assert_eq!(path, config.agent_dir(&home, &id).path);
        }
        assert_eq!(
            config.agent_dir(&home, &AgentId::main()).path,
            home.agent_dir(&AgentId::main())
        );
    }

    #[test]
    fn what_is_no_configuration_is_refused_with_its_place() {
        for text in ["[]", "3", "{ a: }", "not json at all", "", "null", "// nothing"] {
            let error = Config::parse(Path::new("/x/openclaw.json"), text).unwrap_err();
            assert!(error.to_string().contains("/x/openclaw.json"), "{error}");
        }
    }

    #[test]
    fn agents_of_one_directory_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().to_str().unwrap();
        let environment = Environment::of([("OPENCLAW_STATE_DIR", state), ("HOME", state)]);
        let paths = Paths::new(&environment, Path::new("/"));
        let load = |list: &str| {
            let text = format!("{{agents: {{list: [{list}]}}}}");
            file::replace(&paths.config, text.as_bytes()).unwrap();
            Config::load(&paths, &environment).map_err(|error| error.to_string())
        };
        for list in [
            "{id: 'a', agentDir: '~/x'}, {id: 'b'}, {id: 'c', agentDir: '${HOME}/y/../x/'}",
            "{id: 'a', agentDir: '~/agents/c/agent'}, {id: 'c'}",
        ] {
            let error = load(list).unwrap_err();
            assert!(error.contains("agents.list: a and c have the same agentDir"), "{error}");
        }
        for list in [
            "{id: 'a', agentDir: '~/x'}, {id: 'b', agentDir: '~/x/b'}",
            // One agent that is listed twice.
            "{id: 'A', agentDir: '~/x'}, {id: 'a', agentDir: '~/x'}",
            "{id: 'a', agentDir: ' '}, {id: 'b'}",
        ] {
            load(list).unwrap();
        }
    }

    #[test]
    fn only_what_is_read_needs_its_variables() {
        for place in
            ["auth.order.a[0]", "agents.list[12].agentDir", "agents.defaults.model.primary"]
        {
            assert!(is_ours(place), "{place}");
        }
        for place in
            ["agents.defaults.memorySearch.key", "agents.list[0].tools", "authority", "env"]
        {
            assert!(!is_ours(place), "{place}");
        }
    }

    #[test]
    fn providers_are_compared_normalised() {
        let config = config(
            r#"{"auth": {"order": {"Z.AI": ["zai:a"]}, "profiles": {"zai:a": {"provider": "z-ai", "mode": "api_key"}}}}"#,
        );
        assert_eq!(config.auth_order(&"zai".into()), Some(vec!["zai:a".into()]));
        assert_eq!(config.auth_mode(&"zai:a".into()), Some(Kind::ApiKey));
        assert_eq!(config.auth_order(&"openai".into()), None);
    }
}
