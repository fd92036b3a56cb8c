//! What a configuration must not say about logins, so that a typing error is told, not
//! ignored.
//!
//! Invariant: what is refused here OpenClaw 2026.4.24 refuses too. It refuses more:
//! unknown keys of a profile are kept here, a later version may know them.

use crate::profile::Kind;
use serde_json::Value;

const KEYS: [&str; 3] = ["profiles", "order", "cooldowns"];

/// What is wrong with `auth`, each with its path and what is allowed there.
pub(super) fn problems(config: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(auth) = config.get("auth") else { return problems };
    let Some(auth) = auth.as_object() else {
        return vec!["`auth` must be an object".to_owned()];
    };
    for key in auth.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        problems.push(format!("`auth.{key}` is not known; allowed are {}", KEYS.join(", ")));
    }
    for (id, profile) in auth.get("profiles").and_then(Value::as_object).into_iter().flatten() {
        let at = format!("auth.profiles.{id}");
        let Some(fields) = profile.as_object() else {
            problems.push(format!("`{at}` must be an object"));
            continue;
        };
        if !fields.get("provider").is_some_and(Value::is_string) {
            problems.push(format!("`{at}.provider` must be a text"));
        }
        if fields.get("mode").and_then(Value::as_str).and_then(Kind::from_name).is_none() {
            problems.push(format!("`{at}.mode` must be api_key, oauth or token"));
        }
    }
    for (provider, order) in auth.get("order").and_then(Value::as_object).into_iter().flatten() {
        if !order.is_array() {
            problems.push(format!("`auth.order.{provider}` must be a list of profile ids"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::problems;
    use serde_json::json;

    #[test]
    fn each_problem_names_its_place_and_what_is_allowed() {
        let config = json!({"auth": {
            "profiles": {"a:b": {"provider": "x", "mode": "weird"}, "c": {"mode": "oauth", "x": 1}, "d": 5},
            "order": {"p": "a:b"},
            "bogus": 1,
        }});
        let problems = problems(&config);
        for part in [
            "`auth.bogus` is not known; allowed are profiles",
            "`auth.profiles.a:b.mode` must be api_key, oauth or token",
            "`auth.profiles.c.provider` must be a text",
            "`auth.profiles.d` must be an object",
            "`auth.order.p` must be a list",
        ] {
            assert!(
                problems.iter().any(|problem| problem.starts_with(part)),
                "{part}: {problems:?}"
            );
        }
        assert_eq!(problems.len(), 5);
        assert!(
            super::problems(&json!({"auth": {"order": {"p": []}, "cooldowns": {}}})).is_empty()
        );
        assert!(super::problems(&json!(null)).is_empty());
    }
}
