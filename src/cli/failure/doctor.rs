//! What is to be done about what `doctor` finds.

use super::command::{login_command, of_agent};
use super::{Explain, move_away, remedy};
use crate::admin::doctor::What;
use crate::cli::exit::{Command, Hint};
use crate::store::{Leftover, Location};

/// The next step.
pub(in crate::cli) fn next_step(what: &What) -> Hint {
    match what {
        What::Exposed(exposure) => remedy(exposure),
        What::Failed(error) => or_message(error),
        What::Distrusted(error) => or_message(error),
        What::Restorable { location, agent_id, .. } => {
            let restore = of_agent(Command::ours("doctor --restore latest"), agent_id);
            match location.path() {
                Some(path) => Hint::from(move_away(path)).then(" && ").run(restore),
                None => restore.into(),
            }
        }
        What::Uninterpretable(entry) => {
            format!("correct it in {}, or leave it", entry.location).into()
        }
        What::Refused { provider, agent_id, .. } => login_command(provider, agent_id).into(),
        What::HeldTwice(_) => {
            "sign in for each of them, or leave one: a refresh by OpenClaw spends the others".into()
        }
        What::HeldByProgram { tool, .. } | What::SpentInProgram { tool, .. } => {
            Command::ours("models auth import").arg(&tool.program().name).arg("--move").into()
        }
        What::UnreadableProgram { tool, .. } => {
            let program = tool.program();
            format!("nothing here; sign in to {} again: {}", program.label, program.sign_in).into()
        }
        What::Unstored { profile_id, agent_id, .. } => Command::ours("models auth token")
            .option("--profile", profile_id)
            .option("--agent", agent_id)
            .into(),
        What::UnstoredOfUnreadable(_) => "correct that store".into(),
        What::UnstoredOfNobody(location) | What::Left(Leftover::Temporary(location)) => {
            removal(location)
        }
        What::Left(Leftover::Lock { is_held: true, .. }) => "nothing, while it works".into(),
        What::Left(Leftover::Lock { is_held: false, .. }) => {
            "nothing: the next command that needs it takes it".into()
        }
        What::UnusedProgram(_) => "nothing, or name it otherwise".into(),
        What::BrokenProgram { .. } => {
            "correct the program; docs/providers.md describes the protocol".into()
        }
        What::UnknownProvider { provider, directory, .. } => format!(
            "describe it in {}/{provider}.json, or put openclaw-auth-provider-{provider} on PATH",
            directory.display()
        )
        .into(),
        What::Network(_) => "correct the variable, or unset it".into(),
    }
}

fn or_message(error: &impl Explain) -> Hint {
    error.advice().1.unwrap_or_else(|| "see the message".into())
}

/// The command that removes what is at a location.
fn removal(location: &Location) -> Hint {
    match location.path() {
        Some(path) => Command::new("rm").arg(path).into(),
        None => format!("remove {location}").into(),
    }
}
