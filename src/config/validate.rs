//! What the parts of the configuration that we use must look like (OpenClaw 2026.4.24).
//! Everything else, unknown keys included, is somebody else's business.

use super::WrongValue;
use serde_json::Value;

/// The values that have another form than they must.
pub(super) fn wrong_values(config: &Value) -> Vec<WrongValue> {
    let mut wrong = Vec::new();
    if let Some(auth) = object(config.get("auth"), "auth", &mut wrong) {
        profiles(auth.get("profiles"), &mut wrong);
        order(auth.get("order"), &mut wrong);
        cooldowns(auth.get("cooldowns"), &mut wrong);
    }
    if let Some(agents) = object(config.get("agents"), "agents", &mut wrong) {
        if let Some(defaults) = object(agents.get("defaults"), "agents.defaults", &mut wrong) {
            model(defaults, "model", "agents.defaults", &mut wrong);
            model(defaults, "imageModel", "agents.defaults", &mut wrong);
            allowed_models(defaults.get("models"), &mut wrong);
        }
        agent_list(agents.get("list"), &mut wrong);
        agent_entries(agents.get("entries"), &mut wrong);
    }
    if config.get("bindings").is_some_and(|bindings| !bindings.is_array()) {
        wrong.push(must_be("bindings", "an array"));
    }
    wrong
}

fn must_be(place: impl Into<String>, expected: &'static str) -> WrongValue {
    WrongValue { place: place.into(), expected }
}

type Members = serde_json::Map<String, Value>;

fn object<'v>(
    value: Option<&'v Value>,
    place: &str,
    wrong: &mut Vec<WrongValue>,
) -> Option<&'v Members> {
    let value = value?;
    if !value.is_object() {
        wrong.push(must_be(place, "an object"));
    }
    value.as_object()
}

fn text(members: &Members, key: &str, place: &str, required: bool, wrong: &mut Vec<WrongValue>) {
    match members.get(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => {}
        None if !required => {}
        _ => wrong.push(must_be(format!("{place}.{key}"), "a text that is not empty")),
    }
}

fn profiles(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
    for (id, profile) in object(value, "auth.profiles", wrong).into_iter().flatten() {
        let place = format!("auth.profiles.{id}");
        let Some(profile) = object(Some(profile), &place, wrong) else { continue };
        text(profile, "provider", &place, true, wrong);
        text(profile, "email", &place, false, wrong);
        text(profile, "displayName", &place, false, wrong);
        let mode = profile.get("mode").and_then(Value::as_str);
        if !matches!(mode, Some("api_key" | "oauth" | "token")) {
            wrong.push(must_be(format!("{place}.mode"), "one of api_key, oauth, token"));
        }
    }
}

fn order(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
    for (provider, ids) in object(value, "auth.order", wrong).into_iter().flatten() {
        let is_list = ids.as_array().is_some_and(|ids| ids.iter().all(Value::is_string));
        if !is_list {
            wrong.push(must_be(format!("auth.order.{provider}"), "an array of profile ids"));
        }
    }
}

/// Hours and minutes are positive, rotations and milliseconds whole and not negative.
fn cooldowns(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
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
    let Some(cooldowns) = object(value, "auth.cooldowns", wrong) else { return };
    let is_positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
    for key in POSITIVE {
        if cooldowns.get(key).is_some_and(|value| !is_positive(value)) {
            wrong.push(must_be(format!("auth.cooldowns.{key}"), "a number above 0"));
        }
    }
    for key in WHOLE {
        if cooldowns.get(key).is_some_and(|value| value.as_u64().is_none()) {
            wrong.push(must_be(format!("auth.cooldowns.{key}"), "a whole number, 0 or more"));
        }
    }
    let place = format!("auth.cooldowns.{BY_PROVIDER}");
    for (provider, hours) in object(cooldowns.get(BY_PROVIDER), &place, wrong).into_iter().flatten()
    {
        if !is_positive(hours) {
            wrong.push(must_be(format!("{place}.{provider}"), "a number above 0"));
        }
    }
}

fn agent_list(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
    let Some(value) = value else { return };
    let Some(list) = value.as_array() else {
        wrong.push(must_be("agents.list", "an array"));
        return;
    };
    for (index, agent) in list.iter().enumerate() {
        let place = format!("agents.list[{index}]");
        let Some(agent) = object(Some(agent), &place, wrong) else { continue };
        text(agent, "id", &place, true, wrong);
        one_agent(agent, &place, wrong);
    }
}

fn agent_entries(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
    for (id, agent) in object(value, "agents.entries", wrong).into_iter().flatten() {
        let place = format!("agents.entries.{id}");
        if let Some(agent) = object(Some(agent), &place, wrong) {
            one_agent(agent, &place, wrong);
        }
    }
}

fn one_agent(agent: &Members, place: &str, wrong: &mut Vec<WrongValue>) {
    for key in ["name", "workspace", "agentDir"] {
        if agent.get(key).is_some_and(|value| !value.is_string()) {
            wrong.push(must_be(format!("{place}.{key}"), "a text"));
        }
    }
    if agent.get("default").is_some_and(|value| !value.is_boolean()) {
        wrong.push(must_be(format!("{place}.default"), "true or false"));
    }
    model(agent, "model", place, wrong);
}

/// A model, or an object with a `primary` and its `fallbacks`.
fn model(members: &Members, key: &str, place: &str, wrong: &mut Vec<WrongValue>) {
    let place = format!("{place}.{key}");
    let model = match members.get(key) {
        None | Some(Value::String(_)) => return,
        Some(Value::Object(model)) => model,
        Some(_) => {
            wrong.push(must_be(place, "a model or an object with primary and fallbacks"));
            return;
        }
    };
    if model.get("primary").is_some_and(|primary| !primary.is_string()) {
        wrong.push(must_be(format!("{place}.primary"), "a text"));
    }
    let is_list =
        |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    if model.get("fallbacks").is_some_and(|fallbacks| !is_list(fallbacks)) {
        wrong.push(must_be(format!("{place}.fallbacks"), "an array of models"));
    }
}

fn allowed_models(value: Option<&Value>, wrong: &mut Vec<WrongValue>) {
    for (model, entry) in object(value, "agents.defaults.models", wrong).into_iter().flatten() {
        let place = format!("agents.defaults.models.{model}");
        let Some(entry) = object(Some(entry), &place, wrong) else { continue };
        if entry.get("alias").is_some_and(|alias| !alias.is_string()) {
            wrong.push(must_be(format!("{place}.alias"), "a text"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrong_values;
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
            wrong_values(&config).iter().map(ToString::to_string).collect::<Vec<_>>(),
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
        assert!(wrong_values(&json!({})).is_empty());
    }
}
