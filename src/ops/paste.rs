//! Storing a token or an API key that the user has at hand.

use crate::app::App;
use crate::config::{AgentDir, ConfigEdit, record_profile};
use crate::exit::{ExitStatus, Failure};
use crate::profile::secret_ref::variable;
use crate::profile::{AgentId, Kind, Millis, ProfileId, ProviderId};
use crate::provider::{Catalog, Method, MethodKind};
use crate::secret::Secret;
use crate::store::{AgentStore, Pasted, pasted_entry};
use crate::system::now;
use std::path::PathBuf;
use std::time::Duration;

/// What is going to be pasted.
#[derive(Clone, Debug)]
pub struct Request {
    /// The provider id or alias.
    pub provider: ProviderId,
    /// [`Kind::Token`] or [`Kind::ApiKey`].
    pub kind: Kind,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The profile id.
    pub profile_id: Option<ProfileId>,
    /// How long the token is valid from now on.
    pub expires_in: Option<Duration>,
}

/// A request that can be carried out: everything but the secret is known to be right.
#[derive(Debug)]
pub struct Ready {
    request: Request,
    agent: AgentDir,
    store: AgentStore,
    provider: ProviderId,
    profile_id: ProfileId,
    method: Option<Method>,
}

/// What was stored. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider id.
    pub provider: ProviderId,
    /// The credential kind.
    pub kind: Kind,
    /// The agent.
    pub agent_id: AgentId,
    /// The document that holds the profile.
    pub store_path: PathBuf,
    /// When the credential expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// Whether the profile was there before.
    pub renewed: bool,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Checks everything that can be checked before the user is asked for the secret.
///
/// # Errors
/// The provider, agent or profile id is not usable, or the store or the configuration.
pub fn prepare(app: &App, request: Request) -> Result<Ready, Failure> {
    let provider = request.provider.clone().normalized();
    let name = provider.as_str();
    if name.is_empty() || name.contains(['/', ':']) || name.contains(char::is_control) {
        return Err(Failure::usage("--provider must be a name without `/` and `:`"));
    }
    let catalog = app.catalog()?;
    let provider = catalog.find(&provider).map_or(provider, |known| known.definition.id.clone());
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    let profile_id = request
        .profile_id
        .clone()
        .unwrap_or_else(|| format!("{}:manual", provider.as_str()).into());
    check_profile(&store, &profile_id, &provider)?;
    let method = method(&catalog, &provider, request.kind);
    Ok(Ready { request, agent, store, provider, profile_id, method })
}

fn method(catalog: &Catalog, provider: &ProviderId, kind: Kind) -> Option<Method> {
    let wanted = match kind {
        Kind::Token => MethodKind::Token,
        _ => MethodKind::ApiKey,
    };
    let methods = &catalog.find(provider)?.definition.methods;
    methods.iter().find(|method| method.kind == wanted).cloned()
}

/// The profile id must not be that of a login, or of another provider.
fn check_profile(store: &AgentStore, id: &ProfileId, provider: &ProviderId) -> Result<(), Failure> {
    if !id.is_valid() {
        return Err(Failure::usage("--profile-id must be a name without outer spaces"));
    }
    let document = store.read()?.document;
    match document.credential(id.as_str()) {
        Some(present) if present.provider != *provider => Err(Failure::usage(format!(
            "the profile `{id}` is for {}, not {provider}",
            present.provider
        ))),
        Some(present) if present.kind() == Kind::OAuth => Err(Failure::usage(format!(
            "the profile `{id}` holds an OAuth login, which pasting would end"
        ))
        .hint("name another one: --profile-id <id>")),
        None if document.has_entry(id.as_str()) => Err(Failure::message(
            ExitStatus::StoreUnusable,
            format!(
                "the entry `{id}` in {} cannot be interpreted and is not overwritten",
                store.profiles_path().display()
            ),
        )
        .hint("name another one: --profile-id <id>")),
        _ => Ok(()),
    }
}

impl Ready {
    /// What to call the secret when asking for it.
    pub fn what(&self) -> &str {
        match (&self.method, self.request.kind) {
            (Some(method), _) => &method.label,
            (None, Kind::Token) => "token",
            (None, _) => "API key",
        }
    }

    /// The command that makes such a secret, where the catalog knows one.
    pub fn command(&self) -> &[String] {
        self.method.as_ref().map_or(&[], |method| &method.command)
    }

    /// Checks and stores what was pasted.
    ///
    /// # Errors
    /// It is not such a secret, or the store or the configuration cannot be written.
    pub fn store(&self, app: &App, input: &str) -> Result<Report, Failure> {
        let secret = Secret::from_input(input);
        if secret.is_blank() {
            return Err(Failure::usage(format!("no {} was given", self.what()))
                .hint("paste it at the prompt, or send it as a line on standard input"));
        }
        let expires = self.request.expires_in.map(|span| {
            now().saturating_add(Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX))
        });
        let pasted = match self.request.kind {
            Kind::Token => Pasted::Token(self.checked_token(secret)?, expires),
            _ => match variable(secret.expose()) {
                Some(name) => Pasted::KeyVariable(name.to_owned()),
                None => Pasted::Key(secret),
            },
        };
        let id = &self.profile_id;
        let renewed = self.store.update(|document| {
            let present = document.entry(id.as_str());
            let renewed = present.is_some();
            let entry = pasted_entry(present, &self.provider, &pasted)?;
            document.set_entry(id.as_str(), entry);
            Ok((true, renewed))
        })?;
        self.store.update_state(|state| {
            let cleared = state.clear_cooldown(id.as_str());
            state.put_first(&self.provider, id) || cleared
        })?;
        let edit = record_profile(&app.paths.config, id, &self.provider, self.request.kind)
            .map_err(|error| {
                Failure::from(error)
                    .context(format!("the credential is stored as `{id}`, but not recorded"))
            })?;
        Ok(Report {
            profile_id: id.clone(),
            provider: self.provider.clone(),
            kind: self.request.kind,
            agent_id: self.agent.id.clone(),
            store_path: self.store.profiles_path(),
            expires,
            renewed,
            config_changed: edit == ConfigEdit::Written,
        })
    }

    fn checked_token(&self, token: Secret) -> Result<Secret, Failure> {
        let Some(method) = &self.method else { return Ok(token) };
        // Terminals break long tokens into lines.
        let token = match &method.prefix {
            Some(_) => Secret::new(token.expose().split_whitespace().collect::<String>()),
            None => token,
        };
        method.check(&token).map_err(Failure::usage)?;
        Ok(token)
    }
}
