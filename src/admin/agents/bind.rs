//! Bindings of agents to channels and channel accounts.

use super::{InvalidBindings, UnknownAgent, binding_specs, known_agent};
use crate::admin::agents::binding::BindOutcome;
use crate::admin::agents::binding::UnbindOutcome;
use crate::admin::agents::binding_edit::bind_agent;
use crate::admin::agents::binding_edit::unbind_agent;
use crate::admin::agents::binding_edit::unbind_agent_wholly;
use crate::app::{App, AppError};
use crate::config::Config;
use crate::profile::AgentId;
use serde::Serialize;

/// What became of bindings that an agent was to get.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// The agent.
    pub agent_id: AgentId,
    /// What became of each.
    #[serde(flatten)]
    pub outcome: BindOutcome,
}

/// What became of bindings that an agent was to lose.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unbound {
    /// The agent.
    pub agent_id: AgentId,
    /// What became of each.
    #[serde(flatten)]
    pub outcome: UnbindOutcome,
}

/// Why the bindings of an agent are not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The configuration or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no such agent.
    #[error(transparent)]
    Agent(#[from] UnknownAgent),
    /// A binding cannot be read.
    #[error(transparent)]
    Bindings(#[from] InvalidBindings),
    /// The agent whose bindings are to be shown has a blank name.
    #[error("--agent names no agent")]
    NoName,
    /// No binding is given.
    #[error("nothing to bind: --bind is missing")]
    NothingToBind,
    /// No binding is given.
    #[error("nothing to unbind: --bind and --all are missing")]
    NothingToUnbind,
}

impl<E: Into<AppError>> From<E> for BindError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The configuration, and the agent whose bindings are to be shown: every agent's when
/// `None`.
///
/// # Errors
/// The configuration cannot be read, or there is no such agent.
pub fn bindings(app: &App, named: Option<&str>) -> Result<(Config, Option<AgentId>), BindError> {
    let config = app.config()?;
    let agent = AgentId::named(named);
    if named.is_some() && agent.is_none() {
        return Err(BindError::NoName);
    }
    let agent = agent.map(|agent| known_agent(&config, Some(&agent))).transpose()?;
    Ok((config, agent))
}

/// Binds an agent, the default one when `None`, to every `<channel>[:<account>]`.
///
/// # Errors
/// There is no such agent, a binding is not valid, or the configuration cannot be changed.
pub fn bind(app: &App, agent: Option<&AgentId>, texts: &[String]) -> Result<Bound, BindError> {
    let agent_id = known_agent(&app.config_to_change()?, agent)?;
    let specs = binding_specs(app, texts)?;
    if specs.is_empty() {
        return Err(BindError::NothingToBind);
    }
    let outcome = bind_agent(&app.paths.config, &agent_id, &specs)?;
    Ok(Bound { agent_id, outcome })
}

/// Removes bindings `<channel>[:<account>]` of an agent, the default one when `None`.
///
/// # Errors
/// There is no such agent, a binding is not valid, or the configuration cannot be changed.
pub fn unbind(app: &App, agent: Option<&AgentId>, texts: &[String]) -> Result<Unbound, BindError> {
    let agent_id = known_agent(&app.config_to_change()?, agent)?;
    let specs = binding_specs(app, texts)?;
    if specs.is_empty() {
        return Err(BindError::NothingToUnbind);
    }
    let outcome = unbind_agent(&app.paths.config, &agent_id, &specs)?;
    Ok(Unbound { agent_id, outcome })
}

/// Removes every binding of an agent, the default one when `None`.
///
/// # Errors
/// There is no such agent, or the configuration cannot be changed.
pub fn unbind_wholly(app: &App, agent: Option<&AgentId>) -> Result<Unbound, BindError> {
    let config = app.config_to_change()?;
    let agent_id = known_agent(&config, agent)?;
    let removed = match config.routes_to(&agent_id).next() {
        None => Vec::new(),
        Some(_) => unbind_agent_wholly(&app.paths.config, &agent_id)?,
    };
    let outcome = UnbindOutcome { removed, ..UnbindOutcome::default() };
    Ok(Unbound { agent_id, outcome })
}
