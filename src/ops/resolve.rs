//! Which profile a model reference leads to, and why none of the others.

use super::pool::{Entry, Pool, Ranking};
use super::selection::{no_profile_of, none_usable, wrong_provider};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::exit::{Command, ExitStatus, Failure};
use crate::profile::{
    AgentId, Credential, FailureReason, Ineligible, Kind, Millis, ModelRef, OrderSource, ProfileId,
    ProviderId, eligibility, unavailable_reason,
};
use crate::provider::{auth_provider_id, cools_down};
use crate::store::{is_refused, is_rejected};
use crate::system::now;
use crate::text::printable;

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
    /// What to say when nothing is chosen.
    none: Option<Failure>,
}

/// One profile that came into question.
#[derive(Debug)]
pub struct Row {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The credential kind; `None` when there is no such profile.
    pub kind: Option<Kind>,
    /// The agent whose store holds it.
    pub agent_id: Option<AgentId>,
    /// Whether it is the one to use.
    pub chosen: bool,
    /// `ok`, or why it was passed over.
    pub code: &'static str,
    /// Until when, for a window.
    pub until: Option<Millis>,
    /// Why the window was opened.
    pub window_reason: Option<String>,
}

impl Resolution {
    /// The profile to use.
    pub fn chosen(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.chosen)
    }

    /// The failure that a resolution without a choice is.
    pub fn take_failure(&mut self) -> Option<Failure> {
        self.none.take()
    }
}

/// Resolves `model_ref` for an agent.
///
/// # Errors
/// The reference is not valid, or a store cannot be read. That no profile can be used is
/// part of the resolution.
pub fn resolve(app: &App, agent: Option<&AgentId>, model_ref: &str) -> Result<Resolution, Failure> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    app.warn_of(&app.exposures(&config, &agent));
    let pool = Pool::open(app, &config, &agent)?;
    let reference = read_reference(&config, &agent, &pool, model_ref);
    let (provider, model) = provider_and_model(&config, &agent, &reference)?;
    let asked = Asked { app, config: &config, agent: &agent, pool: &pool, at: now() };
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
    let usual = config.default_model(&agent.id).and_then(|usual| usual.split('/').next());
    let head = text.split_once('/').map(|(head, _)| head.trim());
    let provider = head.filter(|head| !head.contains('@')).or(usual).map(auth_provider_id);
    ModelRef::parse(text, |id| {
        let of = pool.find(id).ok().flatten().map(|(_, found)| auth_provider_id(&found.provider));
        of.is_some() && of == provider
    })
}

/// The provider, normalised, and the model within it. A model without a provider is of
/// that of the agent's usual model.
pub(super) fn provider_and_model(
    config: &Config,
    agent: &AgentDir,
    reference: &ModelRef,
) -> Result<(ProviderId, String), Failure> {
    if let Some((provider, model)) = reference.provider_and_model() {
        return Ok((ProviderId::from(provider).normalized(), model.to_owned()));
    }
    let usual = config.default_model(&agent.id).map(ModelRef::by_text);
    let usual = usual.as_ref().and_then(ModelRef::provider_and_model);
    let model = reference.model.trim();
    match usual {
        Some((provider, _)) if !model.is_empty() && !model.contains('/') => {
            Ok((ProviderId::from(provider).normalized(), model.to_owned()))
        }
        _ => Err(Failure::usage(format!("`{}` does not name a model", printable(model, 200)))
            .hint("give it as <provider>/<model>, or <provider>/<model>@<profile>")),
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
    ) -> Result<Resolution, Failure> {
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
        let shown = &row.profile_id;
        let mut failure = match (&stored, checked) {
            (None, _) => format!("there is no profile `{shown}`"),
            (Some((_, credential)), Err(Ineligible::ProviderMismatch)) => {
                wrong_provider(&row.profile_id, &credential.provider, provider)
            }
            _ => format!("the profile `{shown}` is not usable: {}", row.code),
        };
        if let (Some((owner, credential)), Ok(())) = (&stored, checked) {
            let state = owner.snapshot.state()?;
            let usage = state.usage(row.profile_id.as_str());
            let window = usage.window(Some(&model), self.at).filter(|_| cools_down(provider));
            row.until = window.as_ref().map(|window| window.until);
            row.window_reason = window.and_then(|window| window.reason);
            row.chosen = !is_refused(state, row.profile_id.as_str(), credential)
                || (credential.is_usable_until(self.at)
                    && !is_rejected(state, row.profile_id.as_str(), credential));
            if !row.chosen {
                row.code = REFUSED;
                failure = format!("the server has refused the login `{shown}`");
            }
        }
        let none = Failure::message(ExitStatus::LoginRequired, failure)
            .hint(Command::ours("models auth list").option("--agent", &self.agent.id));
        Ok(Resolution {
            agent_id: self.agent.id.clone(),
            provider: provider.clone(),
            model,
            pinned: Some(row.profile_id.clone()),
            source: None,
            unavailable: None,
            at: self.at,
            none: (!row.chosen).then_some(none),
            rows: vec![row],
        })
    }

    fn ordered(&self, provider: &ProviderId, model: String) -> Result<Resolution, Failure> {
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
            resolution.none = Some(no_profile_of(self.app, provider, self.agent));
            return Ok(resolution);
        };
        resolution.source = Some(ranking.order.source);
        resolution.rows = self.rows(&ranking, provider, &resolution.model);
        if resolution.chosen().is_none() {
            if cools_down(provider) {
                let usages = ranking.ranked().map(|entry| &entry.usage);
                resolution.unavailable = unavailable_reason(usages, self.at);
            }
            let store = &self.pool.owner_of(provider).unwrap_or_else(|| self.pool.own()).store;
            resolution.none = Some(none_usable(self.app, provider, store, self.agent));
        }
        Ok(resolution)
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
