//! Agents: each has a workspace, a store and sessions of its own.

use crate::app::App;
use crate::config::{Config, add_agent};
use crate::exit::{ExitStatus, Failure};
use crate::profile::{MAIN_AGENT, normalize_agent_id};
use crate::system::file::{create_private_directory, create_public_directory};
use anyhow::Context;
use std::path::PathBuf;

/// The agent to add.
#[derive(Clone, Debug)]
pub struct AddRequest {
    /// The name, from which the id is made.
    pub name: String,
    /// The workspace directory; a usual one when `None`.
    pub workspace: Option<PathBuf>,
}

/// An agent that was added.
#[derive(Debug)]
pub struct Added {
    /// The normalised id.
    pub id: String,
    /// The name as given, trimmed.
    pub name: String,
    /// The workspace.
    pub workspace: PathBuf,
    /// The directory of the store.
    pub agent_dir: PathBuf,
    /// The directory of the sessions.
    pub sessions_dir: PathBuf,
    /// The configuration that lists the agent now.
    pub config_path: PathBuf,
}

/// Adds an agent: its directories, and its entry in the configuration.
///
/// # Errors
/// The name is taken or reserved, or something cannot be written.
pub fn add(app: &App, request: &AddRequest) -> Result<Added, Failure> {
    let name = request.name.trim().to_owned();
    let id = normalize_agent_id(&name);
    if id == MAIN_AGENT {
        return Err(Failure::message(
            ExitStatus::Failure,
            format!("the agent name `{MAIN_AGENT}` is reserved"),
        ));
    }
    let config = app.config()?;
    if config.agents().any(|agent| agent.id() == id) {
        return Err(Failure::message(ExitStatus::Failure, format!("agent `{id}` already exists"))
            .hint("openclaw-auth agents list"));
    }
    let workspace = match &request.workspace {
        Some(workspace) => app.paths.expand(&workspace.to_string_lossy()),
        None => config.workspace(&app.paths, &id),
    };
    let workspace = std::path::absolute(&workspace).context("could not resolve the workspace")?;
    let agent_dir = app.paths.agent_dir(&id);
    let sessions_dir = app.paths.sessions_dir(&id);
    create_public_directory(&workspace)
        .with_context(|| format!("could not create {}", workspace.display()))?;
    for directory in [&agent_dir, &sessions_dir] {
        create_private_directory(directory)
            .with_context(|| format!("could not create {}", directory.display()))?;
    }
    let texts = [workspace.to_string_lossy(), agent_dir.to_string_lossy()];
    let entry = [
        ("id", id.as_str()),
        ("name", name.as_str()),
        ("workspace", texts[0].as_ref()),
        ("agentDir", texts[1].as_ref()),
    ];
    add_agent(&app.paths.config, &entry)?;
    let config_path = app.paths.config.clone();
    Ok(Added { id, name, workspace, agent_dir, sessions_dir, config_path })
}

/// One agent.
#[derive(Debug)]
pub struct Row {
    /// The normalised id.
    pub id: String,
    /// The configured name.
    pub name: Option<String>,
    /// The configured identity: name and emoji.
    pub identity: (Option<String>, Option<String>),
    /// The workspace.
    pub workspace: PathBuf,
    /// The directory of the store.
    pub agent_dir: PathBuf,
    /// The model.
    pub model: Option<String>,
    /// How many bindings lead to the agent.
    pub bindings: usize,
    /// Whether commands mean this agent when they name none.
    pub is_default: bool,
}

/// The agents in the order of the configuration; `main` alone when it lists none.
///
/// # Errors
/// The configuration cannot be read.
pub fn list(app: &App) -> Result<Vec<Row>, Failure> {
    let config = app.config()?;
    let default = config.default_agent();
    let mut ids: Vec<String> = config.agents().map(|agent| agent.id()).collect();
    if ids.is_empty() {
        ids.push(MAIN_AGENT.to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids.into_iter().map(|id| row(app, &config, id, &default)).collect())
}

fn row(app: &App, config: &Config, id: String, default: &str) -> Row {
    let entry = config.agents().find(|agent| agent.id() == id);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Row {
        name: entry.and_then(|entry| owned(entry.text("name"))),
        identity: (
            entry.and_then(|entry| owned(entry.identity("name"))),
            entry.and_then(|entry| owned(entry.identity("emoji"))),
        ),
        workspace: config.workspace(&app.paths, &id),
        agent_dir: config.agent_dir(&app.paths, &id).path,
        model: entry.and_then(|entry| owned(entry.model())),
        bindings: config.bindings(&id),
        is_default: id == default,
        id,
    }
}
