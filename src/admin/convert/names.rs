//! The names of moved profiles and their providers in the configuration.
//!
//! Invariant: nothing but those names changes, and for the OpenClaw that reads JSON documents
//! the list of agents: it takes a configuration with keys that it does not know for invalid.

use crate::config::edit::edit;
use crate::config::rename::input;
use crate::config::{Config, ConfigEdit, ConfigError, WrongPart};
use crate::profile::ProviderId;
use crate::store::{MovedProfile, StoreFormat};
use crate::system::file;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstObjectProp};
use serde_json::Value;
use std::path::Path;

/// What is named otherwise at the destination.
#[derive(Debug)]
pub(super) struct Names {
    to: StoreFormat,
    profiles: Vec<MovedProfile>,
    /// Each provider of moved logins, and its other name.
    providers: Vec<(ProviderId, ProviderId)>,
    /// Providers whose models may be meant for keys, which keep the name.
    unclear: Vec<ProviderId>,
}

impl Names {
    /// The names of `profiles`. `has_key` says whether a provider has a key as well.
    pub(super) fn of(
        to: StoreFormat,
        profiles: Vec<MovedProfile>,
        has_key: impl Fn(&ProviderId) -> bool,
    ) -> Self {
        let mut providers: Vec<(ProviderId, ProviderId)> = Vec::new();
        for profile in &profiles {
            let Some((was, is)) = profile.was.clone().zip(profile.provider.clone()) else {
                continue;
            };
            if providers.iter().all(|(known, _)| *known != was) {
                providers.push((was.normalized(), is));
            }
        }
        let unclear = providers.iter().map(|(was, _)| was.clone()).filter(has_key).collect();
        Self { to, profiles, providers, unclear }
    }

    /// Whether the configuration would be changed.
    pub(super) fn would_change(&self, path: &Path) -> Result<bool, ConfigError> {
        let scratch = || {
            let directory = tempfile::tempdir()?;
            let copy = directory.path().join("openclaw.json");
            let Some((text, _)) = file::read(path)? else { return Ok(None) };
            file::replace(&copy, text.as_bytes())?;
            Ok(Some((directory, copy)))
        };
        let failed = |source| ConfigError::Read { path: path.to_owned(), source };
        let Some((_directory, copy)) = scratch().map_err(failed)? else { return Ok(false) };
        Ok(self.write(&copy)? == ConfigEdit::Written)
    }

    /// Changes the names in the configuration at `path`, where there is one.
    pub(super) fn write(&self, path: &Path) -> Result<ConfigEdit, ConfigError> {
        if file::fingerprint(path).is_none() {
            return Ok(ConfigEdit::Unchanged);
        }
        edit(path, |root| {
            if let Some(auth) = root.object_value("auth") {
                self.rename_profiles(&auth);
                self.rename_orders(&auth);
            }
            self.rename_models(root);
            if self.to == StoreFormat::Json {
                list_agents(root)?;
                for path in UNKNOWN {
                    remove(root, path);
                }
                remove_of_plugins(root);
            }
            Ok(())
        })
    }

    fn profile(&self, id: &str) -> Option<&MovedProfile> {
        self.profiles.iter().find(|it| it.id == *id)
    }

    fn becomes(&self, id: &str) -> String {
        self.profile(id).map_or_else(|| id.to_owned(), |it| it.becomes.as_str().to_owned())
    }

    fn rename_profiles(&self, auth: &CstObject) {
        let Some(profiles) = auth.object_value("profiles") else { return };
        for property in profiles.properties() {
            let Some(id) = property.name().and_then(|it| it.decoded_value().ok()) else { continue };
            let Some(moved) = self.profile(&id) else { continue };
            let Some(value) = property.object_value() else { continue };
            let is_login = value
                .get("mode")
                .and_then(|it| it.value())
                .and_then(|it| it.to_serde_value())
                .is_some_and(|mode| mode != "api_key");
            if let (true, Some(provider)) = (is_login, &moved.provider)
                && let Some(member) = value.get("provider")
            {
                member.set_value(provider.as_str().into());
            }
            if moved.becomes != moved.id {
                let is_taken = profiles.get(moved.becomes.as_str()).is_some();
                let text = value.to_serde_value();
                if !is_taken && let Some(text) = text.as_ref().map(input) {
                    profiles.insert(property.property_index(), moved.becomes.as_str(), text);
                }
                property.remove();
            }
        }
    }

    fn rename_orders(&self, auth: &CstObject) {
        let Some(orders) = auth.object_value("order") else { return };
        for property in orders.properties() {
            let Some(key) = property.name().and_then(|it| it.decoded_value().ok()) else {
                continue;
            };
            let Some(ids) = property.value().and_then(|it| it.to_serde_value()) else { continue };
            let Some(ids) = ids.as_array().filter(|ids| ids.iter().all(Value::is_string)) else {
                continue;
            };
            let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
            let other = self.providers.iter().find(|(was, _)| was.is_spelt(&key));
            let moves = |id: &&str| match self.profile(id) {
                Some(moved) => moved.provider.is_some(),
                None => self.to == StoreFormat::Sqlite,
            };
            let (gone, stay): (Vec<&str>, Vec<&str>) = match other {
                Some(_) => ids.iter().partition(|id| moves(id)),
                None => (Vec::new(), ids.clone()),
            };
            let named =
                |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| self.becomes(id)).collect() };
            let stay = named(&stay);
            let is_changed = !gone.is_empty() || stay.iter().ne(ids.iter());
            if !is_changed {
                continue;
            }
            if let Some((_, is)) = other.filter(|_| !gone.is_empty()) {
                append(&orders, is, &named(&gone));
            }
            if stay.is_empty() {
                property.remove();
            } else {
                property.set_value(texts(&stay));
            }
        }
    }

    /// References to models of a provider that has another name, and profiles by their ids.
    fn rename_models(&self, root: &CstObject) {
        for property in root.properties() {
            let name = property.name().and_then(|it| it.decoded_value().ok()).unwrap_or_default();
            // Profiles and orders are done; what is passed to programs is theirs.
            if name == "auth" || name == "env" {
                continue;
            }
            if let Some(value) = property.value() {
                self.rename_in(&name, &value);
            }
        }
    }

    fn rename_in(&self, name: &str, node: &CstNode) {
        if let Some(object) = node.as_object() {
            for property in object.properties() {
                let Some(key) = property.name().and_then(|it| it.decoded_value().ok()) else {
                    continue;
                };
                if let Some(value) = property.value() {
                    self.rename_in(&key, &value);
                }
                if let Some(other) = self.model(&key)
                    && object.get(&other).is_none()
                    && let Some(value) = property.value().and_then(|it| it.to_serde_value())
                {
                    object.insert(property.property_index(), &other, input(&value));
                    property.remove();
                }
            }
        } else if let Some(array) = node.as_array() {
            for element in array.elements() {
                self.rename_in(name, &element);
            }
        } else if let Some(text) = node.as_string_lit() {
            let Ok(value) = text.decoded_value() else { return };
            let is_profile = matches!(name, "authProfileId" | "defaultAuthProfileId");
            let other = if is_profile {
                Some(self.becomes(&value)).filter(|it| *it != value)
            } else {
                self.model(&value)
            };
            if let Some(other) = other {
                text.set_raw_value(Value::String(other).to_string());
            }
        }
    }

    /// The other name of a model.
    fn model(&self, text: &str) -> Option<String> {
        let (provider, model) = text.split_once('/')?;
        let (was, is) = self.providers.iter().find(|(was, _)| was.as_str() == provider)?;
        (!self.unclear.contains(was)).then(|| format!("{}/{model}", is.as_str()))
    }

    /// The models of providers that have keys as well: nobody can say which are meant.
    pub(super) fn unclear_models(&self, config: &Config) -> Vec<String> {
        let mut found = Vec::new();
        self.find_unclear(config.value(), &mut found);
        found.sort();
        found.dedup();
        found
    }

    fn find_unclear(&self, value: &Value, found: &mut Vec<String>) {
        let mut look = |text: &str| {
            let provider = text.split_once('/').map(|(provider, _)| provider);
            if provider.is_some_and(|it| self.unclear.iter().any(|known| known.as_str() == it)) {
                found.push(text.to_owned());
            }
        };
        match value {
            Value::String(text) => look(text),
            Value::Array(values) => values.iter().for_each(|it| self.find_unclear(it, found)),
            Value::Object(members) => {
                members.keys().for_each(|it| look(it));
                members.values().for_each(|it| self.find_unclear(it, found));
            }
            _ => {}
        }
    }
}

/// Adds ids to the order of a provider.
fn append(orders: &CstObject, provider: &ProviderId, ids: &[String]) {
    let present = orders.get(provider.as_str());
    let listed = present.as_ref().and_then(CstObjectProp::value);
    let listed = listed.and_then(|it| it.to_serde_value());
    let listed: Vec<String> =
        listed.and_then(|it| serde_json::from_value(it).ok()).unwrap_or_default();
    let news = ids.iter().filter(|id| !listed.contains(id)).cloned();
    let all: Vec<String> = listed.iter().cloned().chain(news).collect();
    match present {
        Some(property) => property.set_value(texts(&all)),
        None => drop(orders.append(provider.as_str(), texts(&all))),
    }
}

fn texts(ids: &[String]) -> CstInputValue {
    CstInputValue::Array(ids.iter().map(|id| id.as_str().into()).collect())
}

/// What OpenClaw 2026.9 writes into each configuration, and OpenClaw to 2026.5 does not take.
const UNKNOWN: [&[&str]; 5] = [
    &["meta", "migrations"],
    &["talk", "agentId"],
    &["agents", "ownership"],
    &["agents", "defaults", "systemAgent"],
    &["agents", "defaults", "heartbeat", "agentId"],
];

/// The same, of each plugin.
fn remove_of_plugins(root: &CstObject) {
    let entries = root.object_value("plugins").and_then(|it| it.object_value("entries"));
    for plugin in entries.iter().flat_map(CstObject::properties) {
        let Some(name) = plugin.name().and_then(|it| it.decoded_value().ok()) else { continue };
        remove(root, &["plugins", "entries", &name, "config", "sessionCatalog"]);
    }
}

/// Removes what is at `path`, and each object around it that is empty then.
fn remove(object: &CstObject, path: &[&str]) {
    let Some((name, rest)) = path.split_first() else { return };
    let Some(property) = object.get(name) else { return };
    let inner = property.object_value();
    match inner.as_ref().filter(|_| !rest.is_empty()) {
        Some(inner) => {
            let before = inner.properties().len();
            remove(inner, rest);
            if before > 0 && inner.properties().is_empty() {
                property.remove();
            }
        }
        None if rest.is_empty() => property.remove(),
        None => {}
    }
}

/// `agents.entries` as the list that OpenClaw to 2026.5 has.
fn list_agents(root: &CstObject) -> Result<(), WrongPart> {
    let Some(agents) = root.object_value("agents") else { return Ok(()) };
    let system = agents.object_value("defaults").and_then(|it| it.get("systemAgent"));
    let default = system.and_then(|it| it.value()).and_then(|it| it.to_serde_value());
    let default = default.and_then(|it| it["agentId"].as_str().map(str::to_owned));
    let Some(entries) = agents.get("entries") else { return Ok(()) };
    let value = entries.value().and_then(|it| it.to_serde_value()).unwrap_or_default();
    let Value::Object(members) = value else {
        return Err(WrongPart::NoObject("`agents.entries`"));
    };
    let list = members.into_iter().map(|(id, entry)| {
        let mut members = serde_json::Map::from_iter([("id".to_owned(), id.clone().into())]);
        if default.as_ref() == Some(&id) {
            members.insert("default".to_owned(), true.into());
        }
        if let Value::Object(entry) = entry {
            members.extend(entry);
        }
        Value::Object(members)
    });
    let list: Vec<Value> = list.collect();
    let is_listed = agents.get("list").is_some();
    if !is_listed && !list.is_empty() {
        agents.insert(entries.property_index(), "list", input(&Value::Array(list)));
    }
    entries.remove();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Outcome;

    fn moved(id: &str, was: &str, becomes: &str, provider: &str) -> MovedProfile {
        MovedProfile {
            id: id.into(),
            becomes: becomes.into(),
            was: Some(was.into()),
            provider: (was != provider).then(|| provider.into()),
            outcome: Outcome::Moved,
        }
    }

    fn written(names: &Names, before: &str) -> Value {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, before.as_bytes()).unwrap();
        names.write(&path).unwrap();
        let text = file::read(&path).unwrap().unwrap().0;
        Config::parse(&path, &text).unwrap().value().clone()
    }

    const OLD: &str = r#"{
      auth: { // comment
        profiles: { "openai-codex:a": {provider: "openai-codex", mode: "oauth"},
                    "openai:k": {provider: "openai", mode: "api_key"} },
        order: { "openai-codex": ["openai-codex:a", "gone"], openai: ["openai:k"] },
      },
      agents: { defaults: { model: {primary: "openai-codex/gpt-5.5", fallbacks: ["p/x"]},
                            models: {"openai-codex/gpt-5.5": {alias: "x"}} },
                list: [{id: "main", model: "openai-codex/gpt-5.4"}] },
      plugins: { entries: { x: { config: { authProfileId: "openai-codex:a" } } } },
    }"#;

    #[test]
    fn profiles_orders_and_models_get_their_new_names() {
        let profiles = vec![
            moved("openai-codex:a", "openai-codex", "openai:a", "openai"),
            moved("openai:k", "openai", "openai:k", "openai"),
        ];
        let names = Names::of(StoreFormat::Sqlite, profiles, |_| false);
        let config = written(&names, OLD);
        assert_eq!(
            config["auth"],
            serde_json::json!({
                "profiles": {"openai:a": {"provider": "openai", "mode": "oauth"},
                    "openai:k": {"provider": "openai", "mode": "api_key"}},
                "order": {"openai": ["openai:k", "openai:a", "gone"]},
            })
        );
        let agents = &config["agents"];
        assert_eq!(agents["defaults"]["model"]["primary"], "openai/gpt-5.5");
        assert_eq!(agents["defaults"]["models"]["openai/gpt-5.5"]["alias"], "x");
        assert_eq!(agents["list"][0]["model"], "openai/gpt-5.4");
        assert_eq!(config["plugins"]["entries"]["x"]["config"]["authProfileId"], "openai:a");
    }

    #[test]
    fn models_of_a_provider_with_a_key_stay_and_are_told() {
        let profiles = vec![moved("openai:a", "openai", "openai-codex:a", "openai-codex")];
        let text = r#"{"agents":{"ownership":"explicit","defaults":{"model":"openai/gpt-5.5",
            "systemAgent":{"agentId":"work"},"heartbeat":{"agentId":"main"}},"entries":{"main":{},"work":{"name":"W"}}},
            "meta":{"migrations":{"x":true},"lastTouchedVersion":"2026.9.6"},"talk":{"agentId":"main"},
            "plugins":{"entries":{"codex":{"config":{"sessionCatalog":{"enabled":false}}}}},
            "auth":{"order":{"openai":["openai:a","openai:k"]}}}"#;
        let with_key = Names::of(StoreFormat::Json, profiles.clone(), |it| it.as_str() == "openai");
        let config = written(&with_key, text);
        assert_eq!(config["agents"]["defaults"], serde_json::json!({"model": "openai/gpt-5.5"}));
        assert_eq!(
            config["agents"]["list"],
            serde_json::json!([{"id": "main"}, {"id": "work", "default": true, "name": "W"}])
        );
        assert_eq!(
            config["auth"]["order"],
            serde_json::json!({"openai": ["openai:k"], "openai-codex": ["openai-codex:a"]})
        );
        assert_eq!(config["meta"], serde_json::json!({"lastTouchedVersion": "2026.9.6"}));
        assert!(config.get("talk").is_none() && config.get("plugins").is_none(), "{config}");
        let parsed = Config::parse(Path::new("x"), text).unwrap();
        assert_eq!(with_key.unclear_models(&parsed), ["openai/gpt-5.5"]);
        let without = Names::of(StoreFormat::Json, profiles, |_| false);
        let config = written(&without, text);
        assert_eq!(config["agents"]["defaults"]["model"], "openai-codex/gpt-5.5");
    }
}
