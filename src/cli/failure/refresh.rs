//! Failures of refreshing a login, by itself and in a report on many.

use super::command::{login_command, of_agent, sign_in_again, sign_in_command};
use super::selection::selection;
use super::{Advice, Explain, network};
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::ops::refresh::due::{DueError, RowError};
use crate::ops::refresh::{Reason, ReportedKind};
use crate::ops::{Login, RefreshError};
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::store::{LastOutcome, OutcomeKind};
use crate::system::lock::iso;
use crate::system::route::Untrusted;

/// What to do about a login that may be away.
pub(super) fn maybe_moved(
    profile_id: &ProfileId,
    provider: &ProviderId,
    agent_id: &AgentId,
) -> Hint {
    let back = Command::ours("move").operand(profile_id.as_str()).arg("--undo");
    Hint::from(login_command(provider, agent_id))
        .then("; where nobody has what the move wrote: ")
        .run(of_agent(back, agent_id))
}

/// What the error means to a user. Some rows ask the catalog how to sign in.
pub(super) fn refresh(error: &RefreshError, app: &App) -> Advice {
    let (status, hint): (_, Hint) = match error {
        RefreshError::App(error) => return error.advice(),
        RefreshError::Lease(error) => return error.advice(),
        RefreshError::Issuer(error) => return error.advice(),
        RefreshError::NotRefreshable(error) => {
            let Login { profile_id, provider, agent_id } = &*error.login;
            let hint = match error.reason {
                Reason::NoKey | Reason::NoToken => sign_in_command(app, provider, agent_id),
                Reason::MaybeMoved => maybe_moved(profile_id, provider, agent_id),
                _ => sign_in_again(app, provider, agent_id),
            };
            (ExitStatus::LoginRequired, hint)
        }
        RefreshError::LoginOver { login, .. } | RefreshError::SignedOut(login) => {
            (ExitStatus::LoginRequired, again(login))
        }
        RefreshError::NoTimeLeft => (ExitStatus::Unavailable, wait_for_server(None)),
        RefreshError::Unavailable { source, last, .. } => {
            return network::of_request(source).unwrap_or_else(|| {
                (ExitStatus::Unavailable, Some(wait_for_server(last.as_deref())))
            });
        }
        RefreshError::Refused { login, last, .. } => {
            (ExitStatus::LoginRequired, wait_or_sign_in(login, Some(last)))
        }
        RefreshError::NotYet { login, last } => match last.kind {
            OutcomeKind::Refused => (ExitStatus::LoginRequired, wait_or_sign_in(login, Some(last))),
            OutcomeKind::Unknown | OutcomeKind::Failed => {
                (ExitStatus::Unavailable, wait_for_server(Some(last)))
            }
        },
        RefreshError::NotRefreshed { .. } | RefreshError::Signals(_) => {
            return (ExitStatus::Failure, None);
        }
        RefreshError::Expired { .. } => {
            (ExitStatus::Unavailable, "check the clock of this machine".into())
        }
        RefreshError::NoLifetime { .. } => (
            ExitStatus::Unavailable,
            "the lifetime is the server's word (`expires_in`): try again, or ask who runs it"
                .into(),
        ),
        RefreshError::Spent { .. } | RefreshError::SpentUnreadable { .. } => {
            (ExitStatus::StoreUnusable, Command::ours("doctor").into())
        }
        RefreshError::Kept { source, .. } | RefreshError::Lost { source } => {
            return source.advice();
        }
        RefreshError::UnknownProvider { provider, .. } => (
            ExitStatus::Failure,
            Hint::new(format!(
                "describe it in {}/{provider}.json, or install the program that serves it",
                app.paths.providers().display()
            )),
        ),
        RefreshError::Reported { kind, login, store, last, .. } => match kind {
            ReportedKind::LoginOver | ReportedKind::SignedOut => {
                (ExitStatus::LoginRequired, again(login))
            }
            ReportedKind::Died => (
                ExitStatus::Unavailable,
                "try again in a few seconds; the server may have replaced the refresh token".into(),
            ),
            ReportedKind::NotStarted => (ExitStatus::Unavailable, wait_for_server(None)),
            ReportedKind::Unavailable => {
                (ExitStatus::Unavailable, wait_for_server(last.as_deref()))
            }
            ReportedKind::Refused => {
                (ExitStatus::LoginRequired, wait_or_sign_in(login, last.as_deref()))
            }
            ReportedKind::Untrusted => return network::untrusted(&Untrusted::of(&app.environment)),
            ReportedKind::NotRefreshed => return (ExitStatus::Failure, None),
            ReportedKind::Spent => (ExitStatus::StoreUnusable, Command::ours("doctor").into()),
            ReportedKind::Store => {
                let advice = store.as_deref().map(Explain::advice);
                return advice.unwrap_or((ExitStatus::StoreUnusable, None));
            }
        },
        RefreshError::Interrupted => return (ExitStatus::Interrupted, None),
    };
    (status, Some(hint))
}

/// What to do about a server that gave no answer that counts.
fn wait_for_server(last: Option<&LastOutcome>) -> Hint {
    match last {
        Some(last) if last.kind == OutcomeKind::Unknown => format!(
            "try again at {} or later; the server may have replaced the refresh token, so \
             nothing is sent before",
            iso(last.next_try())
        )
        .into(),
        _ => "try again in a few seconds; the stored login is unchanged".into(),
    }
}

/// What to do about a refusal that may pass.
fn wait_or_sign_in(login: &Login, last: Option<&LastOutcome>) -> Hint {
    let tried = last.map(|last| format!("it is tried again at {} or later", iso(last.next_try())));
    let tried = tried.unwrap_or_else(|| "it is tried again later".to_owned());
    Hint::new(format!("{tried}; to sign in instead: "))
        .run(login_command(&login.provider, &login.agent_id))
}

fn again(login: &Login) -> Hint {
    login_command(&login.provider, &login.agent_id).into()
}

/// What it means to a user that nothing of what is due is refreshed.
pub(in crate::cli) fn due(error: &DueError, app: &App) -> Advice {
    match error {
        DueError::App(error) => error.advice(),
        DueError::Selection(error) => selection(error, app),
        DueError::NoneOfProvider { provider, agent_id, .. } => {
            (ExitStatus::LoginRequired, Some(sign_in_command(app, provider, agent_id)))
        }
        DueError::NotAGrant { .. } => {
            (ExitStatus::Usage, Some(Command::ours("models auth list").into()))
        }
    }
}

/// What the failure of one login means to a user.
pub(in crate::cli) fn row(error: &RowError, app: &App) -> Advice {
    match error {
        RowError::App(error) => error.advice(),
        RowError::NoProfile { .. } => {
            (ExitStatus::LoginRequired, Some(Command::ours("models auth list").into()))
        }
        RowError::Value(error) => error.advice(),
        RowError::Refresh(error) => refresh(error, app),
        RowError::SharedGrant { login, failed, .. } => {
            let (status, _) = refresh(failed, app);
            (status, (status == ExitStatus::LoginRequired).then(|| again(login)))
        }
        RowError::NotWritten { .. } => {
            (ExitStatus::StoreUnusable, Some(Command::ours("doctor").into()))
        }
    }
}
