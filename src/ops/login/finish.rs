//! The second step of a login in two: `finish` completes what `start` has begun.

use super::authorize::TICK;
use super::device::{trouble_note, trouble_of};
use super::error::LoginError;
use super::kept::{finished, store_kept};
use super::parts::Login;
use super::request::{Report, Request};
use crate::app::{App, AppError};
use crate::oauth::{self, AuthorizationError, AuthorizationRequest, Grant};
use crate::ops::{Event, Interaction};
use crate::profile::{AgentId, ProviderId};
use crate::store::PendingLogin;
use crate::text::printable;
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

/// Which login to finish, and how.
#[derive(Clone, Debug)]
pub struct FinishRequest {
    /// The id of the login; the only one that waits, or that of the redirect, when `None`.
    pub id: Option<String>,
    /// The agent that it must have been started for, where one is named.
    pub agent: Option<AgentId>,
    /// The redirect's address, or the code in it; the approval of the device code when
    /// `None`.
    pub redirect: Option<String>,
    /// How long to wait for an approval.
    pub timeout: Duration,
}

/// Why a login is not finished. It can still be, unless the server has refused it for good.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// It fails as a login at once does.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No login of that id waits.
    #[error("no login `{}` waits to be finished", printable(id, 80))]
    NoSuchLogin {
        /// The id that the user gives.
        id: String,
        /// The logins that wait: their ids and providers.
        waiting: Vec<(String, ProviderId)>,
    },
    /// There is nothing to finish.
    #[error("no login waits to be finished")]
    NoneWaits,
    /// It is not clear which login is meant.
    #[error("several logins wait to be finished: name one with --login")]
    SeveralWait {
        /// Their ids and providers.
        waiting: Vec<(String, ProviderId)>,
    },
    /// The login was started for another agent.
    #[error("the login {id} was started for agent {agent_id}, not {named}")]
    OtherAgent {
        /// The id of the login.
        id: String,
        /// The agent that it is for.
        agent_id: AgentId,
        /// The agent that the user names.
        named: AgentId,
    },
    /// Another process has begun to finish it.
    #[error("the login {id} is being finished by another process")]
    BeingFinished {
        /// The id of the login.
        id: String,
    },
    /// There is a redirect for a login that has none.
    #[error("the login {id} has no redirect: it waits for an approval")]
    NoRedirect {
        /// The id of the login.
        id: String,
    },
    /// The provider has moved to another server since.
    #[error("the login {id} was begun at another server")]
    OtherServer {
        /// The id of the login.
        id: String,
    },
    /// The redirect is not one for this login.
    #[error("the redirect was not accepted")]
    NotAccepted(#[source] AuthorizationError),
    /// There is no redirect for a login that has no other way.
    #[error("the login {id} waits for its redirect")]
    WaitsForRedirect {
        /// The id of the login.
        id: String,
    },
    /// The user did not approve the code in time.
    #[error("the code {code} has not been approved yet")]
    NotApproved {
        /// The code.
        code: String,
        /// Where it is approved.
        place: Box<Url>,
    },
}

impl<E: Into<AppError>> From<E> for FinishError {
    fn from(error: E) -> Self {
        Self::Login(LoginError::App(error.into()))
    }
}

/// Finishes a login that was begun.
///
/// # Errors
/// There is no such login, the server refused, or the store cannot be written; then it can
/// still be finished.
pub async fn finish(
    app: &App,
    request: &FinishRequest,
    interaction: &mut dyn Interaction,
) -> Result<Report, FinishError> {
    // What was kept before is the older one.
    store_kept(app);
    let directory = app.paths.pending_logins();
    let mut pending = choose(PendingLogin::all(&directory, app.now())?, request)?;
    if let Some(agent) = request.agent.as_ref().filter(|agent| **agent != pending.agent) {
        return Err(FinishError::OtherAgent {
            id: pending.id,
            named: agent.clone(),
            agent_id: pending.agent,
        });
    }
    let again = Request {
        provider: pending.provider.clone(),
        method: pending.method.clone(),
        agent: Some(pending.agent.clone()),
        profile_id: pending.profile_id.clone(),
        browser: false,
        timeout: request.timeout,
    };
    let catalog = app.catalog()?;
    let client_id = Some(pending.client_id.as_str());
    let mut login = Login::new(app, &catalog, &again, client_id, interaction)?;
    let being_finished = || FinishError::BeingFinished { id: pending.id.clone() };
    let lock = pending.lock(&directory, app.now())?.ok_or_else(being_finished)?;
    let mut is_over = false;
    let report = async {
        let mut stop = app.machine.stop.listen().map_err(LoginError::Signals)?;
        let prepared = login.prepare(&mut stop).await?;
        let grant = if let Some(redirect) = &request.redirect {
            let exchange = login.redirected_grant(&pending, redirect);
            finished(exchange, interaction, &mut stop).await?
        } else {
            tokio::select! {
                () = stop.asked() => Err(LoginError::Interrupted.into()),
                grant = login.approved_grant(&mut pending, request, interaction) => {
                    grant.map_err(|failed| {
                        is_over = failed.is_over;
                        failed.error
                    })
                }
            }
        };
        if grant.is_err() && request.redirect.is_none() {
            // When the server was last asked. Without it, the next process asks too soon, and
            // is told so.
            let _ = pending.save(&directory);
        }
        if let Err(FinishError::Login(error)) = &grant {
            login.revoke_stray(error, interaction).await;
        }
        let report = login.store_grant(grant?, prepared, interaction).await;
        is_over = report.as_ref().map_or_else(LoginError::is_granted, |_| true);
        let report = report?;
        login.add_project(&report, interaction, &mut stop).await?;
        Ok(report)
    }
    .await;
    if is_over {
        lock.finish();
    }
    report
}

/// Why a device authorization has brought no grant.
struct NotGranted {
    error: FinishError,
    /// Whether nothing can finish the login any more.
    is_over: bool,
}

impl<E: Into<FinishError>> From<E> for NotGranted {
    fn from(error: E) -> Self {
        Self { error: error.into(), is_over: false }
    }
}

impl Login<'_> {
    /// The grant of the device authorization.
    async fn approved_grant(
        &mut self,
        pending: &mut PendingLogin,
        request: &FinishRequest,
        interaction: &mut dyn Interaction,
    ) -> Result<Grant, NotGranted> {
        self.discover().await?;
        self.approval(pending, request.timeout, interaction).await
    }

    /// The grant for the code in a redirect.
    async fn redirected_grant(
        &mut self,
        pending: &PendingLogin,
        redirect: &str,
    ) -> Result<Grant, FinishError> {
        self.discover().await?;
        let no_redirect = || FinishError::NoRedirect { id: pending.id.clone() };
        let waiting = pending.authorization.clone().ok_or_else(no_redirect)?;
        // A code and its verifier are for the server that made the code.
        let endpoint = self.authorization_endpoint()?;
        if waiting.url.origin() != endpoint.origin() || waiting.url.path() != endpoint.path() {
            return Err(FinishError::OtherServer { id: pending.id.clone() });
        }
        let authorization = AuthorizationRequest::resume(
            waiting.url,
            waiting.redirect_uri,
            waiting.state,
            &waiting.code_verifier,
        );
        let expectation = self.expectation(&authorization)?;
        let (code, _) =
            oauth::parse_pasted(redirect, &expectation).map_err(|error| match error {
                AuthorizationError::Refused { .. } => LoginError::NotAuthorized(error).into(),
                error => FinishError::NotAccepted(error),
            })?;
        let grant = self.exchange(Some(&authorization), code).await;
        Ok(grant.map_err(|error| self.not_signed_in(error))?)
    }

    /// Waits for the approval of the device authorization.
    async fn approval(
        &self,
        pending: &mut PendingLogin,
        timeout: Duration,
        interaction: &mut dyn Interaction,
    ) -> Result<Grant, NotGranted> {
        let id = &pending.id;
        let waits = || FinishError::WaitsForRedirect { id: id.clone() };
        let device = pending.device.as_mut().ok_or_else(waits)?;
        let place = device.verification_uri_complete.as_ref().unwrap_or(&device.verification_uri);
        let (code, place) = (device.user_code.clone(), place.clone());
        interaction.note(&format!("waiting for the code {code} to be approved at {place}"));
        let clock = &self.app.machine.clock;
        let end = clock.instant() + device.lifetime;
        let (told, trouble) = oneshot::channel();
        let mut trouble = Some(trouble);
        let approval = oauth::wait_for_approval(&self.client, device, told, clock);
        tokio::pin!(approval);
        let deadline = clock.instant() + timeout;
        let end = deadline.min(end);
        let mut tick = clock.ticks(TICK);
        loop {
            tokio::select! {
                biased;
                grant = &mut approval => return grant.map_err(|error| {
                    let is_over = error.is_denial()
                        || error.is_expiry() && pending.authorization.is_none();
                    NotGranted { error: self.not_signed_in(error).into(), is_over }
                }),
                reason = trouble_of(&mut trouble) => {
                    interaction.note(&trouble_note(&reason));
                }
                () = clock.sleep_until(deadline) => {
                    return Err(FinishError::NotApproved { code, place: Box::new(place) }.into());
                }
                () = tick.tick() => {
                    interaction.event(Event::Waiting { left: clock.until(end) });
                }
            }
        }
    }
}

/// The login that a request means.
fn choose(logins: Vec<PendingLogin>, request: &FinishRequest) -> Result<PendingLogin, FinishError> {
    let name = |login: &PendingLogin| (login.id.clone(), login.provider.clone());
    let waiting: Vec<_> = logins.iter().map(name).collect();
    if let Some(id) = &request.id {
        let found = logins.into_iter().find(|login| login.id == *id);
        return found.ok_or_else(|| FinishError::NoSuchLogin { id: id.clone(), waiting });
    }
    // A redirect says by its state which login it belongs to.
    let is_meant = |login: &&PendingLogin| match (&request.redirect, &login.authorization) {
        (Some(redirect), Some(waiting)) => oauth::holds_state(redirect, &waiting.state),
        _ => false,
    };
    if let Some(found) = logins.iter().find(is_meant) {
        return Ok(found.clone());
    }
    let mut logins = logins.into_iter();
    match (logins.next(), logins.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(FinishError::NoneWaits),
        _ => Err(FinishError::SeveralWait { waiting }),
    }
}
