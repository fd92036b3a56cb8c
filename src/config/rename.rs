//! A profile gets another id in the configuration: `auth.profiles`, `auth.order`, and what names
//! a profile of a model.
//!
//! Invariant: nothing but those ids changes. [`add_profile_id`] comes before the profile itself is
//! renamed and [`replace_profile_id`] after it, so that at every moment the id that the profile has
//! is configured.

use super::edit::{edit, is_text};
use super::{ConfigEdit, ConfigError};
use crate::profile::{ModelRef, ProfileId};
use crate::system::file;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp};
use serde_json::Value;
use std::path::Path;

/// The members whose value is a profile id.
const OF_PROFILES: [&str; 2] = ["authProfileId", "defaultAuthProfileId"];

/// Configures the profile `to` as `from` is, and puts it before that one in every order.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn add_profile_id(
    path: &Path,
    from: &ProfileId,
    to: &ProfileId,
) -> Result<ConfigEdit, ConfigError> {
    change(path, |root| {
        let Some(auth) = root.object_value("auth") else { return };
        if let Some(profiles) = auth.object_value("profiles") {
            copy_member(&profiles, from.as_str(), to.as_str());
        }
        for ids in orders(&auth) {
            put_before(&ids, from.as_str(), to.as_str());
        }
    })
}

/// Names `to` wherever `from` is named.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn replace_profile_id(
    path: &Path,
    from: &ProfileId,
    to: &ProfileId,
) -> Result<ConfigEdit, ConfigError> {
    change(path, |root| {
        if let Some(auth) = root.object_value("auth") {
            if let Some(profiles) = auth.object_value("profiles") {
                copy_member(&profiles, from.as_str(), to.as_str());
                let _ = profiles.get(from.as_str()).map(CstObjectProp::remove);
            }
            for ids in orders(&auth) {
                put_before(&ids, from.as_str(), to.as_str());
                let is_it = |element: &CstNode| is_text(element, from.as_str());
                ids.elements().into_iter().filter(is_it).for_each(CstNode::remove);
            }
        }
        for property in root.properties() {
            let name = property.decoded_name().unwrap_or_default();
            // Profiles and orders are done; what is passed to programs is theirs.
            if name != "auth"
                && name != "env"
                && let Some(value) = property.value()
            {
                rename_in(&name, &value, from, to);
            }
        }
    })
}

fn change(path: &Path, change: impl FnOnce(&CstObject)) -> Result<ConfigEdit, ConfigError> {
    if file::fingerprint(path).is_none() {
        return Ok(ConfigEdit::Unchanged);
    }
    edit(path, |root| {
        change(root);
        Ok(())
    })
}

/// The arrays of `auth.order`.
fn orders(auth: &CstObject) -> Vec<CstArray> {
    let order = auth.object_value("order");
    let properties = order.iter().flat_map(CstObject::properties);
    properties.filter_map(|it| it.array_value()).collect()
}

/// Puts `to` where `from` is, before it, unless it is in the array.
fn put_before(ids: &CstArray, from: &str, to: &str) {
    let elements = ids.elements();
    if elements.iter().any(|it| is_text(it, to)) {
        return;
    }
    if let Some(at) = elements.iter().position(|it| is_text(it, from)) {
        ids.insert(at, CstInputValue::from(to));
    }
}

/// Gives the member `to` the value of `from`, before it, unless it is there.
fn copy_member(object: &CstObject, from: &str, to: &str) {
    let Some(member) = object.get(from) else { return };
    let value = member.value().and_then(|it| it.to_serde_value());
    if object.get(to).is_none()
        && let Some(value) = value
    {
        object.insert(member.property_index(), to, input(&value));
    }
}

fn rename_in(name: &str, node: &CstNode, from: &ProfileId, to: &ProfileId) {
    if let Some(object) = node.as_object() {
        for property in object.properties() {
            let Some(key) = property.decoded_name() else { continue };
            if let Some(value) = property.value() {
                rename_in(&key, &value, from, to);
            }
            if let Some(other) = of_model(&key, from, to) {
                copy_member(&object, &key, &other);
                property.remove();
            }
        }
    } else if let Some(array) = node.as_array() {
        array.elements().iter().for_each(|element| rename_in(name, element, from, to));
    } else if let Some(text) = node.as_string_lit() {
        let Ok(value) = text.decoded_value() else { return };
        let other = if OF_PROFILES.contains(&name) {
            (value == from.as_str()).then(|| to.as_str().to_owned())
        } else {
            of_model(&value, from, to)
        };
        if let Some(other) = other {
            text.set_raw_value(Value::String(other).to_string());
        }
    }
}

/// The model reference `text` with `to` in the place of `from`, where it names that one.
fn of_model(text: &str, from: &ProfileId, to: &ProfileId) -> Option<String> {
    let read = ModelRef::parse(text, |id| id == from);
    read.provider_and_model()?;
    let model = (read.profile.as_ref() == Some(from)).then_some(read.model)?;
    Some(format!("{model}@{}", to.as_str()))
}

/// A value as the editor of the document takes it.
pub(crate) fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(value) => CstInputValue::Number(value.to_string()),
        Value::String(value) => CstInputValue::String(value.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), input(value)));
            CstInputValue::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use serde_json::json;

    const TEXT: &str = r#"{
      // mine
      auth: { profiles: { "p:a": {provider: "p", mode: "oauth"}, "p:b": {provider: "p", mode: "oauth"} },
              order: { p: ["p:b", "p:a"], q: ["x"] } },
      env: { X: "p/m@p:a" },
      agents: { defaults: { model: {primary: "p/m@p:a", fallbacks: ["p/m@p:b", "p/n@p:a"]},
                            models: {"p/m@p:a": {alias: "x"}} } },
      plugins: { entries: { x: { config: { authProfileId: "p:a", note: "p:a" } } } },
    }"#;

    fn changed(
        change: fn(&Path, &ProfileId, &ProfileId) -> Result<ConfigEdit, ConfigError>,
        path: &Path,
    ) -> (String, Value) {
        assert_eq!(change(path, &"p:a".into(), &"p:z".into()).unwrap(), ConfigEdit::Written);
        let again = change(path, &"p:a".into(), &"p:z".into()).unwrap();
        assert_eq!(again, ConfigEdit::Unchanged, "a second time changes nothing");
        let text = file::read(path).unwrap().unwrap().0;
        let value = Config::parse(path, &text).unwrap().value().clone();
        (text, value)
    }

    #[test]
    fn both_ids_are_there_until_the_former_one_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, TEXT.as_bytes()).unwrap();
        let (_, both) = changed(add_profile_id, &path);
        assert_eq!(both["auth"]["order"], json!({"p": ["p:b", "p:z", "p:a"], "q": ["x"]}));
        assert_eq!(both["auth"]["profiles"]["p:z"], both["auth"]["profiles"]["p:a"]);
        assert_eq!(both["agents"]["defaults"]["model"]["primary"], "p/m@p:a");
        let (text, after) = changed(replace_profile_id, &path);
        assert!(text.contains("// mine"), "{text}");
        assert_eq!(after["auth"]["order"], json!({"p": ["p:b", "p:z"], "q": ["x"]}));
        assert_eq!(after["auth"]["profiles"].as_object().unwrap().len(), 2);
        let defaults = &after["agents"]["defaults"];
        assert_eq!(
            defaults["model"],
            json!({"primary": "p/m@p:z", "fallbacks": ["p/m@p:b", "p/n@p:z"]})
        );
        assert_eq!(defaults["models"], json!({"p/m@p:z": {"alias": "x"}}));
        let plugin = &after["plugins"]["entries"]["x"]["config"];
        assert_eq!(plugin, &json!({"authProfileId": "p:z", "note": "p:a"}));
        assert_eq!(after["env"]["X"], "p/m@p:a", "it is another program's");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_change() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        for change in [add_profile_id, replace_profile_id] {
            let edit = change(&path, &"p:a".into(), &"p:z".into()).unwrap();
            assert_eq!(edit, ConfigEdit::Unchanged);
        }
        assert!(!path.exists());
    }
}
