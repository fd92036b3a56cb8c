//! The one table of failures: what a typed error means to a user.
//!
//! Invariant: only here does an error get an exit status and a hint. The text of a failure is
//! the `Display` of the error and of its sources. A file of this folder has the errors of
//! what it is named after; what several of them say stands here.

mod admin;
mod agents;
mod command;
#[cfg(feature = "sqlite")]
mod convert;
mod doctor;
mod import;
mod login;
mod login_state;
mod lower;
mod moving;
mod name;
mod network;
mod paste;
mod profile;
mod refresh;
mod rename;
mod rotation;
mod selection;
mod token;
mod usage;

pub(in crate::cli) use command::{login_template, sign_in_command};
pub(in crate::cli) use doctor::next_step;
pub(in crate::cli) use login::{finish, login};
pub(in crate::cli) use login_state::{LoginAt, check_problem, refresh_now, state_remedy};
pub(in crate::cli) use moving::shared;
pub(in crate::cli) use name::named;
pub(in crate::cli) use refresh::{due, row};
pub(in crate::cli) use rotation::{order, resolve, session, unresolved};
pub(in crate::cli) use selection::{selection, stale_order};
pub(in crate::cli) use token::token;
pub(in crate::cli) use usage::usage_remedy;

use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::store::{GatewayNews, Notice};
use crate::system::permissions::{Correction, Exposure};
use crate::system::trust::Insecure;
use std::path::Path;

/// The exit status of a run that ends with an error, and the next step.
type Advice = (ExitStatus, Option<Hint>);

/// An error whose row of the table needs nothing but the error.
pub(in crate::cli) trait Explain: std::error::Error {
    /// What the error means to a user.
    fn advice(&self) -> Advice;
}

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let advice = error.advice();
        explained(error, advice)
    }
}

/// Makes failures of errors whose row of the table needs the application as well.
pub(in crate::cli) fn explain<E: std::error::Error + Send + Sync + 'static>(
    row: fn(&E, &App) -> Advice,
    app: &App,
) -> impl Fn(E) -> Failure {
    move |error| {
        let advice = row(&error, app);
        explained(error, advice)
    }
}

/// The failure of an error with what its row says.
pub(in crate::cli) fn explained(
    error: impl std::error::Error + Send + Sync + 'static,
    (status, hint): Advice,
) -> Failure {
    Failure { hint, ..Failure::new(status, error) }
}

/// What sets right that somebody else can read or change a file.
pub(in crate::cli) fn remedy(exposure: &Exposure) -> Hint {
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
pub(in crate::cli) fn exposed(exposure: &Exposure) -> String {
    format!("{exposure}; {}", remedy(exposure))
}

/// A notice as a warning, with what to do about it.
pub(in crate::cli) fn noticed(notice: &Notice) -> String {
    match notice {
        Notice::Exposed(exposure) => exposed(exposure),
        Notice::NoBackup { directory, .. } | Notice::OldBackup { directory, .. } => {
            match directory.path() {
                Some(directory) => format!("{notice}; look at: {}", list(directory)),
                None => notice.to_string(),
            }
        }
        Notice::BlocksOpenClaw { .. } => format!("{notice}; to move it: {}", to_databases()),
        Notice::GatewayRuns(news) => {
            let call = Command::new("openclaw").args(["gateway", "call", GatewayNews::METHOD]);
            let call = call.option("--params", news.parameters());
            format!("{notice}; to let it see this: {call}")
        }
        Notice::NotDurable { .. } | Notice::LegacyLeft { .. } => notice.to_string(),
    }
}

/// The status of a command that needed a file or program which is not trusted.
const fn status_of(insecure: &Insecure) -> ExitStatus {
    if insecure.is_unsafe() { ExitStatus::StoreUnusable } else { ExitStatus::Failure }
}

/// The command that moves what is left in JSON documents to the databases.
pub(in crate::cli) fn to_databases() -> Command {
    Command::ours("store convert --to sqlite")
}

/// The command that moves a document out of the way.
fn move_away(document: &Path) -> Command {
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
