//! Signing in: authorization code with PKCE, by redirect or by paste, whichever comes
//! first (RFC 8252).
//!
//! Nothing is written before the token response has been checked.

use super::refresh::expiry;
use super::{Interaction, login_command};
use crate::app::App;
use crate::config::{AgentDir, ConfigEdit, record_profile};
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{
    self, AuthorizationCode, AuthorizationError, AuthorizationRequest, Bound, Client, Expectation,
    Grant, RedirectListener, TokenError, Verdict,
};
use crate::profile::{
    CredentialKind, Identity, Kind, Millis, choose_profile_id, normalize_provider_id,
};
use crate::provider::{Definition, Provider};
use crate::store::{AgentStore, Document, Renewal, login_entry};
use crate::system::browser::{self, Opening};
use crate::system::environment::{Environment, Remote};
use crate::system::http::HttpClient;
use crate::system::signal::StopSignals;
use crate::system::{block_on, now, process};
use crate::text::printable;
use anyhow::Context;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::oneshot;
use url::Url;

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

/// What the user needs to know to sign in.
#[derive(Debug)]
pub struct AuthorizationNotice<'a> {
    /// The name of the provider.
    pub provider_label: &'a str,
    /// Where to sign in.
    pub url: &'a Url,
    /// Whether the redirect can arrive by itself.
    pub listening: bool,
    /// The registered ports that are taken, and by which process.
    pub busy_ports: Vec<(u16, Option<String>)>,
    /// Why a browser on this machine would not reach the user.
    pub remote: Option<Remote>,
    /// The command that leads the redirect from the user's machine to this one.
    pub tunnel: Option<String>,
    /// How long the login waits.
    pub timeout: Duration,
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
    let provider = catalog.find(&request.provider).ok_or_else(|| {
        let known: Vec<_> = catalog.iter().map(|known| known.definition.id.as_str()).collect();
        Failure::usage(format!("there is no provider `{}`", printable(&request.provider, 80)))
            .hint(format!("known providers: {}", known.join(", ")))
    })?;
    let definition = &provider.definition;
    let environment = &app.environment;
    let client = definition.client(environment).map_err(|variable| {
        Failure::usage(format!("{variable} is not set: it holds the client secret"))
    })?;
    // What would make the login useless is found out before the user signs in.
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_deref())?;
    let store = app.store(&agent);
    store.check_generation()?;
    check_wanted_id(&store.read()?.document, definition, request.profile_id.as_deref())?;
    note_override(provider, interaction);
    let http = HttpClient::new(&definition.token_endpoint)
        .map_err(|error| Failure::message(ExitStatus::Failure, error))?;

    let login = Login { request, definition, client: &client, environment, http: &http };
    block_on(async {
        let mut signals = StopSignals::catch().context("could not catch signals")?;
        let bound = oauth::bind(
            &definition.redirect.host,
            &definition.redirect.ports,
            &definition.redirect.path,
        )
        .context("could not listen for the redirect")?;
        let Authorized { authorization, code, verdict, serving } =
            login.authorize(bound, interaction, &mut signals).await?;
        let grant = tokio::select! {
            grant = login.exchange(authorization, code) => grant,
            () = signals.received() => Err(Failure::interrupted()),
        };
        let report = grant.and_then(|grant| login.store(app, &agent, &store, grant));
        if let Some(verdict) = verdict {
            let shown = if report.is_ok() { Verdict::SignedIn } else { Verdict::Failed };
            let _ = verdict.send(shown);
        }
        if let Some(serving) = serving {
            serving.finish().await;
        }
        report
    })
    .context("could not start the runtime")?
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
    client: &'l Client,
    environment: &'l Environment,
    http: &'l HttpClient,
}

/// An authorization code with everything that belongs to its request.
struct Authorized {
    authorization: AuthorizationRequest,
    code: AuthorizationCode,
    verdict: Option<oneshot::Sender<Verdict>>,
    serving: Option<oauth::Serving>,
}

impl Login<'_> {
    /// Shows the URL and waits for the first of: redirect, paste, timeout, interrupt.
    async fn authorize(
        &self,
        bound: Bound,
        interaction: &mut dyn Interaction,
        signals: &mut StopSignals,
    ) -> Result<Authorized, Failure> {
        let (listener, redirect_uri, busy) = match bound {
            Bound::Listening(listener, busy) => {
                let redirect_uri = listener.redirect_uri().clone();
                (Some(listener), redirect_uri, busy)
            }
            Bound::AllBusy(redirect_uri, busy) => (None, redirect_uri, busy),
        };
        let authorization = AuthorizationRequest::new(
            self.client,
            redirect_uri,
            &self.definition.scopes,
            &self.definition.authorization_parameters,
        );
        let expectation = Expectation {
            state: authorization.state.clone(),
            issuer: self.definition.issuer.clone(),
            authorization_endpoint: self.definition.authorization_endpoint.clone(),
        };
        let mut serving = listener
            .map(|listener: RedirectListener| listener.serve(expectation.clone()))
            .transpose()
            .context("could not listen for the redirect")?;
        let busy_ports = busy.iter().map(|port| (port.0, process::port_holder(port.0))).collect();
        self.show(&authorization, serving.is_some(), busy_ports, interaction);
        let mut pasted = interaction.pasted_lines();
        let deadline = tokio::time::Instant::now() + self.request.timeout;
        loop {
            if serving.is_none() && pasted.is_none() {
                return Err(Failure::message(
                    ExitStatus::Failure,
                    "every registered port is taken and there is no input to paste into",
                )
                .hint("free a port, or run the command again and paste the redirect URL"));
            }
            tokio::select! {
                biased;
                () = signals.received() => return Err(Failure::interrupted()),
                arrival = async {
                    match &mut serving {
                        Some(serving) => serving.arrival().await,
                        None => std::future::pending().await,
                    }
                } => match arrival.response {
                    Ok(code) => {
                        let verdict = Some(arrival.verdict);
                        return Ok(Authorized { authorization, code, verdict, serving });
                    }
                    Err(error) => {
                        let _ = arrival.verdict.send(Verdict::Failed);
                        if let Some(serving) = serving {
                            serving.finish().await;
                        }
                        return Err(not_authorized(&error));
                    }
                },
                line = async {
                    match &mut pasted {
                        Some(pasted) => pasted.recv().await,
                        None => std::future::pending().await,
                    }
                } => match line {
                    None => pasted = None,
                    Some(line) if line.trim().is_empty() => {
                        interaction.refuse_paste("nothing was pasted");
                    }
                    Some(line) => match oauth::parse_pasted(&line, &expectation) {
                        Ok(code) => {
                            return Ok(Authorized { authorization, code, verdict: None, serving });
                        }
                        Err(error @ AuthorizationError::Refused { .. }) => {
                            return Err(not_authorized(&error));
                        }
                        Err(error) => interaction.refuse_paste(&error.to_string()),
                    },
                },
                () = tokio::time::sleep_until(deadline) => {
                    let waited = self.request.timeout.as_secs();
                    return Err(Failure::message(
                        ExitStatus::Failure,
                        format!("nobody signed in within {waited} s"),
                    )
                    .hint("run the command again; --timeout 30m waits longer"));
                }
            }
        }
    }

    /// Shows the URL first, then opens the browser.
    fn show(
        &self,
        authorization: &AuthorizationRequest,
        listening: bool,
        busy_ports: Vec<(u16, Option<String>)>,
        interaction: &mut dyn Interaction,
    ) {
        let remote = self.environment.remote();
        let port = authorization.redirect_uri.port().unwrap_or(80);
        let tunnel = (listening && remote.is_some()).then(|| tunnel(self.environment, port));
        interaction.show_authorization(&AuthorizationNotice {
            provider_label: &self.definition.label,
            url: &authorization.url,
            listening,
            busy_ports,
            remote,
            tunnel,
            timeout: self.request.timeout,
        });
        let opening = if self.request.browser {
            browser::open(self.environment, &authorization.url)
        } else {
            Opening::NotTried
        };
        interaction.show_browser(&opening);
    }

    async fn exchange(
        &self,
        authorization: AuthorizationRequest,
        code: AuthorizationCode,
    ) -> Result<Grant, Failure> {
        let grant = oauth::exchange_code(self.http, self.client, authorization, code, now).await;
        match grant {
            Ok(grant) if grant.access.is_blank() => Err(Failure::message(
                ExitStatus::Failure,
                "the authorization server sent an empty access token",
            )),
            Ok(grant) => Ok(grant),
            Err(error) => Err(Failure::message(
                match error {
                    TokenError::Unavailable { .. } => ExitStatus::Unavailable,
                    _ => ExitStatus::Failure,
                },
                format!("could not sign in to {}: {error}", self.definition.label),
            )
            .hint(format!(
                "nothing was stored; try again: {}",
                login_command(&self.definition.id, self.request.agent.as_deref().unwrap_or("main"))
            ))),
        }
    }

    /// Stores the grant under the profile of its account and records it in the
    /// configuration.
    fn store(
        &self,
        app: &App,
        agent: &AgentDir,
        store: &AgentStore,
        grant: Grant,
    ) -> Result<Report, Failure> {
        let identity = self.definition.identity(&grant.access, grant.id_token.as_ref());
        let renewal = Renewal { expires: expiry(&grant, now()), grant, identity };
        let provider = &self.definition.id;
        let wanted = self.request.profile_id.as_deref();
        let (profile_id, taken_id, renewed) = store.update(|document| {
            let existing = grants_of(document, self.definition);
            let taken = |id: &str| document.has_entry(id);
            let (id, taken_id) =
                choose_profile_id(provider, &renewal.identity, wanted, &existing, taken);
            let present = document.entry(&id);
            let renewed = present.is_some();
            let entry = login_entry(present, provider, &renewal)?;
            document.set_entry(&id, entry);
            Ok((true, (id, taken_id, renewed)))
        })?;
        let stored = |failure: Failure| {
            failure.context(format!("the login is stored as `{profile_id}`, but not recorded"))
        };
        store
            .update_state(|state| state.clear_cooldown(&profile_id))
            .map_err(|e| stored(e.into()))?;
        let edit = record_profile(&app.paths.config, &profile_id, provider, Kind::OAuth)
            .map_err(|error| stored(error.into()))?;
        Ok(Report {
            provider_label: self.definition.label.clone(),
            provider: provider.clone(),
            agent_id: agent.id.clone(),
            store_path: store.profiles_path(),
            expires: renewal.expires,
            refreshable: renewal.grant.refresh.is_some(),
            identity: renewal.identity,
            config_changed: edit == ConfigEdit::Written,
            profile_id,
            taken_id,
            renewed,
        })
    }
}

/// The provider's grants in a document with the accounts that they belong to: what the
/// entry says, completed by the claims of its tokens.
fn grants_of(document: &Document, definition: &Definition) -> Vec<(String, Identity)> {
    document
        .profiles()
        .filter(|profile| normalize_provider_id(&profile.credential.provider) == definition.id)
        .filter_map(|profile| {
            let CredentialKind::OAuth { access, id_token, .. } = &profile.credential.kind else {
                return None;
            };
            let stored = profile.credential.identity.clone();
            let claimed = match access {
                Some(access) => definition.identity(access, id_token.as_ref()),
                None => Identity::default(),
            };
            let identity = Identity {
                email: stored.email.or(claimed.email),
                account_id: stored.account_id.or(claimed.account_id),
                subject: claimed.subject,
            };
            Some((profile.id.to_owned(), identity))
        })
        .collect()
}

fn not_authorized(error: &AuthorizationError) -> Failure {
    Failure::message(ExitStatus::Failure, format!("the sign-in failed: {error}"))
        .hint("nothing was stored; run the command again")
}

/// The `ssh` command that leads the redirect from the user's machine to this one.
fn tunnel(environment: &Environment, port: u16) -> String {
    // SSH_CONNECTION: client address, client port, server address, server port.
    let connection: Vec<&str> =
        environment.text("SSH_CONNECTION").unwrap_or_default().split_whitespace().collect();
    let host = connection.get(2).copied().unwrap_or("<this-host>");
    let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.text(name));
    let destination = user.map_or_else(|| host.to_owned(), |user| format!("{user}@{host}"));
    let ssh_port = match connection.get(3) {
        Some(&"22") | None => String::new(),
        Some(other) => format!("-p {other} "),
    };
    format!("ssh -L {port}:127.0.0.1:{port} {ssh_port}{destination}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tunnel_names_this_host_as_the_user_reached_it() {
        let over_ssh = Environment::of([
            ("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 2222"),
            ("USER", "ada"),
        ]);
        assert_eq!(tunnel(&over_ssh, 1455), "ssh -L 1455:127.0.0.1:1455 -p 2222 ada@198.51.100.3");
        let elsewhere = Environment::of([("USER", "ada")]);
        assert_eq!(tunnel(&elsewhere, 1457), "ssh -L 1457:127.0.0.1:1457 ada@<this-host>");
    }
}
