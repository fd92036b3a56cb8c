//! Handing out what an API wants for a stored token: one request however many processes
//! ask, and what it gives is used until five minutes before it expires.

use super::selection::Selected;
use super::token::{Request, USUAL_MIN_TTL};
use super::{Interaction, login_command, warn_of_route};
use crate::app::App;
use crate::exit::{ExitStatus, Failure, Hint};
use crate::oauth::{ExchangeError, ExchangedToken, TokenExchange};
use crate::secret::Secret;
use crate::store::{LeaseKey, StoreError, Turn, exchanged};
use crate::system::signal::StopSignals;
use crate::system::{block_on, now};
use anyhow::Context;

/// The token that the API of the profile's provider takes, for the `stored` one.
pub(super) fn exchange(
    app: &App,
    selected: &Selected,
    service: &TokenExchange,
    stored: &Secret,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<ExchangedToken, Failure> {
    let directory = app.paths.exchanged_tokens();
    let before = exchanged::find(&directory, &service.endpoint, stored);
    let min_ttl = request.min_ttl.unwrap_or(USUAL_MIN_TTL);
    let is_good = |given: &ExchangedToken| given.expires > now().saturating_add(min_ttl);
    let is_new = |given: &ExchangedToken| {
        before.as_ref().is_none_or(|before| !before.token.matches(&given.token))
    };
    if let Some(given) = before.as_ref().filter(|given| !request.force_refresh && is_good(given)) {
        return Ok(given.clone());
    }
    // What came after this process looked is new, however it was asked for.
    let adopt = || {
        let given = exchanged::find(&directory, &service.endpoint, stored)?;
        (is_new(&given) && given.expires > now()).then_some(given)
    };
    let key = LeaseKey { grant: Some(stored), ..selected.lease_key() };
    let turn =
        selected.store.wait_for_lease(&key, request.lock_timeout, || Ok::<_, StoreError>(adopt()));
    let _lease = match turn? {
        Turn::Leased(lease) => lease,
        Turn::Found(given) => return Ok(given),
        Turn::TimedOut(error) => return Err(error.into()),
    };
    if let Some(given) = adopt() {
        return Ok(given);
    }
    warn_of_route(app, interaction);
    let given = block_on(async {
        let mut signals = StopSignals::catch().context("could not catch signals")?;
        tokio::select! {
            given = service.exchange(stored, now) => given.map_err(|error| failed(selected, &error)),
            () = signals.received() => Err(Failure::interrupted()),
        }
    })
    .context("could not start the runtime")??;
    if given.expires <= now() {
        let id = &selected.id;
        let message = format!("the server gave `{id}` a token that is expired already");
        return Err(Failure::message(ExitStatus::Unavailable, message)
            .hint("check the clock of this machine"));
    }
    if let Err(error) = exchanged::save(&directory, &service.endpoint, stored, &given, now()) {
        let place = directory.display();
        interaction.warn(&format!("the exchanged token is not kept in {place}: {error}"));
    }
    Ok(given)
}

fn failed(selected: &Selected, error: &ExchangeError) -> Failure {
    let id = &selected.id;
    let message = format!("could not exchange the token of `{id}`: {error}");
    let login = login_command(&selected.credential.provider, &selected.owner.id);
    match error {
        error if error.needs_login() => {
            Failure::message(ExitStatus::LoginRequired, message).hint(login)
        }
        ExchangeError::Refused { .. } => Failure::message(ExitStatus::Failure, message).hint(
            Hint::new("check that the account has a subscription, or sign in to another: ")
                .run(login),
        ),
        ExchangeError::Unavailable(_) | ExchangeError::Unreadable(_) => {
            Failure::message(ExitStatus::Unavailable, message)
                .hint("try again; the stored token is unchanged, --stored prints it")
        }
    }
}
