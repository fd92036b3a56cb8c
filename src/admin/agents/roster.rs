//! Where the configuration lists agents: `agents.entries` by their ids (OpenClaw 2026.8 and
//! later), or `agents.list`. What is there stays in its form.
//!
//! Invariant: two agents or more by their ids come with `agents.ownership` and the agent that
//! commands mean when they name none: OpenClaw takes the configuration for invalid otherwise.

use crate::config::WrongPart;
use crate::config::edit::{child, set};
use crate::profile::AgentId;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject};

const NO_LIST: WrongPart = WrongPart::NoArray("`agents.list`");
const NO_ENTRIES: WrongPart = WrongPart::NoObject("`agents.entries`");

/// The agents of a configuration that is edited.
pub(super) enum Roster {
    /// By their ids.
    Entries(CstObject),
    /// In a list.
    List(CstArray),
}

impl Roster {
    /// The one that is there.
    pub(super) fn find(root: &CstObject) -> Result<Option<Self>, WrongPart> {
        let Some(agents) = root.object_value("agents") else { return Ok(None) };
        if let Some(entries) = agents.get("entries") {
            return entries.object_value().map(Self::Entries).ok_or(NO_ENTRIES).map(Some);
        }
        let list = agents.get("list");
        list.map(|list| list.array_value().map(Self::List).ok_or(NO_LIST)).transpose()
    }

    /// The one that is there, else a new one.
    pub(super) fn find_or_create(root: &CstObject, by_id: bool) -> Result<Self, WrongPart> {
        let found = Self::find(root)?;
        let agents = child(root, "agents")?;
        match (found, by_id) {
            (Some(found), _) => {
                // First, so that a comment after the last entry stays behind that entry.
                match &found {
                    Self::List(list) => list.ensure_multiline(),
                    Self::Entries(entries) => entries.ensure_multiline(),
                }
                Ok(found)
            }
            (None, true) => {
                let entries = agents.object_value_or_create("entries").ok_or(NO_ENTRIES)?;
                entries.ensure_multiline();
                Ok(Self::Entries(entries))
            }
            (None, false) => {
                let list = agents.array_value_or_create("list").ok_or(NO_LIST)?;
                list.ensure_multiline();
                Ok(Self::List(list))
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Entries(entries) => entries.properties().len(),
            Self::List(list) => list.elements().len(),
        }
    }

    /// The entry of an agent.
    pub(super) fn entry(&self, id: &AgentId) -> Option<CstObject> {
        match self {
            Self::Entries(entries) => {
                let mut properties = entries.properties().into_iter();
                properties.find(|it| is_of(it, id))?.object_value()
            }
            Self::List(list) => {
                list.elements().into_iter().find(|node| is_entry_of(node, id))?.as_object()
            }
        }
    }

    /// Lists an agent; the first of `members` is its id.
    pub(super) fn add(&self, members: &[(&str, &str)]) -> Result<CstObject, WrongPart> {
        let no_entry = || WrongPart::NoObject("the entry of the agent");
        match self {
            Self::List(list) => list.append(object(members)).as_object().ok_or_else(no_entry),
            Self::Entries(entries) => {
                let id = members.first().map_or("", |(_, id)| id);
                let entry = entries.append(id, object(members.get(1..).unwrap_or_default()));
                entry.object_value().ok_or_else(no_entry)
            }
        }
    }

    /// Removes every entry of an agent; how many there were.
    pub(super) fn remove(&self, id: &AgentId) -> usize {
        match self {
            Self::Entries(entries) => {
                let properties = entries.properties().into_iter();
                let matching: Vec<_> = properties.filter(|it| is_of(it, id)).collect();
                let count = matching.len();
                matching.into_iter().for_each(jsonc_parser::cst::CstObjectProp::remove);
                count
            }
            Self::List(list) => {
                let elements = list.elements().into_iter();
                let matching: Vec<_> = elements.filter(|node| is_entry_of(node, id)).collect();
                let count = matching.len();
                matching.into_iter().for_each(CstNode::remove);
                count
            }
        }
    }

    /// Says who owns what, where several agents are listed by their ids. `default` is the one
    /// that commands mean when they name none.
    pub(super) fn own(&self, root: &CstObject, default: &AgentId) -> Result<(), WrongPart> {
        if !matches!(self, Self::Entries(_)) || self.len() < 2 {
            return Ok(());
        }
        let agents = child(root, "agents")?;
        if agents.get("ownership").is_none() {
            set(&agents, "ownership", "explicit".into());
        }
        let defaults = agents
            .object_value_or_create("defaults")
            .ok_or(WrongPart::NoObject("`agents.defaults`"))?;
        if defaults.get("systemAgent").is_none() {
            let agent =
                CstInputValue::Object(vec![("agentId".to_owned(), default.as_str().into())]);
            defaults.append("systemAgent", agent);
        }
        Ok(())
    }
}

fn is_of(property: &jsonc_parser::cst::CstObjectProp, id: &AgentId) -> bool {
    let name = property.name().and_then(|name| name.decoded_value().ok());
    name.is_some_and(|name| id.is_named(&name))
}

fn is_entry_of(node: &CstNode, id: &AgentId) -> bool {
    let entry = node.to_serde_value().unwrap_or_default();
    entry["id"].as_str().is_some_and(|name| id.is_named(name))
}

fn object(members: &[(&str, &str)]) -> CstInputValue {
    let members = members.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
    CstInputValue::Object(members.collect())
}
