//! What `models status --json` of OpenClaw 2026.9.6 says beyond that of 2026.4.24.
//!
//! Invariant: what is said of a runtime is what OpenClaw says without plugins beside its bundled
//! ones. Its plugins are not looked at.

use super::expiry;
use super::model::Models;
use super::provider::{Effective, Overview};
use super::{Group, Row};
use crate::config::{Config, Utility};
use crate::ops::pool::{Pool, Ranking};
use crate::profile::{AgentId, Millis, ModelRef, ProviderId};
use crate::provider::{Conventions, Model};
use crate::store::StoreError;

/// What is reported where logins are in databases.
#[derive(Debug)]
pub struct OfDatabases {
    /// The model for small tasks, and what says so.
    pub utility: (Option<String>, &'static str),
    /// The models in use of which it is not known whether they can be used.
    pub unclear: Vec<Model>,
    /// The providers in use whose models OpenClaw runs in a runtime of its own.
    pub routes: Vec<Route>,
    /// The providers in use for texts that nothing can be used with.
    pub missing: Vec<ProviderId>,
}

/// A provider whose models run in a runtime.
#[derive(Debug)]
pub struct Route {
    /// The provider.
    pub provider: ProviderId,
    /// The runtime.
    pub runtime: &'static str,
    /// What it is used with; none where nothing can be used.
    pub effective: Option<Effective>,
}

/// The model for small tasks: the one that is set, else the provider's own.
fn utility(
    config: &Config,
    agent: &AgentId,
    models: &Models,
    conventions: &Conventions,
) -> (Option<String>, &'static str) {
    match config.utility_model(agent) {
        Utility::Model(model) => (Some(model.to_owned()), "config"),
        Utility::Off => (None, "disabled"),
        Utility::Unset => {
            let provider = &models.resolved_default.provider;
            let Some(model) = conventions.utility_model(provider) else { return (None, "none") };
            let profile = ModelRef::by_text(&models.default).profile;
            let profile = profile.map(|id| format!("@{}", id.as_str())).unwrap_or_default();
            (Some(format!("{provider}/{model}{profile}")), "provider-default")
        }
    }
}

/// The names of the models in use with texts.
fn texts(models: &Models) -> impl Iterator<Item = &str> {
    std::iter::once(models.default.as_str()).chain(models.fallbacks.iter().map(String::as_str))
}

impl OfDatabases {
    pub(super) fn of(
        (config, agent, conventions): (&Config, &AgentId, &Conventions),
        models: &Models,
        providers: &[Overview],
        groups: &[Group],
    ) -> Self {
        let utility = utility(config, agent, models, conventions);
        let name = |text: &str| models.named(text, conventions);
        let overview = |id: &ProviderId| providers.iter().find(|it| it.provider == *id);
        let is_usable = |id: &ProviderId| {
            let group = groups.iter().find(|group| group.provider == *id);
            let Some(overview) = overview(id) else { return false };
            match overview.effective {
                Effective::Profiles => group.is_some_and(|group| group.is_usable),
                Effective::Missing => false,
                _ => true,
            }
        };
        let mut routes: Vec<Route> = Vec::new();
        for used in texts(models).filter_map(name) {
            let Some(runtime) = conventions.runtime(&used.provider) else { continue };
            if routes.iter().all(|route| route.provider != used.provider) {
                let effective = overview(&used.provider).map(|it| it.effective.clone());
                let effective = effective.filter(|_| is_usable(&used.provider));
                routes.push(Route { provider: used.provider, runtime, effective });
            }
        }
        routes.sort_by(|a, b| a.provider.cmp(&b.provider));
        let images = models.image.iter().chain(&models.image_fallbacks).map(String::as_str);
        let images = images.map(|it| (it, true));
        let small = utility.0.as_deref();
        let used = texts(models).map(|it| (it, false)).chain(images);
        let used = used.chain(small.map(|it| (it, false)));
        let (mut unclear, mut missing) = (Vec::new(), Vec::new());
        for (used, is_image) in used.filter_map(|(text, is_image)| Some((name(text)?, is_image))) {
            if is_usable(&used.provider) {
                continue;
            }
            let has_profiles =
                overview(&used.provider).is_some_and(|it| it.effective == Effective::Profiles);
            if has_profiles || conventions.runtime(&used.provider).is_some() && !is_image {
                missing.push(used.provider);
            } else if !unclear.contains(&used) {
                unclear.push(used);
            }
        }
        missing.sort();
        missing.dedup();
        let resolved = small.and_then(name).map(|model| model.key());
        let utility = (resolved.or(utility.0), utility.1);
        Self { utility, unclear, routes, missing }
    }
}

/// Brings the groups into the order in which OpenClaw takes the profiles of a provider, and says
/// of each how those stand that it takes.
pub(super) fn rank(
    pool: &Pool,
    config: &Config,
    (rows, groups): (&[Row], &mut [Group]),
    now: Millis,
) -> Result<(), StoreError> {
    for group in groups {
        let ranking = pool.rank(config, &group.provider, now)?;
        let profiles = &rows[group.rows.clone()];
        let place = |id: &str| {
            let place = profiles.iter().position(|row| row.id.as_str() == id);
            place.map(|place| group.rows.start + place)
        };
        let ranked = ranking.iter().flat_map(Ranking::ranked);
        let ranked: Vec<usize> = ranked.filter_map(|entry| place(entry.id)).collect();
        group.is_usable = !ranked.is_empty();
        let ordered = pool.explicit_order(config, &group.provider)?;
        group.effective = match ordered {
            _ if !ranked.is_empty() => ranked,
            Some(order) => order.iter().filter_map(|id| place(id.as_str())).collect(),
            None => group.rows.clone().collect(),
        };
        let standings = group.effective.iter().map(|row| (rows[*row].kind, &rows[*row].standing));
        (group.expiry, group.expires_at, group.remaining) =
            expiry::together_in_database(standings, now);
    }
    Ok(())
}
