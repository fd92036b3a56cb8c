//! Failures of moving a login, and of taking one that was moved.

use super::{Advice, Explain, explained, name};
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::ops::moving::{MoveError, NotRemoved, ShareError};

/// The failure of handing out a token of a login that stays.
pub(in crate::cli) fn shared(error: ShareError, app: &App) -> Failure {
    match error {
        ShareError::NoToken(error) => {
            let advice = super::token(&error, app);
            explained(*error, advice)
        }
        ShareError::Move(error) => error.into(),
        ShareError::App(error) => error.into(),
        ShareError::Key(_) => explained(error, (ExitStatus::Usage, None)),
    }
}

impl Explain for MoveError {
    fn advice(&self) -> Advice {
        let (status, hint): (_, Hint) = match self {
            MoveError::App(error) => return error.advice(),
            MoveError::Name(error) => return name::advice(error, &Command::ours("move")),
            MoveError::Lease(error) => return error.advice(),
            MoveError::ProfileId(error) => return error.advice(),
            MoveError::NotRecorded { source, .. } => return source.advice(),
            MoveError::NotRemoved { source: NotRemoved::Store(error), .. } => {
                return error.advice();
            }
            MoveError::NotRemoved { source: NotRemoved::Config(error), .. } => {
                return error.advice();
            }
            MoveError::NoProfile { .. } => {
                (ExitStatus::LoginRequired, Command::ours("list").into())
            }
            MoveError::Over { .. } | MoveError::Away { .. } => {
                (ExitStatus::LoginRequired, Command::ours("login").into())
            }
            MoveError::Unknown { profile_id, .. } => (
                ExitStatus::Unavailable,
                Command::ours("token").operand(profile_id.as_str()).arg("--force-refresh").into(),
            ),
            MoveError::Interrupted { profile_id } => {
                let undo = Command::ours("move").operand(profile_id.as_str()).arg("--undo");
                let gone = Command::ours("logout").operand(profile_id.as_str()).arg("--local");
                let hint = Hint::new("where nobody has it: ").run(undo);
                (ExitStatus::Failure, hint.then("; where somebody has: ").run(gone))
            }
            MoveError::HeldBy { tool } => {
                let import = Command::ours("models auth import").arg(&tool.program().name);
                (ExitStatus::Failure, import.arg("--move").into())
            }
            MoveError::File { source, .. }
                if source.kind() == std::io::ErrorKind::AlreadyExists =>
            {
                (ExitStatus::Failure, "name a file that is not there; nothing is replaced".into())
            }
            MoveError::NoLogin => {
                let hint =
                    "it is what `openclaw-auth move NAME --to -` prints on the other machine";
                (ExitStatus::Usage, hint.into())
            }
            MoveError::Taken { .. } => {
                (ExitStatus::Failure, "name another id: --profile-id <id>".into())
            }
            MoveError::Shared { .. } => (
                ExitStatus::Failure,
                "sign one of the two agents out of it with `logout --local`, then move the other"
                    .into(),
            ),
            MoveError::SameAgent(_) => return (ExitStatus::Usage, None),
            MoveError::Empty { .. }
            | MoveError::File { .. }
            | MoveError::Output(_)
            | MoveError::NotNoted(_) => return (ExitStatus::Failure, None),
        };
        (status, Some(hint))
    }
}
