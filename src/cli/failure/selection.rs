//! Failures of choosing the profile that a command is about.

use super::command::{login_template, of_agent, sign_in_command};
use super::{Advice, Explain, name};
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::external::{self, Tool};
use crate::ops::{LookedIn, SelectionError, StaleOrder};
use crate::profile::{AgentId, ProviderId};
use crate::provider::auth_provider_id;

/// What the error means to a user. Some rows ask the catalog how to sign in.
pub(in crate::cli) fn selection(error: &SelectionError, app: &App) -> Advice {
    match error {
        SelectionError::NoneOfProvider { agent_id, provider, looked_in } => {
            let sign_in = sign_in_command(app, provider, agent_id);
            (ExitStatus::LoginRequired, Some(after_doctor(looked_in, sign_in)))
        }
        SelectionError::NoneUsable { agent_id, provider, order: Some(order), .. } => {
            let order = order_command(order, agent_id);
            let sign_in = sign_in_command(app, provider, agent_id);
            (ExitStatus::LoginRequired, Some(Hint::from(order).then(", or: ").with(sign_in)))
        }
        SelectionError::NoneUsable { agent_id, provider, .. } => {
            let list = Command::ours("models auth list").option("--provider", provider);
            let sign_in = sign_in_command(app, provider, agent_id);
            (ExitStatus::LoginRequired, Some(Hint::from(list).then(", or: ").with(sign_in)))
        }
        other => without_catalog(other),
    }
}

/// `sign_in`, after a look at what is there and cannot be interpreted.
fn after_doctor(looked_in: &LookedIn, sign_in: Hint) -> Hint {
    if looked_in.uninterpretable.is_empty() {
        return sign_in;
    }
    Hint::from(Command::ours("doctor")).then(", or: ").with(sign_in)
}

/// The command that stores an order of the profiles that are there: it goes before every other.
pub(super) fn order_command(order: &StaleOrder, agent_id: &AgentId) -> Command {
    let command = Command::ours("models auth order set").option("--provider", &order.provider);
    let command = of_agent(command, agent_id);
    order.hidden.iter().fold(command, |command, id| command.operand(id.as_str()))
}

/// What is told of an order that names profiles which are not there.
pub(in crate::cli) fn stale_order(order: &StaleOrder, agent_id: &AgentId) -> String {
    if order.hidden.is_empty() {
        return order.to_string();
    }
    format!("{order}; to use those that are there: {}", Hint::from(order_command(order, agent_id)))
}

/// The same, with the import of another program's login in the hint where there is one of
/// `provider`.
pub(super) fn with_import((status, hint): Advice, provider: &ProviderId, app: &App) -> Advice {
    let id = auth_provider_id(provider);
    let has_login = |tool: &Tool| {
        auth_provider_id(&tool.program().provider) == id
            && external::read_files(*tool, &app.environment).is_ok()
    };
    let Some(tool) = Tool::ALL.into_iter().find(has_login) else { return (status, hint) };
    let import = Hint::from(Command::ours("models auth import").arg(&tool.program().name));
    (status, hint.map(|login| import.then(", or: ").with(login)))
}

/// The rows that need nothing but the error.
fn without_catalog(error: &SelectionError) -> Advice {
    let (status, hint): (_, Hint) = match error {
        SelectionError::App(error) => return error.advice(),
        SelectionError::External(error) => return error.advice(),
        SelectionError::Name(error) => {
            return name::advice(error, &Command::ours("use"));
        }
        SelectionError::Uninterpretable { .. } => return (ExitStatus::StoreUnusable, None),
        SelectionError::WrongProvider(_) => return (ExitStatus::Usage, None),
        SelectionError::NoneOfProvider { .. } | SelectionError::NoneUsable { .. } => {
            return (ExitStatus::LoginRequired, None);
        }
        SelectionError::NoProfile { .. } => {
            (ExitStatus::LoginRequired, Command::ours("models auth list").into())
        }
        SelectionError::NoneAtAll { agent_id, looked_in } => {
            (ExitStatus::LoginRequired, after_doctor(looked_in, login_template(agent_id)))
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
