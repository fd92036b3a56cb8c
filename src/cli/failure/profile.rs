//! Failures of use cases that are about one profile, and of what they share: the value, the
//! lease, the issuer.

use super::{Advice, Explain, change_mode, name, network, status_of};
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::ops::logout::LogoutError;
use crate::ops::{IssuerError, LeaseError, ValueError};
use crate::profile::secret_ref::SecretRef;
use crate::reference::ReferenceError;
use crate::system::trust::Insecure;
use std::path::Path;

impl Explain for LogoutError {
    fn advice(&self) -> Advice {
        let (status, hint) = match self {
            LogoutError::App(error) => return error.advice(),
            LogoutError::Name(error) => {
                return name::advice(error, &Command::ours("logout"));
            }
            LogoutError::Lease(error) => return error.advice(),
            LogoutError::Issuer(error) => return error.advice(),
            LogoutError::Uninterpretable { .. } => (
                ExitStatus::StoreUnusable,
                Hint::new("remove it by hand, or leave it: it is not used"),
            ),
            LogoutError::NoProfile { agent_id, .. } => (
                ExitStatus::LoginRequired,
                Command::ours("models auth list").option("--agent", agent_id).into(),
            ),
            LogoutError::Inherited { agent_id, profile_id, .. } => {
                let command = Command::ours("models auth logout").operand(profile_id.as_str());
                let command = command.option("--agent", agent_id).arg("--all-agents");
                let hint = Hint::new("to sign all agents out: ");
                (ExitStatus::Failure, hint.run(command))
            }
            LogoutError::SignedInAnew { .. } => (
                ExitStatus::Failure,
                Hint::new("run the command again to sign out of the new login"),
            ),
            LogoutError::NotRevoked(error) => {
                let Some((status, hint)) = network::of_request(error) else {
                    let hint = "try again, or remove it here alone with --local";
                    return (ExitStatus::Unavailable, Some(hint.into()));
                };
                return (status, hint.map(|hint| hint.then("; --local removes it here alone")));
            }
        };
        (status, Some(hint))
    }
}

impl Explain for LeaseError {
    fn advice(&self) -> Advice {
        match self {
            LeaseError::Store(error) => error.advice(),
            LeaseError::Busy { source, .. } => source.advice(),
        }
    }
}

impl Explain for IssuerError {
    fn advice(&self) -> Advice {
        match self {
            IssuerError::Catalog(error) => error.advice(),
            IssuerError::Distrusted(error) => error.advice(),
            IssuerError::Client(_) => (ExitStatus::Failure, None),
        }
    }
}

impl Explain for ValueError {
    fn advice(&self) -> Advice {
        let (status, hint) = match self {
            ValueError::Secrets(error) => return error.advice(),
            ValueError::Misplaced { location, .. } => (
                ExitStatus::Failure,
                Hint::new(format!(
                    "sign in again, or make it a profile of type `token` or `api_key`, in {location}"
                )),
            ),
            ValueError::NoReference { location, .. } => (
                ExitStatus::Failure,
                Hint::new(format!(
                    "write it as {{\"source\", \"provider\", \"id\"}} in {location}"
                )),
            ),
            ValueError::Unresolved { reference, source, .. } => {
                let status = match source {
                    ReferenceError::Unsafe { insecure, .. } => status_of(insecure),
                    _ => ExitStatus::Failure,
                };
                (status, unresolved(source, reference))
            }
        };
        (status, Some(hint))
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
        ReferenceError::Unsafe { path, insecure } => insecure_file_hint(insecure, path, alias),
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
fn insecure_file_hint(insecure: &Insecure, path: &Path, alias: &str) -> Hint {
    match insecure {
        Insecure::Unreadable(_) | Insecure::NotRegular => {
            format!("see `secrets.providers.{alias}` in openclaw.json").into()
        }
        Insecure::SymbolicLink => match path.canonicalize() {
            Ok(target) => format!("name the file itself: {}", target.display()).into(),
            Err(_) => "name the file itself".into(),
        },
        Insecure::Open { mode, forbidden } => change_mode(mode & !forbidden, path).into(),
        Insecure::OtherOwner { .. } => Hint::new("chown \"$(id -un)\" ").word(path),
        Insecure::Elsewhere => format!("see `secrets.providers.{alias}.trustedDirs`").into(),
    }
}
