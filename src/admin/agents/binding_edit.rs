//! Edits of the bindings in the configuration.
//!
//! Invariant: an edit looks at the file as it is under the lock. Bindings that are not
//! asked for stay as they are, with their comments; new ones follow the last one that
//! routes.

use super::binding::{self, BindOutcome, BindingSpec, Conflict, Route, UnbindOutcome};
use crate::config::edit::{edit, set};
use crate::config::{ConfigError, WrongPart};
use crate::profile::AgentId;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject};
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// Binds an agent to channels. What another agent has is a conflict and stays.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn bind_agent(
    path: &Path,
    id: &AgentId,
    specs: &[BindingSpec],
) -> Result<BindOutcome, ConfigError> {
    let mut outcome = BindOutcome::default();
    edit(path, |root| {
        outcome = bind(root, id, specs)?;
        Ok(())
    })?;
    Ok(outcome)
}

/// Removes bindings of an agent.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn unbind_agent(
    path: &Path,
    id: &AgentId,
    specs: &[BindingSpec],
) -> Result<UnbindOutcome, ConfigError> {
    let mut outcome = UnbindOutcome::default();
    edit(path, |root| {
        let mut routes = routes(bindings(root)?.as_ref());
        for spec in specs {
            let matching = spec.matching();
            let key = binding::key(&matching);
            let same: Vec<_> = routes.iter().filter(|route| route.key() == key).collect();
            let binding = binding::describe(&matching);
            if let Some(own) = same.iter().find(|route| route.agent_id == *id) {
                let index = own.index;
                outcome.removed.push(binding::describe(&own.matching));
                if let Some(at) = routes.iter().position(|route| route.index == index) {
                    routes.remove(at).node.remove();
                }
            } else if let Some(other) = same.last() {
                outcome.conflicts.push(Conflict { binding, agent_id: other.agent_id.clone() });
            } else {
                outcome.missing.push(binding);
            }
        }
        remove_empty_bindings(root, !outcome.removed.is_empty());
        Ok(())
    })?;
    Ok(outcome)
}

/// Removes every binding that routes to an agent, and describes them.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn unbind_agent_wholly(path: &Path, id: &AgentId) -> Result<Vec<String>, ConfigError> {
    let mut removed = Vec::new();
    edit(path, |root| {
        let routes = routes(bindings(root)?.as_ref());
        for route in routes.into_iter().filter(|route| route.agent_id == *id) {
            removed.push(binding::describe(&route.matching));
            route.node.remove();
        }
        remove_empty_bindings(root, !removed.is_empty());
        Ok(())
    })?;
    Ok(removed)
}

/// A binding that routes, and where it stands.
struct Placed {
    node: CstNode,
    index: usize,
    agent_id: AgentId,
    matching: Value,
}

impl Placed {
    fn key(&self) -> ([String; 6], String) {
        binding::key(&self.matching)
    }
}

fn routes(bindings: Option<&CstArray>) -> Vec<Placed> {
    let elements = bindings.map(CstArray::elements).unwrap_or_default();
    let placed = |(index, node): (usize, CstNode)| {
        let value = node.to_serde_value()?;
        let route = Route::of(&value)?;
        let (agent_id, matching) = (route.agent_id(), route.matching().clone());
        Some(Placed { node, index, agent_id, matching })
    };
    elements.into_iter().enumerate().filter_map(placed).collect()
}

/// Binds an agent in the document, unless another agent has the binding.
pub(super) fn bind(
    root: &CstObject,
    id: &AgentId,
    specs: &[BindingSpec],
) -> Result<BindOutcome, WrongPart> {
    let mut outcome = BindOutcome::default();
    let array = bindings(root)?;
    let mut existing = routes(array.as_ref());
    let mut owners = HashMap::new();
    for route in &existing {
        owners.entry(route.key()).or_insert_with(|| route.agent_id.clone());
    }
    let mut added = Vec::new();
    for spec in specs {
        let matching = spec.matching();
        let binding = binding::describe(&matching);
        match owners.get(&binding::key(&matching)) {
            Some(owner) if owner == id => {
                outcome.skipped.push(binding);
                continue;
            }
            Some(owner) => {
                outcome.conflicts.push(Conflict { binding, agent_id: owner.clone() });
                continue;
            }
            None => {}
        }
        let widest = existing.iter_mut().find(|route| {
            binding::has_account(&matching)
                && !binding::has_account(&route.matching)
                && route.agent_id == *id
                && binding::scope(&route.matching) == binding::scope(&matching)
        });
        if let (Some(route), Some(account)) = (widest, &spec.account) {
            let object = route.node.as_object().and_then(|node| node.object_value("match"));
            set(
                &object.ok_or(WrongPart::NoObject("`match` of a binding"))?,
                "accountId",
                account.as_str().into(),
            );
            owners.remove(&route.key());
            route.matching["accountId"] = account.as_str().into();
            owners.insert(route.key(), id.clone());
            outcome.updated.push(binding::describe(&route.matching));
        } else {
            owners.insert(binding::key(&matching), id.clone());
            outcome.added.push(binding);
            added.push(matching);
        }
    }
    if added.is_empty() {
        return Ok(outcome);
    }
    let array = match array {
        Some(array) => array,
        None => root.array_value_or_create("bindings").ok_or(NO_BINDINGS)?,
    };
    array.ensure_multiline();
    let start = existing.last().map_or(0, |route| route.index + 1);
    for (offset, matching) in added.iter().enumerate() {
        let members = [
            ("type", &Value::from("route")),
            ("agentId", &id.as_str().into()),
            ("match", matching),
        ];
        let members = members.map(|(key, value)| (key.to_owned(), input(value)));
        array.insert(start + offset, CstInputValue::Object(members.into()));
    }
    Ok(outcome)
}

const NO_BINDINGS: WrongPart = WrongPart::NoArray("`bindings`");

fn bindings(root: &CstObject) -> Result<Option<CstArray>, WrongPart> {
    root.get("bindings").map(|bindings| bindings.array_value().ok_or(NO_BINDINGS)).transpose()
}

fn remove_empty_bindings(root: &CstObject, have_changed: bool) {
    let is_empty = root.array_value("bindings").is_some_and(|array| array.elements().is_empty());
    if have_changed
        && is_empty
        && let Some(bindings) = root.get("bindings")
    {
        bindings.remove();
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => CstInputValue::Object(
            members.iter().map(|(key, value)| (key.clone(), input(value))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::file;

    const BEFORE: &str = "{\n  // who answers\n  bindings: [\n    { agentId: 'a', match: { channel: 'irc' }, odd: 1 }, // mine\n    { type: 'acp', agentId: 'a', match: { channel: 'irc' } },\n  ],\n}\n";

    fn spec(text: &str) -> BindingSpec {
        BindingSpec::parse(text).unwrap()
    }

    #[test]
    fn a_new_binding_follows_the_last_route_and_the_rest_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, BEFORE.as_bytes()).unwrap();
        let outcome =
            bind_agent(&path, &"b".into(), &[spec("irc:x"), spec("irc"), spec("irc:x")]).unwrap();
        assert_eq!(outcome.added, ["irc accountId=x"]);
        assert_eq!(outcome.skipped, ["irc accountId=x"]);
        assert_eq!(outcome.conflicts[0].to_string(), "irc (agent=a)");
        let after = file::read(&path).unwrap().unwrap().0;
        for kept in ["// who answers", "odd: 1 }, // mine", "{ type: 'acp', agentId: 'a'"] {
            assert!(after.contains(kept), "{kept} is gone:\n{after}");
        }
        assert!(after.find("\"x\"").unwrap() < after.find("acp").unwrap(), "{after}");
    }

    #[test]
    fn a_binding_without_an_account_gets_one_in_its_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, BEFORE.as_bytes()).unwrap();
        let outcome = bind_agent(&path, &"a".into(), &[spec("irc:x"), spec("irc:y")]).unwrap();
        assert_eq!(outcome.updated, ["irc accountId=x"]);
        assert_eq!(outcome.added, ["irc accountId=y"]);
        let removed = unbind_agent_wholly(&path, &"a".into()).unwrap();
        assert_eq!(removed, ["irc accountId=x", "irc accountId=y"]);
        let after = file::read(&path).unwrap().unwrap().0;
        assert!(after.contains("acp") && after.contains("// who answers"), "{after}");
    }

    #[test]
    fn bindings_of_another_shape_are_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, b"{\"bindings\": {}}").unwrap();
        let error = bind_agent(&path, &"a".into(), &[spec("irc")]).unwrap_err();
        assert!(error.to_string().contains("bindings"), "{error}");
        assert_eq!(file::read(&path).unwrap().unwrap().0, "{\"bindings\": {}}");
    }
}
