//! Why the logins of another program cannot be read or changed.

use super::Tool;
use crate::exit::{ExitStatus, Failure};
use crate::system::custody::shell_word;
use std::path::PathBuf;

/// Why the logins of another program cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// Nobody is signed in there.
    #[error("{} is not signed in: {} holds no login", tool.program().label, path.display())]
    SignedOut {
        /// The program.
        tool: Tool,
        /// Where its login would be.
        path: PathBuf,
    },
    /// The login is not in a file.
    #[error("the login of {} is in {what}", tool.program().label)]
    Elsewhere {
        /// The program.
        tool: Tool,
        /// Where it is.
        what: String,
        /// What to do.
        next: String,
    },
    /// A file cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file is not what the program writes.
    #[error("{} cannot be used: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file cannot be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The program held its own lock all the time.
    #[error("could not lock {}: {} is using it", path.display(), tool.program().label)]
    Locked {
        /// The program.
        tool: Tool,
        /// The lock.
        path: PathBuf,
    },
}

impl From<ExternalError> for Failure {
    fn from(error: ExternalError) -> Self {
        let (status, hint) = match &error {
            ExternalError::SignedOut { tool, .. } => (
                ExitStatus::LoginRequired,
                format!("sign in there first: {}", tool.program().sign_in),
            ),
            ExternalError::Elsewhere { next, .. } => (ExitStatus::Failure, next.clone()),
            ExternalError::Read { path, .. } => {
                (ExitStatus::StoreUnusable, format!("look at it: ls -l {}", shell_word(path)))
            }
            ExternalError::Invalid { path, .. } => (
                ExitStatus::StoreUnusable,
                format!(
                    "it belongs to another program: sign in there again, or remove {}",
                    path.display()
                ),
            ),
            ExternalError::Write { path, .. } => (
                ExitStatus::StoreUnusable,
                format!("make its directory writable: {}", path.parent().unwrap_or(path).display()),
            ),
            ExternalError::Locked { tool, .. } => (
                ExitStatus::LockTimeout,
                format!("try again when {} is idle", tool.program().label),
            ),
        };
        Self::new(status, error).hint(hint)
    }
}
