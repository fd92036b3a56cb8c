//! A login in two steps, for where nobody waits: `start` shows where to sign in, and
//! `finish` completes it later, perhaps in another process.

use super::authorize::{TICK, not_authorized};
use super::{Login, Report, Request};
use crate::app::App;
use crate::exit::{Command, ExitStatus, Failure, Hint};
use crate::oauth::{
    self, AuthorizationError, AuthorizationRequest, DeviceAuthorization, Grant, TokenError,
};
use crate::ops::issuer::program_of;
use crate::ops::{Interaction, login_command};
use crate::profile::{AgentId, Millis, ProviderId};
use crate::store::{PendingAuthorization, PendingLogin};
use crate::system::signal::StopSignals;
use crate::system::{block_on, now};
use crate::text::printable;
use anyhow::Context;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long the page of an authorization server may be left open.
const LIFETIME: Duration = Duration::from_mins(30);

/// A login that waits to be finished. It holds no secret.
#[derive(Debug)]
pub struct Started {
    /// What names it to [`finish`].
    pub id: String,
    /// The provider id.
    pub provider: ProviderId,
    /// The name of the provider for people.
    pub provider_label: String,
    /// Where to sign in, and where the browser ends.
    pub url: Option<(Url, Url)>,
    /// A code to enter on another device.
    pub device: Option<DeviceAuthorization>,
    /// When it can no longer be finished, in milliseconds since the epoch.
    pub expires: Millis,
}

/// A login that was started and is not finished. It holds no secret.
#[derive(Debug)]
pub struct Unfinished {
    /// What names it to [`finish`] and [`cancel`].
    pub id: String,
    /// The provider id.
    pub provider: ProviderId,
    /// The agent that it is for.
    pub agent_id: AgentId,
    /// The code to approve, where it has one.
    pub user_code: Option<String>,
    /// When it can no longer be finished, in milliseconds since the epoch.
    pub expires: Millis,
}

/// The logins that can be finished, the one that ends first before the others.
///
/// # Errors
/// A file of theirs cannot be read.
pub fn unfinished(app: &App) -> Result<Vec<Unfinished>, Failure> {
    let logins = PendingLogin::all(&app.paths.pending_logins(), now())?;
    let unfinished = logins.into_iter().map(|login| Unfinished {
        id: login.id,
        provider: login.provider,
        agent_id: login.agent,
        user_code: login.device.map(|device| device.user_code),
        expires: login.expires,
    });
    Ok(unfinished.collect())
}

/// Gives up the login `id`: nobody can finish it any more.
///
/// # Errors
/// There is no such login, or somebody is finishing it.
pub fn cancel(app: &App, id: &str) -> Result<(), Failure> {
    let directory = app.paths.pending_logins();
    let logins = PendingLogin::all(&directory, now())?;
    let found = logins.into_iter().find(|login| login.id == id).ok_or_else(|| {
        let message = format!("no login `{}` waits to be finished", printable(id, 80));
        Failure::message(ExitStatus::Failure, message).hint(Command::ours("models auth login list"))
    })?;
    found.claim(&directory, now())?.ok_or_else(|| being_finished(id))?.finish();
    Ok(())
}

fn being_finished(id: &str) -> Failure {
    let message = format!("the login {id} is being finished by another process");
    Failure::message(ExitStatus::Failure, message)
}

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

/// Begins a login and stores what finishing it needs.
///
/// # Errors
/// The provider, the network, or the store.
pub fn start(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Started, Failure> {
    let catalog = app.catalog()?;
    if let Some(program) = program_of(app, &catalog, &request.provider)? {
        return Err(Failure::usage(format!("{} signs in at once", program.name()))
            .hint(login_command(&program.provider, &AgentId::main())));
    }
    let mut login = Login::new(app, &catalog, request, None, interaction)?;
    // Nobody listens for the redirect.
    login.ways.paste |= login.ways.browser;
    login.ways.browser = false;
    let device = block_on(async {
        let mut signals = StopSignals::catch().context("could not catch signals")?;
        tokio::select! {
            () = signals.received() => Err(Failure::interrupted()),
            device = login.discover_and_authorize(interaction) => device,
        }
    })
    .context("could not start the runtime")??;
    let authorization = login
        .ways
        .paste
        .then(|| login.authorization_request(login.redirect.uri().context("the redirect URI")?))
        .transpose()?;
    let lifetime = match (&authorization, &device) {
        (None, Some(device)) => device.lifetime,
        _ => LIFETIME,
    };
    let expires = now().saturating_add(Millis::try_from(lifetime.as_millis()).unwrap_or(0));
    let pending = PendingLogin {
        id: format!("{:08x}", rand::random::<u32>()),
        provider: login.definition.id.clone(),
        method: request.method.clone(),
        client_id: login.client.id.clone(),
        agent: login.agent.id.clone(),
        profile_id: request.profile_id.clone(),
        expires,
        authorization: authorization.as_ref().map(|authorization| PendingAuthorization {
            url: authorization.url.clone(),
            redirect_uri: authorization.redirect_uri.clone(),
            state: authorization.state.clone(),
            code_verifier: authorization.code_verifier(),
        }),
        device: device.clone(),
    };
    pending.save(&app.paths.pending_logins())?;
    Ok(Started {
        id: pending.id,
        provider: pending.provider,
        provider_label: login.definition.label.clone(),
        url: authorization.map(|authorization| (authorization.url, authorization.redirect_uri)),
        device,
        expires,
    })
}

impl Login<'_> {
    async fn discover_and_authorize(
        &mut self,
        interaction: &mut dyn Interaction,
    ) -> Result<Option<DeviceAuthorization>, Failure> {
        self.discover().await?;
        if !self.ways.device {
            return Ok(None);
        }
        match oauth::authorize_device(&self.client, &self.scopes, now).await {
            Ok(device) => Ok(Some(device)),
            Err(error) if !self.ways.paste => Err(self.not_signed_in(&error)),
            Err(error) => {
                interaction.note(&format!("no device code: {error}"));
                Ok(None)
            }
        }
    }
}

/// Finishes a login that was begun.
///
/// # Errors
/// There is no such login, the server refused, or the store cannot be written; then it can
/// still be finished.
pub fn finish(
    app: &App,
    request: &FinishRequest,
    interaction: &mut dyn Interaction,
) -> Result<Report, Failure> {
    let directory = app.paths.pending_logins();
    let mut pending = choose(PendingLogin::all(&directory, now())?, request)?;
    if let Some(agent) = request.agent.as_ref().filter(|agent| **agent != pending.agent) {
        let (id, of) = (&pending.id, &pending.agent);
        return Err(Failure::usage(format!(
            "the login {id} was started for agent {of}, not {agent}"
        ))
        .hint(
            Hint::from(Command::ours("models auth login finish").option("--login", id))
                .then(", without --agent"),
        ));
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
    let claim = pending.claim(&directory, now())?.ok_or_else(|| being_finished(&pending.id))?;
    let mut is_over = false;
    let report = block_on(async {
        let mut signals = StopSignals::catch().context("could not catch signals")?;
        let prepared = login.prepare(&mut signals).await?;
        let grant = tokio::select! {
            () = signals.received() => Err(Failure::interrupted()),
            grant = login.finishing_grant(&mut pending, request, interaction, &mut is_over) => {
                grant
            }
        };
        if grant.is_err() && request.redirect.is_none() {
            // When the server was last asked. Without it, the next process asks too soon, and
            // is told so.
            let _ = pending.save(&directory);
        }
        let report = login.store_grant(grant?, prepared, interaction).await?;
        claim.finish();
        login.add_project(&report, interaction, &mut signals).await?;
        Ok(report)
    })
    .context("could not start the runtime")?;
    if is_over {
        claim.finish();
    }
    report
}

impl Login<'_> {
    async fn finishing_grant(
        &mut self,
        pending: &mut PendingLogin,
        request: &FinishRequest,
        interaction: &mut dyn Interaction,
        is_over: &mut bool,
    ) -> Result<Grant, Failure> {
        self.discover().await?;
        let Some(redirect) = &request.redirect else {
            return self.approval(pending, request.timeout, interaction, is_over).await;
        };
        let waiting = pending.authorization.clone().ok_or_else(|| {
            Failure::usage(format!(
                "the login {} has no redirect: it waits for an approval",
                pending.id
            ))
        })?;
        // A code and its verifier are for the server that made the code.
        let endpoint = self.authorization_endpoint()?;
        if waiting.url.origin() != endpoint.origin() || waiting.url.path() != endpoint.path() {
            let message = format!("the login {} was begun at another server", pending.id);
            return Err(Failure::message(ExitStatus::Failure, message)
                .hint("openclaw-auth models auth login start --provider <id>"));
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
                AuthorizationError::Refused { .. } => not_authorized(&error),
                error => Failure::usage(format!("the redirect was not accepted: {error}")),
            })?;
        let grant = self.exchange(Some(&authorization), code).await;
        grant.map_err(|error| self.not_signed_in(&error))
    }

    /// `is_over` says whether nothing can finish the login any more.
    async fn approval(
        &self,
        pending: &mut PendingLogin,
        timeout: Duration,
        interaction: &mut dyn Interaction,
        is_over: &mut bool,
    ) -> Result<Grant, Failure> {
        let id = &pending.id;
        let device = pending.device.as_mut().ok_or_else(|| {
            Failure::usage(format!("the login {id} waits for its redirect"))
                .hint(Command::ours("models auth login finish --redirect-url -"))
        })?;
        let place = device.verification_uri_complete.as_ref().unwrap_or(&device.verification_uri);
        let (code, place) = (device.user_code.clone(), place.clone());
        interaction.note(&format!("waiting for the code {code} to be approved at {place}"));
        let end = Instant::now() + device.lifetime;
        let approval = oauth::wait_for_approval(&self.client, device, now);
        tokio::pin!(approval);
        let deadline = Instant::now() + timeout;
        let end = deadline.min(end);
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                grant = &mut approval => return grant.map_err(|error| {
                    *is_over = matches!(
                        &error,
                        TokenError::Refused { code, .. } if code == "access_denied"
                            || code == "expired_token" && pending.authorization.is_none()
                    );
                    self.not_signed_in(&error)
                }),
                () = tokio::time::sleep_until(deadline) => {
                    return Err(Failure::message(
                        ExitStatus::Failure,
                        format!("the code {code} has not been approved yet"),
                    )
                    .hint(format!("approve it at {place}, and run the command again")));
                }
                _ = tick.tick() => {
                    interaction.waiting(end.saturating_duration_since(Instant::now()));
                }
            }
        }
    }
}

/// The login that a request means.
fn choose(logins: Vec<PendingLogin>, request: &FinishRequest) -> Result<PendingLogin, Failure> {
    let begin = "openclaw-auth models auth login start --provider <id>";
    let name = |login: &PendingLogin| format!("--login {} ({})", login.id, login.provider);
    let ids: Vec<String> = logins.iter().map(name).collect();
    if let Some(id) = &request.id {
        let found = logins.into_iter().find(|login| login.id == *id);
        return found.ok_or_else(|| {
            let message = format!("no login `{}` waits to be finished", printable(id, 80));
            let hint = if ids.is_empty() { begin.to_owned() } else { ids.join(" or ") };
            Failure::message(ExitStatus::Failure, message).hint(hint)
        });
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
        (None, _) => {
            Err(Failure::message(ExitStatus::Failure, "no login waits to be finished").hint(begin))
        }
        _ => Err(Failure::usage("several logins wait to be finished: name one with --login")
            .hint(ids.join(" or "))),
    }
}
