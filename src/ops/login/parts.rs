//! The parts of one login: the provider and how we are registered there, the ways to go, the
//! store that it goes to.

use super::error::LoginError;
use super::request::Request;
use super::sign_in_methods::{self, SignInMethods};
use crate::app::App;
use crate::config::AgentDir;
use crate::oauth::{
    self, AuthorizationCode, AuthorizationRequest, Client, ExpectedResponse, Grant, ServerMetadata,
    TokenError,
};
use crate::ops::record::{check_profile_id, replaceable};
use crate::ops::{Interaction, warn_of_route};
use crate::profile::ProviderId;
use crate::provider::{Catalog, Definition, Program, Provider, Redirect, Registration, successor};
use crate::store::Store;
use crate::system::environment::Environment;
use url::Url;

/// The parts of one login.
pub(super) struct Login<'l> {
    pub(super) app: &'l App,
    pub(super) environment: &'l Environment,
    pub(super) request: &'l Request,
    pub(super) definition: &'l Definition,
    pub(super) registration: &'l Registration,
    pub(super) methods: SignInMethods,
    pub(super) redirect: Redirect,
    pub(super) scopes: Vec<String>,
    pub(super) client: Client,
    pub(super) announced: ServerMetadata,
    pub(super) agent: AgentDir,
    pub(super) store: Store,
    /// The provider under which the store keeps the login.
    pub(super) stored_as: ProviderId,
}

impl<'l> Login<'l> {
    /// Finds out what would make the login useless before the user signs in. `client_id` is
    /// the client that has begun it, where another process did.
    pub(super) fn new(
        app: &'l App,
        catalog: &'l Catalog,
        request: &'l Request,
        client_id: Option<&str>,
        interaction: &mut dyn Interaction,
    ) -> Result<Self, LoginError> {
        if let Some(problem) = catalog.problem(&request.provider) {
            return Err(problem.clone().into());
        }
        let provider = provider_of(app, catalog, request)?
            .ok_or_else(|| no_provider(&request.provider, app, catalog))?;
        let definition = &provider.definition;
        let attempt = request.attempt(&definition.id);
        if request.method.is_none() && !definition.has_login() {
            return Err(sign_in_methods::no_sign_in(definition, &attempt));
        }
        let methods = SignInMethods::of(definition, request.method.as_deref(), &attempt)?;
        let registration = definition
            .registration_of(methods.method.as_deref())
            .ok_or_else(|| sign_in_methods::no_sign_in(definition, &attempt))?;
        let environment = &app.environment;
        let unusable =
            |reason| LoginError::NotRegistered { reason, attempt: Box::new(attempt.clone()) };
        let client = registration.client(app.clients(), client_id).map_err(unusable)?;
        let redirect = registration.redirect(environment).map_err(unusable)?;
        let (agent, store) = open_store(app, request, &definition.id)?;
        let stored_as = stored_as(&store, &definition.id);
        note_override(provider, interaction);
        warn_of_route(app, interaction);
        let scopes = registration.scopes(environment).unwrap_or_default();
        Ok(Self {
            app,
            environment,
            request,
            definition,
            registration,
            methods,
            redirect,
            scopes,
            client,
            announced: ServerMetadata::default(),
            agent,
            store,
            stored_as,
        })
    }

    /// Asks the issuer for what is not known of its endpoints, and leaves out the ways that
    /// it has not.
    pub(super) async fn discover(&mut self) -> Result<(), LoginError> {
        let discovered = self.client.discover().await;
        self.announced = discovered.map_err(|error| self.not_signed_in(error))?;
        if self.registration.scopes(self.environment).is_none() {
            self.scopes.clone_from(&self.client.default_scopes);
        }
        let endpoints = &self.client.endpoints;
        self.methods.browser &= endpoints.authorization.is_some();
        self.methods.paste &= endpoints.authorization.is_some();
        self.methods.device &= endpoints.device.is_some();
        if !(self.methods.browser || self.methods.paste || self.methods.device) {
            return Err(LoginError::NotOffered { label: self.definition.label.clone() });
        }
        self.client.http().map_err(|error| self.not_signed_in(error))?;
        Ok(())
    }

    /// The request that the browser takes to the server, which ends at `redirect_uri`.
    pub(super) fn authorization_request(
        &self,
        redirect_uri: Url,
    ) -> Result<AuthorizationRequest, LoginError> {
        let mut parameters = self.registration.authorization_parameters.clone();
        if self.client.default_scopes == self.scopes
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

    /// What the response to an authorization request has to say.
    pub(super) fn expectation(
        &self,
        authorization: &AuthorizationRequest,
    ) -> Result<ExpectedResponse, LoginError> {
        Ok(ExpectedResponse {
            state: authorization.state.clone(),
            issuer: self.client.issuer.clone(),
            has_issuer: self.announced.has_issuer,
            authorization_endpoint: self.authorization_endpoint()?.clone(),
        })
    }

    /// The page to sign in at.
    pub(super) fn authorization_endpoint(&self) -> Result<&Url, LoginError> {
        self.client.endpoints.authorization.as_ref().ok_or(LoginError::NoPage)
    }

    /// Makes the token request for a code that answers `authorization`.
    pub(super) async fn exchange(
        &self,
        authorization: Option<&AuthorizationRequest>,
        code: AuthorizationCode,
    ) -> Result<Grant, TokenError> {
        let missing = || TokenError::Unreadable("a code that nobody asked for".to_owned());
        let authorization = authorization.ok_or_else(missing)?;
        let http = self.client.http()?;
        oauth::exchange_code(&http, &self.client, authorization, code, &self.app.machine.clock)
            .await
    }

    /// No way is open any more.
    pub(super) const fn nothing_left(&self) -> LoginError {
        if self.methods.browser { LoginError::NoPort } else { LoginError::NothingPasted }
    }

    /// The error of this login that the server, or the way to it, has ended.
    pub(super) fn not_signed_in(&self, error: TokenError) -> LoginError {
        not_signed_in(&self.definition.id, &self.definition.label, self.request, error)
    }
}

/// The provider that the request names; where databases keep the logins of another one under
/// that name, and it has no such sign-in itself, that other one.
fn provider_of<'c>(
    app: &App,
    catalog: &'c Catalog,
    request: &Request,
) -> Result<Option<&'c Provider>, LoginError> {
    let named = catalog.find(&request.provider);
    let has_way = named.is_some_and(|named| {
        let method = request.method.as_deref();
        named.definition.has_login()
            || method.is_some_and(|it| named.definition.method(it).is_some())
    });
    if named.is_none() || has_way {
        return Ok(named);
    }
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    if !app.store(&agent).will_be_in_database() {
        return Ok(named);
    }
    Ok(catalog.find_login(&request.provider))
}

/// The provider under which `store` keeps the logins of `provider`.
pub(in crate::ops) fn stored_as(store: &Store, provider: &ProviderId) -> ProviderId {
    let successor = successor(provider).filter(|_| store.will_be_in_database());
    successor.unwrap_or_else(|| provider.clone())
}

/// The error of a login that the server, or the way to it, has ended.
pub(super) fn not_signed_in(
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
pub(super) fn open_store(
    app: &App,
    request: &Request,
    provider: &ProviderId,
) -> Result<(AgentDir, Store), LoginError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store.check_writable()?;
    let document = store.profiles()?;
    if let Some(wanted) = &request.profile_id {
        check_profile_id(wanted)?;
        replaceable(&store, &document, wanted, provider)?;
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
