//! Backups: what a change of the profiles replaced, until enough newer ones are there.
//!
//! Invariant: a backup never keeps a change from being stored. Renewals are counted apart
//! from other changes: otherwise an hourly refresh would push out what a person may want
//! back.

use super::{Location, StoreError};
use crate::profile::{AgentId, Millis};
use crate::system::permissions::Exposure;
use crate::text::chain;
use std::ffi::OsStr;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// How many backups of either sort are kept where the user says nothing.
pub const DEFAULT_BACKUPS: usize = 5;

/// What went less well than it could while something else succeeded, for the end of a run.
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Mutex<Vec<Notice>>>);

/// One of them.
#[derive(Debug, thiserror::Error)]
pub enum Notice {
    /// The change is stored, and what it replaced is not kept.
    #[error("could not back up what {document} held before: {reason}")]
    NoBackup {
        /// The changed document.
        document: Location,
        /// Where the backup should be.
        directory: Location,
        /// Why it is not there.
        reason: io::Error,
    },
    /// More backups are kept than is wanted.
    #[error("an old backup could not be removed from {directory}: {reason}")]
    OldBackup {
        /// Where it is.
        directory: Location,
        /// Why it is still there.
        reason: io::Error,
    },
    /// The change is stored, and its name may not be on the disk yet.
    #[error("{document} is written, and may not survive a power loss: {reason}")]
    NotDurable {
        /// The changed document.
        document: Location,
        /// What the directory said.
        reason: io::Error,
    },
    /// The change is stored, and the file that the document took over from is as it was.
    #[error("{document} is written, and the `auth.json` beside it is left as it is: {}", chain(.reason))]
    LegacyLeft {
        /// The changed document.
        document: Location,
        /// Why the file is left.
        reason: StoreError,
    },
    /// OpenClaw runs no command on the logins of an agent before a file is gone.
    #[error(
        "{location} is left from an earlier OpenClaw, and blocks OpenClaw 2026.8 and later from the logins"
    )]
    BlocksOpenClaw {
        /// The file.
        location: Location,
    },
    /// OpenClaw's gateway may go on with what it has read before.
    #[error("OpenClaw's gateway is running, and may not see the change yet")]
    GatewayRuns(GatewayNews),
    /// Somebody else can read or change a file, which did not matter to the command.
    #[error("{0}")]
    Exposed(Exposure),
}

/// What OpenClaw's gateway is to learn of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayNews {
    /// What was done; `None` where the gateway is not to be called.
    pub done: Option<Done>,
    /// The agent whose profiles they are.
    pub agent_id: AgentId,
}

/// What was done to a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was made.
    Login,
    /// It was removed.
    Logout,
    /// It was pasted or imported.
    Update,
}

impl GatewayNews {
    /// The method of the gateway that makes it look again.
    pub const METHOD: &'static str = "models.authRefresh";

    /// Its parameters: JSON.
    pub fn parameters(&self) -> String {
        let operation = match self.done {
            Some(Done::Login) => "login",
            Some(Done::Logout) => "logout",
            Some(Done::Update) | None => "update",
        };
        let mut parameters = serde_json::json!({"operation": operation});
        if !self.agent_id.is_main() {
            parameters["agentId"] = self.agent_id.as_str().into();
        }
        parameters.to_string()
    }
}

impl Notices {
    /// The gateway is to be told what was done, once, where it runs.
    pub fn tell_gateway(&self, done: Done) {
        let mut notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for notice in notices.iter_mut() {
            if let Notice::GatewayRuns(news) = notice {
                news.done = Some(done);
            }
        }
    }

    /// Keeps something to say.
    pub fn add(&self, notice: Notice) {
        let mut notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |known: &Notice| match (known, &notice) {
            (Notice::BlocksOpenClaw { location: a }, Notice::BlocksOpenClaw { location: b }) => {
                a == b
            }
            _ => false,
        };
        if !notices.iter().any(is_known) {
            notices.push(notice);
        }
    }

    /// As [`Self::add`], where nothing is said of the gateway yet.
    #[cfg(feature = "sqlite")]
    pub(super) fn add_of_gateway(&self, news: GatewayNews) {
        let mut notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_gateway = |notice: &Notice| matches!(notice, Notice::GatewayRuns(_));
        if !notices.iter().any(is_of_gateway) {
            notices.push(Notice::GatewayRuns(news));
        }
    }

    /// What there is to say, once.
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How an agent's store keeps backups.
#[derive(Clone, Debug)]
pub struct BackupPolicy {
    /// How many of either sort are kept; none when it is 0.
    pub count: usize,
    /// Where a backup that failed is told.
    pub notices: Notices,
}

/// An earlier version of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backup {
    /// When it was replaced, in milliseconds since the epoch.
    pub replaced_at: Millis,
    /// Whether it was replaced by renewed tokens of the same logins.
    pub is_renewal: bool,
}

const PREFIX: &str = "auth-profiles.";
const SUFFIX: &str = ".json";
const RENEWAL: &str = ".renewal";
/// ISO 8601 in its basic form, which sorts by time and is a file name everywhere.
const TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

impl Backup {
    /// Its name: its time, and `.renewal` where it is one.
    pub fn name(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.replaced_at);
        let time =
            time.map_or_else(|_| self.replaced_at.to_string(), |at| at.strftime(TIME).to_string());
        format!("{time}{}", if self.is_renewal { RENEWAL } else { "" })
    }

    /// The name of its file.
    pub(super) fn file_name(&self) -> String {
        format!("{PREFIX}{}{SUFFIX}", self.name())
    }

    /// Whether `name` means it: its name, or that of its file.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.name() || name == self.file_name()
    }

    /// The backup whose file has this name.
    pub(super) fn of_file(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (time, is_renewal) = match name.strip_suffix(RENEWAL) {
            Some(time) => (time, true),
            None => (name, false),
        };
        let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self { replaced_at: time.timestamp().as_millisecond(), is_renewal })
    }
}
