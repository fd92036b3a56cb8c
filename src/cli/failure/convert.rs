//! Failures of `store convert`.

use super::{Advice, Explain, explain, sign_in_command};
use crate::admin::convert::ConvertError;
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::store::{ConversionError, Fence};

/// What a failure means.
pub(in crate::cli) fn convert(app: &App) -> impl Fn(ConvertError) -> Failure {
    explain(row, app)
}

fn row(error: &ConvertError, app: &App) -> Advice {
    match error {
        ConvertError::App(error) => error.advice(),
        ConvertError::NotConfigured(error) => {
            let (status, hint) = error.advice();
            let again = Hint::new("correct that, and run this once more");
            (status, Some(hint.unwrap_or(again)))
        }
        ConvertError::Conversion(error) => conversion(error, app),
    }
}

fn conversion(error: &ConversionError, app: &App) -> Advice {
    let unusable = ExitStatus::StoreUnusable;
    match error {
        ConversionError::Store(error) => error.advice(),
        ConversionError::Fenced { profile_id, fence: Fence::Pending, agent_id, .. } => {
            let token = Command::ours("models auth token").option("--profile", profile_id);
            let hint = Hint::new("let that end, or see what became of it: ");
            (ExitStatus::LockTimeout, Some(hint.run(token.option("--agent", agent_id))))
        }
        ConversionError::Fenced { profile_id, provider, agent_id, fence: Fence::Failed } => {
            let logout = Command::ours("models auth logout").arg(profile_id.as_str());
            let logout = logout.option("--agent", agent_id);
            let hint = sign_in_command(app, provider, agent_id).then(", or remove it: ");
            (unusable, Some(hint.run(logout)))
        }
        ConversionError::Link { .. } => {
            (unusable, Some("put the document in the place of the link, and run this again".into()))
        }
        ConversionError::GatewayRuns { .. } => {
            let stop = Command::new("openclaw").arg("gateway").arg("stop");
            (ExitStatus::LockTimeout, Some(Hint::new("stop it first: ").run(stop)))
        }
        ConversionError::NotStored { .. } => {
            (unusable, Some("run this once more; nothing of what was is lost".into()))
        }
    }
}
