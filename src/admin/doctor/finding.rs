//! What `doctor` finds, in words. The next step is the command line's to say.

use super::misshapen::Misshapen;
use crate::app::AppError;
use crate::external::{ExternalError, Tool};
use crate::ops::{RenewalProblem, StaleOrder};
use crate::profile::{AgentId, LoginState, ProfileId, ProviderId};
use crate::store::{Leftover, Location, StoreError};
use crate::system::permissions::Exposure;
use crate::text::chain;
use std::fmt;
use std::path::{Path, PathBuf};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Somebody else can read or change secrets, or where they go.
    Exposed,
    /// OpenClaw 2026.6 or later has taken the credentials over.
    NewerGeneration,
    /// A file keeps OpenClaw from the logins.
    Blocking,
    /// A lock is held, or was left behind.
    Lock,
    /// A temporary file was left behind.
    Leftover,
    /// A renewed login waits outside the store.
    Unstored,
    /// A document cannot be read.
    Unreadable,
    /// An entry cannot be interpreted.
    Uninterpretable,
    /// A document holds something that nothing reads.
    Shape,
    /// The expiry of a token is no time.
    Expiry,
    /// An order names profiles that are not there.
    Order,
    /// One login is held more than once.
    Shared,
    /// The file of another program cannot be read.
    External,
    /// The server has refused a login.
    Refused,
    /// A refresh of OpenClaw has taken the tokens of a login.
    Lost,
    /// A login is over.
    SignInAgain,
    /// Nobody knows what became of the last refresh of a login.
    OutcomeUnknown,
    /// A provider file is not valid.
    Provider,
    /// The configuration cannot be used.
    Configuration,
    /// A variable for the network cannot be used.
    Network,
    /// The documents are on a file system that other hosts may share.
    FileSystem,
}

impl Code {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::NewerGeneration => "newer-generation",
            Self::Blocking => "blocking",
            Self::Lock => "lock",
            Self::Leftover => "leftover",
            Self::Unstored => "unstored",
            Self::Unreadable => "unreadable",
            Self::Uninterpretable => "uninterpretable",
            Self::Shape => "shape",
            Self::Expiry => "expiry",
            Self::Order => "order",
            Self::Shared => "shared",
            Self::External => "external",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::SignInAgain => "sign-in-again",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::Provider => "provider",
            Self::Configuration => "configuration",
            Self::Network => "network",
            Self::FileSystem => "file-system",
        }
    }
}

/// Something that was found.
#[derive(Debug)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// Whether somebody has to do something.
    pub is_problem: bool,
    /// What was found.
    pub what: What,
}

impl From<RenewalProblem> for Finding {
    fn from(problem: RenewalProblem) -> Self {
        Self::problem(Code::Provider, What::Renewal(problem))
    }
}

impl Finding {
    /// Somebody has to do something.
    pub(super) const fn problem(code: Code, what: What) -> Self {
        Self { code, is_problem: true, what }
    }

    /// Worth knowing, and nothing has to be done.
    pub(super) const fn note(code: Code, what: What) -> Self {
        Self { code, is_problem: false, what }
    }

    /// Something cannot be used.
    pub(super) fn failed(code: Code, error: impl Into<AppError>) -> Self {
        Self::problem(code, What::Failed(error.into()))
    }
}

/// A profile and the document that holds it.
#[derive(Clone, Debug)]
pub struct ProfileAt {
    /// The profile.
    pub profile_id: ProfileId,
    /// The document.
    pub location: Location,
}

impl fmt::Display for ProfileAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in {}", self.profile_id, self.location)
    }
}

/// What was found.
#[derive(Debug)]
pub enum What {
    /// Somebody else can read or change a file.
    Exposed(Exposure),
    /// Something cannot be used.
    Failed(AppError),
    /// Logins of a provider cannot be renewed.
    Renewal(RenewalProblem),
    /// The document of an agent cannot be read, and there are backups of it.
    Restorable {
        /// Why it cannot be read.
        error: StoreError,
        /// The document.
        location: Location,
        /// The agent.
        agent_id: AgentId,
    },
    /// A file of an earlier OpenClaw keeps the present one from the logins of an agent.
    Blocking {
        /// The file.
        location: Location,
        /// The agent.
        agent_id: AgentId,
    },
    /// A document holds something that is not read as it is meant.
    Misshapen(Misshapen),
    /// An order names profiles that are not there.
    StaleOrder {
        /// The order.
        order: StaleOrder,
        /// The agent whose order it is.
        agent_id: AgentId,
    },
    /// A person has to look after a login.
    Login {
        /// The profile.
        profile_id: ProfileId,
        /// The agent whose store holds it.
        agent_id: AgentId,
        /// Its provider.
        provider: ProviderId,
        /// How it is doing.
        state: LoginState,
    },
    /// Several profiles hold one login.
    HeldTwice(Vec<ProfileAt>),
    /// A login of another program is held here as well.
    HeldByProgram {
        /// The program.
        tool: Tool,
        /// Its file.
        path: PathBuf,
        /// The profiles.
        holders: Vec<ProfileAt>,
    },
    /// The login of another program was refreshed here since it was imported.
    SpentInProgram {
        /// The program.
        tool: Tool,
        /// Its file.
        path: PathBuf,
        /// The profile.
        holder: ProfileAt,
    },
    /// The logins of another program cannot be read.
    UnreadableProgram {
        /// The program.
        tool: Tool,
        /// Why.
        error: ExternalError,
    },
    /// A reply waits that could not be stored.
    Unstored {
        /// The reply.
        location: Location,
        /// The profile that it is for.
        profile_id: ProfileId,
        /// The agent whose store holds it.
        agent_id: AgentId,
    },
    /// A reply waits, and a store that may hold its profile cannot be read.
    UnstoredOfUnreadable(Location),
    /// A reply waits, and no profile holds its login.
    UnstoredOfNobody(Location),
    /// A login waits that could not be stored.
    UnstoredLogin {
        /// The login.
        location: Location,
        /// The agent and the provider that it is for; `None` where it cannot be read.
        of: Option<(AgentId, ProviderId)>,
    },
    /// An answer of an authorization server waits that nobody could read.
    Unread(Location),
    /// A reply waits in the home directory of somebody else.
    KeptElsewhere {
        /// The note that says so.
        note: Location,
        /// The reply.
        kept_in: Location,
    },
    /// A lock, or a temporary file that nobody can be using any more.
    Left(Leftover),
    /// A program serves a provider that is built in.
    UnusedProgram(ProviderId),
    /// A program that serves a provider does not say what it is.
    BrokenProgram {
        /// The program.
        path: PathBuf,
        /// Why.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A variable for the network cannot be used; a sentence that names it.
    Network(String),
    /// A place is on a file system that other hosts may share.
    SharedFileSystem {
        /// What it is called.
        name: String,
        /// The place.
        place: Location,
    },
}

impl What {
    /// What was found, naming the file or profile.
    pub fn message(&self) -> String {
        match self {
            Self::Exposed(exposure) => exposure.to_string(),
            Self::Failed(error) => chain(error),
            Self::Renewal(problem) => chain(problem),
            Self::Restorable { error, .. } => chain(error),
            Self::Blocking { location, agent_id } => format!(
                "{location} is left from an earlier OpenClaw, and blocks OpenClaw 2026.8 and later from the \
                 logins of agent `{agent_id}`"
            ),
            Self::Misshapen(misshapen) => misshapen.to_string(),
            Self::StaleOrder { order, .. } => order.to_string(),
            Self::Login { profile_id, agent_id, state, .. } => {
                format!("the login `{profile_id}` of agent `{agent_id}`: {state}")
            }
            Self::HeldTwice(holders) => {
                format!("one login is held {} times: {}", holders.len(), all(holders))
            }
            Self::HeldByProgram { tool, path, holders } => format!(
                "one login is held by {} and by {}: the first that refreshes it logs the other \
                 out",
                file_of(*tool, path),
                all(holders)
            ),
            Self::SpentInProgram { tool, path, holder } => format!(
                "the login in {} was refreshed by {holder} since it was imported: {} is going to \
                 be logged out",
                file_of(*tool, path),
                tool.program().label
            ),
            Self::UnreadableProgram { error, .. } => chain(error),
            Self::Unstored { location, .. } => {
                format!("{location} holds a renewed login that could not be stored")
            }
            Self::UnstoredOfUnreadable(location) => {
                format!("{location} waits for a store that cannot be read")
            }
            Self::UnstoredOfNobody(location) => {
                format!("{location} holds a renewed login that no profile refers to any more")
            }
            Self::Left(Leftover::Lock { location, holder, is_held: true }) => {
                format!("{location} is held by {holder}")
            }
            Self::Left(Leftover::Lock { location, holder, is_held: false }) => {
                format!("{location} was left behind by {holder}")
            }
            Self::UnstoredLogin { location, of: Some((agent_id, provider)) } => format!(
                "{location} holds a login to {provider} of agent `{agent_id}` that could not be \
                 stored"
            ),
            Self::UnstoredLogin { location, of: None } => {
                format!("{location} holds a login that could not be stored, and cannot be read")
            }
            Self::Unread(location) => format!(
                "{location} holds an answer of an authorization server that could not be read; \
                 a newer refresh token may be in it"
            ),
            Self::KeptElsewhere { kept_in, .. } => format!(
                "a login was refreshed with another home directory, and the new one is kept in \
                 {kept_in}"
            ),
            Self::Left(Leftover::Temporary(location)) => {
                format!("{location} was left behind by a command that was cut off")
            }
            Self::UnusedProgram(provider) => {
                format!("a program serves {provider}, and is not used: it is built in")
            }
            Self::BrokenProgram { path, error } => {
                format!("{}: {}", path.display(), chain(error.as_ref()))
            }
            Self::Network(problem) => problem.clone(),
            Self::SharedFileSystem { name, place } => format!(
                "{place} is on {name}, a network or shared file system: locks may not hold \
                 between hosts, and two that refresh one login at once end it"
            ),
        }
    }
}

fn all(holders: &[ProfileAt]) -> String {
    let shown: Vec<_> = holders.iter().map(ProfileAt::to_string).collect();
    shown.join(", ")
}

fn file_of(tool: Tool, path: &Path) -> String {
    format!("{} of {}", path.display(), tool.program().label)
}
