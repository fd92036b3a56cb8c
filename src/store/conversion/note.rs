//! The note of a move that is under way, and what is needed to end it: the originals, sealed,
//! and what goes where.
//!
//! Invariant: the note is on the disk before anything is taken away, and goes last. What is
//! sealed is never changed, and never read for a request.

use super::movement::{MovedProfile, Movement};
use crate::profile::{AgentId, Millis};
use crate::store::files::generation::{conversion_path, own_directory};
use crate::store::{Document, StateDocument, StoreError, StoreFormat};
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A move that is under way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    /// The version of this note's layout.
    schema: u32,
    /// Where the logins move to.
    pub(super) to: StoreFormat,
    /// The name of the directory of what is sealed, among the backups.
    sealed: String,
    /// Each agent.
    pub(super) agents: Vec<AgentNote>,
}

/// What is to be done for one agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentNote {
    /// The agent.
    pub(super) agent: String,
    /// What becomes of its profiles.
    pub(super) profiles: Vec<MovedProfile>,
    /// Whether all of them were stored: what the destination has not was removed since.
    #[serde(default)]
    pub(super) stored: bool,
}

/// The names of what goes to the destination.
const PROFILES: &str = "to-store.json";
const STATE: &str = "to-store-state.json";

impl Note {
    /// A new one; nothing is written yet.
    pub(super) fn new(to: StoreFormat, state_dir: &Path, now: Millis) -> Self {
        let time = jiff::Timestamp::from_millisecond(now);
        let time = time.map_or_else(|_| now.to_string(), |at| at.strftime(TIME).to_string());
        let name = |number: u32| match number {
            1 => format!("converted-{time}"),
            _ => format!("converted-{time}-{number}"),
        };
        let free = |name: &String| !backups(state_dir).join(name).exists();
        let sealed = (1..=u32::MAX).map(name).find(free).unwrap_or_default();
        Self { schema: 1, to, sealed, agents: Vec::new() }
    }

    /// The one of the state directory, if there is one.
    pub(super) fn read(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = conversion_path(state_dir);
        let text = file::read(&path).map_err(|source| read_failed(&path, source))?;
        let Some((text, _)) = text else { return Ok(None) };
        let note = serde_json::from_str(&text).map_err(|_| StoreError::Invalid {
            location: path.as_path().into(),
            reason: "it is no note of a move of logins".to_owned(),
        });
        note.map(Some)
    }

    /// Writes it: from now on the move is finished, whatever happens.
    pub(super) fn write(&self, state_dir: &Path) -> Result<(), StoreError> {
        let path = conversion_path(state_dir);
        let text = serde_json::to_vec_pretty(self).map_err(|it| write_failed(&path, it.into()))?;
        file::replace(&path, &text).map_err(|source| write_failed(&path, source))
    }

    /// The move has ended.
    pub(super) fn remove(&self, state_dir: &Path) -> Result<(), StoreError> {
        let path = conversion_path(state_dir);
        file::remove(&path).map_err(|source| write_failed(&path, source))?;
        // The originals stay; what was made of them is not needed any more.
        for agent in &self.agents {
            for name in [PROFILES, STATE] {
                let path = self.directory(state_dir, &agent.agent).join(name);
                file::remove(&path).map_err(|source| write_failed(&path, source))?;
            }
        }
        Ok(())
    }

    /// Where everything is sealed.
    pub(super) fn sealed_in(&self, state_dir: &Path) -> PathBuf {
        backups(state_dir).join(&self.sealed)
    }

    fn directory(&self, state_dir: &Path, agent: &str) -> PathBuf {
        // The name of an agent is that of a directory already.
        self.sealed_in(state_dir).join(agent)
    }

    /// Seals `originals` of an agent, each under its name, and what of them goes to the
    /// destination.
    pub(super) fn seal(
        &mut self,
        state_dir: &Path,
        agent: &AgentId,
        originals: &[(String, Vec<u8>)],
        movement: &Movement,
    ) -> Result<(), StoreError> {
        let directory = self.directory(state_dir, agent.as_str());
        file::create_private_directory(&directory)
            .map_err(|source| write_failed(&directory, source))?;
        for (name, contents) in originals {
            seal_one(&directory, name, contents)?;
        }
        let invalid = |path: &Path| {
            let path = path.to_owned();
            move |error: serde_json::Error| write_failed(&path, error.into())
        };
        let (profiles, state) = (directory.join(PROFILES), directory.join(STATE));
        let text = movement.document.to_text().map_err(invalid(&profiles))?;
        file::replace(&profiles, text.as_bytes()).map_err(|it| write_failed(&profiles, it))?;
        let text = movement.state.to_text().map_err(invalid(&state))?;
        file::replace(&state, text.as_bytes()).map_err(|it| write_failed(&state, it))?;
        self.agents.retain(|it| it.agent != agent.as_str());
        let profiles = movement.profiles.clone();
        self.agents.push(AgentNote { agent: agent.as_str().to_owned(), profiles, stored: false });
        Ok(())
    }

    /// All profiles of an agent are stored, with this outcome.
    pub(super) fn set_stored(&mut self, agent: &AgentId, profiles: &[MovedProfile]) {
        for noted in self.agents.iter_mut().filter(|it| it.agent == agent.as_str()) {
            noted.profiles = profiles.to_vec();
            noted.stored = true;
        }
    }

    /// What is noted of an agent.
    pub(super) fn of(&self, agent: &AgentId) -> Option<&AgentNote> {
        self.agents.iter().find(|it| it.agent == agent.as_str())
    }

    /// Whether all of `originals` is sealed.
    pub(super) fn covers(
        &self,
        state_dir: &Path,
        agent: &AgentId,
        originals: &[(String, Vec<u8>)],
    ) -> Result<bool, StoreError> {
        let directory = self.directory(state_dir, agent.as_str());
        for (name, contents) in originals {
            let path = directory.join(name);
            match file::read_bytes(&path) {
                Ok(sealed) if sealed == *contents => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(read_failed(&path, error)),
            }
        }
        Ok(true)
    }

    /// What is noted of an agent already; of what was stored the names alone, for it is not
    /// stored again.
    pub(super) fn noted(&self, state_dir: &Path, agent: &AgentId) -> Result<Movement, StoreError> {
        let Some(noted) = self.of(agent) else { return Ok(Movement::default()) };
        if noted.stored {
            return Ok(Movement { profiles: noted.profiles.clone(), ..Movement::default() });
        }
        let (document, state) = self.to_store(state_dir, agent.as_str())?;
        Ok(Movement { profiles: noted.profiles.clone(), document, state })
    }

    /// What of an agent goes to the destination.
    pub(super) fn to_store(
        &self,
        state_dir: &Path,
        agent: &str,
    ) -> Result<(Document, StateDocument), StoreError> {
        let directory = self.directory(state_dir, agent);
        let (profiles, state) = (directory.join(PROFILES), directory.join(STATE));
        let odd =
            |path: &Path, error: &serde_json::Error| crate::store::files::invalid(path, error);
        let document = Document::parse(text(&profiles)?).map_err(|it| odd(&profiles, &it))?;
        let found = StateDocument::parse(&text(&state)?).map_err(|it| odd(&state, &it))?;
        Ok((document, found))
    }
}

/// ISO 8601 in its basic form.
const TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

fn backups(state_dir: &Path) -> PathBuf {
    own_directory(state_dir).join("backups")
}

/// Keeps `contents` under `name`, or under a further name where something else has that.
fn seal_one(directory: &Path, name: &str, contents: &[u8]) -> Result<(), StoreError> {
    let numbered = (2..).map(|number| directory.join(format!("{number}-{name}")));
    for path in std::iter::once(directory.join(name)).chain(numbered) {
        match file::read_bytes(&path) {
            Ok(present) if present == contents => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return file::replace(&path, contents).map_err(|it| write_failed(&path, it));
            }
            Err(error) => return Err(read_failed(&path, error)),
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, StoreError> {
    let found = file::read(path).map_err(|source| read_failed(path, source))?;
    found.map(|(text, _)| text).ok_or_else(|| read_failed(path, io::ErrorKind::NotFound.into()))
}

pub(super) fn read_failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::Read { location: path.into(), source: Arc::new(source) }
}

pub(super) fn write_failed(path: &Path, source: io::Error) -> StoreError {
    StoreError::Write { location: path.into(), source: Arc::new(source) }
}
