//! Setting the identity of an agent: from words, or from its `IDENTITY.md`.

use super::identity_file::{FILE_NAME, IdentityFile};
use super::{UnknownAgent, agent_ids, known_agent};
use crate::admin::agents::agent_edit::set_identity as edit_identity;
use crate::app::{App, AppError};
use crate::config::Config;
use crate::profile::AgentId;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The identity to set. Blank texts count as missing.
#[derive(Clone, Debug, Default)]
pub struct IdentityRequest {
    /// The agent; found by its workspace when `None`.
    pub agent: Option<AgentId>,
    /// The workspace that tells which agent, and where `IDENTITY.md` is.
    pub workspace: Option<String>,
    /// The identity file.
    pub identity_file: Option<String>,
    /// Whether to read the identity file although a text is given.
    pub from_identity: bool,
    /// The name.
    pub name: Option<String>,
    /// The emoji.
    pub emoji: Option<String>,
    /// The theme.
    pub theme: Option<String>,
    /// The avatar: a path in the workspace, a URL or a data URI.
    pub avatar: Option<String>,
}

/// The identity that was set.
#[derive(Debug)]
pub struct IdentitySet {
    /// The agent.
    pub agent_id: AgentId,
    /// The whole identity, as the configuration has it now.
    pub identity: Value,
    /// The workspace that was looked at.
    pub workspace: Option<PathBuf>,
    /// The identity file that was named.
    pub identity_file: Option<PathBuf>,
}

/// Why an identity is not set.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The configuration or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no such agent.
    #[error(transparent)]
    Agent(#[from] UnknownAgent),
    /// The identity file is missing, or holds nothing of an identity.
    #[error("{} has no identity", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
        /// The agent.
        agent_id: AgentId,
    },
    /// The workspace tells no agent.
    #[error("no agent has the workspace {}", .0.display())]
    NobodysWorkspace(PathBuf),
    /// The workspace tells more than one agent.
    #[error("{} is the workspace of {}", workspace.display(), all(agent_ids))]
    SharedWorkspace {
        /// The workspace.
        workspace: PathBuf,
        /// The agents.
        agent_ids: Vec<AgentId>,
    },
}

fn all(ids: &[AgentId]) -> String {
    let shown: Vec<_> = ids.iter().map(AgentId::to_string).collect();
    shown.join(" and of ")
}

impl<E: Into<AppError>> From<E> for IdentityError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Sets the identity of an agent. A text that is given wins over the file.
///
/// # Errors
/// No agent, or more than one, is meant; the file says nothing; or the configuration
/// cannot be changed.
pub fn set_identity(app: &App, request: &IdentityRequest) -> Result<IdentitySet, IdentityError> {
    fn given(text: Option<&String>) -> Option<&str> {
        text.map(|text| text.trim()).filter(|text| !text.is_empty())
    }
    let config = app.config_to_change()?;
    let texts = [&request.name, &request.emoji, &request.theme, &request.avatar]
        .map(|text| given(text.as_ref()));
    let named = request.agent.as_ref();
    let identity_file = given(request.identity_file.as_ref()).map(|path| app.paths.expand(path));
    let reads_file =
        request.from_identity || identity_file.is_some() || texts.iter().all(Option::is_none);
    let workspace = match (&identity_file, given(request.workspace.as_ref())) {
        (Some(file), _) => file.parent().map(Path::to_owned),
        (None, Some(workspace)) => Some(app.paths.expand(workspace)),
        (None, None) => (reads_file || named.is_none()).then(|| app.paths.expand(".")),
    };
    let agent_id = match (named, &workspace) {
        (None, Some(workspace)) => agent_in(app, &config, workspace)?,
        _ => known_agent(&config, named)?,
    };
    let file = match (&identity_file, &workspace) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(workspace)) => Some(workspace.join(FILE_NAME)),
        (None, None) => None,
    };
    let read = match file.filter(|_| reads_file) {
        Some(file) => match IdentityFile::read(&file) {
            Some(read) => read,
            None => return Err(IdentityError::Empty { file, agent_id }),
        },
        None => IdentityFile::default(),
    };
    let [name, emoji, theme, avatar] = texts;
    let members: Vec<(&str, &str)> = [
        ("name", name.or(read.name.as_deref())),
        ("emoji", emoji.or(read.emoji.as_deref())),
        ("theme", theme.or(read.theme_or_similar())),
        ("avatar", avatar.or(read.avatar.as_deref())),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?)))
    .collect();
    let identity = edit_identity(&app.paths.config, &agent_id, &members)?;
    let identity = identity.ok_or_else(|| UnknownAgent(agent_id.clone()))?;
    Ok(IdentitySet { agent_id, identity, workspace, identity_file })
}

/// The one agent whose workspace is `directory`.
fn agent_in(app: &App, config: &Config, directory: &Path) -> Result<AgentId, IdentityError> {
    let mut ids = agent_ids(config);
    ids.retain(|id| config.workspace(&app.paths, id) == directory);
    let workspace = directory.to_owned();
    match &ids[..] {
        [id] => Ok(id.clone()),
        [] => Err(IdentityError::NobodysWorkspace(workspace)),
        _ => Err(IdentityError::SharedWorkspace { workspace, agent_ids: ids }),
    }
}
