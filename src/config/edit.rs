//! Edits of the configuration, in place.
//!
//! Each edit happens under a lock, on the text as it is then, and is checked before it is
//! written: the new text must read back as a configuration.

use super::json5::{JSON5, Plain};
use super::{Config, ConfigError, InvalidConfig, WrongPart};
use crate::profile::ProfileId;
use crate::system::file::{self, with_suffix};
use crate::system::lock::{self, Attempt, SidecarLock, StaleRule};
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What an edit did to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigEdit {
    /// The file was written.
    Written,
    /// It already said so.
    Unchanged,
}

/// Makes `model` the default of all agents, and adds it to the models that are allowed,
/// where there is a list of them: without it the list would forbid the model.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn set_default_model(path: &Path, model: &str) -> Result<ConfigEdit, ConfigError> {
    edit(path, |root| {
        let agents = child(root, "agents")?;
        let defaults = match agents.get("defaults") {
            None => agents.object_value_or_create("defaults"),
            Some(defaults) => defaults.object_value(),
        };
        let defaults = defaults.ok_or(WrongPart::NoObject("`agents.defaults`"))?;
        defaults.ensure_multiline();
        if let Some(present) = defaults.object_value("model") {
            set(&present, "primary", model.into());
        } else {
            let primary = ("primary".to_owned(), CstInputValue::from(model));
            set(&defaults, "model", CstInputValue::Object(vec![primary]));
        }
        if let Some(allowed) = defaults.object_value("models")
            && !allowed.properties().is_empty()
            && allowed.get(model).is_none()
        {
            allowed.append(model, CstInputValue::Object(Vec::new()));
        }
        Ok(())
    })
}

/// Removes a profile from `auth.profiles` and from every `auth.order`.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub fn remove_profile(path: &Path, id: &ProfileId) -> Result<ConfigEdit, ConfigError> {
    if file::fingerprint(path).is_none() {
        return Ok(ConfigEdit::Unchanged);
    }
    edit(path, |root| {
        let Some(auth) = root.object_value("auth") else { return Ok(()) };
        if let Some(profiles) = auth.object_value("profiles")
            && let Some(profile) = profiles.get(id.as_str())
        {
            profile.remove();
        }
        let order = auth.object_value("order");
        for property in order.iter().flat_map(CstObject::properties) {
            let Some(ids) = property.array_value() else { continue };
            for element in ids.elements() {
                if is_text(&element, id.as_str()) {
                    element.remove();
                }
            }
            if ids.elements().is_empty() {
                property.remove();
            }
        }
        Ok(())
    })
}

/// Changes the configuration at `path` by `change`, under the lock.
pub(crate) fn edit(
    path: &Path,
    change: impl FnOnce(&CstObject) -> Result<(), WrongPart>,
) -> Result<ConfigEdit, ConfigError> {
    let path = &file::resolve(path);
    let failed = |source| ConfigError::Write { path: path.clone(), source };
    if let Some(directory) = path.parent() {
        file::create_private_directory(directory).map_err(failed)?;
    }
    let _lock = acquire(path)?;
    let before = match file::read(path) {
        Ok(text) => text.map(|(text, _)| text),
        Err(source) => return Err(ConfigError::Read { path: path.clone(), source }),
    };
    let text = before.as_deref().unwrap_or("{\n}\n");
    Config::parse(path, text)?;
    let (mark, body) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(body) => (BYTE_ORDER_MARK, body),
        None => ("", text),
    };
    let plain = Plain::of(body).map_err(|error| ConfigError::invalid(path, error))?;
    let root = CstRootNode::parse(&plain.text, &JSON5)
        .map_err(|error| ConfigError::invalid(path, error))?;
    let Some(object) = root.object_value() else {
        return Err(ConfigError::invalid(path, InvalidConfig::NoObject));
    };
    change(&object).map_err(|wrong| ConfigError::invalid(path, wrong))?;
    let after = format!("{mark}{}", plain.restore(root.to_string()));
    if before.as_deref() == Some(after.as_str()) || (before.is_none() && after == body) {
        return Ok(ConfigEdit::Unchanged);
    }
    Config::parse(path, &after)?;
    if let Some(before) = &before {
        back_up(path, before).map_err(failed)?;
    }
    file::replace(path, after.as_bytes()).map_err(failed)?;
    Ok(ConfigEdit::Written)
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Stores `text` as `.bak`, the older ones as `.bak.1` to `.bak.4`, as OpenClaw does.
fn back_up(path: &Path, text: &str) -> std::io::Result<()> {
    let older = |number: u8| with_suffix(path, &format!(".bak.{number}"));
    for number in (1..4).rev() {
        rename_if_there(&older(number), &older(number + 1))?;
    }
    rename_if_there(&backup(path), &older(1))?;
    file::replace(&backup(path), text.as_bytes())
}

#[expect(clippy::disallowed_methods, reason = "backups move as they are")]
fn rename_if_there(from: &Path, to: &Path) -> std::io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Where the text before the last change is kept.
fn backup(path: &Path) -> PathBuf {
    with_suffix(path, ".bak")
}

fn acquire(path: &Path) -> Result<SidecarLock, ConfigError> {
    let path = path.to_owned();
    // OpenClaw takes it from 2026.9 on, by the rule of its other locks.
    match lock::wait(&path, StaleRule::ByProcess, lock::TIMEOUT) {
        Ok(Attempt::Acquired(lock)) => Ok(lock),
        Ok(Attempt::Held(holder)) => Err(ConfigError::LockTimeout { path, holder }),
        Err(source) => Err(ConfigError::Write { path, source }),
    }
}

/// The object under `key`, created where it is missing.
pub(crate) fn child(parent: &CstObject, key: &'static str) -> Result<CstObject, WrongPart> {
    let child = match parent.get(key) {
        None => parent.object_value_or_create(key),
        Some(property) => property.object_value(),
    };
    if let Some(child) = &child {
        child.ensure_multiline();
    }
    child.ok_or(WrongPart::NoObject(match key {
        "auth" => "`auth`",
        "profiles" => "`auth.profiles`",
        _ => "`agents`",
    }))
}

/// Sets a member of an object, unless it says so already.
pub(crate) fn set(object: &CstObject, key: &str, value: CstInputValue) {
    match object.get(key) {
        Some(property) => {
            let is_same =
                property.value().and_then(|value| value.to_serde_value()) == to_value(&value);
            if !is_same {
                property.set_value(value);
            }
        }
        None => {
            object.append(key, value);
        }
    }
}

fn to_value(value: &CstInputValue) -> Option<Value> {
    match value {
        CstInputValue::String(text) => Some(Value::String(text.clone())),
        _ => None,
    }
}

/// Whether a node is this text.
pub(crate) fn is_text(node: &jsonc_parser::cst::CstNode, text: &str) -> bool {
    node.to_serde_value().is_some_and(|value| value == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::record_profile;
    use crate::profile::Kind;

    fn edited(before: Option<&str>, change: impl Fn(&Path) -> ConfigEdit) -> String {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        if let Some(before) = before {
            file::replace(&path, before.as_bytes()).unwrap();
        }
        assert_eq!(change(&path), ConfigEdit::Written);
        let after = file::read(&path).unwrap().unwrap().0;
        assert_eq!(change(&path), ConfigEdit::Unchanged, "a second time changes nothing");
        let kept = file::read(&backup(&path)).unwrap().map(|(text, _)| text);
        assert_eq!(kept.as_deref(), before);
        after
    }

    fn record(path: &Path) -> ConfigEdit {
        record_profile(path, &"p:a".into(), &"p".into(), Kind::OAuth).unwrap()
    }

    #[test]
    fn a_new_file_is_laid_out_with_two_spaces() {
        assert_eq!(
            edited(None, record),
            "{\n  \"auth\": {\n    \"profiles\": {\n      \"p:a\": {\n        \"provider\": \"p\",\n        \"mode\": \"oauth\"\n      }\n    }\n  }\n}\n"
        );
    }

    #[test]
    fn comments_order_quotes_and_unknown_keys_stay() {
        let before = "// mine\n{\n  zebra: 'x', // why\n  /* old */ \"auth\": {\n    order: { 'P': ['p:b'] },\n    profiles: { 'p:b': { provider: 'p', mode: 'oauth', odd: 0x10 } },\n  },\n}\n";
        let after = edited(Some(before), record);
        for kept in
            ["// mine\n", "zebra: 'x', // why", "/* old */", "odd: 0x10", "'p:b': { provider: 'p'"]
        {
            assert!(after.contains(kept), "{kept} is gone:\n{after}");
        }
        let config = Config::parse(Path::new("x"), &after).unwrap();
        assert_eq!(config.auth_order(&"p".into()).unwrap(), ["p:a", "p:b"]);
        for id in ["p:a", "p:b"] {
            assert!(config.auth_mode(&id.into()).is_some(), "{id}");
        }
    }

    #[test]
    fn a_byte_order_mark_stays() {
        let marked = edited(Some("\u{feff}{\n  \"a\": 1\n}\n"), record);
        assert!(marked.starts_with("\u{feff}{\n  \"a\": 1,\n"), "{marked}");
    }

    #[test]
    fn what_only_json5_has_stays_as_it_is_written() {
        let before = "// one\n\u{feff}{\n  \\u0061uth: { order: { 'p': ['p:b'] } }, // two\u{2028}  limit: Infinity,\n  e\u{301}: 'a\\\nb\\ud800', n: [+1, 0xFF, .5, NaN,],\n}\n";
        let after = edited(Some(before), record);
        for kept in [
            "// one\n\u{feff}{",
            "\\u0061uth: {",
            "// two\u{2028}  limit: Infinity,",
            "e\u{301}: 'a\\\nb\\ud800', n: [+1, 0xFF, .5, NaN,],\n}\n",
        ] {
            assert!(after.contains(kept), "{kept} is gone:\n{after}");
        }
        let config = Config::parse(Path::new("x"), &after).unwrap();
        assert_eq!(config.auth_order(&"p".into()).unwrap(), ["p:a", "p:b"]);
    }

    #[test]
    fn older_backups_are_kept() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        for number in 0..8 {
            record_profile(&path, &format!("agent-{number}").into(), &"p".into(), Kind::OAuth)
                .unwrap();
        }
        let kept = |suffix: &str| {
            let text = file::read(&with_suffix(&path, suffix)).unwrap();
            text.map(|(text, _)| text.matches("agent-").count())
        };
        let counts = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4", ".bak.5"].map(kept);
        assert_eq!(counts, [Some(7), Some(6), Some(5), Some(4), Some(3), None]);
    }

    #[test]
    fn a_removed_profile_leaves_the_rest() {
        let before = "{\n  \"auth\": {\n    \"profiles\": {\n      \"p:a\": {\"provider\": \"p\", \"mode\": \"oauth\"},\n      \"p:b\": {\"provider\": \"p\", \"mode\": \"oauth\"} // back_up\n    },\n    \"order\": {\"p\": [\"p:a\", \"p:b\"], \"q\": [\"p:a\"]}\n  }\n}\n";
        let after = edited(Some(before), |path| remove_profile(path, &"p:a".into()).unwrap());
        assert!(!after.contains("p:a") && after.contains("// back_up"), "{after}");
        let config = Config::parse(Path::new("x"), &after).unwrap();
        assert_eq!(config.auth_order(&"p".into()).unwrap(), ["p:b"]);
        assert_eq!(config.auth_order(&"q".into()), None);
    }

    #[test]
    fn a_file_that_cannot_be_edited_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        for text in ["{", "[]", "{\"auth\": 5}", "{\"auth\": {\"profiles\": []}}"] {
            file::replace(&path, text.as_bytes()).unwrap();
            assert!(
                record_profile(&path, &"p:a".into(), &"p".into(), Kind::OAuth).is_err(),
                "{text}"
            );
            assert_eq!(file::read(&path).unwrap().unwrap().0, text);
        }
        assert!(!backup(&path).exists());
    }
}
