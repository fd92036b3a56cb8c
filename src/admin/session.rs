//! What one session pins: a model, a profile.

use super::resolve::{NoModel, provider_and_model, read_reference};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::pool::Pool;
use crate::ops::selection::{SelectionError, WrongProvider};
use crate::profile::{AgentId, ModelRef, ProfileId, ProviderId};
use crate::provider::auth_provider_id;
use crate::store::{SessionOverride, SessionStore};
use crate::text::printable;
use std::path::PathBuf;

/// A session.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its key: as the document has it, or without the `agent:<id>:` in front.
    pub key: String,
    /// The agent; that of the key, else the default one, when `None`.
    pub agent: Option<AgentId>,
}

/// What a session pins.
#[derive(Debug)]
pub struct Report {
    /// The agent.
    pub agent_id: AgentId,
    /// The key in the document, or as it was given when there is no such session.
    pub key: String,
    /// Whether there is such a session.
    pub exists: bool,
    /// The document of the sessions.
    pub store_path: PathBuf,
    /// What it pins.
    pub pinned: SessionOverride,
}

/// Why what a session pins is not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The configuration, a store or the document of the sessions cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no such profile, or its entry is nothing that we know.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The model reference names no model.
    #[error(transparent)]
    NoModel(#[from] NoModel),
    /// The profile is of another provider than the model.
    #[error(transparent)]
    WrongProvider(#[from] WrongProvider),
    /// The session has a blank key.
    #[error("--session must not be blank")]
    BlankKey,
    /// The key names another agent than the one that is meant.
    #[error("the session is of agent `{in_key}`, not `{agent_id}`")]
    OtherAgent {
        /// The agent in the key.
        in_key: AgentId,
        /// The agent that is meant.
        agent_id: AgentId,
    },
    /// Two profiles are given.
    #[error("--profile and the profile in --model differ")]
    TwoProfiles,
    /// Neither a model nor a profile is given.
    #[error("nothing to pin: give --profile, --model, or both")]
    NothingToPin,
    /// A profile is given, and no model says of which provider it has to be.
    #[error("the session has no model yet that the profile could be for")]
    SessionWithoutModel,
    /// There is no such session.
    #[error("there is no session `{}` in {}", printable(key, 200), path.display())]
    Unknown {
        /// The key as it was given.
        key: String,
        /// The document of the sessions.
        path: PathBuf,
    },
}

impl<E: Into<AppError>> From<E> for SessionError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// What a session pins.
///
/// # Errors
/// The document cannot be read.
pub fn show(app: &App, request: &Request) -> Result<Report, SessionError> {
    let opened = Opened::new(app, request)?;
    let found = opened.store.find(&opened.keys)?;
    let exists = found.is_some();
    let (key, pinned) = found.unwrap_or_else(|| (request.key.clone(), SessionOverride::default()));
    Ok(opened.report(key, exists, pinned))
}

/// Pins a model, a profile, or both. A model without a profile unpins the profile; a
/// profile without a model is for the session's provider.
///
/// # Errors
/// There is no such session or profile, or the document cannot be written.
pub fn set(
    app: &App,
    request: &Request,
    profile: Option<&ProfileId>,
    model_ref: Option<&str>,
) -> Result<Report, SessionError> {
    let opened = Opened::new(app, request)?;
    let pool = Pool::open(app, &opened.config, &opened.agent)?;
    let reference =
        model_ref.map(|text| read_reference(&opened.config, &opened.agent, &pool, text));
    let in_model = reference.as_ref().and_then(|reference| reference.profile.as_ref());
    let profile = profile.map(|profile| ProfileId::from(profile.as_str().trim()));
    let profile = match (profile.as_ref(), in_model) {
        (Some(profile), Some(other)) if profile != other => {
            return Err(SessionError::TwoProfiles);
        }
        (profile, in_model) => profile.or(in_model),
    };
    let Some((_, present)) = opened.store.find(&opened.keys)? else {
        return Err(opened.unknown(request));
    };
    let model = match &reference {
        Some(reference) => Some(provider_and_model(&opened.config, &opened.agent, reference)?),
        None => None,
    };
    if let Some(profile) = profile {
        let provider = match &model {
            Some((provider, _)) => provider.clone(),
            None => opened.provider_of(&present)?,
        };
        let (_, credential) = pool.find(profile)?.ok_or_else(|| SelectionError::NoProfile {
            profile_id: profile.clone(),
            looked_in: pool.looked_in(),
        })?;
        if auth_provider_id(&credential.provider) != auth_provider_id(&provider) {
            let (profile_id, stored) = (profile.clone(), credential.provider);
            return Err(WrongProvider { profile_id, stored, wanted: provider }.into());
        }
    } else if model.is_none() {
        return Err(SessionError::NothingToPin);
    }
    let default = opened.default_model();
    let pin = model.as_ref().map(|(provider, model)| {
        let is_default = default.as_ref() == Some(&(provider.clone(), model.clone()));
        (!is_default).then_some((provider, model.as_str()))
    });
    match opened.store.pin(&opened.keys, pin, profile, app.now())? {
        Some((key, pinned)) => Ok(opened.report(key, true, pinned)),
        None => Err(opened.unknown(request)),
    }
}

/// Unpins model and profile.
///
/// # Errors
/// There is no such session, or the document cannot be written.
pub fn clear(app: &App, request: &Request) -> Result<Report, SessionError> {
    let opened = Opened::new(app, request)?;
    match opened.store.unpin(&opened.keys, app.now())? {
        Some((key, pinned)) => Ok(opened.report(key, true, pinned)),
        None => Err(opened.unknown(request)),
    }
}

/// The sessions of the agent that a request is about.
struct Opened {
    config: Config,
    agent: AgentDir,
    store: SessionStore,
    /// The keys under which the session may stand, the most literal one first.
    keys: Vec<String>,
}

impl Opened {
    fn new(app: &App, request: &Request) -> Result<Self, SessionError> {
        let key = request.key.trim();
        if key.is_empty() {
            return Err(SessionError::BlankKey);
        }
        let config = app.config()?;
        let in_key = key.strip_prefix("agent:").and_then(|rest| rest.split(':').next());
        let named = request.agent.clone().or_else(|| AgentId::named(in_key));
        let agent = app.agent(&config, named.as_ref())?;
        app.store(&agent).check_generation()?;
        if let Some(in_key) = in_key.map(AgentId::from)
            && in_key != agent.id
        {
            return Err(SessionError::OtherAgent { in_key, agent_id: agent.id });
        }
        let lower = key.to_lowercase();
        let qualified = format!("agent:{}:{lower}", agent.id.as_str());
        let keys = vec![key.to_owned(), lower, qualified];
        let store = SessionStore::new(config.session_store(&app.paths, &agent.id));
        Ok(Self { config, agent, store, keys })
    }

    /// The model that the agent uses unless a session says otherwise.
    fn default_model(&self) -> Option<(ProviderId, String)> {
        let default = ModelRef::by_text(self.config.default_model(&self.agent.id)?);
        let (provider, model) = default.provider_and_model()?;
        Some((ProviderId::from(provider).normalized(), model.to_owned()))
    }

    fn provider_of(&self, present: &SessionOverride) -> Result<ProviderId, SessionError> {
        let of_session = present.provider.clone().or_else(|| present.last_provider.clone());
        let provider = of_session.or_else(|| self.default_model().map(|(provider, _)| provider));
        provider.ok_or(SessionError::SessionWithoutModel)
    }

    fn unknown(&self, request: &Request) -> SessionError {
        SessionError::Unknown { key: request.key.clone(), path: self.store.path().to_owned() }
    }

    fn report(&self, key: String, exists: bool, pinned: SessionOverride) -> Report {
        Report {
            agent_id: self.agent.id.clone(),
            key,
            exists,
            store_path: self.store.path().to_owned(),
            pinned,
        }
    }
}
