//! Why a reference does not resolve.

use crate::profile::secret_ref::Source;
use crate::system::trust::Insecure;
use std::path::PathBuf;

/// Why a reference does not resolve. No variant holds anything that a provider printed,
/// except the message that it gives for one id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing of this alias is configured.
    #[error("there is no secret provider `{alias}`")]
    UnknownProvider {
        /// The alias.
        alias: String,
    },
    /// The provider serves another source.
    #[error("the secret provider `{alias}` is of source `{}`", source_of.name())]
    OtherSource {
        /// The alias.
        alias: String,
        /// What it is for.
        source_of: Source,
    },
    /// The id does not follow the grammar of its source.
    #[error("{expected}")]
    InvalidId {
        /// What an id has to be.
        expected: &'static str,
    },
    /// More than the configuration allows.
    #[error("the secret provider `{alias}` is asked for more than {limit}")]
    TooMuch {
        /// The alias.
        alias: String,
        /// The limit.
        limit: ReferenceLimit,
    },
    /// The provider may not read this variable.
    #[error("the variable {name} is not in the allowlist of the secret provider `{alias}`")]
    NotAllowed {
        /// The variable.
        name: String,
        /// The alias.
        alias: String,
    },
    /// The variable has no value.
    #[error("the variable {name} is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The file or command could be somebody else's.
    #[error("{} {insecure}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        insecure: Insecure,
    },
    /// The file cannot be read.
    #[error("could not read {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: FileProblem,
    },
    /// The file has nothing at this place.
    #[error("{} has nothing at `{id}`", path.display())]
    NothingThere {
        /// The file.
        path: PathBuf,
        /// The JSON pointer.
        id: String,
    },
    /// The command failed.
    #[error("the command {} {reason}", path.display())]
    Command {
        /// The command.
        path: PathBuf,
        /// How.
        reason: CommandProblem,
    },
    /// What stands there is no text, or an empty one.
    #[error("what stands there is not a text, or it is empty")]
    NoText,
}

/// What one provider may be asked for at once; shown with its key in `secrets.resolution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceLimit {
    /// So many references.
    #[error("{0} references (maxRefsPerProvider)")]
    References(usize),
    /// A request of so many bytes.
    #[error("{0} bytes of ids (maxBatchBytes)")]
    RequestBytes(usize),
}

/// Why the file of a provider cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Its path depends on where the program runs.
    #[error("it is not an absolute path")]
    RelativePath,
    /// It is longer than the provider allows.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Reading it takes longer than the provider allows.
    #[error("it took longer than {limit} ms")]
    TooSlow {
        /// The limit, in milliseconds.
        limit: u128,
    },
    /// The system says so.
    #[error("{0}")]
    Read(String),
    /// It is not UTF-8.
    #[error("it is not text")]
    NoText,
    /// It is JSON without members.
    #[error("it is not a JSON object")]
    NoObject,
    /// It is not JSON. The parser's message may quote a secret, so there is the place alone.
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

/// How the command of a provider failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandProblem {
    /// The request cannot be written; the reason is the writer's.
    #[error("{0}")]
    Request(String),
    /// It cannot be run; the reason is the system's.
    #[error("could not be run: {0}")]
    Run(String),
    /// It ended with an error.
    #[error("ended with {0}")]
    Ended(std::process::ExitStatus),
    /// It takes longer than the provider allows.
    #[error("took longer than {limit} ms and was killed")]
    TimedOut {
        /// The limit, in milliseconds.
        limit: u128,
    },
    /// It prints nothing for longer than the provider allows.
    #[error("printed nothing for {limit} ms and was killed")]
    Silent {
        /// The limit, in milliseconds.
        limit: u128,
    },
    /// It prints more than the provider allows.
    #[error("printed more than {limit} bytes and was killed")]
    TooMuchOutput {
        /// The limit, in bytes.
        limit: u64,
    },
    /// What it prints is no answer.
    #[error(transparent)]
    Answer(#[from] AnswerProblem),
    /// It says that it has no value for one id.
    #[error("has no value for `{id}`{}", message.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    NoValue {
        /// The id.
        id: String,
        /// What it says, printable.
        message: Option<String>,
    },
    /// Its answer leaves one id out.
    #[error("did not answer for `{id}`")]
    NotAnswered {
        /// The id.
        id: String,
    },
}

/// Why what a command prints is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// It is not UTF-8.
    #[error("printed something that is not text")]
    NoText,
    /// There is nothing.
    #[error("printed nothing")]
    Nothing,
    /// It is JSON without members.
    #[error("printed JSON that is not an object")]
    NoObject,
    /// It is not JSON.
    #[error("printed something that is not JSON")]
    NotJson,
    /// It names another protocol version, or none.
    #[error("answered in another protocol version than 1")]
    OtherVersion,
    /// It has no `values`.
    #[error("answered without `values`")]
    NoValues,
}
