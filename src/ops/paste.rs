//! Storing a token or an API key that the user has at hand.

use super::login::stored_as;
use super::record::{
    Commit, ProfileIdError, RecordError, Recorded, Wait, check_profile_id, record, replaceable,
    set_entry,
};
use crate::app::{App, AppError};
use crate::config::AgentDir;
use crate::profile::secret_ref::variable;
use crate::profile::{AgentId, Kind, Millis, NoSecret, ProfileId, ProviderId, pasted_secret};
use crate::provider::{Catalog, Method, MethodKind, UnfitToken};
use crate::secret::Secret;
use crate::store::{Document, Done, Location, Pasted, Store, pasted_entry};
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
    store: Store,
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
    pub location: Location,
    /// When the credential expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// Whether the profile was there before.
    pub renewed: bool,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Why a token or key is not stored.
#[derive(Debug, thiserror::Error)]
pub enum PasteError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// It cannot go to the profile that the user names.
    #[error(transparent)]
    ProfileId(#[from] ProfileIdError),
    /// No profile can be of a provider of that name.
    #[error("--provider must be a name without `/` and `:`")]
    InvalidProvider,
    /// The profile holds a login.
    #[error("the profile `{profile_id}` holds an OAuth login, which pasting would end")]
    HoldsLogin {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The entry of the profile is nothing that we know.
    #[error("the entry `{profile_id}` in {location} cannot be interpreted and is not overwritten")]
    Uninterpretable {
        /// The profile.
        profile_id: ProfileId,
        /// The document that holds it.
        location: Location,
    },
    /// Nothing was pasted.
    #[error("no {what} was given")]
    Nothing {
        /// What was asked for.
        what: String,
    },
    /// It is not clear what in the pasted text is the token or key.
    #[error(transparent)]
    Unclear(NoSecret),
    /// What was pasted is no token of that kind.
    #[error(transparent)]
    UnfitToken(#[from] UnfitToken),
    /// It is stored; the configuration is not changed for it.
    #[error("the credential is stored as `{profile_id}`, but not recorded")]
    NotRecorded {
        /// The profile that holds it.
        profile_id: ProfileId,
        /// Why.
        source: Box<AppError>,
    },
}

impl<E: Into<AppError>> From<E> for PasteError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Checks everything that can be checked before the user is asked for the secret.
///
/// # Errors
/// The provider, agent or profile id is not usable, or the store or the configuration.
pub fn prepare(app: &App, request: Request) -> Result<Ready, PasteError> {
    let provider = request.provider.clone().normalized();
    let name = provider.as_str();
    if name.is_empty() || name.contains(['/', ':']) || name.contains(char::is_control) {
        return Err(PasteError::InvalidProvider);
    }
    let catalog = app.catalog()?;
    let provider = catalog.find(&provider).map_or(provider, |known| known.definition.id.clone());
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    let provider = stored_as(&store, &provider);
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
fn check_profile(store: &Store, id: &ProfileId, provider: &ProviderId) -> Result<(), PasteError> {
    check_profile_id(id)?;
    let document = store.profiles()?;
    match replaceable(store, &document, id, provider)? {
        Some(present) if present.kind() == Kind::OAuth => {
            Err(PasteError::HoldsLogin { profile_id: id.clone() })
        }
        None if document.has_entry(id.as_str()) => {
            Err(PasteError::Uninterpretable { profile_id: id.clone(), location: store.location() })
        }
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
    pub fn store(&self, app: &App, input: &str) -> Result<Report, PasteError> {
        let form = self.method.as_ref().map(Method::form).unwrap_or_default();
        let secret = match pasted_secret(input, form) {
            Ok(secret) => Secret::new(secret.as_str()),
            Err(NoSecret::Nothing) => {
                return Err(PasteError::Nothing { what: self.what().to_owned() });
            }
            Err(reason) => return Err(PasteError::Unclear(reason)),
        };
        let expires = self.request.expires_in.map(|span| {
            app.now().saturating_add(Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX))
        });
        let pasted = match self.request.kind {
            Kind::Token => Pasted::Token(self.checked_token(secret)?, expires),
            _ => match variable(secret.expose()) {
                Some(name) => Pasted::KeyVariable(name.to_owned()),
                None => Pasted::Key(secret),
            },
        };
        let (renewed, config_changed) = self.record(app, &pasted)?;
        Ok(Report {
            profile_id: self.profile_id.clone(),
            provider: self.provider.clone(),
            kind: self.request.kind,
            agent_id: self.agent.id.clone(),
            location: self.store.location(),
            expires,
            renewed,
            config_changed,
        })
    }

    /// Stores what was pasted and records it; whether the profile was there before, and
    /// whether the configuration was changed.
    fn record(&self, app: &App, pasted: &Pasted) -> Result<(bool, bool), PasteError> {
        let (id, provider) = (&self.profile_id, &self.provider);
        let commit = |document: &mut Document| {
            let make = |present: Option<&str>| pasted_entry(present, provider, pasted);
            let renewed = set_entry(document, id, make)?;
            let kind = self.request.kind;
            let profile =
                Recorded { id: id.clone(), provider: provider.clone(), kind, goes_first: true };
            Ok(Commit { is_changed: true, profiles: vec![profile], result: renewed })
        };
        let recorded = record(app, &self.store, Wait::Usual, commit);
        app.notices.tell_gateway(Done::Update);
        recorded.map_err(|error| match error {
            RecordError::State(_, error) => error.into(),
            error => error.into_error(|profile_id, error| PasteError::NotRecorded {
                profile_id,
                source: Box::new(error),
            }),
        })
    }

    fn checked_token(&self, token: Secret) -> Result<Secret, PasteError> {
        let Some(method) = &self.method else { return Ok(token) };
        method.check(&token)?;
        Ok(token)
    }
}
