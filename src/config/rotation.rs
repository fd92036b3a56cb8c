//! What the configuration says of profiles, of their order, and of how long failures
//! keep them away.

use super::{Config, Paths};
use crate::profile::{AgentId, Backoff, Configured, Kind, Millis, ProfileId, ProviderId};
use serde_json::Value;
use std::path::PathBuf;

const MINUTE: f64 = 60_000.0;
const HOUR: f64 = 60.0 * MINUTE;

impl Config {
    /// The profiles that are configured, in their order; `provider_id` turns a provider
    /// into the form in which providers are compared.
    pub fn configured_profiles(
        &self,
        provider_id: impl Fn(ProviderId) -> ProviderId,
    ) -> Vec<Configured> {
        let configured =
            self.auth_profiles().into_iter().flatten().map(|(id, profile)| Configured {
                id: id.as_str().into(),
                provider: provider_id(profile["provider"].as_str().unwrap_or_default().into()),
                mode: profile["mode"].as_str().and_then(Kind::from_name),
            });
        configured.collect()
    }

    /// Whether a profile is configured.
    pub fn has_auth_profile(&self, id: &ProfileId) -> bool {
        self.auth_profiles().is_some_and(|profiles| profiles.contains_key(id.as_str()))
    }

    /// How long failures of a provider keep a profile away (`auth.cooldowns`).
    pub fn backoff(&self, provider: &ProviderId) -> Backoff {
        let default = Backoff::default();
        let number = |key: &str| self.at(&format!("/auth/cooldowns/{key}"))?.as_f64();
        let of_provider = || {
            let all = self.at("/auth/cooldowns/billingBackoffHoursByProvider")?.as_object()?;
            all.iter().find(|(key, _)| provider.is_spelt(key))?.1.as_f64()
        };
        let span = |number: Option<f64>, unit: f64, default: Millis| {
            number.filter(|number| *number > 0.0).map_or(default, |number| {
                #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
                let span = (number * unit).round() as Millis;
                span
            })
        };
        let billing = of_provider().or_else(|| number("billingBackoffHours"));
        let permanent = number("authPermanentBackoffMinutes");
        let permanent_max = number("authPermanentMaxMinutes");
        Backoff {
            billing: span(billing, HOUR, default.billing),
            billing_max: span(number("billingMaxHours"), HOUR, default.billing_max),
            auth_permanent: span(permanent, MINUTE, default.auth_permanent),
            auth_permanent_max: span(permanent_max, MINUTE, default.auth_permanent_max),
            failure_window: span(number("failureWindowHours"), HOUR, default.failure_window),
        }
    }

    /// The document of an agent's sessions: `session.store`, in which `{agentId}` stands
    /// for the agent, else the default one.
    pub fn session_store(&self, paths: &Paths, agent_id: &AgentId) -> PathBuf {
        let configured = self.at("/session/store").and_then(Value::as_str).map(str::trim);
        match configured.filter(|path| !path.is_empty()) {
            Some(path) => paths.expand(&path.replace("{agentId}", agent_id.as_str())),
            None => paths.sessions_dir(agent_id).join("sessions.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Environment;
    use std::path::Path;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("openclaw.json"), text).unwrap()
    }

    #[test]
    fn providers_are_given_as_the_caller_compares_them() {
        let text = r#"{auth: {profiles: {b: {provider: "z-ai", mode: "api_key"}, a: {provider: "p", mode: "token"}}}}"#;
        let profiles = config(text).configured_profiles(ProviderId::normalized);
        assert_eq!(
            (profiles[0].provider.spelling(), profiles[0].mode),
            ("zai", Some(Kind::ApiKey))
        );
        assert_eq!((profiles[1].id.as_str(), profiles[1].mode), ("a", Some(Kind::Token)));
    }

    #[test]
    fn spans_are_those_of_the_provider_then_of_all_then_the_usual_ones() {
        let config = config(
            r#"{auth: {cooldowns: {billingBackoffHours: 2,
                billingBackoffHoursByProvider: {"Z.AI": 0.5}, authPermanentMaxMinutes: 90}}}"#,
        );
        let default = Backoff::default();
        let expected = Backoff { billing: 7_200_000, auth_permanent_max: 5_400_000, ..default };
        assert_eq!(config.backoff(&"p".into()), expected);
        assert_eq!(config.backoff(&"zai".into()).billing, 1_800_000);
    }

    #[test]
    fn the_session_store_can_be_moved_for_each_agent() {
        let paths = Paths::new(&Environment::of([("HOME", "/h")]), Path::new("/"));
        let moved = config(r#"{session: {store: "~/s/{agentId}/x.json"}}"#);
        assert_eq!(moved.session_store(&paths, &"work".into()), Path::new("/h/s/work/x.json"));
        assert_eq!(
            config("{}").session_store(&paths, &"work".into()),
            Path::new("/h/.openclaw/agents/work/sessions/sessions.json")
        );
    }

    #[test]
    fn the_model_is_the_agents_own_or_the_shared_one() {
        let config = config(
            r#"{agents: {defaults: {model: {primary: "p/shared"}}, list: [{id: "main"}, {id: "work", model: " p/own "}]}}"#,
        );
        assert_eq!(config.default_model(&"work".into()), Some("p/own"));
        assert_eq!(config.default_model(&"main".into()), Some("p/shared"));
    }
}
