//! What is wrong with a configuration that cannot be used. Each error names its place.

use super::json5::Json5Error;
use crate::profile::AgentId;
use jsonc_parser::errors::ParseError;
use serde_json::Value;
use std::path::PathBuf;

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum InvalidConfig {
    /// It is not JSON5.
    #[error(transparent)]
    Json5(#[from] Json5Error),
    /// It is JSON5 that its editor does not know.
    #[error(transparent)]
    Editor(#[from] ParseError),
    /// A file cannot be included.
    #[error(transparent)]
    Include(#[from] IncludeError),
    /// The whole is not an object.
    #[error("it is not an object")]
    NoObject,
    /// Values that we use have another form.
    #[error("{}", all(.0))]
    Values(Vec<WrongValue>),
    /// A part has another form than the edit needs.
    #[error(transparent)]
    Part(#[from] WrongPart),
    /// A value that we use names a variable without a value.
    #[error("{place}: the variable {name} is not set")]
    UnsetVariable {
        /// The value.
        place: String,
        /// The variable.
        name: String,
    },
    /// Two agents would share a store.
    #[error(
        "agents.list: {} and {} have the same agentDir, {}", agents[0], agents[1], directory.display()
    )]
    SharedDirectory {
        /// The agents.
        agents: [AgentId; 2],
        /// Their directory.
        directory: PathBuf,
    },
}

fn all(values: &[WrongValue]) -> String {
    let shown: Vec<_> = values.iter().map(ToString::to_string).collect();
    shown.join("; ")
}

/// A value that has another form than it must.
#[derive(Debug, thiserror::Error)]
#[error("{place}: must be {expected}")]
pub struct WrongValue {
    /// The value: `agents.list[0].id`.
    pub place: String,
    /// What it must be.
    pub expected: &'static str,
}

/// A part that an edit changes has another form than it must.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum WrongPart {
    /// It must be an object.
    #[error("{0} is not an object")]
    NoObject(&'static str),
    /// It must be an array.
    #[error("{0} is not an array")]
    NoArray(&'static str),
}

/// Why a file cannot be included.
#[derive(Debug, thiserror::Error)]
pub enum IncludeError {
    /// `$include` is no path and no array.
    #[error("`$include` is {0}, which is not a path")]
    NoPath(Value),
    /// `$include` is an array with something else than a path.
    #[error("`$include` holds {0}, which is not a path")]
    NoPathIn(Value),
    /// There are members beside it, and what is included is no object.
    #[error("what {0} includes is not an object")]
    NoObject(Value),
    /// The file cannot be used.
    #[error("could not include `{path}`: {reason}")]
    File {
        /// The path as it is written.
        path: String,
        /// Why.
        reason: IncludedFileError,
    },
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IncludedFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// It is not below the directory of the configuration.
    #[error("it is outside {}", .0.display())]
    Outside(PathBuf),
    /// The file is among those that led to it.
    #[error("it includes itself")]
    Circle,
    /// Files include files that include files.
    #[error("includes are nested deeper than {0}")]
    TooDeep(usize),
    /// It could be changed from elsewhere, or is too large.
    #[error("it must be a regular file with one name and at most 2 MiB")]
    NotPlain,
    /// It is not JSON5.
    #[error(transparent)]
    Json5(#[from] Json5Error),
}
