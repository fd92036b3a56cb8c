//! Failures of what is below the use cases: configuration, stores, provider files, other
//! programs.

use super::{Advice, Explain, list, move_away, remedy, status_of};
use crate::app::AppError;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::config::ConfigError;
use crate::external::{ExternalError, OtherStorage};
use crate::ops::RenewalProblem;
use crate::profile::AgentId;
use crate::provider::{CatalogError, Conventions, InsecureProgram};
use crate::reference::InvalidSecrets;
use crate::store::{Location, ReadOnly, StoreError};
use crate::system::trust::Insecure;
use std::io::ErrorKind;
use std::path::Path;

impl Explain for AppError {
    fn advice(&self) -> Advice {
        match self {
            AppError::Config(error) => error.advice(),
            AppError::Catalog(error) => error.advice(),
            AppError::Store(error) => error.advice(),
            AppError::Runtime(_) => (ExitStatus::Failure, None),
            AppError::Insecure(exposures) => {
                (ExitStatus::StoreUnusable, Hint::join(exposures.iter().map(remedy), " && "))
            }
            AppError::NoSuchAgent(id) => {
                let hint = Hint::from(Command::ours("agents list"))
                    .then(", or: ")
                    .run(Command::ours("agents add").operand(id.as_str()));
                (ExitStatus::Usage, Some(hint))
            }
        }
    }
}

impl Explain for ConfigError {
    fn advice(&self) -> Advice {
        let status = match self {
            ConfigError::LockTimeout { .. } => ExitStatus::LockTimeout,
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match self {
            ConfigError::Invalid { path, .. } => {
                Some(format!("repair {}; nothing was changed", path.display()).into())
            }
            ConfigError::Read { source, .. } | ConfigError::Write { source, .. }
                if source.kind() == ErrorKind::NotFound =>
            {
                Some(DEAD_LINK.into())
            }
            _ => None,
        };
        (status, hint)
    }
}

impl Explain for CatalogError {
    fn advice(&self) -> Advice {
        let hint = match self {
            CatalogError::Read { .. } => "see why it cannot be read: does a link lead nowhere?",
            CatalogError::Invalid { .. } => {
                "correct the provider file, or remove it; docs/providers.md describes its keys"
            }
        };
        (ExitStatus::StoreUnusable, Some(hint.into()))
    }
}

impl Explain for InsecureProgram {
    fn advice(&self) -> Advice {
        let status = status_of(&self.insecure);
        let hint = match &self.insecure {
            Insecure::Open { .. } => "chmod go-w the program and the folder that it is in",
            _ => "install it as yourself or as root; docs/providers.md says what is looked for",
        };
        (status, Some(hint.into()))
    }
}

impl Explain for RenewalProblem {
    fn advice(&self) -> Advice {
        match self {
            RenewalProblem::Files(error) | RenewalProblem::File { error, .. } => error.advice(),
            RenewalProblem::Distrusted { error, .. } => error.advice(),
            RenewalProblem::UnknownProvider { provider, directory, .. } => {
                let hint = format!(
                    "describe it in {}/{provider}.json, or put openclaw-auth-provider-{provider} \
                     on PATH",
                    directory.display()
                );
                (ExitStatus::LoginRequired, Some(hint.into()))
            }
        }
    }
}

/// What is to be done about a document in another encoding.
const NO_UTF8: &str = "save it as UTF-8, which some editors and PowerShell's `>` do not";

/// What to do about a symbolic link that leads nowhere.
const DEAD_LINK: &str = "bring back what the link leads to (is its volume mounted?), or remove \
                         the link to start anew";

impl Explain for StoreError {
    fn advice(&self) -> Advice {
        let status = match self {
            StoreError::LockTimeout { .. } | StoreError::Maintenance { .. } => {
                ExitStatus::LockTimeout
            }
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match self {
            StoreError::ReadOnly { reason, .. } => return (status, Some(way_out(reason))),
            StoreError::NoAgentDatabase { agent, .. } => {
                return (status, Some(make_database(agent)));
            }
            StoreError::Converting { to, .. } => {
                let convert = Command::ours("store convert").option("--to", to.name());
                return (status, Some(Hint::new("to finish it: ").run(convert)));
            }
            StoreError::Hidden { .. } => {
                let list = Command::ours("models auth list");
                let text = "look at it, and run this once more to replace it: ";
                return (status, Some(Hint::new(text).run(list)));
            }
            StoreError::OfAnotherUser { owner, .. } => {
                format!("run this as that user: sudo -u '#{owner}' openclaw-auth …").into()
            }
            StoreError::Maintenance { .. } => "wait for it to end, and try again".into(),
            StoreError::VersionBetween { .. } => {
                "update OpenClaw to 2026.8.1 or later, and try again".into()
            }
            StoreError::Invalid { location, .. } if is_database(location) => {
                let text = "look at it with OpenClaw, which made it: ";
                let doctor = Command::new("openclaw").arg("doctor");
                return (status, Some(Hint::new(text).run(doctor)));
            }
            StoreError::Invalid { location, .. } => {
                let text = "repair the file, or move it away to start over: ";
                return (status, location.path().map(|path| Hint::new(text).run(move_away(path))));
            }
            StoreError::Lock { source, .. } if source.kind() == ErrorKind::Unsupported => {
                "keep the state directory on a file system with locks: \
                 OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
                    .into()
            }
            // What is not there is no error, but for a link to it.
            StoreError::Read { source, .. }
            | StoreError::Write { source, .. }
            | StoreError::Lock { source, .. }
                if source.kind() == ErrorKind::NotFound =>
            {
                DEAD_LINK.into()
            }
            StoreError::Read { source, .. } if source.kind() == ErrorKind::InvalidData => {
                NO_UTF8.into()
            }
            StoreError::Read { location, .. }
            | StoreError::Write { location, .. }
            | StoreError::Lock { location, .. } => {
                let text = "look at its owner, mode and free space: ";
                let directory = |path: &Path| list(path.parent().unwrap_or(path));
                return (status, location.path().map(|path| Hint::new(text).run(directory(path))));
            }
            StoreError::LockTimeout { .. } => {
                "wait for that process to end, or end it, and try again".into()
            }
            StoreError::NewerGeneration { .. } => {
                let convert = Command::ours("store convert --to sqlite");
                return (status, Some(Hint::new("to move the logins there: ").run(convert)));
            }
        };
        (status, Some(hint))
    }
}

fn is_database(location: &Location) -> bool {
    location.path().and_then(Path::extension).is_some_and(|it| it == "sqlite")
}

/// What to do where the documents are only read.
fn way_out(reason: &ReadOnly) -> Hint {
    let doctor = || Command::new("openclaw").arg("doctor").arg("--fix");
    match reason {
        ReadOnly::NewerSchema { .. } => {
            "update openclaw-auth, or use that OpenClaw's own commands for changes".into()
        }
        ReadOnly::OlderSchema { .. } | ReadOnly::AgentLayout => {
            Hint::new("update OpenClaw to 2026.8.1 or later, and, with the network up, run: ")
                .run(doctor())
        }
        ReadOnly::NetworkFileSystem(_) => {
            "keep the state directory on a disk of this host ($OPENCLAW_STATE_DIR)".into()
        }
        ReadOnly::Supervised => "make the change with the program that supervises the gateway, \
                                 or end the supervision"
            .into(),
    }
}

/// How OpenClaw makes the database of an agent.
fn make_database(agent: &AgentId) -> Hint {
    // Any provider will do: nothing is cleared.
    let provider = Conventions::of(true).default_provider();
    let clear = Command::new("openclaw").arg("models").arg("auth").arg("order").arg("clear");
    Hint::new("let OpenClaw make the database, and run this once more: ")
        .run(clear.option("--provider", provider).option("--agent", agent.as_str()))
}

impl Explain for ExternalError {
    fn advice(&self) -> Advice {
        let status = match self {
            ExternalError::SignedOut { .. } => ExitStatus::LoginRequired,
            ExternalError::Elsewhere { .. } => ExitStatus::Failure,
            ExternalError::Locked { .. } => ExitStatus::LockTimeout,
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match self {
            ExternalError::SignedOut { tool, .. } => {
                format!("sign in there first: {}", tool.program().sign_in).into()
            }
            ExternalError::Elsewhere { tool, place } => match place {
                OtherStorage::Keyring { setting } => format!(
                    "set cli_auth_credentials_store = \"file\" in {}, sign in there again ({}), \
                     and run this once more",
                    setting.display(),
                    tool.program().sign_in
                )
                .into(),
                OtherStorage::Encrypted { switch } => {
                    let login = Command::ours("models auth login")
                        .option("--provider", &tool.program().provider);
                    Hint::new(format!(
                        "unset {switch}, sign in there again ({}), and run this once more; or \
                         sign in here: ",
                        tool.program().sign_in
                    ))
                    .run(login)
                }
                OtherStorage::ReadOnly(_) => {
                    format!("copy it (--copy), and sign out of {} there", tool.program().label)
                        .into()
                }
            },
            ExternalError::Read { source, .. } if source.kind() == ErrorKind::InvalidData => {
                "it belongs to another program: save it as UTF-8, or sign in there again".into()
            }
            ExternalError::Read { path, .. } => {
                Hint::new("look at it: ").run(Command::new("ls").arg("-l").arg(path))
            }
            ExternalError::Invalid { .. } => {
                "it belongs to another program: correct it, or sign in there again".into()
            }
            ExternalError::Write { path, .. } => {
                format!("make its directory writable: {}", path.parent().unwrap_or(path).display())
                    .into()
            }
            ExternalError::Locked { tool, .. } => {
                format!("try again when {} is idle", tool.program().label).into()
            }
        };
        (status, Some(hint))
    }
}

impl Explain for InvalidSecrets {
    fn advice(&self) -> Advice {
        let hint = format!("correct `secrets` in {}; nothing was changed", self.path.display());
        (ExitStatus::StoreUnusable, Some(hint.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Failure;
    use std::sync::Arc;

    #[test]
    fn a_file_system_without_locks_is_no_matter_of_owners_and_modes() {
        let hint_of = |kind: ErrorKind| {
            let location = Path::new("/s/d").into();
            let error = StoreError::Lock { location, source: Arc::new(kind.into()) };
            Failure::from(error).hint.unwrap().to_string()
        };
        assert!(hint_of(ErrorKind::Unsupported).contains("OPENCLAW_STATE_DIR="));
        assert!(hint_of(ErrorKind::PermissionDenied).contains("ls -ld /s"));
    }
}
