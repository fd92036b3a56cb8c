//! Why the logins of another program cannot be read or changed.

use super::Tool;
use std::path::PathBuf;

/// Where the login of another program is when it is in no file that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Place {
    /// In the keyring, as the program's own settings say.
    #[error("the keyring of the system, which is not read")]
    Keyring {
        /// The file with that setting.
        setting: PathBuf,
    },
    /// In a file that the program encrypts.
    #[error("its encrypted storage, which is not read")]
    Encrypted {
        /// The variable that makes the program do so.
        switch: &'static str,
    },
    /// Where it can be read and not changed.
    #[error("{}, which is only read", .0.display())]
    ReadOnly(PathBuf),
}

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
    #[error("the login of {} is in {place}", tool.program().label)]
    Elsewhere {
        /// The program.
        tool: Tool,
        /// Where it is.
        place: Place,
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
