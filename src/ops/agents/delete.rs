//! Deleting an agent: its directories go to the trash, its entry out of the configuration.
//!
//! Invariant: what is reported as moved is in the trash, and nothing else was moved. When
//! a step fails, the ones before it are undone.

use super::{failure, not_found};
use crate::app::App;
use crate::config::{AgentRemoval, Config, remove_agent};
use crate::exit::{Command, Failure};
use crate::profile::AgentId;
use crate::system::relocation::{Relocation, create_new_directory, remove_empty_directory};
use crate::system::{file, now};
use std::io;
use std::path::{Path, PathBuf};

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

/// The id of the agent called `named`, if it can be deleted.
///
/// # Errors
/// It is `main`, or there is no such agent.
pub fn check_deletion(app: &App, named: &str) -> Result<AgentId, Failure> {
    if named.trim().is_empty() {
        return Err(failure("the agent to delete is not named").hint(Command::ours("agents list")));
    }
    let id = AgentId::from(named);
    if id.is_main() {
        return Err(failure(format!("agent `{id}` cannot be deleted")));
    }
    if app.config_to_change()?.agents().any(|agent| agent.id() == id) {
        Ok(id)
    } else {
        Err(not_found(&id))
    }
}

/// Deletes the agent with this normalised id.
///
/// # Errors
/// A directory cannot be moved or the configuration cannot be changed; everything is as it
/// was then, unless the message says otherwise.
pub fn delete(app: &App, id: &AgentId) -> Result<Deleted, Failure> {
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
        } else if let Err(error) = trash.take(app, id, name, directory) {
            let cause = anyhow::Error::new(error)
                .context(format!("could not move {} to the trash", directory.display()));
            return Err(trash.undo(cause.into()));
        }
    }
    let removal = match remove_agent(&app.paths.config, id) {
        Ok(Some(removal)) => removal,
        Ok(None) => return Err(trash.undo(not_found(id))),
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
            let time = jiff::Timestamp::from_millisecond(now()).unwrap_or_default();
            let time = time.strftime("%Y%m%dT%H%M%SZ");
            create_new_directory(&app.paths.trash(), &format!("{}-{time}", id.as_str()))?
        };
        let started = Relocation::start(directory, &trash.join(name));
        self.directory = Some(trash);
        self.moves.extend(started?);
        Ok(())
    }

    /// Undoes every move, and says where that is not possible.
    fn undo(self, failure: Failure) -> Failure {
        let mut stays = Vec::new();
        for relocation in self.moves.into_iter().rev() {
            let place = format!("{} is now {}", relocation.from.display(), relocation.to.display());
            if relocation.undo().is_err() {
                stays.push(place);
            }
        }
        for directory in self.directory.iter().flat_map(|directory| directory.ancestors().take(2)) {
            remove_empty_directory(directory);
        }
        if stays.is_empty() {
            return failure;
        }
        failure.hint(format!("move back by hand: {}", stays.join("; ")))
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
