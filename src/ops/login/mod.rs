//! Signing in: authorization code with PKCE, by redirect or by paste (RFC 8252), and device
//! authorization (RFC 8628), raced.
//!
//! Nothing is written before the token response has been checked.

mod authorize;
mod destination;
mod device;
mod error;
mod finish;
mod notice;
mod pastes;
mod program;
mod project;
mod takeover;
mod two_steps;
mod way;

pub use error::{Attempt, LoginError};
pub use finish::{FinishError, FinishRequest, finish};
pub use notice::{AuthorizationNotice, OtherCode, Tunnel, UserCodeNotice};
pub use two_steps::{CancelError, Started, Unfinished, cancel, start, unfinished};

use super::issuer::program_of;
use super::record::{check_profile_id, replaceable};
use super::{Interaction, warn_of_route};
use crate::app::{App, AppError};
use crate::config::AgentDir;
use crate::oauth::{
    self, Announced, AuthorizationCode, AuthorizationRequest, Client, Expectation, Grant,
    TokenError, Verdict,
};
use crate::profile::{AgentId, Identity, Millis, ProfileId, ProviderId};
use crate::provider::{Catalog, Definition, Program, Provider, Redirect, Registration};
use crate::store::{AgentStore, Location};
use crate::system::environment::Environment;
use crate::system::signal::StopSignals;
use crate::system::{block_on, now};
use authorize::{Origin, Response, Waiting};
use std::time::Duration;
use url::Url;
use way::Ways;

/// How to sign in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The provider id or alias.
    pub provider: ProviderId,
    /// The one way to go (`browser`, `paste`, `device`, or a method of the provider); all
    /// that there are when `None`.
    pub method: Option<String>,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The profile id to store the login under.
    pub profile_id: Option<ProfileId>,
    /// Whether a browser may be opened.
    pub browser: bool,
    /// How long to wait for the user.
    pub timeout: Duration,
}

impl Request {
    /// What this would sign in to, at the provider of this id.
    fn attempt(&self, provider: &ProviderId) -> Attempt {
        let agent_id = self.agent.clone().unwrap_or(AgentId::main());
        Attempt { provider: provider.clone(), agent_id }
    }
}

/// What a login did. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The name of the provider for people.
    pub provider_label: String,
    /// The provider id.
    pub provider: ProviderId,
    /// The profile id.
    pub profile_id: ProfileId,
    /// The agent.
    pub agent_id: AgentId,
    /// The document that holds the profile.
    pub location: Location,
    /// Who signed in, as far as the tokens say.
    pub identity: Identity,
    /// When the access token expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// The model that the provider's users usually take, as `provider/model`.
    pub default_model: Option<String>,
    /// Whether the login renewed a profile that was there.
    pub renewed: bool,
    /// The profile of another account whose id this login would have had.
    pub taken_id: Option<ProfileId>,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Signs in and stores the login.
///
/// # Errors
/// The user, the authorization server, the network, or the store; nothing is written then.
pub fn login(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, LoginError> {
    let catalog = app.catalog()?;
    if let Some(program) = program_of(app, &catalog, &request.provider)? {
        return program::login(app, &program, request, interaction);
    }
    let mut login = Login::new(app, &catalog, request, None, interaction)?;
    block_on(async {
        let mut signals = StopSignals::catch().map_err(LoginError::Signals)?;
        tokio::select! {
            discovered = login.discover() => discovered?,
            () = signals.received() => return Err(LoginError::Interrupted),
        }
        let mut waiting = login.start(interaction, &mut signals).await?;
        let report = login.complete(&mut waiting, interaction, &mut signals).await;
        waiting.finish().await;
        let report = report?;
        login.add_project(&report, interaction, &mut signals).await?;
        Ok(report)
    })
    .map_err(AppError::Runtime)?
}

fn no_provider(wanted: &ProviderId, app: &App, catalog: &Catalog) -> LoginError {
    let definitions = catalog.iter().map(|provider| &provider.definition);
    let offered = definitions.filter(|definition| definition.has_login());
    let offered = offered.map(|definition| definition.id.clone());
    let served = Program::providers(&app.environment).into_iter();
    let served = served.filter(|provider| catalog.find(provider).is_none());
    let offered = offered.chain(served).collect();
    match wanted.spelling() {
        "" => LoginError::Unnamed { offered },
        _ => LoginError::NoProvider { wanted: wanted.clone(), offered },
    }
}

/// The store that the login goes to, which can take it.
fn open_store(
    app: &App,
    request: &Request,
    provider: &ProviderId,
) -> Result<(AgentDir, AgentStore), LoginError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store.check_writable()?;
    let document = store.profiles()?;
    if let Some(wanted) = &request.profile_id {
        check_profile_id(wanted)?;
        replaceable(&document, wanted, provider)?;
    }
    Ok((agent, store))
}

fn note_override(provider: &Provider, interaction: &mut dyn Interaction) {
    if let Some(file) = &provider.file {
        let what = if provider.overridden.is_empty() {
            "defines this provider".to_owned()
        } else {
            format!("overrides {}", provider.overridden.join(", "))
        };
        interaction.note(&format!("{} {what}", file.display()));
    }
}

/// The parts of one login.
struct Login<'l> {
    app: &'l App,
    environment: &'l Environment,
    request: &'l Request,
    definition: &'l Definition,
    registration: &'l Registration,
    ways: Ways,
    redirect: Redirect,
    scopes: Vec<String>,
    client: Client,
    announced: Announced,
    agent: AgentDir,
    store: AgentStore,
}

impl<'l> Login<'l> {
    /// Finds out what would make the login useless before the user signs in. `client_id` is
    /// the client that has begun it, where another process did.
    fn new(
        app: &'l App,
        catalog: &'l Catalog,
        request: &'l Request,
        client_id: Option<&str>,
        interaction: &mut dyn Interaction,
    ) -> Result<Self, LoginError> {
        if let Some(problem) = catalog.problem(&request.provider) {
            return Err(problem.clone().into());
        }
        let provider = catalog
            .find(&request.provider)
            .ok_or_else(|| no_provider(&request.provider, app, catalog))?;
        let definition = &provider.definition;
        let attempt = request.attempt(&definition.id);
        if request.method.is_none() && !definition.has_login() {
            return Err(way::no_sign_in(definition, &attempt));
        }
        let ways = Ways::of(definition, request.method.as_deref(), &attempt)?;
        let registration = definition
            .registration_of(ways.method.as_deref())
            .ok_or_else(|| way::no_sign_in(definition, &attempt))?;
        let environment = &app.environment;
        let unusable =
            |reason| LoginError::NotRegistered { reason, attempt: Box::new(attempt.clone()) };
        let client = registration.client(environment, client_id).map_err(unusable)?;
        let redirect = registration.redirect(environment).map_err(unusable)?;
        let (agent, store) = open_store(app, request, &definition.id)?;
        note_override(provider, interaction);
        warn_of_route(app, interaction);
        let scopes = registration.scopes(environment).unwrap_or_default();
        Ok(Self {
            app,
            environment,
            request,
            definition,
            registration,
            ways,
            redirect,
            scopes,
            client,
            announced: Announced::default(),
            agent,
            store,
        })
    }

    /// Asks the issuer for what is not known of its endpoints, and leaves out the ways that
    /// it has not.
    async fn discover(&mut self) -> Result<(), LoginError> {
        let discovered = self.client.discover().await;
        self.announced = discovered.map_err(|error| self.not_signed_in(error))?;
        if self.registration.scopes(self.environment).is_none() {
            self.scopes.clone_from(&self.client.usual_scopes);
        }
        let endpoints = &self.client.endpoints;
        self.ways.browser &= endpoints.authorization.is_some();
        self.ways.paste &= endpoints.authorization.is_some();
        self.ways.device &= endpoints.device.is_some();
        if !(self.ways.browser || self.ways.paste || self.ways.device) {
            return Err(LoginError::NotOffered { label: self.definition.label.clone() });
        }
        self.client.http().map_err(|error| self.not_signed_in(error))?;
        Ok(())
    }

    fn authorization_request(&self, redirect_uri: Url) -> Result<AuthorizationRequest, LoginError> {
        let mut parameters = self.registration.authorization_parameters.clone();
        if self.client.usual_scopes == self.scopes
            && self.scopes.iter().any(|scope| scope == "offline_access")
        {
            // OpenID Connect Core section 11: without it, there is no refresh token.
            parameters.entry("prompt".to_owned()).or_insert_with(|| "consent".to_owned());
        }
        let endpoint = self.authorization_endpoint()?;
        Ok(AuthorizationRequest::new(
            &self.client,
            endpoint,
            redirect_uri,
            &self.scopes,
            &parameters,
        ))
    }

    fn expectation(&self, authorization: &AuthorizationRequest) -> Result<Expectation, LoginError> {
        Ok(Expectation {
            state: authorization.state.clone(),
            issuer: self.client.issuer.clone(),
            has_issuer: self.announced.has_issuer,
            authorization_endpoint: self.authorization_endpoint()?.clone(),
        })
    }

    fn authorization_endpoint(&self) -> Result<&Url, LoginError> {
        self.client.endpoints.authorization.as_ref().ok_or(LoginError::NoPage)
    }

    /// Waits for the user, makes the token request and stores the grant. What was pasted
    /// without a state may be a slip of the hand: when the server refuses it, the prompt
    /// comes back.
    async fn complete(
        &self,
        waiting: &mut Waiting,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Report, LoginError> {
        loop {
            let (code, origin) = match waiting.response(self, interaction, signals).await? {
                Response::Granted(grant) => {
                    return self.store_grant(*grant, None, interaction).await;
                }
                Response::Code(code, origin) => (code, origin),
            };
            let prepared = self.prepare(signals).await?;
            let authorization = waiting.authorization.as_ref();
            let grant = tokio::select! {
                grant = self.exchange(authorization, code) => grant,
                () = signals.received() => return Err(LoginError::Interrupted),
            };
            let report = match (grant, &origin) {
                (Ok(grant), _) => self.store_grant(grant, prepared, interaction).await,
                (Err(error @ TokenError::Refused { .. }), Origin::BareCode) => {
                    interaction.refuse_paste(&error.to_string());
                    continue;
                }
                (Err(error), _) => Err(self.not_signed_in(error)),
            };
            if let Origin::Redirect(verdict) = origin {
                let shown = if report.is_ok() { Verdict::SignedIn } else { Verdict::Failed };
                // A browser that has gone away needs no verdict.
                let _ = verdict.send(shown);
            }
            return report;
        }
    }

    async fn exchange(
        &self,
        authorization: Option<&AuthorizationRequest>,
        code: AuthorizationCode,
    ) -> Result<Grant, TokenError> {
        let missing = || TokenError::Unreadable("a code that nobody asked for".to_owned());
        let authorization = authorization.ok_or_else(missing)?;
        let http = self.client.http()?;
        oauth::exchange_code(&http, &self.client, authorization, code, now).await
    }

    /// No way is open any more.
    const fn nothing_left(&self) -> LoginError {
        if self.ways.browser { LoginError::NoPort } else { LoginError::NothingPasted }
    }

    fn not_signed_in(&self, error: TokenError) -> LoginError {
        not_signed_in(&self.definition.id, &self.definition.label, self.request, error)
    }
}

fn not_signed_in(
    provider: &ProviderId,
    label: &str,
    request: &Request,
    error: TokenError,
) -> LoginError {
    LoginError::NotSignedIn {
        label: label.to_owned(),
        attempt: Box::new(request.attempt(provider)),
        source: Box::new(error),
    }
}
