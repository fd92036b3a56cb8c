//! Deleting an agent: its directories go to the trash, its entry out of the configuration.
//!
//! Invariant: what is reported as moved is in the trash, and nothing else was moved. When
//! a step fails, the ones before it are undone.

use super::UnknownAgent;
use crate::admin::agents::agent_edit::AgentRemoval;
use crate::admin::agents::agent_edit::remove_agent;
use crate::app::{App, AppError};
use crate::config::Config;
use crate::profile::AgentId;
use crate::system::file;
use crate::system::relocation::{Relocation, create_new_directory, remove_empty_directory};
use std::path::{Path, PathBuf};
use std::{fmt, io};

/// An agent that was deleted.
#[derive(Debug)]
pub struct Deleted {
    /// Its id.
    pub id: AgentId,
    /// Its workspace.
    pub workspace: PathBuf,
    /// The directory of its store.
    pub agent_dir: PathBuf,
    /// The directory of its sessions.
    pub sessions_dir: PathBuf,
    /// What was removed with it from the configuration.
    pub removal: AgentRemoval,
    /// The folder that holds what was moved; `None` when there was nothing to move.
    pub trash: Option<PathBuf>,
    /// What was moved, from where to where.
    pub moved: Vec<(PathBuf, PathBuf)>,
    /// What stays where it is, and why.
    pub kept: Vec<(PathBuf, Kept)>,
}

/// Why a directory of a deleted agent stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It belongs to these agents as well.
    Shared(Vec<AgentId>),
    /// It holds more than what belongs to the agent.
    Protected,
    /// It was copied to the trash, but could not be removed wholly.
    Copied,
}

/// Why an agent is not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The configuration or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no such agent.
    #[error(transparent)]
    Agent(#[from] UnknownAgent),
    /// The name is blank.
    #[error("the agent to delete is not named")]
    NoName,
    /// It is `main`.
    #[error("agent `{0}` cannot be deleted")]
    Main(AgentId),
    /// A directory cannot be moved.
    #[error("could not move {} to the trash", directory.display())]
    NotMoved {
        /// The directory.
        directory: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// What was moved before the failure is not all back.
    #[error(transparent)]
    NotUndone(NotUndone),
}

impl<E: Into<AppError>> From<E> for DeleteError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// A failure after which directories are in the trash; it reads as its cause.
#[derive(Debug)]
pub struct NotUndone {
    /// What failed.
    pub cause: Box<DeleteError>,
    /// The directories that are not back: where each was, and where it is now.
    pub moved: Vec<(PathBuf, PathBuf)>,
}

impl fmt::Display for NotUndone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for NotUndone {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}

/// The id of the agent called `named`, if it can be deleted.
///
/// # Errors
/// It is `main`, or there is no such agent.
pub fn check_deletion(app: &App, named: &str) -> Result<AgentId, DeleteError> {
    if named.trim().is_empty() {
        return Err(DeleteError::NoName);
    }
    let id = AgentId::from(named);
    if id.is_main() {
        return Err(DeleteError::Main(id));
    }
    if app.config_to_change()?.agents().any(|agent| agent.id() == id) {
        Ok(id)
    } else {
        Err(UnknownAgent(id).into())
    }
}

/// Deletes the agent with this normalised id.
///
/// # Errors
/// A directory cannot be moved or the configuration cannot be changed; everything is as it
/// was then, unless the message says otherwise.
pub fn delete(app: &App, id: &AgentId) -> Result<Deleted, DeleteError> {
    let config = app.config_to_change()?;
    let workspace = config.workspace(&app.paths, id);
    let agent_dir = config.agent_dir(&app.paths, id).path;
    let sessions_dir = app.paths.sessions_dir(id);
    let mut kept = Vec::new();
    let mut trash = Trash::default();
    for (name, directory) in
        [("workspace", &workspace), ("agent", &agent_dir), ("sessions", &sessions_dir)]
    {
        if let Some(reason) = reason_to_keep(app, &config, id, directory) {
            kept.push((directory.clone(), reason));
        } else if let Err(source) = trash.take(app, id, name, directory) {
            let directory = directory.clone();
            return Err(trash.undo(DeleteError::NotMoved { directory, source }));
        }
    }
    let removal = match remove_agent(&app.paths.config, id) {
        Ok(Some(removal)) => removal,
        Ok(None) => return Err(trash.undo(UnknownAgent(id.clone()).into())),
        Err(error) => return Err(trash.undo(error.into())),
    };
    let mut moved = Vec::new();
    for relocation in trash.moves {
        let (from, to) = (relocation.from.clone(), relocation.to.clone());
        if !relocation.finish() {
            kept.push((from.clone(), Kept::Copied));
        }
        moved.push((from, to));
    }
    if let Some(parent) = sessions_dir.parent() {
        remove_empty_directory(parent);
    }
    let id = id.clone();
    let trash = trash.directory;
    Ok(Deleted { id, workspace, agent_dir, sessions_dir, removal, trash, moved, kept })
}

/// Where the directories of one agent go; every move can be undone.
#[derive(Default)]
struct Trash {
    /// Made for the first thing that is moved.
    directory: Option<PathBuf>,
    moves: Vec<Relocation>,
}

impl Trash {
    /// Moves `directory`, if it is there: it may have gone along with one before it.
    fn take(&mut self, app: &App, id: &AgentId, name: &str, directory: &Path) -> io::Result<()> {
        if directory.symlink_metadata().is_err() {
            return Ok(());
        }
        let trash = if let Some(trash) = self.directory.take() {
            trash
        } else {
            let time = jiff::Timestamp::from_millisecond(app.now()).unwrap_or_default();
            let time = time.strftime("%Y%m%dT%H%M%SZ");
            create_new_directory(&app.paths.trash(), &format!("{}-{time}", id.as_str()))?
        };
        let started = Relocation::start(directory, &trash.join(name));
        self.directory = Some(trash);
        self.moves.extend(started?);
        Ok(())
    }

    /// Undoes every move after `error`, and adds where that is not possible.
    fn undo(self, error: DeleteError) -> DeleteError {
        let mut moved = Vec::new();
        for relocation in self.moves.into_iter().rev() {
            let places = (relocation.from.clone(), relocation.to.clone());
            if relocation.undo().is_err() {
                moved.push(places);
            }
        }
        for directory in self.directory.iter().flat_map(|directory| directory.ancestors().take(2)) {
            remove_empty_directory(directory);
        }
        if moved.is_empty() {
            return error;
        }
        DeleteError::NotUndone(NotUndone { cause: Box::new(error), moved })
    }
}

/// Why a directory of agent `id` must not be moved.
fn reason_to_keep(app: &App, config: &Config, id: &AgentId, directory: &Path) -> Option<Kept> {
    let directory = file::resolve(directory);
    let overlaps = |other: &Path| {
        let other = file::resolve(other);
        other.starts_with(&directory) || directory.starts_with(&other)
    };
    let mut sharers: Vec<AgentId> = Vec::new();
    for other in config.agents().map(|agent| agent.id()).filter(|other| other != id) {
        let is_shared = overlaps(&config.workspace(&app.paths, &other))
            || overlaps(&config.agent_dir(&app.paths, &other).path)
            || overlaps(&app.paths.sessions_dir(&other));
        if is_shared && !sharers.contains(&other) {
            sharers.push(other);
        }
    }
    if !sharers.is_empty() {
        return Some(Kept::Shared(sharers));
    }
    let paths = &app.paths;
    // Everything of which the directory may be no part but a whole: it would take along
    // what belongs to the user, to OpenClaw or to agent `main`.
    let whole = [paths.home.clone(), app.environment.home(), paths.state_dir.clone()]
        .into_iter()
        .chain([paths.config.clone(), config.agent_dir(paths, &AgentId::main()).path])
        .chain(paths.main_agent().map(|main| main.path))
        .chain([paths.sessions_dir(&AgentId::main())]);
    let mut whole = whole.map(|path| file::resolve(&path));
    let holds_more = whole.any(|path| path.starts_with(&directory));
    let state_dir = file::resolve(&paths.state_dir);
    let inside_state = directory.strip_prefix(&state_dir).ok().and_then(|inside| {
        let mut names = inside.components();
        let first = names.next()?.as_os_str().to_str()?;
        // `agents` itself is shared ground, a folder in it is an agent's.
        Some(STATE_FOLDERS.contains(&first) || (first == "agents" && names.next().is_none()))
    });
    let is_top_level = directory.components().count() <= 2;
    (holds_more || is_top_level || inside_state == Some(true)).then_some(Kept::Protected)
}

/// Folders of the state directory that belong to no agent.
const STATE_FOLDERS: [&str; 6] = ["credentials", "identity", "locks", "logs", "providers", "trash"];
