//! A name that leads nowhere, or to several profiles.

use super::{Advice, Explain, explained};
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::ops::NameError;

/// What the error means to a user who gave the name to `command`.
pub(super) fn advice(error: &NameError, command: &Command) -> Advice {
    match error {
        NameError::App(error) => error.advice(),
        NameError::Ambiguous { name, candidates } => {
            let ids = candidates.iter().map(|candidate| candidate.profile_id.as_str());
            (ExitStatus::Usage, each(name, ids, command))
        }
        NameError::NoLogin { name } => {
            (ExitStatus::LoginRequired, Some(Command::ours("login").operand(name).into()))
        }
        NameError::Unknown { name, similar } => {
            let near = each(name, similar.iter().map(String::as_str), command);
            let list = || Hint::from(Command::ours("list"));
            (ExitStatus::LoginRequired, Some(near.unwrap_or_else(list)))
        }
    }
}

/// The failure of a command that signs in by that name: one that leads nowhere is a mistake on
/// the command line, whatever there is of logins.
pub(in crate::cli) fn named(error: NameError, command: &Command) -> Failure {
    let (status, hint) = match advice(&error, command) {
        (ExitStatus::LoginRequired, hint) => (ExitStatus::Usage, hint),
        other => other,
    };
    explained(error, (status, hint))
}

/// The command line that was typed, with each of the names in place of `name`; `command` with
/// the name where it was not typed.
fn each<'n>(name: &str, names: impl Iterator<Item = &'n str>, command: &Command) -> Option<Hint> {
    const MOST: usize = 10;
    let with =
        |other| Command::again(name, other).unwrap_or_else(|| command.clone().operand(other));
    Hint::join(names.take(MOST).map(|other| with(other).into()), ", or: ")
}
