//! Failures of `store convert`.

use super::{Advice, Explain};
use crate::admin::convert::ConvertError;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::store::{ConversionError, Fence};

impl Explain for ConvertError {
    fn advice(&self) -> Advice {
        row(self)
    }
}

fn row(error: &ConvertError) -> Advice {
    match error {
        ConvertError::App(error) => error.advice(),
        ConvertError::NotConfigured(error) => {
            let (status, hint) = error.advice();
            let again = Hint::new("correct that, and run this once more");
            (status, Some(hint.unwrap_or(again)))
        }
        ConvertError::Conversion(error) => conversion(error),
    }
}

fn conversion(error: &ConversionError) -> Advice {
    let unusable = ExitStatus::StoreUnusable;
    match error {
        ConversionError::Store(error) => error.advice(),
        ConversionError::Fenced { profile_id, fence: Fence::Pending, agent_id, .. } => {
            let token = Command::ours("models auth token").option("--profile", profile_id);
            let hint = Hint::new("let that end, or see what became of it: ");
            (ExitStatus::LockTimeout, Some(hint.run(token.option("--agent", agent_id))))
        }
        ConversionError::Fenced { profile_id, provider, agent_id, fence: Fence::Failed } => {
            let logout = Command::ours("models auth logout").operand(profile_id.as_str());
            let logout = logout.option("--agent", agent_id);
            let login = Command::ours("models auth login").option("--provider", provider);
            let login = login.option("--agent", agent_id);
            let hint = Hint::new("sign in again: ").run(login).then(", or remove it: ");
            (unusable, Some(hint.run(logout)))
        }
        ConversionError::Link { .. } => {
            (unusable, Some("put the document in the place of the link, and run this again".into()))
        }
        ConversionError::GatewayRuns { .. } => {
            let stop = Command::new("openclaw").arg("gateway").arg("stop");
            (ExitStatus::LockTimeout, Some(Hint::new("stop it first: ").run(stop)))
        }
        ConversionError::Unfinished { to, source } => {
            let again = Command::ours("store convert").option("--to", to.name());
            let (status, hint) = conversion(source);
            let hint = hint.map_or_else(|| Hint::new(""), |hint| hint.then("; then "));
            (status, Some(hint.then("finish it: ").run(again)))
        }
        ConversionError::NotStored { .. } => {
            (unusable, Some("run this once more; nothing of what was is lost".into()))
        }
    }
}
