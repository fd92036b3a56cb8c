//! What a provider file, or a method, says over a row.

use serde_json::Value;

/// A patch that sends requests to another server leaves behind what the row knows of the
/// former one, unless it says otherwise: what one server issues must not be sent to another.
pub(super) fn leave_behind(row: &Value, patch: &mut Value) {
    const OF_ONE_SERVER: [&str; 6] =
        ["device", "revocationEndpoint", "userinfoEndpoint", "project", "tokenExchange", "usage"];
    const OF_ONE_DEVICE_SERVER: [&str; 3] = ["tokenEndpoint", "verificationUri", "redirectUri"];
    if moves(row, patch, "tokenEndpoint") {
        leave(row, patch, &OF_ONE_SERVER);
    }
    if let (Some(row), Some(patch)) = (row.get("device"), patch.get_mut("device"))
        && moves(row, patch, "authorizationEndpoint")
    {
        leave(row, patch, &OF_ONE_DEVICE_SERVER);
    }
}

/// Whether `patch` names an endpoint on another server than `row`.
fn moves(row: &Value, patch: &Value, endpoint: &str) -> bool {
    let server = |definition: &Value| {
        Some(url::Url::parse(definition.get(endpoint)?.as_str()?).ok()?.origin())
    };
    patch.get(endpoint).is_some() && server(patch) != server(row)
}

/// Takes away the members of `row` that `patch` does not name.
fn leave(row: &Value, patch: &mut Value, names: &[&str]) {
    let Some(patch) = patch.as_object_mut() else { return };
    for name in names.iter().filter(|name| row.get(**name).is_some()) {
        patch.entry(*name).or_insert(Value::Null);
    }
}

/// The top-level keys to which `patch` gives another value than `row` has.
pub(super) fn changed_keys(row: &Value, patch: &Value) -> Vec<String> {
    let keys = patch.as_object().into_iter().flatten();
    keys.filter(|(key, value)| row.get(key) != Some(value)).map(|(key, _)| key.clone()).collect()
}

/// JSON merge patch (RFC 7396 section 2).
pub(super) fn merge_patch(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            merge_patch(target.entry(key).or_insert(Value::Null), value);
        }
    }
}
