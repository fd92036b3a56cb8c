//! Why the logins of another program cannot be read or changed.

use super::{Malformed, Tool};
use std::path::PathBuf;

/// Where the login of another program is when it is in no file that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherStorage {
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

/// Why an entry of another program is no login for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// An entry is of the provider that it is named after, and no provider is named so.
    #[error("its name is not a provider id")]
    Name,
    /// It is for an installation of a customer.
    #[error("it is of another server than that of the provider (enterpriseUrl)")]
    OtherServer,
    /// It is of another host than the provider's.
    #[error("it is of another host than github.com")]
    OtherHost,
    /// The key is elsewhere.
    #[error("it names a command or a variable, and holds no key")]
    Indirect,
    /// It is of a type that is not known.
    #[error("it is of a type that is not known")]
    UnknownType,
    /// It holds no token or key, or one that is for the program alone.
    #[error("it holds no login that can be used elsewhere")]
    Nothing,
    /// It is no object.
    #[error("it is not an entry of a login")]
    NoEntry,
    /// It has a key twice, or is itself there twice.
    #[error("it repeats a key, or is there twice")]
    Repeats,
    /// A token or key in it cannot be one.
    #[error("a token in it holds characters that no token has")]
    OddToken,
    /// A shortened token or an example stands in the place of a token or key.
    #[error("a token in it is masked, or an example")]
    StandIn,
    /// Something else than a text stands in the place of a token or key.
    #[error("a token in it is not text")]
    TokenNotText,
    /// The program has two logins and uses the other one.
    #[error("the program uses its other login; --entry or --all imports this one")]
    Spare,
    /// Codex signs in that way for itself alone.
    #[error("its kind of login cannot be used outside Codex")]
    CodexAlone,
}

/// A position within an entry says nothing to who sees the file.
impl From<Malformed> for Unfit {
    fn from(reason: Malformed) -> Self {
        match reason {
            Malformed::NotJson(_) | Malformed::OtherForm(_) => Self::NoEntry,
            Malformed::RepeatedKey(_) => Self::Repeats,
            Malformed::UnfitToken => Self::OddToken,
            Malformed::StandIn => Self::StandIn,
            Malformed::TokenNotText => Self::TokenNotText,
        }
    }
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
        place: OtherStorage,
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
        reason: Malformed,
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
