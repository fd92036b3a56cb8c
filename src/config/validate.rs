//! What the parts of the configuration that we use must look like (OpenClaw 2026.4.24).
//! Everything else, unknown keys included, is somebody else's business.

use serde_json::Value;

/// The problems of a configuration, each with its place and what is allowed there.
pub(super) fn problems(config: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(auth) = object(config.get("auth"), "auth", &mut problems) {
        profiles(auth.get("profiles"), &mut problems);
        order(auth.get("order"), &mut problems);
        cooldowns(auth.get("cooldowns"), &mut problems);
    }
    if let Some(agents) = object(config.get("agents"), "agents", &mut problems) {
        if let Some(defaults) = object(agents.get("defaults"), "agents.defaults", &mut problems) {
            model(defaults, "model", "agents.defaults", &mut problems);
            model(defaults, "imageModel", "agents.defaults", &mut problems);
            allowed_models(defaults.get("models"), &mut problems);
        }
        agent_list(agents.get("list"), &mut problems);
    }
    if config.get("bindings").is_some_and(|bindings| !bindings.is_array()) {
        problems.push("bindings: must be an array".to_owned());
    }
    problems
}

type Members = serde_json::Map<String, Value>;

fn object<'v>(
    value: Option<&'v Value>,
    place: &str,
    problems: &mut Vec<String>,
) -> Option<&'v Members> {
    let value = value?;
    if !value.is_object() {
        problems.push(format!("{place}: must be an object"));
    }
    value.as_object()
}

fn text(members: &Members, key: &str, place: &str, required: bool, problems: &mut Vec<String>) {
    match members.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => {}
        None if !required => {}
        _ => problems.push(format!("{place}.{key}: must be a text that is not empty")),
    }
}

fn profiles(value: Option<&Value>, problems: &mut Vec<String>) {
    for (id, profile) in object(value, "auth.profiles", problems).into_iter().flatten() {
        let place = format!("auth.profiles.{id}");
        let Some(profile) = object(Some(profile), &place, problems) else { continue };
        text(profile, "provider", &place, true, problems);
        text(profile, "email", &place, false, problems);
        text(profile, "displayName", &place, false, problems);
        let mode = profile.get("mode").and_then(Value::as_str);
        if !matches!(mode, Some("api_key" | "oauth" | "token")) {
            problems.push(format!("{place}.mode: must be one of api_key, oauth, token"));
        }
    }
}

fn order(value: Option<&Value>, problems: &mut Vec<String>) {
    for (provider, ids) in object(value, "auth.order", problems).into_iter().flatten() {
        let is_list = ids.as_array().is_some_and(|ids| ids.iter().all(Value::is_string));
        if !is_list {
            problems.push(format!("auth.order.{provider}: must be an array of profile ids"));
        }
    }
}

/// Hours and minutes are positive, rotations and milliseconds whole and not negative.
fn cooldowns(value: Option<&Value>, problems: &mut Vec<String>) {
    const POSITIVE: [&str; 5] = [
        "billingBackoffHours",
        "billingMaxHours",
        "authPermanentBackoffMinutes",
        "authPermanentMaxMinutes",
        "failureWindowHours",
    ];
    const WHOLE: [&str; 3] =
        ["overloadedProfileRotations", "overloadedBackoffMs", "rateLimitedProfileRotations"];
    const BY_PROVIDER: &str = "billingBackoffHoursByProvider";
    let Some(cooldowns) = object(value, "auth.cooldowns", problems) else { return };
    let is_positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
    for key in POSITIVE {
        if cooldowns.get(key).is_some_and(|value| !is_positive(value)) {
            problems.push(format!("auth.cooldowns.{key}: must be a number above 0"));
        }
    }
    for key in WHOLE {
        if cooldowns.get(key).is_some_and(|value| value.as_u64().is_none()) {
            problems.push(format!("auth.cooldowns.{key}: must be a whole number, 0 or more"));
        }
    }
    let place = format!("auth.cooldowns.{BY_PROVIDER}");
    for (provider, hours) in
        object(cooldowns.get(BY_PROVIDER), &place, problems).into_iter().flatten()
    {
        if !is_positive(hours) {
            problems.push(format!("{place}.{provider}: must be a number above 0"));
        }
    }
}

fn agent_list(value: Option<&Value>, problems: &mut Vec<String>) {
    let Some(value) = value else { return };
    let Some(list) = value.as_array() else {
        problems.push("agents.list: must be an array".to_owned());
        return;
    };
    for (index, agent) in list.iter().enumerate() {
        let place = format!("agents.list[{index}]");
        let Some(agent) = object(Some(agent), &place, problems) else { continue };
        text(agent, "id", &place, true, problems);
        for key in ["name", "workspace", "agentDir"] {
            if agent.get(key).is_some_and(|value| !value.is_string()) {
                problems.push(format!("{place}.{key}: must be a text"));
            }
        }
        if agent.get("default").is_some_and(|value| !value.is_boolean()) {
            problems.push(format!("{place}.default: must be true or false"));
        }
        model(agent, "model", &place, problems);
    }
}

/// A model, or an object with a `primary` and its `fallbacks`.
fn model(members: &Members, key: &str, place: &str, problems: &mut Vec<String>) {
    let place = format!("{place}.{key}");
    let model = match members.get(key) {
        None | Some(Value::String(_)) => return,
        Some(Value::Object(model)) => model,
        Some(_) => {
            let what = "must be a model or an object with primary and fallbacks";
            problems.push(format!("{place}: {what}"));
            return;
        }
    };
    if model.get("primary").is_some_and(|primary| !primary.is_string()) {
        problems.push(format!("{place}.primary: must be a text"));
    }
    let is_list =
        |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    if model.get("fallbacks").is_some_and(|fallbacks| !is_list(fallbacks)) {
        problems.push(format!("{place}.fallbacks: must be an array of models"));
    }
}

fn allowed_models(value: Option<&Value>, problems: &mut Vec<String>) {
    for (model, entry) in object(value, "agents.defaults.models", problems).into_iter().flatten() {
        let place = format!("agents.defaults.models.{model}");
        let Some(entry) = object(Some(entry), &place, problems) else { continue };
        if entry.get("alias").is_some_and(|alias| !alias.is_string()) {
            problems.push(format!("{place}.alias: must be a text"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::problems;
    use serde_json::json;

    #[test]
    fn each_problem_names_its_place_and_what_is_allowed() {
        let config = json!({
            "auth": {
                "bogus": 1,
                "profiles": {"a:b": {"provider": "x", "mode": "weird"}, "c": 5, "d": {"mode": "oauth", "x": 1}},
                "order": {"p": "a"},
                "cooldowns": {"billingMaxHours": 0, "overloadedBackoffMs": 1.5, "zzz": 1},
            },
            "agents": {
                "defaults": {
                    "model": 5,
                    "imageModel": {"primary": ["a/b"], "fallbacks": "a/b", "zzz": 1},
                    "models": {"a/b": {"alias": 1}, "a/c": "c", "a/d": {"params": {}}},
                },
                "list": [
                    {"id": ""},
                    5,
                    {"id": "a", "default": 1, "model": ["a/b"]},
                    {"id": "b", "model": {"fallbacks": ["a/b", 1]}},
                    {"id": "c", "model": "a/b"},
                    {"id": "d", "model": {"primary": "a/b", "fallbacks": ["a/c"]}},
                ],
            },
            "bindings": {},
            "anything": {"else": true},
        });
        assert_eq!(
            problems(&config),
            [
                "auth.profiles.a:b.mode: must be one of api_key, oauth, token",
                "auth.profiles.c: must be an object",
                "auth.profiles.d.provider: must be a text that is not empty",
                "auth.order.p: must be an array of profile ids",
                "auth.cooldowns.billingMaxHours: must be a number above 0",
                "auth.cooldowns.overloadedBackoffMs: must be a whole number, 0 or more",
                "agents.defaults.model: must be a model or an object with primary and fallbacks",
                "agents.defaults.imageModel.primary: must be a text",
                "agents.defaults.imageModel.fallbacks: must be an array of models",
                "agents.defaults.models.a/b.alias: must be a text",
                "agents.defaults.models.a/c: must be an object",
                "agents.list[0].id: must be a text that is not empty",
                "agents.list[1]: must be an object",
                "agents.list[2].default: must be true or false",
                "agents.list[2].model: must be a model or an object with primary and fallbacks",
                "agents.list[3].model.fallbacks: must be an array of models",
                "bindings: must be an array",
            ]
        );
        assert!(problems(&json!({})).is_empty());
    }
}
