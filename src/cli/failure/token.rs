//! Failures of presentation out a token.

use super::command::login_command;
use super::login_state::start_program;
use super::refresh::refresh;
use super::selection::{selection, with_import};
use super::{Advice, Explain, name, network};
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::oauth::ExchangeError;
use crate::ops::token::NoTokenError;
use crate::ops::{Login, NotExchanged, SelectionError};

/// What the error means to a user. Some rows ask the catalog how to sign in.
pub(in crate::cli) fn token(error: &NoTokenError, app: &App) -> Advice {
    match error {
        NoTokenError::App(error) => error.advice(),
        NoTokenError::Selection(SelectionError::Name(error)) => {
            name::advice(error, &Command::ours("token"))
        }
        NoTokenError::Selection(error @ SelectionError::NoneOfProvider { provider, .. }) => {
            with_import(selection(error, app), provider, app)
        }
        NoTokenError::Selection(error) => selection(error, app),
        NoTokenError::External(error) => error.advice(),
        NoTokenError::Value(error) => error.advice(),
        NoTokenError::Exchange(error) => error.advice(),
        NoTokenError::Refresh(error) => refresh(error, app),
        NoTokenError::OfProgram { tool, .. } => {
            (ExitStatus::LoginRequired, Some(start_program(*tool)))
        }
        NoTokenError::TooShort { .. } => (
            ExitStatus::Failure,
            Some("use a shorter --min-ttl; without --strict the token is printed anyway".into()),
        ),
        NoTokenError::Empty { .. } => (ExitStatus::LoginRequired, None),
        NoTokenError::OddCharacters { .. } => (ExitStatus::Failure, None),
    }
}

impl Explain for NotExchanged {
    fn advice(&self) -> Advice {
        let (status, hint): (_, Hint) = match self {
            NotExchanged::App(error) => return error.advice(),
            NotExchanged::Failed { login, source } => return not_exchanged(login, source),
            NotExchanged::Expired { .. } => {
                (ExitStatus::Unavailable, "check the clock of this machine".into())
            }
            NotExchanged::Signals(_) => return (ExitStatus::Failure, None),
            NotExchanged::Interrupted => return (ExitStatus::Interrupted, None),
        };
        (status, Some(hint))
    }
}

fn not_exchanged(login: &Login, error: &ExchangeError) -> Advice {
    let again = login_command(&login.provider, &login.agent_id);
    let (status, hint) = match error {
        ExchangeError::Proxy(error) => return error.advice(),
        ExchangeError::Untrusted { untrusted, .. } => return network::untrusted(untrusted),
        error if error.needs_login() => (ExitStatus::LoginRequired, again.into()),
        ExchangeError::Refused { .. } => (
            ExitStatus::Failure,
            Hint::new("check that the account has a subscription, or sign in to another: ")
                .run(again),
        ),
        ExchangeError::Unavailable(_) | ExchangeError::Unreadable(_) => (
            ExitStatus::Unavailable,
            "try again; the stored token is unchanged, --stored prints it".into(),
        ),
    };
    (status, Some(hint))
}
