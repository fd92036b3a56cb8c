//! What an import is asked for, and what it has done. Neither holds a secret.

use super::error::Unfit;
use crate::external::Tool;
use crate::profile::{AgentId, Identity, Kind, Millis, ProfileId, ProviderId};
use crate::store::Location;
use std::path::PathBuf;

/// What becomes of the login where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The other program is logged out.
    Move,
    /// The other program keeps it.
    Copy,
}

/// What to import.
#[derive(Clone, Debug)]
pub struct Request {
    /// The program.
    pub tool: Tool,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The profile id to store it under.
    pub profile_id: Option<ProfileId>,
    /// The entries that are wanted, where the program has several.
    pub entries: Vec<String>,
    /// All of them.
    pub all: bool,
}

/// What became of one login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is a new profile.
    Imported,
    /// A profile of the same account holds it now.
    Updated,
    /// A profile held it already, or has refreshed it since.
    Unchanged,
}

/// One login. It holds no secret.
#[derive(Debug)]
pub struct Row {
    /// Its name in the other program's file.
    pub entry: String,
    /// The profile id.
    pub profile_id: ProfileId,
    /// The agent that has the profile.
    pub agent_id: AgentId,
    /// The provider id.
    pub provider: ProviderId,
    /// The credential kind.
    pub kind: Kind,
    /// Who it belongs to.
    pub identity: Identity,
    /// When the credential expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// What became of it.
    pub outcome: Outcome,
    /// The profile of another account whose id it would have had.
    pub taken_id: Option<ProfileId>,
}

/// What an import did. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The program.
    pub tool: Tool,
    /// Where its logins are.
    pub paths: Vec<PathBuf>,
    /// The agent.
    pub agent_id: AgentId,
    /// The document that holds the profiles.
    pub location: Location,
    /// The logins.
    pub rows: Vec<Row>,
    /// Entries that were not imported, each with the reason.
    pub skipped: Vec<(String, Unfit)>,
    /// Whether the other program is logged out of them.
    pub logged_out: bool,
    /// What its files held.
    pub backups: Vec<PathBuf>,
    /// Whether a refresh here would log the other program out, or the reverse.
    pub is_shared: bool,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}
