//! What a person does about the state of a login.

use super::Explain;
use super::command::{of_agent, sign_in_again};
use super::refresh::maybe_moved;
use super::selection::order_command;
use crate::app::App;
use crate::cli::exit::{Command, Hint};
use crate::external::Tool;
use crate::ops::check::Problem;
use crate::profile::{AgentId, LoginState, Over, ProfileId, ProviderId};

/// A login, and the agent whose it is.
pub(in crate::cli) struct LoginAt<'l> {
    /// The profile.
    pub(in crate::cli) profile_id: &'l ProfileId,
    /// Its provider.
    pub(in crate::cli) provider: &'l ProviderId,
    /// The agent.
    pub(in crate::cli) agent_id: &'l AgentId,
}

/// The next step for a login in this state that a person looks after.
pub(in crate::cli) fn state_remedy(app: &App, login: &LoginAt<'_>, state: &LoginState) -> Hint {
    let LoginAt { profile_id, provider, agent_id } = *login;
    let sign_in = || sign_in_again(app, provider, agent_id);
    match state {
        LoginState::Refused(_) | LoginState::OutcomeUnknown(_) => {
            let refresh = Command::ours("models auth refresh").option("--profile", profile_id);
            Hint::from(of_agent(refresh, agent_id)).then(", or sign in: ").with(sign_in())
        }
        LoginState::Held { .. } => match Tool::managing(profile_id) {
            Some(tool) => start_program(tool),
            None => sign_in(),
        },
        LoginState::SignInAgain { why: Over::MoveInterrupted, .. } => {
            maybe_moved(profile_id, provider, agent_id)
        }
        _ => sign_in(),
    }
}

/// The command that refreshes a login although it is not due.
pub(in crate::cli) fn refresh_now(login: &LoginAt<'_>) -> Hint {
    let refresh = Command::ours("models auth refresh").option("--profile", login.profile_id);
    of_agent(refresh.arg("--force"), login.agent_id).into()
}

/// The next step about what keeps logins from being used.
pub(in crate::cli) fn check_problem(problem: &Problem, agent_id: &AgentId) -> Option<Hint> {
    match problem {
        Problem::Store(error) => error.advice().1,
        Problem::Renewal(problem) => problem.advice().1,
        Problem::StaleOrder(order) => Some(order_command(order, agent_id).into()),
        Problem::Uninterpretable { .. } => Some(Command::ours("doctor").into()),
    }
}

/// How the token of a login is had that another program refreshes.
pub(in crate::cli) fn start_program(tool: Tool) -> Hint {
    let program = tool.program();
    let label = &program.label;
    let text = format!("start {label} so that it refreshes its login, or take the login over: ");
    Hint::new(text).run(Command::ours("models auth import").arg(&program.name).arg("--move"))
}
