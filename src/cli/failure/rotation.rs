//! Failures of the commands about the choice of a profile: its order, what it leads to, what a
//! session pins. Some rows ask the catalog how to sign in.

use super::{Advice, Explain, selection};
use crate::admin::order::OrderError;
use crate::admin::resolve::{NoModel, ResolveError, Unresolved};
use crate::admin::session::SessionError;
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::profile::AgentId;

/// What the error means to a user.
pub(in crate::cli) fn order(error: &OrderError, app: &App) -> Advice {
    match error {
        OrderError::App(error) => error.advice(),
        OrderError::Selection(error) => selection(error, app),
        OrderError::BlankProvider | OrderError::NoProfiles => (ExitStatus::Usage, None),
        OrderError::UnknownProfile { agent_id, .. }
        | OrderError::WrongProvider { agent_id, .. } => {
            (ExitStatus::Failure, Some(list_of(agent_id)))
        }
    }
}

/// What the error means to a user.
pub(in crate::cli) fn resolve(error: &ResolveError, app: &App) -> Advice {
    match error {
        ResolveError::App(error) => error.advice(),
        ResolveError::Selection(error) => selection(error, app),
        ResolveError::NoModel(error) => error.advice(),
    }
}

/// What it means to a user that nothing can be used; `agent_id` is the agent that was asked.
pub(in crate::cli) fn unresolved(reason: &Unresolved, agent_id: &AgentId, app: &App) -> Advice {
    match reason {
        Unresolved::Selection(error) => selection(error, app),
        Unresolved::NoProfile { .. }
        | Unresolved::WrongProvider(_)
        | Unresolved::NotUsable { .. }
        | Unresolved::Refused(_) => (ExitStatus::LoginRequired, Some(list_of(agent_id))),
    }
}

/// What the error means to a user.
pub(in crate::cli) fn session(error: &SessionError, app: &App) -> Advice {
    match error {
        SessionError::App(error) => error.advice(),
        SessionError::Selection(error) => selection(error, app),
        SessionError::NoModel(error) => error.advice(),
        SessionError::WrongProvider(_) => (ExitStatus::Failure, None),
        SessionError::BlankKey
        | SessionError::OtherAgent { .. }
        | SessionError::TwoProfiles
        | SessionError::NothingToPin => (ExitStatus::Usage, None),
        SessionError::SessionWithoutModel => {
            (ExitStatus::Usage, Some("name one: --model <provider>/<model>".into()))
        }
        SessionError::Unknown { .. } => {
            let hint = "a session begins with its first message; its key stands in that document";
            (ExitStatus::Failure, Some(hint.into()))
        }
    }
}

impl Explain for NoModel {
    fn advice(&self) -> Advice {
        let hint = "give it as <provider>/<model>, or <provider>/<model>@<profile>";
        (ExitStatus::Usage, Some(hint.into()))
    }
}

fn list_of(agent_id: &AgentId) -> Hint {
    Command::ours("models auth list").option("--agent", agent_id).into()
}
