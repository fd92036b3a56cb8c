//! What each provider can be used with: profiles, variables, the configuration.

use super::view::{Entry, View};
use crate::config::{Config, Variables};
use crate::profile::secret_ref::ReferenceName;
use crate::profile::{Kind, Millis, ProviderId, compare, mask};
use crate::provider::{Catalog, Conventions, ProviderNames, cools_down};
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};

/// What a provider is used with first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effective {
    /// Profiles of the store.
    Profiles,
    /// A variable: its value, masked.
    Environment(String),
    /// A key in the configuration, masked.
    Configuration(String),
    /// A plugin of OpenClaw's authenticates by itself.
    Plugin,
    /// Nothing that works.
    Missing,
}

/// What one provider can be used with.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The provider.
    pub provider: ProviderId,
    /// What is used first.
    pub effective: Effective,
    /// How many profiles there are: OAuth grants, tokens, API keys.
    pub counts: [usize; 3],
    /// Whether one of them is the agent's own.
    pub has_own: bool,
    /// What each profile holds, masked.
    pub labels: Vec<String>,
    /// The variable that is set: its masked value and its name.
    pub environment: Option<(String, String)>,
    /// The key that the configuration gives, masked.
    pub configured: Option<String>,
    /// Whether a plugin of OpenClaw's authenticates by itself.
    pub has_own_authentication: bool,
}

impl Overview {
    /// How many logins there are that may expire.
    pub fn logins(&self) -> usize {
        let in_environment =
            self.environment.as_ref().is_some_and(|(value, _)| value == OAUTH_VARIABLE);
        self.counts[0] + self.counts[1] + usize::from(in_environment)
    }
}

/// What stands for the value of a variable that holds an OAuth token.
const OAUTH_VARIABLE: &str = "OAuth (env)";

/// Everything that says what a provider can be used with.
pub(super) struct Sources<'a> {
    pub(super) config: &'a Config,
    /// What the configuration says of profiles.
    pub(super) profiles: Option<&'a Map<String, Value>>,
    pub(super) catalog: &'a Catalog,
    pub(super) conventions: &'a Conventions,
    pub(super) variables: &'a Variables<'a>,
    /// Whether logins are in databases.
    pub(super) in_database: bool,
    pub(super) now: Millis,
}

impl Sources<'_> {
    /// The id under which the logins of a provider are kept: aliases belong together.
    fn login_provider(&self, provider: &ProviderId) -> ProviderId {
        let known = self.catalog.names_of(provider).filter(|_| self.conventions.with_plugins());
        known.map_or_else(|| provider.clone(), |known| known.id().into())
    }

    /// The id of a provider as it is shown: OpenClaw 2026.9.6 has no other names for one.
    pub(super) fn shown_id(&self, provider: &ProviderId) -> ProviderId {
        if self.in_database {
            return provider.spelling().trim().to_lowercase().into();
        }
        provider.clone().normalized()
    }

    /// The providers that can be used with something, sorted.
    pub(super) fn overviews(&self, view: &View<'_>, in_models: &[ProviderId]) -> Vec<Overview> {
        let mut by_login: IndexMap<ProviderId, Vec<&Entry<'_>>> = IndexMap::new();
        let mut providers = BTreeSet::new();
        let mut logins: HashMap<&ProviderId, usize> = HashMap::new();
        for entry in &view.entries {
            let provider = &entry.inspection.provider;
            let login = *logins.entry(provider).or_insert_with(|| {
                let login = by_login.entry(self.login_provider(provider));
                let place = login.index();
                login.or_default();
                place
            });
            by_login[login].push(entry);
        }
        providers.extend(logins.into_keys().map(|provider| self.shown_id(provider)));
        let configured: HashMap<ProviderId, &Value> = self
            .config
            .models()
            .providers()
            .map(|(id, provider)| (ProviderId::from(id).normalized(), provider))
            .collect();
        providers.extend(configured.keys().cloned());
        providers.extend(in_models.iter().cloned());
        providers.extend(self.in_environment());
        let overviews = providers.into_iter().filter(|provider| !provider.is_empty());
        let mut overviews: Vec<Overview> = overviews
            .filter_map(|provider| {
                let login = self.login_provider(&provider);
                let entries = by_login.get(&login).map_or(&[][..], Vec::as_slice);
                self.overview(view, provider, &login, entries, &configured)
            })
            .collect();
        overviews.sort_by(|a, b| compare(a.provider.spelling(), b.provider.spelling()));
        overviews
    }

    /// The providers, and their other names, of which a variable is set.
    fn in_environment(&self) -> Vec<ProviderId> {
        let rows = self.catalog.all_names();
        let counting = rows.filter(|row| self.conventions.has_environment(row.id()));
        let set = counting.filter(|row| self.set_variable(*row).is_some());
        set.flat_map(|row| {
            let aliases = row.aliases().filter(|_| self.conventions.with_plugins());
            std::iter::once(row.id()).chain(aliases).map(ProviderId::from)
        })
        .collect()
    }

    /// The variable of a provider that is set: its name and value.
    fn variable(&self, provider: &ProviderId) -> Option<(&str, &str)> {
        if !self.conventions.has_environment(provider.as_str()) {
            return None;
        }
        self.set_variable(self.catalog.names_of(provider)?)
    }

    fn set_variable<'s>(&'s self, row: ProviderNames<'s>) -> Option<(&'s str, &'s str)> {
        row.variables().find_map(|name| Some((name, self.variables.get(name)?)))
    }

    fn overview(
        &self,
        view: &View<'_>,
        provider: ProviderId,
        login: &ProviderId,
        entries: &[&Entry<'_>],
        configured: &HashMap<ProviderId, &Value>,
    ) -> Option<Overview> {
        let count = |kind| entries.iter().filter(|it| it.inspection.facts.kind == kind).count();
        let environment = self.variable(login).map(|(name, value)| {
            let is_oauth = name.to_ascii_uppercase().contains("OAUTH");
            let shown = if is_oauth { OAUTH_VARIABLE.to_owned() } else { mask(value) };
            (shown, name.to_owned())
        });
        let key = configured.get(&provider).and_then(|entry| entry.get("apiKey"));
        let (configured, usable) = key.map_or((None, None), |key| self.configured_key(key));
        let has_own_authentication = self.conventions.has_own_authentication(&provider);
        let effective = match (&environment, usable) {
            _ if !entries.is_empty() => Effective::Profiles,
            (Some((value, _)), _) => Effective::Environment(value.clone()),
            (None, Some(key)) => Effective::Configuration(key),
            (None, None) if has_own_authentication => Effective::Plugin,
            (None, None) => Effective::Missing,
        };
        let is_there = effective != Effective::Missing || configured.is_some();
        is_there.then(|| Overview {
            provider,
            effective,
            counts: [count(Kind::OAuth), count(Kind::Token), count(Kind::ApiKey)],
            has_own: entries.iter().any(|entry| !entry.is_inherited),
            labels: entries.iter().map(|entry| self.label(view, entry)).collect(),
            environment,
            configured,
            has_own_authentication,
        })
    }

    /// A key of `models.providers` as it is shown, and the one that is used, when there
    /// is one.
    fn configured_key(&self, key: &Value) -> (Option<String>, Option<String>) {
        let in_environment = |name: &str| self.variables.get(name).map(|key| self.shown(key));
        if let Some(reference) = ReferenceName::of(key) {
            let usable = reference.variable().and_then(in_environment);
            let is_variable = key.is_string();
            let shown = match &usable {
                Some(value) if is_variable => value.clone(),
                _ => reference.to_string(),
            };
            return (Some(shown), usable);
        }
        let Some(key) = key.as_str().map(str::trim).filter(|key| !key.is_empty()) else {
            return (None, None);
        };
        let shown = Some(self.shown(key));
        if self.conventions.is_marker(key) {
            return (shown, None);
        }
        let is_variable = |row: ProviderNames<'_>| row.variables().any(|name| name == key);
        if self.catalog.all_names().any(is_variable) {
            return (shown, in_environment(key));
        }
        (shown.clone(), shown)
    }

    /// A key, masked; a marker is no secret.
    fn shown(&self, key: &str) -> String {
        if self.conventions.is_marker(key) { format!("marker({key})") } else { mask(key) }
    }

    /// `<id>=<what it holds>`, and until when it is not used.
    fn label(&self, view: &View<'_>, entry: &Entry<'_>) -> String {
        let Entry { id, inspection, .. } = entry;
        let held = || match (&inspection.value, &inspection.reference) {
            (Some(value), _) => self.shown(value.expose()),
            (None, Some(reference)) => reference.to_string(),
            (None, None) => "missing".to_owned(),
        };
        let mut label = match inspection.facts.kind {
            Kind::ApiKey => format!("{id}={}", held()),
            Kind::Token => format!("{id}=token:{}", held()),
            Kind::OAuth => match self.person(entry) {
                Some(name) => format!("{id}=OAuth ({name})"),
                None => format!("{id}=OAuth"),
            },
        };
        if !inspection.oauth_references.is_empty() {
            let fields = inspection.oauth_references.join(", ");
            label = format!("{label} [unsupported reference: {fields}]");
        }
        let usage = view.usages.get(*id);
        if let Some((usage, until)) = usage
            .filter(|_| cools_down(&inspection.provider))
            .and_then(|usage| Some((usage, usage.unusable_until(self.now)?)))
        {
            let span = short_span(until - self.now);
            let reason = usage.disabled_reason.as_ref().map(|reason| format!(":{reason}"));
            let pause = if usage.is_disabled(self.now) {
                format!("disabled{}", reason.unwrap_or_default())
            } else {
                "cooldown".to_owned()
            };
            label = format!("{label} [{pause} {span}]");
        }
        label
    }

    /// Who a profile belongs to: what the configuration says comes first.
    pub(super) fn person<'s>(&'s self, entry: &'s Entry<'_>) -> Option<&'s str> {
        let profile = self.profiles.and_then(|profiles| profiles.get(entry.id));
        let configured = |key| {
            let text = profile?.get(key)?.as_str()?.trim();
            (!text.is_empty()).then_some(text)
        };
        let inspection = &entry.inspection;
        configured("displayName")
            .or(inspection.display_name.as_deref())
            .or_else(|| configured("email"))
            .or(inspection.email.as_deref())
    }
}

/// A span in the largest unit that makes sense, rounded: `5m`, `3h`, `12d`.
fn short_span(span: Millis) -> String {
    let rounded = |span: Millis, unit: Millis| (span + unit / 2) / unit;
    let minutes = rounded(span, 60_000).max(1);
    let hours = rounded(minutes, 60);
    match (minutes, hours) {
        (..60, _) => format!("{minutes}m"),
        (_, ..48) => format!("{hours}h"),
        _ => format!("{}d", rounded(hours, 24)),
    }
}

#[cfg(test)]
mod tests {
    use super::short_span;

    #[test]
    fn spans_are_rounded_to_their_largest_unit() {
        const MINUTE: i64 = 60_000;
        for (span, shown) in [
            (1, "1m"),
            (89_000, "1m"),
            (90_000, "2m"),
            (59 * MINUTE, "59m"),
            (60 * MINUTE, "1h"),
            (90 * MINUTE, "2h"),
            (47 * 60 * MINUTE, "47h"),
            (48 * 60 * MINUTE, "2d"),
            (26_703 * 24 * 60 * MINUTE, "26703d"),
        ] {
            assert_eq!(short_span(span), shown);
        }
    }
}
