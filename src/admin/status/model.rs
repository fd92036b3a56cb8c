//! Which models are in use: the configured names, resolved to provider and model.

use crate::config::{AgentModel, Config, ModelSettings, model_ids};
use crate::profile::{AgentId, ModelRef, ProviderId};
use crate::provider::{Conventions, Model};
use indexmap::{IndexMap, IndexSet};

/// The models that an agent uses.
#[derive(Clone, Debug)]
pub struct Models {
    /// The default model as it is written, or as it is resolved when nothing is.
    pub default: String,
    /// Whether somebody has set it.
    pub is_default_set: bool,
    /// The default model, resolved.
    pub resolved_default: Model,
    /// What is tried when the default model fails.
    pub fallbacks: Vec<String>,
    /// The image model.
    pub image: Option<String>,
    /// What is tried when the image model fails.
    pub image_fallbacks: Vec<String>,
    /// Whether the agent has a default model, and fallbacks, of its own.
    pub is_of_agent: (bool, bool),
    /// The models by their aliases.
    pub aliases: IndexMap<String, String>,
    /// The models that are allowed; none means all.
    pub allowed: Vec<String>,
}

impl Models {
    /// The models of the agent `agent_id`, or of any agent without models of its own.
    pub(super) fn of(
        config: &Config,
        conventions: &Conventions,
        agent_id: Option<&AgentId>,
    ) -> Self {
        let settings = config.models();
        let agent = agent_id.map_or_else(AgentModel::default, |id| config.agent_model(id));
        let is_of_agent = (agent.primary.is_some(), agent.fallbacks.is_some());
        let written = agent.primary.or_else(|| settings.primary());
        let resolved_default = resolve(written, settings, conventions);
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        let aliases = settings.allowed().filter_map(|(model, alias)| Some((alias?, model)));
        Self {
            default: written.map_or_else(|| resolved_default.to_string(), str::to_owned),
            is_default_set: written.is_some(),
            resolved_default,
            fallbacks: owned(agent.fallbacks.unwrap_or_else(|| settings.fallbacks())),
            image: settings.image().map(str::to_owned),
            image_fallbacks: owned(settings.image_fallbacks()),
            is_of_agent,
            aliases: aliases.map(|(alias, model)| (alias.to_owned(), model.to_owned())).collect(),
            allowed: settings.allowed().map(|(model, _)| model.to_owned()).collect(),
        }
    }

    /// The model that a name stands for.
    pub(super) fn named(&self, name: &str, conventions: &Conventions) -> Option<Model> {
        let name = ModelRef::by_text(name).model;
        let aliased = self.aliases.get(&name).unwrap_or(&name);
        parse(aliased, conventions)
    }

    /// Whether a model of the provider is in use because somebody has chosen it.
    pub(super) fn is_chosen(&self, conventions: &Conventions, provider: &ProviderId) -> bool {
        let default = self.is_default_set.then_some(&self.default);
        let names = default.into_iter().chain(&self.fallbacks);
        let mut names = names.chain(&self.image).chain(&self.image_fallbacks);
        names.any(|name| {
            let split = split(name, conventions);
            split.is_some_and(|(id, _)| ProviderId::from(id).normalized() == *provider)
        })
    }

    /// The providers of the models in use, spelt as they are normalised; `allowed` adds those that are
    /// merely allowed.
    pub(super) fn providers(
        &self,
        conventions: &Conventions,
        allowed: bool,
    ) -> IndexSet<ProviderId> {
        let used = std::iter::once(&self.default)
            .chain(&self.fallbacks)
            .chain(&self.image)
            .chain(&self.image_fallbacks);
        let allowed = self.allowed.iter().filter(|_| allowed);
        let names = used.chain(allowed).filter_map(|name| split(name, conventions));
        names.map(|(provider, _)| ProviderId::from(provider).normalized()).collect()
    }
}

/// `provider/model`, or a model of the default provider.
fn parse(name: &str, conventions: &Conventions) -> Option<Model> {
    split(name, conventions).map(|(provider, model)| Model::new(conventions, provider, model))
}

/// As [`parse`], both as they are written.
fn split<'n>(name: &'n str, conventions: &Conventions) -> Option<(&'n str, &'n str)> {
    let name = name.trim();
    let (provider, model) = match name.split_once('/') {
        Some((provider, model)) => (provider.trim(), model.trim()),
        None => (conventions.default_provider(), name),
    };
    (!provider.is_empty() && !model.is_empty()).then_some((provider, model))
}

fn resolve(written: Option<&str>, settings: ModelSettings<'_>, conventions: &Conventions) -> Model {
    let default = || conventions.default_model();
    match written {
        Some(name) if !name.contains('/') => resolve_bare(name, settings, conventions),
        Some(name) => parse(&ModelRef::by_text(name).model, conventions)
            .unwrap_or_else(|| defined(settings, conventions).unwrap_or_else(default)),
        None => defined(settings, conventions).unwrap_or_else(default),
    }
}

/// A name without a provider: an alias, else a model of the one provider that is
/// configured with it, else one of the default provider.
fn resolve_bare(name: &str, settings: ModelSettings<'_>, conventions: &Conventions) -> Model {
    let is_name = |other: &str| other.to_lowercase() == name.to_lowercase();
    let aliases = settings.allowed().filter(|(_, alias)| alias.is_some_and(is_name));
    if let Some(aliased) = aliases.last().and_then(|(model, _)| parse(model, conventions)) {
        return aliased;
    }
    let allowed = settings.allowed().filter(|(model, _)| model.contains('/'));
    let allowed = allowed.filter_map(|(model, _)| parse(model, conventions));
    let allowed = allowed.filter(|reference| is_name(&reference.model));
    let mut providers: IndexSet<ProviderId> = allowed.map(|reference| reference.provider).collect();
    let defining = settings.providers().filter(|(_, provider)| model_ids(provider).any(is_name));
    providers.extend(defining.map(|(id, _)| ProviderId::from(id).normalized()));
    let mut providers = providers.into_iter();
    let provider = match (providers.next(), providers.next()) {
        (Some(only), None) => only,
        _ => conventions.default_provider().into(),
    };
    Model { provider, model: name.to_owned() }
}

/// The first model of the first provider that the configuration defines, unless it
/// defines the default provider.
fn defined(settings: ModelSettings<'_>, conventions: &Conventions) -> Option<Model> {
    if settings.providers().any(|(id, _)| id == conventions.default_provider()) {
        return None;
    }
    let mut first = settings.providers().filter_map(|(id, provider)| {
        let model = model_ids(provider).next()?;
        Some(Model { provider: id.into(), model: model.to_owned() })
    });
    first.next()
}
