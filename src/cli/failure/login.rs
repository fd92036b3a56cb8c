//! Failures of logins, at once and in two steps.

use super::command::{login_command, of_agent, other_ways, way_command};
use super::{Advice, Explain, network};
use crate::app::{App, AppError};
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::oauth::TokenError;
use crate::ops::ProfileIdError;
use crate::ops::login::{Attempt, CancelError, FinishError, LoginError};
use crate::profile::{AgentId, ProviderId};

/// How a login in two steps begins.
const START: &str = "openclaw-auth models auth login start --provider <id>";

/// The failure of a login; the catalog of `app` knows what a provider has in place of one.
pub(in crate::cli) fn login(error: LoginError, app: &App) -> Failure {
    let (status, hint) = login_advice(&error, app);
    Failure { hint, ..Failure::new(status, error) }
}

/// The failure of the second step of a login; see [`login`].
pub(in crate::cli) fn finish(error: FinishError, app: &App) -> Failure {
    let (status, hint) = finish_advice(&error, app);
    Failure { hint, ..Failure::new(status, error) }
}

fn login_advice(error: &LoginError, app: &App) -> Advice {
    match error {
        LoginError::App(error) => error.advice(),
        LoginError::Distrusted(error) => error.advice(),
        LoginError::ProfileId(error) => error.advice(),
        LoginError::NotRecorded { source, .. } => source.advice(),
        LoginError::Kept { attempt, source, .. } => {
            let Attempt { provider, agent_id } = &**attempt;
            let token = Command::ours("models auth token").option("--provider", provider);
            not_stored(source, "this stores it: ", of_agent(token, agent_id))
        }
        LoginError::NotKept { attempt, source, .. } => {
            let Attempt { provider, agent_id } = &**attempt;
            not_stored(source, "sign in again: ", login_command(provider, agent_id))
        }
        LoginError::Unnamed { .. }
        | LoginError::NoProvider { .. }
        | LoginError::NoSignIn { .. }
        | LoginError::NoMethod { .. }
        | LoginError::NoServer { .. }
        | LoginError::OtherWay { .. }
        | LoginError::NoMethods { .. }
        | LoginError::NoLogin { .. }
        | LoginError::OneStep { .. } => (ExitStatus::Usage, other_choice(error, app)),
        LoginError::NotSignedIn { source, .. } => {
            let status =
                if is_unavailable(source) { ExitStatus::Unavailable } else { ExitStatus::Failure };
            network::of_request(source).unwrap_or_else(|| (status, next_step(error)))
        }
        LoginError::Interrupted => (ExitStatus::Interrupted, None),
        _ => (ExitStatus::Failure, next_step(error)),
    }
}

/// What to do about a store that could not take a login, and then.
fn not_stored(source: &AppError, then: &str, command: Command) -> Advice {
    let (status, hint) = source.advice();
    let then = Hint::new(then).run(command);
    let hint = match hint {
        Some(hint) => hint.then("; then ").with(then),
        None => then,
    };
    (status, Some(hint))
}

fn is_unavailable(error: &TokenError) -> bool {
    matches!(error, TokenError::Unavailable { .. } | TokenError::Blocked { .. })
}

/// What can be signed in to, and how, where the user has chosen something else.
fn other_choice(error: &LoginError, app: &App) -> Option<Hint> {
    Some(match error {
        LoginError::Unnamed { offered } | LoginError::NoProvider { offered, .. } => {
            let offered: Vec<_> = offered.iter().map(ToString::to_string).collect();
            Hint::from(Command::ours("login chatgpt")).then(format!(
                ", or another name: claude, copilot, gemini, minimax; providers with a sign-in: {}",
                offered.join(", ")
            ))
        }
        LoginError::NoSignIn { attempt, .. } => {
            other_ways(app, &attempt.provider, &attempt.agent_id)?
        }
        LoginError::NoMethod { known, .. } => format!("one of: {}", known.join(", ")).into(),
        LoginError::NoServer { method, attempt, .. } => {
            way_command(app, &attempt.provider, method, &attempt.agent_id)?
        }
        LoginError::OtherWay { has_browser: true, .. } => "it has: browser, paste".into(),
        LoginError::OtherWay { has_browser: false, .. } => "it has: device".into(),
        LoginError::NoMethods { .. } => "omit --method; the program asks".into(),
        LoginError::OneStep { provider, .. } => login_command(provider, &AgentId::main()).into(),
        _ => return None,
    })
}

/// What to do after a login that has failed on its way.
fn next_step(error: &LoginError) -> Option<Hint> {
    let login = |Attempt { provider, agent_id }: &Attempt| login_command(provider, agent_id);
    Some(match error {
        LoginError::NotRegistered { attempt, .. } => {
            Hint::new("when that is set right: ").run(login(attempt))
        }
        LoginError::NotSignedIn { attempt, .. } => {
            Hint::new("nothing was stored; try again: ").run(login(attempt))
        }
        LoginError::NotAuthorized(_) => "nothing was stored; run the command again".into(),
        LoginError::NoPort => {
            "free a port, or run the command again and paste the redirect URL".into()
        }
        LoginError::NothingPasted => "run the command again and paste the redirect URL".into(),
        LoginError::TakenOver { .. } => {
            "nothing was stored; go on with the other login, or run the command again".into()
        }
        LoginError::TimedOut { .. } => "run the command again; --timeout 30m waits longer".into(),
        LoginError::Unanswered { .. } => {
            "run it on a terminal, or send the answers as lines on standard input".into()
        }
        _ => return None,
    })
}

fn finish_advice(error: &FinishError, app: &App) -> Advice {
    let (status, hint) = match error {
        FinishError::Login(error) => return login_advice(error, app),
        FinishError::BeingFinished { .. } => return (ExitStatus::Failure, None),
        FinishError::NoRedirect { .. } | FinishError::NotAccepted(_) => {
            return (ExitStatus::Usage, None);
        }
        FinishError::NoSuchLogin { waiting, .. } if !waiting.is_empty() => {
            (ExitStatus::Failure, one_of(waiting))
        }
        FinishError::NoSuchLogin { .. }
        | FinishError::NoneWaits
        | FinishError::OtherServer { .. } => (ExitStatus::Failure, START.into()),
        FinishError::SeveralWait { waiting } => (ExitStatus::Usage, one_of(waiting)),
        FinishError::OtherAgent { id, .. } => {
            let finish = Command::ours("models auth login finish").option("--login", id);
            (ExitStatus::Usage, Hint::from(finish).then(", without --agent"))
        }
        FinishError::WaitsForRedirect { .. } => {
            let finish = Command::ours("models auth login finish --redirect-url -");
            (ExitStatus::Usage, finish.into())
        }
        FinishError::NotApproved { place, .. } => (
            ExitStatus::Failure,
            format!("approve it at {place}, and run the command again").into(),
        ),
    };
    (status, Some(hint))
}

/// The options that name the logins which wait.
fn one_of(waiting: &[(String, ProviderId)]) -> Hint {
    let names = waiting.iter().map(|(id, provider)| format!("--login {id} ({provider})"));
    names.collect::<Vec<_>>().join(" or ").into()
}

impl Explain for CancelError {
    fn advice(&self) -> Advice {
        match self {
            CancelError::Store(error) => error.advice(),
            CancelError::NoSuchLogin { .. } => {
                (ExitStatus::Failure, Some(Command::ours("models auth login list").into()))
            }
            CancelError::BeingFinished { .. } => (ExitStatus::Failure, None),
        }
    }
}

impl Explain for ProfileIdError {
    fn advice(&self) -> Advice {
        (ExitStatus::Usage, None)
    }
}
