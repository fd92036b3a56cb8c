//! Handing out what an API wants for a stored token: one request however many processes
//! ask, and what it gives is used as long as any token is (`refresh::Validity`).

use super::refresh::Validity;
use super::selection::{Login, Selected};
use super::{Interaction, warn_of_route};
use crate::app::{App, AppError};
use crate::oauth::{ExchangeError, ExchangedToken, TokenExchange};
use crate::profile::{Millis, ProfileId};
use crate::secret::Secret;
use crate::store::{LeaseKey, StoreError, Turn, exchanged};
use crate::system::block_on;
use crate::system::signal::StopSignals;
use std::time::Duration;

/// Why a stored token is not exchanged.
#[derive(Debug, thiserror::Error)]
pub enum NotExchanged {
    /// The store cannot be used, or another process is exchanging the token.
    #[error(transparent)]
    App(AppError),
    /// The server gives no token.
    #[error("could not exchange the token of `{}`", login.profile_id)]
    Failed {
        /// The login.
        login: Box<Login>,
        /// What the server says.
        source: ExchangeError,
    },
    /// The server gave a token that is expired.
    #[error("the server gave `{profile_id}` a token that is expired already")]
    Expired {
        /// The profile.
        profile_id: ProfileId,
    },
    /// Signals cannot be waited for.
    #[error("could not catch signals")]
    Signals(#[source] std::io::Error),
    /// The process was asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl<E: Into<AppError>> From<E> for NotExchanged {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

impl ExchangedToken {
    /// When it was issued, and when it expires.
    pub(super) const fn validity(&self) -> Validity {
        Validity { issued: self.issued, expires: Some(self.expires) }
    }
}

/// What the exchanged token must be like.
pub(super) struct Wanted {
    /// How long it must still be valid, in milliseconds; the usual span when `None`.
    pub(super) min_ttl: Option<Millis>,
    /// Exchange even when there is such a token.
    pub(super) force: bool,
    /// How long to wait for another process that is exchanging.
    pub(super) lock_timeout: Duration,
}

/// The token that the API of the profile's provider takes, for the `stored` one.
pub(super) fn exchange(
    app: &App,
    selected: &Selected,
    service: &TokenExchange,
    stored: &Secret,
    wanted: &Wanted,
    interaction: &mut dyn Interaction,
) -> Result<ExchangedToken, NotExchanged> {
    let directory = app.paths.exchanged_tokens();
    let before = exchanged::find(&directory, &service.endpoint, stored);
    let is_good = |given: &ExchangedToken| given.validity().is_enough(wanted.min_ttl, app.now());
    let is_new = |given: &ExchangedToken| {
        before.as_ref().is_none_or(|before| !before.token.matches(&given.token))
    };
    if let Some(given) = before.as_ref().filter(|given| !wanted.force && is_good(given)) {
        return Ok(given.clone());
    }
    // What came after this process looked is new, however it was asked for.
    let adopt = || {
        let given = exchanged::find(&directory, &service.endpoint, stored)?;
        (is_new(&given) && given.expires > app.now()).then_some(given)
    };
    let key = LeaseKey { grant: Some(stored), ..selected.lease_key() };
    let turn =
        selected.store.wait_for_lease(&key, wanted.lock_timeout, || Ok::<_, StoreError>(adopt()));
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
        let mut signals = StopSignals::catch().map_err(NotExchanged::Signals)?;
        tokio::select! {
            given = service.exchange(stored, &app.environment, &app.machine.clock) => given.map_err(|source| {
                NotExchanged::Failed { login: selected.login().into(), source }
            }),
            () = signals.received() => Err(NotExchanged::Interrupted),
        }
    })
    .map_err(AppError::Runtime)??;
    if given.expires <= app.now() {
        return Err(NotExchanged::Expired { profile_id: selected.id.clone() });
    }
    if let Err(error) = exchanged::save(&directory, &service.endpoint, stored, &given, app.now()) {
        let place = directory.display();
        interaction.warn(&format!("the exchanged token could not be stored in {place}: {error}"));
    }
    Ok(given)
}
