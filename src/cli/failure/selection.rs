//! Failures of choosing the profile that a command is about.

use super::{Advice, Explain};
use crate::app::App;
use crate::exit::{Command, ExitStatus, Failure, Hint};
use crate::ops::login::sign_in_command;
use crate::ops::{SelectionError, login_template};

/// What the error means to a user. Some rows ask the catalog how to sign in.
pub(in crate::cli) fn selection(error: &SelectionError, app: &App) -> Advice {
    match error {
        SelectionError::NoneOfProvider { agent_id, provider } => {
            (ExitStatus::LoginRequired, Some(sign_in_command(app, provider, agent_id)))
        }
        SelectionError::NoneUsable { agent_id, provider, .. } => {
            let list = Command::ours("models auth list").option("--provider", provider);
            let sign_in = sign_in_command(app, provider, agent_id);
            (ExitStatus::LoginRequired, Some(Hint::from(list).then(", or: ").with(sign_in)))
        }
        other => without_catalog(other),
    }
}

/// The rows that need nothing but the error.
fn without_catalog(error: &SelectionError) -> Advice {
    let (status, hint): (_, Hint) = match error {
        SelectionError::App(error) => return error.advice(),
        SelectionError::External(error) => return error.advice(),
        SelectionError::Uninterpretable { .. } => return (ExitStatus::StoreUnusable, None),
        SelectionError::WrongProvider { .. } => return (ExitStatus::Usage, None),
        SelectionError::NoneOfProvider { .. } | SelectionError::NoneUsable { .. } => {
            return (ExitStatus::LoginRequired, None);
        }
        SelectionError::NoProfile { .. } => {
            (ExitStatus::LoginRequired, Command::ours("models auth list").into())
        }
        SelectionError::NoneAtAll { agent_id } => {
            (ExitStatus::LoginRequired, login_template(agent_id))
        }
        SelectionError::SeveralProviders { .. } => {
            (ExitStatus::Usage, "name one: --provider <id>, or a profile: --profile <id>".into())
        }
        SelectionError::SeveralPrograms { .. } => {
            (ExitStatus::Usage, "name one: --provider <id>, or --profile <id>".into())
        }
    };
    (status, Some(hint))
}

/// For use cases that return a failure still: those whose row asks the catalog add their
/// hint themselves.
impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        let (status, hint) = without_catalog(&error);
        Self { hint, ..Self::new(status, error) }
    }
}
