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

/// The exchange of a stored token for the one that the API of its provider takes.
pub(super) struct Exchange {
    service: TokenExchange,
    stored: Secret,
    wanted: Wanted,
    /// What there was when this process first looked.
    before: Option<ExchangedToken>,
}

impl Exchange {
    pub(super) fn of(app: &App, service: TokenExchange, stored: Secret, wanted: Wanted) -> Self {
        let before = exchanged::find(&app.paths.exchanged_tokens(), &service.endpoint, &stored);
        Self { service, stored, wanted, before }
    }

    /// The token, where there is a good one on the disk.
    pub(super) fn at_hand(&self, app: &App) -> Option<&ExchangedToken> {
        let is_good =
            |given: &&ExchangedToken| given.validity().is_enough(self.wanted.min_ttl, app.now());
        self.before.as_ref().filter(|given| !self.wanted.force && is_good(given))
    }

    /// Whether there is another token now. What came after this process looked is new, however
    /// it was asked for.
    fn adopt(&self, app: &App) -> Option<ExchangedToken> {
        let Self { service, stored, before, .. } = self;
        let directory = app.paths.exchanged_tokens();
        let given = exchanged::find(&directory, &service.endpoint, stored)?;
        let is_new = before.as_ref().is_none_or(|before| !before.token.matches(&given.token));
        (is_new && given.expires > app.now()).then_some(given)
    }

    /// Makes the exchange, unless another process does so meanwhile.
    pub(super) async fn make(
        &self,
        app: &App,
        selected: &Selected,
        interaction: &mut dyn Interaction,
    ) -> Result<ExchangedToken, NotExchanged> {
        let Self { service, stored, wanted, .. } = self;
        let key = LeaseKey { grant: Some(stored), ..selected.lease_key() };
        let clock = &app.machine.clock;
        let look = || Ok::<_, StoreError>(self.adopt(app));
        let turn = selected.store.wait_for_lease(&key, clock, wanted.lock_timeout, look).await;
        let _lease = match turn? {
            Turn::Leased(lease) => lease,
            Turn::Found(given) => return Ok(given),
            Turn::TimedOut(error) => return Err(error.into()),
        };
        if let Some(given) = self.adopt(app) {
            return Ok(given);
        }
        warn_of_route(app, interaction);
        let mut stop = app.machine.stop.listen().map_err(NotExchanged::Signals)?;
        let given = tokio::select! {
            given = service.exchange(stored, app.clients(), clock) => given.map_err(|source| {
                NotExchanged::Failed { login: selected.login().into(), source }
            }),
            () = stop.asked() => Err(NotExchanged::Interrupted),
        }?;
        if given.expires <= app.now() {
            return Err(NotExchanged::Expired { profile_id: selected.id.clone() });
        }
        let directory = app.paths.exchanged_tokens();
        let saved = exchanged::save(&directory, &service.endpoint, stored, &given, app.now());
        if let Err(error) = saved {
            let place = directory.display();
            interaction
                .warn(&format!("the exchanged token could not be stored in {place}: {error}"));
        }
        Ok(given)
    }
}
