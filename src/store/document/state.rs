//! The auth-state document: order, last good profile, and usage statistics.
//!
//! Invariant: a member, an order and a statistic that nobody changes keep their text,
//! even when they are not what they should be.

mod renamed;

use super::Document;
use super::layout::{LAST_GOOD, OLD_LAYOUT, ORDER, USAGE_STATS, unique_object};
use crate::profile::{ProfileId, ProviderId};
use crate::store::json_text::{RawObject, UniqueObject, pretty, raw};
use serde_json::value::RawValue;

const VERSION: &str = "version";
/// The members that we know, in the order in which OpenClaw writes them.
const KNOWN: [&str; 4] = [VERSION, ORDER, LAST_GOOD, USAGE_STATS];
/// An auth-state document. Values that we do not touch keep their text.
#[derive(Clone, Debug)]
pub struct StateDocument {
    members: RawObject,
    /// The statistics in parts; they stand in `members` as well until they change.
    usage: RawObject,
    usage_changed: bool,
}

impl Default for StateDocument {
    fn default() -> Self {
        let version = raw(&1).unwrap_or_default();
        Self { members: RawObject::from([(VERSION.to_owned(), version)]), ..Self::empty() }
    }
}

impl StateDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not a JSON object, or it repeats a key.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        let members: UniqueObject = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
        let mut state = Self { members: members.0, ..Self::empty() };
        for (name, value) in &state.members {
            match unique_object(name, value) {
                Some(Ok(usage)) if name == USAGE_STATS => state.usage = usage,
                Some(Err(repeated)) => return Err(repeated),
                _ => {}
            }
        }
        Ok(state)
    }

    fn empty() -> Self {
        Self { members: RawObject::new(), usage: RawObject::new(), usage_changed: false }
    }

    /// The document as text: two spaces a level, a final newline.
    ///
    /// # Errors
    /// Never in practice: every part is JSON already.
    pub fn to_text(&self) -> serde_json::Result<String> {
        if !self.usage_changed {
            return Ok(pretty(&serde_json::to_string(&self.members)?));
        }
        let mut whole = self.clone();
        whole.set_object(USAGE_STATS, &self.usage);
        Ok(pretty(&serde_json::to_string(&whole.members)?))
    }

    /// Whether the document says nothing, so that no file is needed.
    pub fn is_empty(&self) -> bool {
        let is_empty_object = |value: &RawValue| {
            serde_json::from_str::<RawObject>(value.get()).is_ok_and(|object| object.is_empty())
        };
        let mut others = self.members.iter().filter(|(name, _)| match name.as_str() {
            VERSION => false,
            USAGE_STATS => !self.usage_changed,
            _ => true,
        });
        self.usage.is_empty()
            && others.all(|(name, value)| KNOWN.contains(&name.as_str()) && is_empty_object(value))
    }

    /// Takes over what the old layout keeps inside the profiles document and this
    /// document does not have.
    pub(in crate::store) fn fill_from(&mut self, profiles: &Document) {
        for member in OLD_LAYOUT {
            let Some(old) = profiles.member(member) else { continue };
            let Ok(old) = serde_json::from_str::<RawObject>(old.get()) else { continue };
            let mut merged =
                if member == USAGE_STATS { self.usage.clone() } else { self.object(member) };
            let mut news = Vec::new();
            for (key, value) in old {
                let is_there = match member {
                    ORDER => {
                        let provider = ProviderId::from(key.as_str());
                        merged.keys().any(|known| provider.is_spelt(known))
                    }
                    _ => merged.contains_key(&key),
                };
                if !is_there {
                    news.push((key, value));
                }
            }
            if news.is_empty() {
                continue;
            }
            // What was there first comes first.
            merged.splice(0..0, news);
            if member == USAGE_STATS {
                self.usage = merged;
                self.usage_changed = true;
            } else {
                self.set_object(member, &merged);
            }
        }
    }

    /// Says that the document is of the layout that we write.
    pub(in crate::store) fn set_version(&mut self) {
        if let Ok(version) = raw(&1) {
            self.members.insert(VERSION.to_owned(), version);
        }
    }

    /// The stored order of a provider by its normalised id; an empty one counts as none.
    pub fn order(&self, provider: &ProviderId) -> Option<Vec<ProfileId>> {
        let orders = self.object(ORDER);
        let orders = orders.iter().filter(|(key, _)| provider.is_spelt(key));
        orders.filter_map(|(_, order)| ids(order)).find(|ids| !ids.is_empty())
    }

    /// The stored orders, each with its provider.
    pub fn orders(&self) -> Vec<(ProviderId, Vec<ProfileId>)> {
        let orders = self.object(ORDER);
        let orders = orders.iter();
        orders.filter_map(|(key, order)| Some((key.as_str().into(), ids(order)?))).collect()
    }

    /// Stores the order of a provider under its normalised id; none when it is empty.
    /// Whether that changed anything.
    pub fn set_order(&mut self, provider: &ProviderId, order: &[ProfileId]) -> bool {
        let mut orders = self.object(ORDER);
        let before = orders.len();
        orders.retain(|key, _| key == provider.as_str() || !provider.is_spelt(key));
        let mut changed = orders.len() != before;
        if order.is_empty() {
            changed |= orders.shift_remove(provider.as_str()).is_some();
        } else if orders.get(provider.as_str()).and_then(|present| ids(present)).as_deref()
            != Some(order)
            && let Ok(order) = raw(order)
        {
            orders.insert(provider.as_str().to_owned(), order);
            changed = true;
        }
        if changed {
            self.set_object(ORDER, &orders);
        }
        changed
    }

    /// Puts a profile first in the stored order of its provider, where there is one;
    /// whether that changed something.
    pub fn put_first(&mut self, provider: &ProviderId, profile_id: &ProfileId) -> bool {
        let Some(mut ids) = self.order(provider) else { return false };
        if ids.first().is_some_and(|first| first == profile_id) {
            return false;
        }
        ids.retain(|id| id != profile_id);
        ids.insert(0, profile_id.clone());
        let mut orders = self.object(ORDER);
        let key = orders.keys().find(|key| provider.is_spelt(key)).cloned();
        if let (Some(key), Ok(ids)) = (key, raw(&ids)) {
            orders.insert(key, ids);
            self.set_object(ORDER, &orders);
        }
        true
    }

    /// Remembers the profile of a provider that worked last.
    pub fn set_last_good(&mut self, provider: &ProviderId, profile_id: &str) {
        let mut last_good = self.object(LAST_GOOD);
        if let Ok(id) = raw(profile_id) {
            last_good.insert(provider.as_str().to_owned(), id);
            self.set_object(LAST_GOOD, &last_good);
        }
    }

    /// Removes every mention of a profile; whether there was one.
    pub fn forget(&mut self, profile_id: &str) -> bool {
        let mut changed = false;
        if self.usage.shift_remove(profile_id).is_some() {
            self.usage_changed = true;
            changed = true;
        }
        let mut last_good = self.object(LAST_GOOD);
        let good = last_good.len();
        last_good.retain(|_, id| !is_text(id, profile_id));
        if last_good.len() != good {
            self.set_object(LAST_GOOD, &last_good);
            changed = true;
        }
        let mut orders = self.object(ORDER);
        let mut listed = false;
        for value in orders.values_mut() {
            let Ok(ids) = serde_json::from_str::<Vec<Box<RawValue>>>(value.get()) else { continue };
            let kept: Vec<_> = ids.iter().filter(|id| !is_text(id, profile_id)).collect();
            if kept.len() != ids.len()
                && let Ok(kept) = raw(&kept)
            {
                *value = kept;
                listed = true;
            }
        }
        if listed {
            orders.retain(|_, ids| ids.get() != "[]");
            self.set_object(ORDER, &orders);
        }
        changed || listed
    }

    /// The profiles with statistics, and the text of those, in document order.
    pub(in crate::store) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.usage.iter().map(|(id, entry)| (id.as_str(), entry.get()))
    }

    /// The text of the statistics of a profile.
    pub(in crate::store) fn entry(&self, profile_id: &str) -> Option<&str> {
        self.usage.get(profile_id).map(|entry| entry.get())
    }

    pub(in crate::store) fn change_entry(
        &mut self,
        profile_id: &str,
        change: impl FnOnce(&mut RawObject),
    ) {
        let present = self.usage.get(profile_id);
        let mut entry: RawObject =
            present.and_then(|entry| serde_json::from_str(entry.get()).ok()).unwrap_or_default();
        change(&mut entry);
        if let Ok(entry) = raw(&entry) {
            self.usage.insert(profile_id.to_owned(), entry);
            self.usage_changed = true;
        }
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn drop_entry(&mut self, profile_id: &str) {
        self.usage.shift_remove(profile_id);
        self.usage_changed = true;
    }

    /// A member that has to be an object and is none.
    pub fn foreign_member(&self) -> Option<&'static str> {
        OLD_LAYOUT.into_iter().find(|name| self.is_foreign(name))
    }

    fn is_foreign(&self, member: &str) -> bool {
        self.members.get(member).is_some_and(|value| {
            value.get() != "null" && serde_json::from_str::<RawObject>(value.get()).is_err()
        })
    }

    fn object(&self, member: &str) -> RawObject {
        object(&self.members, member)
    }

    /// Replaces a member in its place, else puts it where OpenClaw would.
    fn set_object(&mut self, member: &str, object: &RawObject) {
        if self.is_foreign(member) {
            // What we cannot interpret stays as it is.
            return;
        }
        if object.is_empty() {
            self.members.shift_remove(member);
            return;
        }
        let Ok(object) = raw(object) else { return };
        if let Some(present) = self.members.get_mut(member) {
            *present = object;
            return;
        }
        let later = KNOWN.iter().skip_while(|known| **known != member).skip(1);
        let place = later.filter_map(|known| self.members.get_index_of(*known)).min();
        let place = place.unwrap_or(self.members.len());
        self.members.shift_insert(place, member.to_owned(), object);
    }
}

fn object(members: &RawObject, member: &str) -> RawObject {
    let value = members.get(member);
    value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

/// The ids in a stored order; what is no id is left out.
fn ids(order: &RawValue) -> Option<Vec<ProfileId>> {
    let ids: Vec<serde_json::Value> = serde_json::from_str(order.get()).ok()?;
    let ids = ids.iter().filter_map(serde_json::Value::as_str).map(str::trim);
    Some(ids.filter(|id| !id.is_empty()).map(ProfileId::from).collect())
}

fn is_text(value: &RawValue, text: &str) -> bool {
    serde_json::from_str::<String>(value.get()).is_ok_and(|value| value == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{
  "version": 3,
  "odd": 1.50,
  "lastGood": {
    "p": "p:1"
  },
  "order": {
    "p": [
      "p:1",
      "p:2"
    ],
    "q": [
      "p:1"
    ]
  },
  "usageStats": {
    "p:1": {
      "lastUsed": 5,
      "cooldownUntil": 9,
      "odd": 1
    }
  }
}
"#;

    #[test]
    fn a_rewrite_changes_nothing_else() {
        assert_eq!(StateDocument::parse(STATE).unwrap().to_text().unwrap(), STATE);
        let mut state = StateDocument::parse(STATE).unwrap();
        assert!(state.change_usage("p:1", |usage| usage.cooldown_until = Some(10)));
        assert_eq!(state.to_text().unwrap(), STATE.replace("Until\": 9", "Until\": 10"));
        let odd = "{\n  \"order\": 5,\n  \"usageStats\": \"x\"\n}\n";
        assert_eq!(StateDocument::parse(odd).unwrap().to_text().unwrap(), odd);
    }

    #[test]
    fn a_new_login_comes_first_in_a_stored_order() {
        let mut state = StateDocument::parse(STATE).unwrap();
        assert!(state.put_first(&"p".into(), &"p:new".into()));
        assert_eq!(state.order(&"p".into()).unwrap(), ["p:new", "p:1", "p:2"]);
        assert!(!state.put_first(&"p".into(), &"p:new".into()));
        assert!(!state.put_first(&"other".into(), &"p:new".into()), "no order is made up");
    }

    #[test]
    fn a_forgotten_profile_is_mentioned_nowhere() {
        let mut state = StateDocument::parse(STATE).unwrap();
        assert!(state.forget("p:1"));
        assert_eq!(state.order(&"p".into()), Some(vec!["p:2".into()]));
        let text = state.to_text().unwrap();
        assert!(!text.contains("p:1") && !text.contains("\"q\""));
        assert!(!state.forget("p:1"));
    }

    #[test]
    fn an_order_replaces_every_spelling_and_stands_where_openclaw_puts_it() {
        let mut state = StateDocument::parse(r#"{"version":1,"lastGood":{"p":"a"}}"#).unwrap();
        assert!(state.set_order(&"zai".into(), &["z:1".into()]));
        assert!(!state.set_order(&"zai".into(), &["z:1".into()]));
        let text = state.to_text().unwrap();
        assert!(text.find("order").unwrap() < text.find("lastGood").unwrap(), "{text}");
        let text = r#"{"order":{"Z.AI":["a"],"p":["b"],"z-ai":["c"]}}"#;
        let mut state = StateDocument::parse(text).unwrap();
        assert_eq!(state.order(&"zai".into()).unwrap(), ["a"]);
        assert!(state.set_order(&"zai".into(), &[]));
        assert!(!state.set_order(&"zai".into(), &[]) && !state.is_empty());
        assert!(state.set_order(&"p".into(), &[]) && state.is_empty());
    }

    #[test]
    fn the_old_layout_fills_what_is_missing() {
        let profiles = r#"{"profiles":{},"order":{"p":["old"],"z":["z:1"]},"lastGood":{"p":"x"},
            "usageStats":{"p:1":{"lastUsed":1},"p:9":{"lastUsed":9}}}"#;
        let profiles = Document::parse(profiles).unwrap();
        let mut state = StateDocument::parse(STATE).unwrap();
        state.fill_from(&profiles);
        assert_eq!(state.order(&"p".into()).unwrap(), ["p:1", "p:2"]);
        assert_eq!(state.order(&"z".into()).unwrap(), ["z:1"]);
        assert_eq!(state.usage("p:1").last_used, Some(5));
        assert_eq!(state.usage("p:9").last_used, Some(9));
        let again = state.to_text().unwrap();
        state.fill_from(&profiles);
        assert_eq!(state.to_text().unwrap(), again);
    }
}
