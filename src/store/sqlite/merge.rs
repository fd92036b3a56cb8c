//! One document out of the rows of an agent and those of all, and a change of it back into
//! the rows that it is about.
//!
//! Invariant: a row keeps every byte of what a change is not about.

use crate::secret::Secret;
use crate::store::document::OLD_LAYOUT;
use crate::store::json_text::{RawObject, compact, raw};
use crate::store::{Document, StateDocument};
use indexmap::IndexMap;
use serde_json::Result;
use serde_json::value::RawValue;

/// The profiles of both; those of the agent win.
pub(super) fn profiles(own: Option<&Secret>, shared: Option<&Secret>) -> Result<Document> {
    let parse = |text: &Secret| Document::parse(text.expose());
    match (own.map(parse).transpose()?, shared) {
        (None, None) => Ok(Document::default()),
        (Some(own), None) => Ok(own),
        (None, Some(shared)) => parse(shared),
        (Some(own), Some(shared)) => {
            let mut both = parse(shared)?;
            if own.entry_count() == 0 {
                return Ok(both);
            }
            for (id, _) in own.entries() {
                both.copy_entry(&own, id);
            }
            again(&both)
        }
    }
}

/// A document as if it had been read so.
pub(super) fn again(document: &Document) -> Result<Document> {
    Document::parse(document.to_text()?)
}

/// Fills `state` with what these rows say and it does not.
pub(super) fn fill_state(state: &mut StateDocument, row: Option<&Secret>) -> Result<()> {
    if let Some(row) = row {
        state.fill_from(&Document::parse(row.expose())?);
    }
    Ok(())
}

/// What a change does to the rows of profiles: the text of each entry and each further member
/// that is new or different, and none of each that is gone.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) entries: Entries,
    members: Vec<(String, Option<Box<RawValue>>)>,
}

/// Entries by profile.
pub(super) type Entries = Vec<(String, Option<Secret>)>;

impl Changes {
    /// These, of entries alone.
    pub(super) const fn of(entries: Entries) -> Self {
        Self { entries, members: Vec::new() }
    }

    /// What differs between what is stored and what is to be. Order and usage, which an old
    /// layout keeps among the profiles, are not part of it.
    pub(super) fn between(present: &Document, document: &Document) -> Self {
        let differs = |(id, text): &(&str, &str)| present.entry(id) != Some(*text);
        let set = document.entries().filter(differs);
        let set = set.map(|(id, text)| (id.to_owned(), Some(Secret::new(text))));
        let gone = present.entries().filter(|(id, _)| !document.has_entry(id));
        let entries = set.chain(gone.map(|(id, _)| (id.to_owned(), None))).collect();
        if present.is_new() {
            return Self { entries, members: Vec::new() };
        }
        let is_other = |name: &&str| *name != "profiles" && !OLD_LAYOUT.contains(name);
        let text =
            |document: &Document, name: &str| document.member(name).map(|it| it.get().to_owned());
        let mut names: Vec<&str> = document.member_names().chain(present.member_names()).collect();
        names.dedup();
        names.retain(|name| is_other(name) && text(present, name) != text(document, name));
        let members = names
            .into_iter()
            .map(|name| (name.to_owned(), document.member(name).map(ToOwned::to_owned)));
        Self { entries, members: members.collect() }
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.members.is_empty()
    }

    /// Those of the agent's row, which `has_own` entries, and those of the row of all. What is
    /// gone is gone from both, and so is the grant that `is_in_both`: it is spent.
    pub(super) fn split(
        self,
        has_own: impl Fn(&str) -> bool,
        is_in_both: impl Fn(&str) -> bool,
    ) -> (Self, Self) {
        let (own, mut shared): (Entries, Entries) =
            self.entries.into_iter().partition(|(id, _)| has_own(id));
        let is_shared = |(id, text): &&(String, Option<Secret>)| text.is_none() || is_in_both(id);
        shared.extend(own.iter().filter(is_shared).cloned());
        let own = Self { entries: own, members: Vec::new() };
        (own, Self { entries: shared, members: self.members })
    }
}

/// A row of profiles with these changes, without order and usage where they `drop_old` layout.
pub(super) fn changed_profiles(
    row: Option<&Secret>,
    changes: &Changes,
    drops_old: bool,
) -> Result<Secret> {
    let mut members = object(row)?;
    if row.is_none() {
        members.insert("version".to_owned(), raw(&1)?);
    }
    let profiles = members.get("profiles").map_or("{}", |it| it.get());
    let mut profiles: IndexMap<String, Box<RawValue>> = serde_json::from_str(profiles)?;
    for (id, text) in &changes.entries {
        match text {
            Some(text) => {
                profiles.insert(id.clone(), RawValue::from_string(compact(text.expose()))?);
            }
            None => {
                profiles.shift_remove(id);
            }
        }
    }
    members.insert("profiles".to_owned(), raw(&profiles)?);
    for (name, value) in &changes.members {
        match value {
            Some(value) => members.insert(name.clone(), value.clone()),
            None => members.shift_remove(name),
        };
    }
    if drops_old {
        members.retain(|name, value| {
            !(OLD_LAYOUT.contains(&name.as_str()) && value.get().starts_with('{'))
        });
        members.insert("version".to_owned(), raw(&1)?);
    }
    Ok(Secret::new(serde_json::to_string(&members)?))
}

fn object(row: Option<&Secret>) -> Result<RawObject> {
    row.map_or_else(|| Ok(RawObject::new()), |row| serde_json::from_str(row.expose()))
}

/// The rows of order and usage, as a change leaves them.
pub(super) struct States {
    /// That of the agent.
    pub(super) own: RawObject,
    /// That of all agents.
    pub(super) shared: RawObject,
    /// Whether the first has changed.
    pub(super) own_changed: bool,
    /// Whether the second has changed.
    pub(super) shared_changed: bool,
}

/// Where what is new in the state goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// All that is new goes to the rows of the agent.
    Own,
    /// An order goes to the rows of the agent, all else to those of all.
    Split,
    /// All that is new goes to the rows of all agents.
    Shared,
}

impl States {
    pub(super) fn new(own: Option<&Secret>, shared: Option<&Secret>) -> Result<Self> {
        let (own, shared) = (object(own)?, object(shared)?);
        Ok(Self { own, shared, own_changed: false, shared_changed: false })
    }

    /// Takes over what an old layout keeps in a row of profiles, where there is nothing yet.
    pub(super) fn take_over(&mut self, is_own: bool, profiles: &Document) -> Result<()> {
        for member in OLD_LAYOUT {
            let Some(old) = profiles.member(member) else { continue };
            let Ok(old) = serde_json::from_str::<RawObject>(old.get()) else { continue };
            for (key, value) in old {
                let row = if is_own { &self.own } else { &self.shared };
                if !part(row, member).contains_key(&key) {
                    self.set(is_own, member, &key, Some(value))?;
                }
            }
        }
        Ok(())
    }

    /// Carries what differs between two states over: to where it stands, else to its `home`.
    pub(super) fn change(
        &mut self,
        before: &StateDocument,
        after: &StateDocument,
        home: Home,
    ) -> Result<()> {
        let (before, after): (RawObject, RawObject) =
            (serde_json::from_str(&before.to_text()?)?, serde_json::from_str(&after.to_text()?)?);
        for member in OLD_LAYOUT {
            let (before, after) = (part(&before, member), part(&after, member));
            for (key, value) in &after {
                let is_same = before.get(key).is_some_and(|it| it.get() == value.get());
                if !is_same {
                    let is_own = part(&self.own, member).contains_key(key);
                    let is_shared = part(&self.shared, member).contains_key(key);
                    let goes_to_own = is_own
                        || match home {
                            Home::Own => true,
                            Home::Split => member == "order",
                            Home::Shared => false,
                        } && (!is_shared || home == Home::Split);
                    let value = RawValue::from_string(compact(value.get()))?;
                    self.set(goes_to_own, member, key, Some(value))?;
                }
            }
            for key in before.keys().filter(|key| !after.contains_key(*key)) {
                self.set(true, member, key, None)?;
                self.set(false, member, key, None)?;
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        in_own: bool,
        member: &str,
        key: &str,
        value: Option<Box<RawValue>>,
    ) -> Result<()> {
        let row = if in_own { &mut self.own } else { &mut self.shared };
        let mut values = part(row, member);
        let changed = match value {
            Some(value) => {
                values.insert(key.to_owned(), value);
                true
            }
            None => values.shift_remove(key).is_some(),
        };
        if !changed {
            return Ok(());
        }
        if values.is_empty() {
            row.shift_remove(member);
        } else {
            row.insert(member.to_owned(), raw(&values)?);
        }
        if in_own {
            self.own_changed = true;
        } else {
            self.shared_changed = true;
        }
        Ok(())
    }
}

/// The text of a row of order and usage; none where it says nothing.
pub(super) fn state_text(row: &RawObject) -> Result<Option<String>> {
    if row.keys().all(|name| name == "version") {
        return Ok(None);
    }
    let mut row = row.clone();
    if !row.contains_key("version") {
        row.shift_insert(0, "version".to_owned(), raw(&1)?);
    }
    serde_json::to_string(&row).map(Some)
}

fn part(row: &RawObject, member: &str) -> RawObject {
    row.get(member).and_then(|it| serde_json::from_str(it.get()).ok()).unwrap_or_default()
}
