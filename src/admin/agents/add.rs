//! Adding an agent.
//!
//! Invariant: the directories exist before the configuration names them, so a listed agent
//! is a usable one.

use super::{InvalidBindings, binding_specs, lists_by_id};
use crate::admin::agents::agent_edit::AgentAddition;
use crate::admin::agents::agent_edit::NewAgent;
use crate::admin::agents::agent_edit::add_agent;
use crate::admin::agents::binding::BindOutcome;
use crate::app::{App, AppError};
use crate::config::{Config, ConfigError};
use crate::profile::AgentId;
use crate::system::file::{self, create_private_directory, create_public_directory};
use std::io;
use std::path::{Path, PathBuf};

/// The agent to add. Blank texts count as missing.
#[derive(Clone, Debug, Default)]
pub struct AddRequest {
    /// The name, from which the id is made.
    pub name: String,
    /// The workspace directory; the usual one when `None`.
    pub workspace: Option<String>,
    /// The directory of its store; the usual one when `None`.
    pub agent_dir: Option<String>,
    /// The model; that of all agents when `None`.
    pub model: Option<String>,
    /// What it shall answer on: `<channel>[:<account>]`.
    pub bindings: Vec<String>,
}

/// An agent that was added.
#[derive(Debug)]
pub struct Added {
    /// The normalised id.
    pub id: AgentId,
    /// The name as given, trimmed.
    pub name: String,
    /// The workspace.
    pub workspace: PathBuf,
    /// The directory of the store.
    pub agent_dir: PathBuf,
    /// The directory of the sessions.
    pub sessions_dir: PathBuf,
    /// The model.
    pub model: Option<String>,
    /// What became of the bindings.
    pub bindings: BindOutcome,
    /// The configuration that lists the agent now.
    pub config_path: PathBuf,
}

/// Why an agent is not added. Its directories may be there, but nothing names them.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// The configuration or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// What it shall answer on cannot be read.
    #[error(transparent)]
    Bindings(#[from] InvalidBindings),
    /// The name is blank.
    #[error("the agent needs a name")]
    NoName,
    /// The name gives the id of `main`.
    #[error("the agent name `{0}` is reserved")]
    Reserved(AgentId),
    /// There is such an agent.
    #[error("agent `{0}` already exists")]
    Exists(AgentId),
    /// The directory of its store is that of another agent.
    #[error(
        "{} is the directory of agent `{owner}`, and two agents cannot share a store",
        directory.display()
    )]
    SharedStore {
        /// The directory.
        directory: PathBuf,
        /// The other agent.
        owner: AgentId,
    },
    /// The configuration, which is JSON, cannot hold a path.
    #[error("{} is not UTF-8, and the configuration cannot hold it", path.display())]
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// A directory cannot be made.
    #[error("could not create {}", directory.display())]
    Create {
        /// The directory.
        directory: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl<E: Into<AppError>> From<E> for AddError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The id that an agent called `name` would have.
///
/// # Errors
/// The name is blank, reserved or taken.
pub fn check_name(app: &App, name: &str) -> Result<AgentId, AddError> {
    check_name_in(&app.config_to_change()?, name)
}

fn check_name_in(config: &Config, name: &str) -> Result<AgentId, AddError> {
    if name.trim().is_empty() {
        return Err(AddError::NoName);
    }
    let id = AgentId::from(name);
    if id.is_main() {
        return Err(AddError::Reserved(id));
    }
    if config.agents().any(|agent| agent.id() == id) {
        return Err(AddError::Exists(id));
    }
    Ok(id)
}

/// A path as the configuration keeps it.
fn text_of(path: &Path) -> Result<&str, AddError> {
    path.to_str().ok_or_else(|| AddError::NotText { path: path.to_owned() })
}

/// The workspace of an agent that is given no other.
///
/// # Errors
/// The configuration cannot be read.
pub fn default_workspace(app: &App, id: &AgentId) -> Result<PathBuf, ConfigError> {
    Ok(app.config()?.workspace(&app.paths, id))
}

/// Adds an agent: its directories, then its entry and its bindings in the configuration.
/// A binding that another agent has is reported as a conflict and stays as it is.
///
/// # Errors
/// The name is taken or reserved, a binding is not valid, or something cannot be written.
pub fn add(app: &App, request: &AddRequest) -> Result<Added, AddError> {
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let config = app.config_to_change()?;
    let name = request.name.trim().to_owned();
    let id = check_name_in(&config, &name)?;
    let bindings = binding_specs(app, &request.bindings)?;
    let model = given(&request.model);
    let workspace = match given(&request.workspace) {
        Some(workspace) => app.paths.expand(&workspace),
        None => config.workspace(&app.paths, &id),
    };
    let agent_dir = match given(&request.agent_dir) {
        Some(directory) => app.paths.expand(&directory),
        None => app.paths.agent_dir(&id),
    };
    if let Some(owner) = owner_of(app, &config, &agent_dir) {
        return Err(AddError::SharedStore { directory: agent_dir, owner });
    }
    let texts = [text_of(&workspace)?, text_of(&agent_dir)?];
    let sessions_dir = app.paths.sessions_dir(&id);
    let failed = |directory: &Path| {
        let directory = directory.to_owned();
        move |source| AddError::Create { directory, source }
    };
    create_public_directory(&workspace).map_err(failed(&workspace))?;
    for directory in [&agent_dir, &sessions_dir] {
        create_private_directory(directory).map_err(failed(directory))?;
    }
    let mut entry = vec![
        ("id", id.as_str()),
        ("name", name.as_str()),
        ("workspace", texts[0]),
        ("agentDir", texts[1]),
    ];
    entry.extend(model.as_deref().map(|model| ("model", model)));
    let is_first = config.agents().next().is_none();
    let (by_id, default) = (lists_by_id(app, &config), &config.default_agent());
    let bindings = &bindings;
    let agent = NewAgent { id: &id, entry: &entry, bindings, is_first, by_id, default };
    let bindings = match add_agent(&app.paths.config, agent)? {
        AgentAddition::Added(bindings) => bindings,
        AgentAddition::Exists => return Err(AddError::Exists(id)),
    };
    let config_path = app.paths.config.clone();
    Ok(Added { id, name, workspace, agent_dir, sessions_dir, model, bindings, config_path })
}

/// The agent whose store is in `directory`.
fn owner_of(app: &App, config: &Config, directory: &Path) -> Option<AgentId> {
    let directory = file::resolve(directory);
    let is_it = |path: &Path| file::resolve(path) == directory;
    config
        .agent_dirs(&app.paths)
        .chain([config.agent_dir(&app.paths, &AgentId::main())])
        .chain(app.paths.main_agent())
        .find(|agent| is_it(&agent.path))
        .map(|agent| agent.id)
}
