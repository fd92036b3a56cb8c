//! Failures of renaming a profile.

use super::{Advice, Explain, name};
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::ops::rename::RenameError;

impl Explain for RenameError {
    fn advice(&self) -> Advice {
        let (status, hint): (_, Hint) = match self {
            Self::App(error) => return error.advice(),
            Self::Name(error) => return name::advice(error, &Command::ours("rename")),
            Self::Lease(error) => return error.advice(),
            Self::Id | Self::Same(_) => return (ExitStatus::Usage, None),
            Self::OfProgram { tool, .. } => {
                let import = Command::ours("models auth import").arg(&tool.program().name);
                let hint = Hint::new("a login that is moved here has an id of its own: ");
                (ExitStatus::Usage, hint.run(import))
            }
            Self::Taken { .. } | Self::Configured(_) => {
                (ExitStatus::Failure, "name another id; nothing is replaced".into())
            }
            Self::Inherited { profile_id, from, .. } => {
                let rename = Command::ours("rename").option("--agent", from.as_str());
                (ExitStatus::Failure, rename.operand(profile_id.as_str()).arg("NEW-ID").into())
            }
            Self::NoProfile { .. } => (ExitStatus::LoginRequired, Command::ours("list").into()),
            Self::Fenced(_) => (ExitStatus::Failure, Command::ours("doctor").into()),
            Self::Moving(profile_id) => {
                let undo = Command::ours("move").operand(profile_id.as_str()).arg("--undo");
                (ExitStatus::Failure, Hint::new("where nobody has it: ").run(undo))
            }
            Self::Changed(_) => (ExitStatus::Failure, "run the command again".into()),
            Self::Unfinished { from, to, agent_id, source } => {
                let again = Command::ours("rename").option("--agent", agent_id.as_str());
                let again = again.operand(from.as_str()).operand(to.as_str());
                (source.advice().0, again.into())
            }
        };
        (status, Some(hint))
    }
}
