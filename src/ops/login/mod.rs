//! Signing in: authorization code with PKCE, by redirect or by paste, whichever comes
//! first (RFC 8252).
//!
//! Nothing is written before the token response has been checked.

mod authorize;
mod keep;

pub use authorize::AuthorizationNotice;

use super::refresh::no_client_secret;
use super::{Interaction, login_command, warn_of_route};
use crate::app::App;
use crate::config::AgentDir;
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{
    self, AuthorizationCode, AuthorizationRequest, Client, Grant, TokenError, Verdict,
};
use crate::profile::{Identity, MAIN_AGENT, Millis, normalize_provider_id};
use crate::provider::{Catalog, Definition, Provider, Registration};
use crate::store::{AgentStore, Document};
use crate::system::environment::Environment;
use crate::system::http::HttpClient;
use crate::system::signal::StopSignals;
use crate::system::{block_on, lock, now};
use crate::text::printable;
use anyhow::Context;
use authorize::{Origin, Response, Waiting};
use std::path::PathBuf;
use std::time::Duration;

/// How to sign in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The provider id or alias.
    pub provider: String,
    /// The agent; the default one when `None`.
    pub agent: Option<String>,
    /// The profile id to store the login under.
    pub profile_id: Option<String>,
    /// Whether a browser may be opened.
    pub browser: bool,
    /// How long to wait for the user.
    pub timeout: Duration,
}

/// What a login did. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The name of the provider for people.
    pub provider_label: String,
    /// The provider id.
    pub provider: String,
    /// The profile id.
    pub profile_id: String,
    /// The agent.
    pub agent_id: String,
    /// The document that holds the profile.
    pub store_path: PathBuf,
    /// Who signed in, as far as the tokens say.
    pub identity: Identity,
    /// When the access token expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// Whether the login renewed a profile that was there.
    pub renewed: bool,
    /// The profile of another account whose id this login would have had.
    pub taken_id: Option<String>,
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
) -> Result<Report, Failure> {
    let catalog = app.catalog()?;
    if let Some(problem) = catalog.problem(&request.provider) {
        return Err(problem.clone().into());
    }
    let provider = catalog.find(&request.provider);
    let (provider, registration) = provider
        .and_then(|provider| Some((provider, provider.definition.registration.as_ref()?)))
        .ok_or_else(|| no_sign_in(&request.provider, &catalog))?;
    let definition = &provider.definition;
    let environment = &app.environment;
    let client =
        registration.client(environment).map_err(|variable| no_client_secret(&variable))?;
    // What would make the login useless is found out before the user signs in.
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_deref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store.check_writable()?;
    check_wanted_id(&store.read()?.document, definition, request.profile_id.as_deref())?;
    note_override(provider, interaction);
    warn_of_route(app, interaction);
    let http = HttpClient::new(&registration.endpoints.token)
        .map_err(|error| Failure::message(ExitStatus::Failure, error))?;

    let login =
        Login { request, definition, registration, client: &client, environment, http: &http };
    block_on(async {
        let mut signals = StopSignals::catch().context("could not catch signals")?;
        let bound = oauth::bind(
            &registration.redirect.host,
            &registration.redirect.ports,
            &registration.redirect.path,
        )
        .context("could not listen for the redirect")?;
        let mut waiting = login.start(bound, interaction)?;
        let report = login.complete(app, &agent, &store, &mut waiting, interaction, &mut signals);
        let report = report.await;
        waiting.finish().await;
        report
    })
    .context("could not start the runtime")?
}

fn no_sign_in(wanted: &str, catalog: &Catalog) -> Failure {
    let known = match catalog.find(wanted) {
        Some(provider) => format!("{} offers no OAuth sign-in", provider.definition.label),
        None => format!("there is no provider `{}`", printable(wanted, 80)),
    };
    let definitions = catalog.iter().map(|provider| &provider.definition);
    let offered: Vec<&str> = definitions
        .filter(|definition| definition.registration.is_some())
        .map(|definition| definition.id.as_str())
        .collect();
    Failure::usage(known).hint(format!("providers with a sign-in: {}", offered.join(", ")))
}

/// A `--profile-id` must not name a profile of another provider.
fn check_wanted_id(
    document: &Document,
    definition: &Definition,
    wanted: Option<&str>,
) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    if wanted.trim() != wanted || wanted.is_empty() || wanted.chars().any(char::is_control) {
        return Err(Failure::usage("--profile-id must be a name without outer spaces"));
    }
    match document.credential(wanted) {
        Some(other) if normalize_provider_id(&other.provider) != definition.id => {
            Err(Failure::usage(format!(
                "the profile `{wanted}` is for {}, not {}",
                printable(&other.provider, 80),
                definition.id
            )))
        }
        _ => Ok(()),
    }
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
    request: &'l Request,
    definition: &'l Definition,
    registration: &'l Registration,
    client: &'l Client,
    environment: &'l Environment,
    http: &'l HttpClient,
}

impl Login<'_> {
    /// Waits for the code, exchanges it and stores the grant. What was pasted without a
    /// state may be a slip of the hand: when the server refuses it, the prompt comes back.
    async fn complete(
        &self,
        app: &App,
        agent: &AgentDir,
        store: &AgentStore,
        waiting: &mut Waiting,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Report, Failure> {
        loop {
            let Response { code, origin } = waiting.response(interaction, signals).await?;
            let reserved = store.reserve(lock::TIMEOUT)?;
            let grant = tokio::select! {
                grant = self.exchange(&waiting.authorization, code) => grant,
                () = signals.received() => return Err(Failure::interrupted()),
            };
            let report = match (grant, &origin) {
                (Ok(grant), _) => self.keep(app, agent, store, grant, reserved),
                (Err(error @ TokenError::Refused { .. }), Origin::BareCode) => {
                    interaction.refuse_paste(&error.to_string());
                    continue;
                }
                (Err(error), _) => Err(self.not_exchanged(&error)),
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
        authorization: &AuthorizationRequest,
        code: AuthorizationCode,
    ) -> Result<Grant, TokenError> {
        oauth::exchange_code(self.http, self.client, authorization, code, now).await
    }

    fn not_exchanged(&self, error: &TokenError) -> Failure {
        let status = match error {
            TokenError::Unavailable { .. } => ExitStatus::Unavailable,
            _ => ExitStatus::Failure,
        };
        let agent = self.request.agent.as_deref().unwrap_or(MAIN_AGENT);
        Failure::message(status, format!("could not sign in to {}: {error}", self.definition.label))
            .hint(format!(
                "nothing was stored; try again: {}",
                login_command(&self.definition.id, agent)
            ))
    }
}
