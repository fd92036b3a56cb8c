//! Which profile a model reference leads to, and why none of the others.

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::pool::{Entry, Pool, Ranking};
use crate::ops::selection::{LookedIn, SelectionError, WrongProvider};
use crate::profile::{
    AgentId, Credential, FailureReason, Ineligible, Kind, Millis, ModelRef, OrderSource, ProfileId,
    ProviderId, eligibility, unavailable_reason,
};
use crate::provider::{auth_provider_id, cools_down, predecessor, successor};
use crate::store::{is_refused, is_rejected};
use crate::text::printable;
use serde::Serialize;

/// What a model reference leads to.
#[derive(Debug)]
pub struct Resolution {
    /// The agent.
    pub agent_id: AgentId,
    /// The provider, normalised.
    pub provider: ProviderId,
    /// The model within the provider.
    pub model: String,
    /// The profile that the reference pins.
    pub pinned: Option<ProfileId>,
    /// What the order follows; `None` when a profile is pinned.
    pub source: Option<OrderSource>,
    /// Every profile that came into question: in their order, then those outside of it.
    pub rows: Vec<Row>,
    /// Why no profile is available, as far as their windows say.
    pub unavailable: Option<FailureReason>,
    /// When the resolution was made, in milliseconds since the epoch.
    pub at: Millis,
    /// Why nothing is chosen, when nothing is.
    none: Option<Unresolved>,
}

/// One profile that came into question, as reports show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The credential kind; `None` when there is no such profile.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The agent whose store holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Whether it is the one to use.
    pub chosen: bool,
    /// `ok`, or why it was passed over.
    #[serde(rename = "reasonCode")]
    pub code: &'static str,
    /// Until when, for a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Why the window was opened.
    #[serde(rename = "untilBecause", skip_serializing_if = "Option::is_none")]
    pub window_reason: Option<String>,
}

impl Resolution {
    /// The profile to use.
    pub fn chosen(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.chosen)
    }

    /// Why nothing is chosen, when nothing is.
    pub fn take_reason(&mut self) -> Option<Unresolved> {
        self.none.take()
    }
}

/// Why a model reference cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The configuration or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The entry of a profile is nothing that we know.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The reference names no model.
    #[error(transparent)]
    NoModel(#[from] NoModel),
}

impl<E: Into<AppError>> From<E> for ResolveError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// A text that does not name a model.
#[derive(Debug, thiserror::Error)]
#[error("`{}` does not name a model", printable(.0, 200))]
pub struct NoModel(pub String);

/// Why a model reference leads to no profile.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved {
    /// None of the provider can be used.
    #[error(transparent)]
    Selection(SelectionError),
    /// The pinned profile is not there.
    #[error("there is no profile `{profile_id}` in {looked_in}")]
    NoProfile {
        /// The profile.
        profile_id: ProfileId,
        /// The stores.
        looked_in: LookedIn,
    },
    /// The pinned profile is of another provider.
    #[error(transparent)]
    WrongProvider(WrongProvider),
    /// The pinned profile cannot be used.
    #[error("the profile `{profile_id}` is not usable: {code}")]
    NotUsable {
        /// The profile.
        profile_id: ProfileId,
        /// Why.
        code: &'static str,
    },
    /// The refresh token of the pinned profile is refused.
    #[error("the server has refused the login `{0}`")]
    Refused(ProfileId),
}

/// Resolves `model_ref` for an agent.
///
/// # Errors
/// The reference is not valid, or a store cannot be read. That no profile can be used is
/// part of the resolution.
pub fn resolve(
    app: &App,
    agent: Option<&AgentId>,
    model_ref: &str,
) -> Result<Resolution, ResolveError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    app.warn_of(&app.exposures(&config, &agent));
    let pool = Pool::open(app, &config, &agent)?;
    let reference = read_reference(&config, &agent, &pool, model_ref);
    let (provider, model) = provider_and_model(&config, &agent, &reference)?;
    let asked = Asked { app, config: &config, agent: &agent, pool: &pool, at: app.now() };
    match reference.profile {
        Some(id) => asked.pinned(&provider, model, id),
        None => asked.ordered(&provider, model),
    }
}

/// Reads a model reference; a profile counts as existing when it is for the provider.
pub(super) fn read_reference(
    config: &Config,
    agent: &AgentDir,
    pool: &Pool,
    text: &str,
) -> ModelRef {
    let default = config.default_model(&agent.id).and_then(|default| default.split('/').next());
    let head = text.split_once('/').map(|(head, _)| head.trim());
    let provider = head.filter(|head| !head.contains('@')).or(default).map(auth_provider_id);
    ModelRef::parse(text, |id| {
        let of = pool.find(id).ok().flatten().map(|(_, found)| auth_provider_id(&found.provider));
        of.is_some() && of == provider
    })
}

/// The provider, normalised, and the model within it. A model without a provider is of
/// that of the agent's default model.
pub(super) fn provider_and_model(
    config: &Config,
    agent: &AgentDir,
    reference: &ModelRef,
) -> Result<(ProviderId, String), NoModel> {
    if let Some((provider, model)) = reference.provider_and_model() {
        return Ok((ProviderId::from(provider).normalized(), model.to_owned()));
    }
    let default = config.default_model(&agent.id).map(ModelRef::by_text);
    let default = default.as_ref().and_then(ModelRef::provider_and_model);
    let model = reference.model.trim();
    match default {
        Some((provider, _)) if !model.is_empty() && !model.contains('/') => {
            Ok((ProviderId::from(provider).normalized(), model.to_owned()))
        }
        _ => Err(NoModel(model.to_owned())),
    }
}

struct Asked<'a> {
    app: &'a App,
    config: &'a Config,
    agent: &'a AgentDir,
    pool: &'a Pool,
    at: Millis,
}

impl Asked<'_> {
    /// A pinned profile is used even in a window, and nothing stands in for it.
    fn pinned(
        &self,
        provider: &ProviderId,
        model: String,
        id: ProfileId,
    ) -> Result<Resolution, ResolveError> {
        let stored = self.pool.find(&id)?;
        let of = stored.as_ref().map(|(_, found)| auth_provider_id(&found.provider));
        let credential = stored.as_ref().map(|(_, credential)| credential);
        let configured = self.config.configured_profiles(auth_provider_id);
        let configured = configured.iter().find(|configured| configured.id == id);
        let checked = eligibility(
            credential.map(Credential::facts).zip(of.as_ref().map(ProviderId::as_str)),
            configured,
            auth_provider_id(provider).as_str(),
            self.at,
        );
        let mut row = Row {
            kind: credential.map(Credential::kind),
            agent_id: stored.as_ref().map(|(owner, _)| owner.agent.id.clone()),
            chosen: false,
            code: checked.map_or_else(Ineligible::code, |()| "ok"),
            until: None,
            window_reason: None,
            profile_id: id,
        };
        let profile_id = row.profile_id.clone();
        let mut reason = match (&stored, checked) {
            (None, _) => Unresolved::NoProfile { profile_id, looked_in: self.pool.looked_in() },
            (Some((_, credential)), Err(Ineligible::ProviderMismatch)) => {
                let (stored, wanted) = (credential.provider.clone(), provider.clone());
                Unresolved::WrongProvider(WrongProvider { profile_id, stored, wanted })
            }
            _ => Unresolved::NotUsable { profile_id, code: row.code },
        };
        if let (Some((owner, credential)), Ok(())) = (&stored, checked) {
            let state = owner.snapshot.state()?;
            let usage = self.pool.usage(owner, row.profile_id.as_str())?;
            let window = usage.window(Some(&model), self.at).filter(|_| cools_down(provider));
            row.until = window.as_ref().map(|window| window.until);
            row.window_reason = window.and_then(|window| window.reason);
            row.chosen = !is_refused(state, row.profile_id.as_str(), credential)
                || (credential.is_usable_until(self.at)
                    && !is_rejected(state, row.profile_id.as_str(), credential));
            if !row.chosen {
                row.code = REFUSED;
                reason = Unresolved::Refused(row.profile_id.clone());
            }
        }
        Ok(Resolution {
            agent_id: self.agent.id.clone(),
            provider: provider.clone(),
            model,
            pinned: Some(row.profile_id.clone()),
            source: None,
            unavailable: None,
            at: self.at,
            none: (!row.chosen).then_some(reason),
            rows: vec![row],
        })
    }

    fn ordered(&self, provider: &ProviderId, model: String) -> Result<Resolution, ResolveError> {
        let stored = self.stored_name(provider)?;
        let provider = stored.as_ref().unwrap_or(provider);
        let ranking = self.pool.rank(self.config, provider, self.at)?;
        let mut resolution = Resolution {
            agent_id: self.agent.id.clone(),
            provider: provider.clone(),
            model,
            pinned: None,
            source: None,
            rows: Vec::new(),
            unavailable: None,
            at: self.at,
            none: None,
        };
        let Some(ranking) = ranking else {
            let (agent_id, provider) = (self.agent.id.clone(), provider.clone());
            let looked_in = self.pool.looked_in();
            let none = SelectionError::NoneOfProvider { agent_id, provider, looked_in };
            resolution.none = Some(Unresolved::Selection(none));
            return Ok(resolution);
        };
        resolution.source = Some(ranking.order.source);
        resolution.rows = self.rows(&ranking, provider, &resolution.model);
        if resolution.chosen().is_none() {
            if cools_down(provider) {
                let usages = ranking.ranked().map(|entry| &entry.usage);
                resolution.unavailable = unavailable_reason(usages, self.at);
            }
            let none = self.pool.none_usable(self.app, self.config, provider.clone());
            resolution.none = Some(Unresolved::Selection(none));
        }
        Ok(resolution)
    }

    /// The other name of a provider, where its logins are stored under that.
    fn stored_name(&self, provider: &ProviderId) -> Result<Option<ProviderId>, ResolveError> {
        let is_there = self.pool.rank(self.config, provider, self.at)?.is_some();
        if is_there || !self.pool.own().store.is_in_database() {
            return Ok(None);
        }
        let Some(other) = successor(provider).or_else(|| predecessor(provider)) else {
            return Ok(None);
        };
        let ranking = self.pool.rank(self.config, &other, self.at)?;
        let is_login = |entry: &Entry<'_>| entry.facts.kind == Kind::OAuth;
        Ok(ranking.is_some_and(|it| it.ranked().any(is_login)).then_some(other))
    }

    fn rows(&self, ranking: &Ranking<'_>, provider: &ProviderId, model: &str) -> Vec<Row> {
        let row = |entry: &Entry<'_>, code| Row {
            profile_id: entry.id.into(),
            kind: Some(entry.facts.kind),
            agent_id: Some(ranking.owner(entry).agent.id.clone()),
            chosen: false,
            code,
            until: None,
            window_reason: None,
        };
        let mut rows = Vec::new();
        let mut refused_but_valid = None;
        for entry in ranking.ranked() {
            let mut row = row(entry, "ok");
            let window = entry.usage.window(Some(model), self.at);
            if let Some(window) = window.filter(|_| cools_down(provider)) {
                row.code = if window.disabled { "disabled" } else { "cooldown" };
                row.until = Some(window.until);
                row.window_reason = window.reason;
            } else if ranking.is_refused(entry) {
                row.code = REFUSED;
                let lives = entry.facts.is_usable_until(self.at) && !ranking.is_rejected(entry);
                refused_but_valid = refused_but_valid.or(lives.then_some(rows.len()));
            } else if rows.iter().any(|row: &Row| row.chosen) {
                row.code = "later_in_order";
            } else {
                row.chosen = true;
            }
            rows.push(row);
        }
        // The rest of an access token is better than nothing.
        if let Some(index) = refused_but_valid
            && !rows.iter().any(|row| row.chosen)
        {
            rows[index].chosen = true;
        }
        rows.extend(ranking.order.passed_over.iter().map(|(id, reason)| {
            let entry = ranking.entries.iter().find(|entry| *id == entry.id);
            let code = reason.code();
            entry.map_or_else(|| missing(id, code), |entry| row(entry, code))
        }));
        rows.extend(outside(ranking, provider).map(|(entry, code)| row(entry, code)));
        rows
    }
}

/// The profiles of the provider that the order leaves out, and why.
fn outside<'r>(
    ranking: &'r Ranking<'_>,
    provider: &ProviderId,
) -> impl Iterator<Item = (&'r Entry<'r>, &'static str)> {
    let id = auth_provider_id(provider);
    let named: std::collections::HashSet<&str> = ranking
        .ranked()
        .map(|entry| entry.id)
        .chain(ranking.order.passed_over.iter().map(|(id, _)| id.as_str()))
        .collect();
    let code = match ranking.order.source {
        OrderSource::Stored | OrderSource::Configured => "not_in_order",
        OrderSource::Listed | OrderSource::All => "not_configured",
    };
    ranking
        .entries
        .iter()
        .filter(move |entry| entry.provider == id.as_str() && !named.contains(entry.id))
        .map(move |entry| (entry, code))
}

/// The server has refused the login.
const REFUSED: &str = "refused";

fn missing(id: &ProfileId, code: &'static str) -> Row {
    Row {
        profile_id: id.clone(),
        kind: None,
        agent_id: None,
        chosen: false,
        code,
        until: None,
        window_reason: None,
    }
}
