//! The models that the configuration names, and the providers that it defines.

use super::{AgentEntry, Config};
use crate::profile::AgentId;
use serde_json::{Map, Value};

/// The models of `agents.defaults`, and the model providers.
#[derive(Clone, Copy, Debug)]
pub struct ModelSettings<'c>(&'c Config);

/// The model of one agent of the list.
#[derive(Clone, Debug, Default)]
pub struct AgentModel<'c> {
    /// The model, when the agent has one of its own.
    pub primary: Option<&'c str>,
    /// The fallbacks, when the agent has some of its own.
    pub fallbacks: Option<Vec<&'c str>>,
}

/// What the configuration says of the model for small tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utility<'c> {
    /// Nothing.
    Unset,
    /// There is to be none.
    Off,
    /// This one.
    Model(&'c str),
}

/// A text, or the `primary` of an object.
fn primary(model: &Value) -> Option<&str> {
    let text = model.as_str().or_else(|| model.get("primary")?.as_str())?.trim();
    (!text.is_empty()).then_some(text)
}

fn fallbacks(model: &Value) -> Option<Vec<&str>> {
    Some(model.get("fallbacks")?.as_array()?.iter().filter_map(Value::as_str).collect())
}

impl Config {
    /// The models and their providers.
    pub const fn models(&self) -> ModelSettings<'_> {
        ModelSettings(self)
    }

    /// The model that the agent list gives an agent.
    pub fn agent_model(&self, id: &AgentId) -> AgentModel<'_> {
        self.agents().find(|agent| agent.id() == *id).map_or_else(AgentModel::default, |agent| {
            let model = agent.model();
            AgentModel { primary: model.and_then(primary), fallbacks: model.and_then(fallbacks) }
        })
    }

    /// The model that an agent uses unless a session says otherwise.
    pub fn default_model(&self, agent_id: &AgentId) -> Option<&str> {
        self.agent_model(agent_id).primary.or_else(|| self.models().primary())
    }

    /// The model that an agent uses for small tasks.
    pub fn utility_model(&self, agent_id: &AgentId) -> Utility<'_> {
        let of_agent = self.agents().find(|agent| agent.id() == *agent_id);
        let of_agent = of_agent.and_then(AgentEntry::utility_model);
        let set = of_agent.or_else(|| self.models().of_kind("utilityModel"));
        match set.and_then(Value::as_str).map(str::trim) {
            None => Utility::Unset,
            Some("") => Utility::Off,
            Some(model) => Utility::Model(model),
        }
    }

    /// Whether the variables of a login shell are to be used as well.
    pub fn loads_shell_environment(&self) -> bool {
        self.at("/env/shellEnv/enabled") == Some(&Value::Bool(true))
    }

    /// What `auth.profiles` says, by profile id.
    pub fn auth_profiles(&self) -> Option<&Map<String, Value>> {
        self.at("/auth/profiles")?.as_object()
    }
}

impl<'c> ModelSettings<'c> {
    fn of_kind(self, key: &str) -> Option<&'c Value> {
        self.0.at("/agents/defaults")?.get(key)
    }

    /// The default model as it is written.
    pub fn primary(self) -> Option<&'c str> {
        primary(self.of_kind("model")?)
    }

    /// The fallbacks of the default model.
    pub fn fallbacks(self) -> Vec<&'c str> {
        self.of_kind("model").and_then(fallbacks).unwrap_or_default()
    }

    /// The image model as it is written.
    pub fn image(self) -> Option<&'c str> {
        primary(self.of_kind("imageModel")?)
    }

    /// The fallbacks of the image model.
    pub fn image_fallbacks(self) -> Vec<&'c str> {
        self.of_kind("imageModel").and_then(fallbacks).unwrap_or_default()
    }

    /// The models that are allowed, each with its alias; none means all.
    pub fn allowed(self) -> impl Iterator<Item = (&'c str, Option<&'c str>)> {
        self.of_kind("models").and_then(Value::as_object).into_iter().flatten().map(
            |(model, entry)| {
                let alias = entry.get("alias").and_then(Value::as_str).map(str::trim);
                (model.as_str(), alias.filter(|alias| !alias.is_empty()))
            },
        )
    }

    /// The commands that stand for a provider.
    pub fn command_line_backends(self) -> impl Iterator<Item = &'c str> {
        let backends = self.of_kind("cliBackends").and_then(Value::as_object);
        backends.into_iter().flatten().map(|(id, _)| id.as_str())
    }

    /// The providers of `models.providers`.
    pub fn providers(self) -> impl Iterator<Item = (&'c str, &'c Value)> {
        let providers = self.0.at("/models/providers").and_then(Value::as_object);
        providers.into_iter().flatten().map(|(id, provider)| (id.as_str(), provider))
    }
}

/// The ids of the models that a provider of `models.providers` defines.
pub(crate) fn model_ids(provider: &Value) -> impl Iterator<Item = &str> {
    let models = provider.get("models").and_then(Value::as_array);
    let ids = models.into_iter().flatten().filter_map(|model| model.get("id")?.as_str());
    ids.map(str::trim).filter(|id| !id.is_empty())
}
