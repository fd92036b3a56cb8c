//! Edits of what the configuration says of agents: their entries and identities.
//!
//! Invariant: each edit looks at the file as it is under the lock, so what it reports is
//! what the file says from then on, and two edits at once never lose one another.

use super::binding::{BindOutcome, BindingSpec};
use super::binding_edit::bind;
use super::roster::Roster;
use crate::config::edit::{edit, is_text, set};
use crate::config::{ConfigError, WrongPart};
use crate::profile::AgentId;
use jsonc_parser::cst::{CstArray, CstNode};
use serde_json::Value;
use std::path::Path;

/// An agent to list, and what it shall answer on.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewAgent<'a> {
    /// The normalised id.
    pub id: &'a AgentId,
    /// The members of its entry in their order; the first one is the id.
    pub entry: &'a [(&'a str, &'a str)],
    /// Its bindings.
    pub bindings: &'a [BindingSpec],
    /// Whether nobody is listed, neither here nor in an included file.
    pub is_first: bool,
    /// Whether agents are listed by their ids, where none is listed yet.
    pub by_id: bool,
    /// The agent that commands mean when they name none.
    pub default: &'a AgentId,
}

/// What came of adding an agent.
#[derive(Debug)]
pub(super) enum AgentAddition {
    /// It is listed now.
    Added(BindOutcome),
    /// An agent of that id was listed already; nothing was changed.
    Exists,
}

/// What was removed with an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentRemoval {
    /// How many bindings.
    pub bindings: usize,
    /// How many mentions in `tools.agentToAgent.allow`.
    pub allowances: usize,
}

/// Lists an agent and binds it; before the first one, `main` is listed,
/// because a list without it would make the new agent the default.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn add_agent(path: &Path, agent: NewAgent<'_>) -> Result<AgentAddition, ConfigError> {
    let mut addition = AgentAddition::Exists;
    edit(path, |root| {
        let is_listed = Roster::find(root)?.is_some_and(|it| it.entry(agent.id).is_some());
        if is_listed {
            return Ok(());
        }
        let roster = Roster::find_or_create(root, agent.by_id)?;
        if agent.is_first && roster.len() == 0 {
            roster.add(&[("id", AgentId::main().as_str())])?;
        }
        roster.add(agent.entry)?;
        roster.own(root, agent.default)?;
        addition = AgentAddition::Added(bind(root, agent.id, agent.bindings)?);
        Ok(())
    })?;
    Ok(addition)
}

/// Removes an agent from the list, with its bindings and its mentions in
/// `tools.agentToAgent.allow`. What is empty afterwards is removed as well. `None` when no
/// such agent is listed.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn remove_agent(path: &Path, id: &AgentId) -> Result<Option<AgentRemoval>, ConfigError> {
    let mut removal = None;
    edit(path, |root| {
        let removed = |array: Option<CstArray>, matches: &dyn Fn(&CstNode) -> bool| {
            let Some(array) = array else { return (0, false) };
            let matching: Vec<_> =
                array.elements().into_iter().filter(|node| matches(node)).collect();
            let count = matching.len();
            matching.into_iter().for_each(CstNode::remove);
            (count, count > 0 && array.elements().is_empty())
        };
        let Some(roster) = Roster::find(root)?.filter(|it| it.remove(id) > 0) else {
            return Ok(());
        };
        if roster.len() == 0
            && let Some(agents) = root.object_value("agents")
            && let Some(empty) = agents.get("entries").or_else(|| agents.get("list"))
        {
            empty.remove();
        }
        let leads_there = |node: &CstNode| {
            let binding = node.to_serde_value().unwrap_or_default();
            binding["agentId"].as_str().is_some_and(|agent| id.is_named(agent))
        };
        let (bindings, is_empty) = removed(root.array_value("bindings"), &leads_there);
        if is_empty && let Some(bindings) = root.get("bindings") {
            bindings.remove();
        }
        let policy =
            root.object_value("tools").and_then(|tools| tools.object_value("agentToAgent"));
        let allow = policy.as_ref().and_then(|policy| policy.array_value("allow"));
        let (allowances, is_empty) = removed(allow, &|node| is_text(node, id.as_str()));
        if is_empty && let Some(allow) = policy.and_then(|policy| policy.get("allow")) {
            allow.remove();
        }
        removal = Some(AgentRemoval { bindings, allowances });
        Ok(())
    })?;
    Ok(removal)
}

/// Sets members of an agent's identity and returns the whole of it. The default agent of a
/// configuration that lists none is listed by that; `None` when there is no such agent.
///
/// # Errors
/// See [`ConfigError`]; the file is unchanged then.
pub(super) fn set_identity(
    path: &Path,
    id: &AgentId,
    by_id: bool,
    members: &[(&str, &str)],
) -> Result<Option<Value>, ConfigError> {
    let mut identity = None;
    edit(path, |root| {
        let listed = Roster::find(root)?;
        let has_agents = listed.as_ref().is_some_and(|it| it.len() > 0);
        let entry = match listed.and_then(|it| it.entry(id)) {
            Some(entry) => entry,
            None if !has_agents && id.is_main() => {
                Roster::find_or_create(root, by_id)?.add(&[("id", id.as_str())])?
            }
            None => return Ok(()),
        };
        let object = match entry.get("identity") {
            None => entry.object_value_or_create("identity"),
            Some(identity) => identity.object_value(),
        };
        let object = object.ok_or(WrongPart::NoObject("the `identity` of the agent"))?;
        for (key, value) in members {
            set(&object, key, (*value).into());
        }
        identity = object.to_serde_value();
        Ok(())
    })?;
    Ok(identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::file;

    #[test]
    fn an_agent_comes_and_goes_without_a_trace() {
        let before = "{\n  // people\n  agents: { list: [ { id: 'Main', odd: 0x10 } /* me */ ] },\n  tools: { agentToAgent: { allow: ['a', 'b'] } }, // who may talk\n}\n";
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        file::replace(&path, before.as_bytes()).unwrap();
        let bindings = [BindingSpec::parse("irc").unwrap()];
        let id = AgentId::from("a");
        let agent = NewAgent {
            id: &id,
            entry: &[("id", "a"), ("name", "A")],
            bindings: &bindings,
            is_first: true,
            by_id: false,
            default: &AgentId::main(),
        };
        assert!(matches!(add_agent(&path, agent).unwrap(), AgentAddition::Added(_)));
        assert!(matches!(add_agent(&path, agent).unwrap(), AgentAddition::Exists));
        let removal = remove_agent(&path, &"a".into()).unwrap();
        assert_eq!(removal, Some(AgentRemoval { bindings: 1, allowances: 1 }));
        assert_eq!(remove_agent(&path, &"a".into()).unwrap(), None);
        let after = file::read(&path).unwrap().unwrap().0;
        for kept in ["// people", "id: 'Main', odd: 0x10 } /* me */", "'b'] } }", "// who may talk"]
        {
            assert!(after.contains(kept), "{kept} is gone:\n{after}");
        }
        assert!(!after.contains("\"a\"") && !after.contains("bindings"), "{after}");
    }

    #[test]
    fn nothing_is_written_where_nothing_changes() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("openclaw.json");
        assert_eq!(remove_agent(&path, &"a".into()).unwrap(), None);
        assert_eq!(set_identity(&path, &"a".into(), true, &[("name", "N")]).unwrap(), None);
        assert!(!path.exists());
    }
}
