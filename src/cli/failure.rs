//! The one table of failures: what a typed error means to a user.
//!
//! Invariant: only here does an error of a lower layer get an exit status and a hint. The
//! text of a failure is the `Display` of the error and of its sources.

use crate::app::AppError;
use crate::config::ConfigError;
use crate::exit::{Command, ExitStatus, Failure, Hint};
use crate::external::{ExternalError, Place};
use crate::ops::ValueError;
use crate::profile::secret_ref::SecretRef;
use crate::provider::{CatalogError, DistrustedProgram};
use crate::reference::{InvalidSecrets, ReferenceError};
use crate::store::{Notice, StoreError};
use crate::system::custody::{Correction, Exposure};
use crate::system::trust::Distrust;
use std::io::ErrorKind;
use std::path::Path;

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Config(error) => error.into(),
            AppError::Catalog(error) => error.into(),
            AppError::Store(error) => error.into(),
            AppError::Insecure(ref exposures) => {
                let hint = Hint::join(exposures.iter().map(remedy), " && ");
                Self { hint, ..Self::new(ExitStatus::StoreUnusable, error) }
            }
            AppError::NoSuchAgent(ref id) => {
                let hint = Hint::from(Command::ours("agents list"))
                    .then(", or: ")
                    .run(Command::ours("agents add").arg(id));
                Self::new(ExitStatus::Usage, error).hint(hint)
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let status = match error {
            ConfigError::LockTimeout { .. } => ExitStatus::LockTimeout,
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match &error {
            ConfigError::Invalid { path, .. } => {
                Some(format!("repair {}; nothing was changed", path.display()).into())
            }
            _ => None,
        };
        Self { hint, ..Self::new(status, error) }
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::new(ExitStatus::StoreUnusable, error)
            .hint("correct the provider file, or remove it; docs/providers.md describes its keys")
    }
}

impl From<DistrustedProgram> for Failure {
    fn from(error: DistrustedProgram) -> Self {
        let status = status_of(&error.distrust);
        let hint = match &error.distrust {
            Distrust::Open { .. } => "chmod go-w the program and the folder that it is in",
            _ => "install it as yourself or as root; docs/providers.md says what is looked for",
        };
        Self::new(status, error).hint(hint)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = match error {
            StoreError::LockTimeout { .. } => ExitStatus::LockTimeout,
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match &error {
            StoreError::Invalid { path, .. } => {
                Hint::new("repair the file, or move it away to start anew: ").run(move_away(path))
            }
            StoreError::Lock { source, .. } if source.kind() == ErrorKind::Unsupported => {
                "keep the state directory on a file system with locks: \
                 OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
                    .into()
            }
            StoreError::Read { path, .. }
            | StoreError::Write { path, .. }
            | StoreError::Lock { path, .. } => {
                let directory = path.parent().unwrap_or(path);
                Hint::new("look at its owner, mode and free space: ").run(list(directory))
            }
            StoreError::LockTimeout { .. } => {
                "wait for that process to end, or end it, and try again".into()
            }
            StoreError::NewerGeneration { .. } => {
                "use that OpenClaw's own commands for this state directory, or another one: \
                 OPENCLAW_STATE_DIR=<dir> openclaw-auth …"
                    .into()
            }
        };
        Self::new(status, error).hint(hint)
    }
}

impl From<ExternalError> for Failure {
    fn from(error: ExternalError) -> Self {
        let status = match error {
            ExternalError::SignedOut { .. } => ExitStatus::LoginRequired,
            ExternalError::Elsewhere { .. } => ExitStatus::Failure,
            ExternalError::Locked { .. } => ExitStatus::LockTimeout,
            _ => ExitStatus::StoreUnusable,
        };
        let hint = match &error {
            ExternalError::SignedOut { tool, .. } => {
                format!("sign in there first: {}", tool.program().sign_in).into()
            }
            ExternalError::Elsewhere { tool, place } => match place {
                Place::Keyring { setting } => format!(
                    "set cli_auth_credentials_store = \"file\" in {}, sign in there again ({}), \
                     and run this once more",
                    setting.display(),
                    tool.program().sign_in
                )
                .into(),
                Place::Encrypted { switch } => {
                    let login = Command::ours("models auth login")
                        .option("--provider", &tool.program().provider);
                    Hint::new(format!(
                        "unset {switch}, sign in there again ({}), and run this once more; or \
                         sign in here: ",
                        tool.program().sign_in
                    ))
                    .run(login)
                }
                Place::ReadOnly(_) => {
                    format!("copy it (--copy), and sign out of {} there", tool.program().label)
                        .into()
                }
            },
            ExternalError::Read { path, .. } => {
                Hint::new("look at it: ").run(Command::new("ls").arg("-l").arg(path))
            }
            ExternalError::Invalid { path, .. } => format!(
                "it belongs to another program: sign in there again, or remove {}",
                path.display()
            )
            .into(),
            ExternalError::Write { path, .. } => {
                format!("make its directory writable: {}", path.parent().unwrap_or(path).display())
                    .into()
            }
            ExternalError::Locked { tool, .. } => {
                format!("try again when {} is idle", tool.program().label).into()
            }
        };
        Self::new(status, error).hint(hint)
    }
}

impl From<InvalidSecrets> for Failure {
    fn from(error: InvalidSecrets) -> Self {
        let hint = format!("correct `secrets` in {}; nothing was changed", error.path.display());
        Self::new(ExitStatus::StoreUnusable, error).hint(hint)
    }
}

impl From<ValueError> for Failure {
    fn from(error: ValueError) -> Self {
        let (status, hint) = match error {
            ValueError::Secrets(error) => return error.into(),
            ValueError::Misplaced { ref document, .. } => (
                ExitStatus::Failure,
                Hint::new(format!(
                    "sign in again, or make it a profile of type `token` or `api_key`, in {}",
                    document.display()
                )),
            ),
            ValueError::NoReference { ref document, .. } => (
                ExitStatus::Failure,
                Hint::new(format!(
                    "write it as {{\"source\", \"provider\", \"id\"}} in {}",
                    document.display()
                )),
            ),
            ValueError::Unresolved { ref reference, ref source, .. } => {
                let status = match source {
                    ReferenceError::Unsafe { distrust, .. } => status_of(distrust),
                    _ => ExitStatus::Failure,
                };
                (status, unresolved(source, reference))
            }
        };
        Self::new(status, error).hint(hint)
    }
}

/// What to do about a reference that does not resolve.
fn unresolved(error: &ReferenceError, reference: &SecretRef) -> Hint {
    let alias = &reference.provider;
    match error {
        ReferenceError::UnknownProvider { .. } => {
            format!("configure `secrets.providers.{alias}` in openclaw.json").into()
        }
        ReferenceError::OtherSource { .. } | ReferenceError::InvalidId { .. } => {
            "correct the reference in the profile".into()
        }
        ReferenceError::TooMuch { .. } => "raise the limit in `secrets.resolution`".into(),
        ReferenceError::NotAllowed { name, .. } => {
            format!("add {name} to `secrets.providers.{alias}.allowlist`").into()
        }
        ReferenceError::NotSet { name } => {
            format!("set {name} for this command, or in the .env file of the state directory")
                .into()
        }
        ReferenceError::Unsafe { path, distrust } => distrusted(distrust, path, alias),
        ReferenceError::Unreadable { .. } => {
            format!("see `secrets.providers.{alias}` in openclaw.json").into()
        }
        ReferenceError::NothingThere { .. } => {
            "put the value there, or correct the reference in the profile".into()
        }
        ReferenceError::Command { .. } | ReferenceError::NoText => {
            Hint::from(Command::ours("secrets audit --allow-exec")).then(" checks every reference")
        }
    }
}

/// What to do about the file at `path`, which the secret provider `alias` names.
fn distrusted(distrust: &Distrust, path: &Path, alias: &str) -> Hint {
    match distrust {
        Distrust::Unreadable(_) | Distrust::NotRegular => {
            format!("see `secrets.providers.{alias}` in openclaw.json").into()
        }
        Distrust::SymbolicLink => match path.canonicalize() {
            Ok(target) => format!("name the file itself: {}", target.display()).into(),
            Err(_) => "name the file itself".into(),
        },
        Distrust::Open { mode, forbidden } => change_mode(mode & !forbidden, path).into(),
        Distrust::Foreign { .. } => Hint::new("chown \"$(id -un)\" ").word(path),
        Distrust::Elsewhere => format!("see `secrets.providers.{alias}.trustedDirs`").into(),
    }
}

/// What sets right that somebody else can read or change a file.
pub(super) fn remedy(exposure: &Exposure) -> Hint {
    let path = &exposure.path;
    match exposure.correction() {
        Correction::Mode(mode) => change_mode(mode, path).into(),
        Correction::OwnerByRoot(owner) => {
            Command::new("chown").arg(owner.to_string()).arg(path).into()
        }
        Correction::Owner => Hint::new("sudo chown \"$(id -un)\" ").word(path),
    }
}

/// What is exposed, and what sets it right, as a warning.
pub(super) fn exposed(exposure: &Exposure) -> String {
    format!("{exposure}; {}", remedy(exposure))
}

/// A notice as a warning, with what to do about it.
pub(super) fn noticed(notice: &Notice) -> String {
    match notice {
        Notice::Exposed(exposure) => exposed(exposure),
        Notice::NoBackup { directory, .. } => format!("{notice}; look at: {}", list(directory)),
    }
}

/// The status of a command that needed a file or program which is not trusted.
const fn status_of(distrust: &Distrust) -> ExitStatus {
    if distrust.is_unsafe() { ExitStatus::StoreUnusable } else { ExitStatus::Failure }
}

/// The command that moves a document out of the way.
pub(super) fn move_away(document: &Path) -> Command {
    let mut broken = document.as_os_str().to_owned();
    broken.push(".broken");
    Command::new("mv").arg(document).arg(broken)
}

/// The command that shows owner and mode of a directory.
fn list(directory: &Path) -> Command {
    Command::new("ls").arg("-ld").arg(directory)
}

fn change_mode(mode: u32, path: &Path) -> Command {
    Command::new("chmod").arg(format!("{mode:o}")).arg(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_no_matter_of_owners_and_modes() {
        let hint_of = |kind: ErrorKind| {
            let error = StoreError::Lock { path: "/s/d".into(), source: kind.into() };
            Failure::from(error).hint.unwrap().to_string()
        };
        assert!(hint_of(ErrorKind::Unsupported).contains("OPENCLAW_STATE_DIR="));
        assert!(hint_of(ErrorKind::PermissionDenied).contains("ls -ld /s"));
    }
}
