//! A login in two steps, for where nobody waits: `start` shows where to sign in, and
//! `finish` completes it later, perhaps in another process. This is the first step, and what
//! there is between the two.

use super::error::LoginError;
use super::parts::Login;
use super::request::Request;
use crate::app::App;
use crate::oauth::{self, DeviceAuthorization};
use crate::ops::Interaction;
use crate::ops::issuer::program_of;
use crate::profile::{AgentId, Millis, ProviderId};
use crate::store::{PendingAuthorization, PendingLogin, StoreError};
use crate::text::printable;
use std::time::Duration;
use url::Url;

/// How long the page of an authorization server may be left open.
const LIFETIME: Duration = Duration::from_mins(30);

/// A login that waits to be finished. It holds no secret.
#[derive(Debug)]
pub struct Started {
    /// What names it to [`super::finish`].
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
    /// What names it to [`super::finish`] and [`cancel`].
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
pub fn unfinished(app: &App) -> Result<Vec<Unfinished>, StoreError> {
    let logins = PendingLogin::all(&app.paths.pending_logins(), app.now())?;
    let unfinished = logins.into_iter().map(|login| Unfinished {
        id: login.id,
        provider: login.provider,
        agent_id: login.agent,
        user_code: login.device.map(|device| device.user_code),
        expires: login.expires,
    });
    Ok(unfinished.collect())
}

/// Why a login is not given up.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// The file of a login that waits cannot be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such login waits.
    #[error("no login `{}` waits to be finished", printable(id, 80))]
    NoSuchLogin {
        /// The id that the user gives.
        id: String,
    },
    /// Another process has begun to finish it.
    #[error("the login {id} is being finished by another process")]
    BeingFinished {
        /// Its id.
        id: String,
    },
}

/// Gives up the login `id`: nobody can finish it any more.
///
/// # Errors
/// There is no such login, or somebody is finishing it.
pub fn cancel(app: &App, id: &str) -> Result<(), CancelError> {
    let directory = app.paths.pending_logins();
    let logins = PendingLogin::all(&directory, app.now())?;
    let found = logins.into_iter().find(|login| login.id == id);
    let found = found.ok_or_else(|| CancelError::NoSuchLogin { id: id.to_owned() })?;
    let lock = found.lock(&directory, app.now())?;
    lock.ok_or_else(|| CancelError::BeingFinished { id: id.to_owned() })?.finish();
    Ok(())
}

/// Begins a login and stores what finishing it needs.
///
/// # Errors
/// The provider, the network, or the store.
pub async fn start(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Started, LoginError> {
    let catalog = app.catalog()?;
    if let Some(program) = program_of(app, &catalog, &request.provider)? {
        return Err(LoginError::OneStep {
            program: program.name(),
            provider: Box::new(program.provider),
        });
    }
    let mut login = Login::new(app, &catalog, request, None, interaction)?;
    // Nobody listens for the redirect.
    login.methods.paste |= login.methods.browser;
    login.methods.browser = false;
    let mut stop = app.machine.stop.listen().map_err(LoginError::Signals)?;
    let device = tokio::select! {
        () = stop.asked() => Err(LoginError::Interrupted),
        device = login.discover_and_authorize(interaction) => device,
    }?;
    let authorization = login
        .methods
        .paste
        .then(|| {
            let uri = login.redirect.uri().map_err(LoginError::RedirectUri)?;
            login.authorization_request(uri)
        })
        .transpose()?;
    let lifetime = match (&authorization, &device) {
        (None, Some(device)) => device.lifetime,
        _ => LIFETIME,
    };
    let expires = app.now().saturating_add(Millis::try_from(lifetime.as_millis()).unwrap_or(0));
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
    ) -> Result<Option<DeviceAuthorization>, LoginError> {
        self.discover().await?;
        if !self.methods.device {
            return Ok(None);
        }
        match oauth::authorize_device(&self.client, &self.scopes, &self.app.machine.clock).await {
            Ok(device) => Ok(Some(device)),
            Err(error) if !self.methods.paste => Err(self.not_signed_in(error)),
            Err(error) => {
                interaction.note(&format!("could not get a device code: {error}"));
                Ok(None)
            }
        }
    }
}
