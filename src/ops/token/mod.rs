//! Handing out a usable token.
//!
//! When the one on disk is usable, nothing is locked, no runtime is needed, and no request is
//! made: [`find`] answers at once. Everything else is waited for.

mod answer;
mod error;
mod last;

pub use answer::{Request, Token};
pub use error::{Need, NoTokenError};
use last::warn_of_last_token;

use super::exchange::{Exchange, Wanted};
use super::fence::{Waited, wait_for_openclaw};
use super::name::{Subject, subject};
use super::pool::Pool;
use super::refresh::{RefreshError, not_refreshable, refresh};
use super::selection::{Selected, SelectionError, select_in};
use super::waiting::store_waiting;
use super::{Interaction, LeaseError, reference, warn_of_route};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::external::Tool;
use crate::profile::{Kind, ProfileId, ProviderId, is_stand_in};
use crate::text::chain;
use answer::{
    exchange_of, hand_out, is_enough, is_ours_to_refresh, judge, of_another_program, token_of,
    usable, validity_of,
};

/// What is there of a token before anything was waited for.
pub enum Found<'a> {
    /// The token.
    Token(Token),
    /// It has to be waited for.
    Waits(Waits<'a>),
}

/// A token that has to be waited for: another program or process is at it, or a server has to
/// be asked.
pub struct Waits<'a> {
    asked: Asked<'a>,
    step: Step,
}

/// What is asked for, and of whom.
struct Asked<'a> {
    app: &'a App,
    config: Config,
    agent: AgentDir,
    request: &'a Request,
}

/// What comes next on the way to a token.
enum Step {
    /// It is there.
    Found(Box<Selected>, Token),
    /// A refresh of OpenClaw may have to end first.
    OpenClaw(Result<Box<Selected>, SelectionError>),
    /// The stored token is exchanged for it.
    Exchange { selected: Box<Selected>, exchange: Box<Exchange> },
    /// The login is refreshed.
    Refresh(Box<Selected>),
}

/// Finds a usable token, refreshing it where needed. It is stored before it is returned.
///
/// # Errors
/// There is no profile, its login is over, or the server or the store is unavailable; or the
/// token is too short-lived for a strict request.
pub async fn token(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Token, NoTokenError> {
    match find(app, request, interaction)? {
        Found::Token(token) => Ok(token),
        Found::Waits(waits) => waits.token(interaction).await,
    }
}

/// The token where it is usable on disk: nothing is waited for, and no runtime is needed.
///
/// # Errors
/// As [`token`].
pub fn find<'a>(
    app: &'a App,
    request: &'a Request,
    interaction: &mut dyn Interaction,
) -> Result<Found<'a>, NoTokenError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    store_waiting(app, &config, interaction);
    let asked = Asked { app, config, agent, request };
    Ok(match asked.first(interaction)? {
        Step::Found(selected, token) => {
            Found::Token(asked.judged(&selected, token, interaction)?)
        }
        step => Found::Waits(Waits { asked, step }),
    })
}

impl Waits<'_> {
    /// Waits for the token.
    ///
    /// # Errors
    /// As [`token`].
    pub async fn token(self, interaction: &mut dyn Interaction) -> Result<Token, NoTokenError> {
        let Self { asked, mut step } = self;
        let Asked { app, config, agent, request } = &asked;
        loop {
            step = match step {
                Step::Found(selected, token) => {
                    return asked.judged(&selected, token, interaction);
                }
                Step::OpenClaw(selected) => {
                    let patience = request.lock_timeout;
                    let waited =
                        wait_for_openclaw(app, config, agent, asked.wanted(), patience).await?;
                    let selected = match waited {
                        Waited::Ended => asked.select(),
                        Waited::Interrupted => selected,
                        Waited::GoesOn { profile_id, source } => {
                            let busy = LeaseError::Busy { profile_id, source };
                            return Err(RefreshError::from(busy).into());
                        }
                    };
                    asked.next(selected?, interaction)?
                }
                Step::Exchange { selected, exchange } => {
                    let given = exchange.make(app, &selected, interaction).await?;
                    let validity = given.validity();
                    let token = token_of(app, &selected, given.token, validity, request)?;
                    Step::Found(selected, token)
                }
                Step::Refresh(selected) => {
                    warn_of_route(app, interaction);
                    let timeout = request.lock_timeout;
                    match refresh(app, config, &selected, timeout, interaction).await {
                        Ok(renewed) => {
                            let token = hand_out(app, &selected, &renewed, request)?;
                            Step::Found(selected, token)
                        }
                        Err(error) => asked.after(error, &selected, interaction)?,
                    }
                }
            };
        }
    }
}

impl Asked<'_> {
    fn wanted(&self) -> (Option<&ProviderId>, Option<&ProfileId>) {
        (self.request.provider.as_ref(), self.request.profile.as_ref())
    }

    /// What a token that is exchanged for the stored one must be like.
    fn of_service(&self) -> Wanted {
        Wanted {
            min_ttl: self.request.demanded(),
            force: self.request.force_refresh,
            lock_timeout: self.request.lock_timeout,
        }
    }

    fn select(&self) -> Result<Box<Selected>, SelectionError> {
        let Self { app, config, agent, request } = self;
        let pool = Pool::open(app, config, agent)?;
        let Some(name) = &request.name else {
            return select_in(app, &pool, agent, config, self.wanted()).map(Box::new);
        };
        let (provider, id) = match subject(app, &pool, name)? {
            Subject::Profile(id) => (None, Some(id)),
            Subject::Provider(provider) => (Some(provider), None),
        };
        let wanted = (provider.as_ref(), id.as_ref());
        select_in(app, &pool, agent, config, wanted).map(Box::new)
    }

    /// The first step.
    fn first(&self, interaction: &mut dyn Interaction) -> Result<Step, NoTokenError> {
        let selected = self.select();
        let is_missing = match &selected {
            Ok(selected) => selected.fence.is_some(),
            Err(error) => matches!(error, SelectionError::NoneUsable { .. }),
        };
        if is_missing { Ok(Step::OpenClaw(selected)) } else { self.next(selected?, interaction) }
    }

    /// The step that gives the token of the selected profile.
    fn next(
        &self,
        selected: Box<Selected>,
        interaction: &mut dyn Interaction,
    ) -> Result<Step, NoTokenError> {
        let Self { app, config, request, .. } = self;
        let found = |selected, token| Ok(Step::Found(selected, token));
        let referenced = reference::value(app, config, &selected)?;
        if let Some(service) = exchange_of(app, &selected, request)? {
            let stored = referenced.map_or_else(|| usable(app, &selected), Ok)?;
            let exchange = Exchange::of(app, service, stored, self.of_service());
            let Some(given) = exchange.at_hand(app) else {
                return Ok(Step::Exchange { selected, exchange: Box::new(exchange) });
            };
            let validity = given.validity();
            let token = token_of(app, &selected, given.token.clone(), validity, request)?;
            return found(selected, token);
        }
        if let Some(value) = referenced {
            let validity = validity_of(&selected.credential, request);
            let token = token_of(app, &selected, value, validity, request)?;
            return found(selected, token);
        }
        // A token that somebody saw rejected is not usable, however long it would live.
        let must_refresh = request.force_refresh || selected.rejected;
        if !must_refresh && is_enough(app, &selected, request) {
            warn_of_last_token(&selected, interaction);
            let token = hand_out(app, &selected, &selected.credential, request)?;
            return found(selected, token);
        }
        let tool = selected.managed_by.or_else(|| Tool::managing_stored(&selected.id));
        if let Some(tool) = tool {
            let mut selected = selected;
            let token = of_another_program(app, tool, &mut selected, request, interaction)?;
            return found(selected, token);
        }
        let Some(error) = not_refreshable(&selected) else { return Ok(Step::Refresh(selected)) };
        // A token that cannot be refreshed is still good for as long as it lives.
        if selected.credential.is_usable_until(app.now()) && !must_refresh {
            if selected.refused {
                warn_of_last_token(&selected, interaction);
            } else {
                interaction.note(&format!(
                    "the token of `{}` expires within --min-ttl and cannot be refreshed",
                    selected.id
                ));
            }
            let token = hand_out(app, &selected, &selected.credential, request)?;
            return found(selected, token);
        }
        Err(RefreshError::from(error).into())
    }

    /// The step after a refresh that failed. Where the login proved to be over, this call goes on
    /// as the next one would: with another login, else with the token that still lives.
    fn after(
        &self,
        error: RefreshError,
        selected: &Selected,
        interaction: &mut dyn Interaction,
    ) -> Result<Step, NoTokenError> {
        if !error.is_over() || self.request.force_refresh {
            return Err(error.into());
        }
        let Ok(mut next) = self.select() else { return Err(error.into()) };
        if next.id != selected.id {
            interaction.warn(&chain(&error));
            return self.next(next, interaction);
        }
        // That may not be stored, and the refresh token is posted no second time.
        next.refused = true;
        let is_alive = !next.rejected && next.credential.is_usable_until(self.app.now());
        if is_alive { self.next(next, interaction) } else { Err(error.into()) }
    }

    /// The token, with what there is to say of it.
    fn judged(
        &self,
        selected: &Selected,
        token: Token,
        interaction: &mut dyn Interaction,
    ) -> Result<Token, NoTokenError> {
        let Self { app, request, .. } = self;
        // Who refreshes it is looked up only where that may be spoken of: it takes time.
        let is_renewed = request.demanded().is_some()
            && (selected.credential.kind() == Kind::Token || is_ours_to_refresh(selected));
        let renewing = is_renewed.then_some(&selected.store);
        judge(app, renewing, &token, request, interaction)?;
        // What a server has given to us was pasted by nobody.
        if token.kind != Kind::OAuth && is_stand_in(token.value.expose()) {
            interaction.warn(&format!(
                "what the profile `{}` in {} holds is not a secret: it is masked, or an \
                 example",
                token.profile_id,
                selected.store.location()
            ));
        }
        Ok(token)
    }
}
