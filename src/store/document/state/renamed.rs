//! What the state says of a profile that gets another id.
//!
//! Invariant: [`StateDocument::add_id`] comes before the profile is renamed, and
//! [`StateDocument::replace_id`] after it: at every moment the id that it has is in its orders.

use super::{LAST_GOOD, ORDER, StateDocument, is_text};
use crate::store::json_text::raw;
use serde_json::value::RawValue;

impl StateDocument {
    /// Says of the profile `to` what is said of `from`, which is about to get that id; whether
    /// that changed something.
    pub fn add_id(&mut self, from: &str, to: &str) -> bool {
        let mut changed = self.copy_usage(from, to);
        changed |= self.change_orders(|ids| put_before(ids, from, to));
        changed
    }

    /// Says nothing of `from` any more, which has the id `to` by now; whether that changed
    /// something.
    pub fn replace_id(&mut self, from: &str, to: &str) -> bool {
        let mut changed = false;
        if self.usage.contains_key(from) {
            if !self.usage.contains_key(to) {
                self.copy_usage(from, to);
            }
            self.usage.shift_remove(from);
            self.usage_changed = true;
            changed = true;
        }
        let mut last_good = self.object(LAST_GOOD);
        let mut is_good = false;
        for id in last_good.values_mut().filter(|id| is_text(id, from)) {
            let Ok(other) = raw(to) else { continue };
            *id = other;
            is_good = true;
        }
        if is_good {
            self.set_object(LAST_GOOD, &last_good);
            changed = true;
        }
        changed |= self.change_orders(|ids| {
            put_before(ids, from, to);
            ids.retain(|id| !is_text(id, from));
        });
        changed
    }

    fn copy_usage(&mut self, from: &str, to: &str) -> bool {
        let Some(usage) = self.usage.get(from).cloned() else { return false };
        if self.usage.get(to).is_some_and(|present| present.get() == usage.get()) {
            return false;
        }
        self.usage.insert(to.to_owned(), usage);
        self.usage_changed = true;
        true
    }

    /// Changes the stored orders that are lists; whether one differs then.
    fn change_orders(&mut self, change: impl Fn(&mut Vec<Box<RawValue>>)) -> bool {
        let mut orders = self.object(ORDER);
        let mut changed = false;
        for value in orders.values_mut() {
            let Ok(mut ids) = serde_json::from_str::<Vec<Box<RawValue>>>(value.get()) else {
                continue;
            };
            let text = |ids: &[Box<RawValue>]| -> Vec<String> {
                ids.iter().map(|id| id.get().to_owned()).collect()
            };
            let before = text(&ids);
            change(&mut ids);
            if text(&ids) != before
                && let Ok(ids) = raw(&ids)
            {
                *value = ids;
                changed = true;
            }
        }
        if changed {
            self.set_object(ORDER, &orders);
        }
        changed
    }
}

/// Puts `to` before `from` in an order, unless it is there.
fn put_before(ids: &mut Vec<Box<RawValue>>, from: &str, to: &str) {
    let at = ids.iter().position(|id| is_text(id, from));
    if let (Some(at), false) = (at, ids.iter().any(|id| is_text(id, to)))
        && let Ok(to) = raw(to)
    {
        ids.insert(at, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ids_are_in_the_orders_until_the_former_one_is_replaced() {
        let text = r#"{"version":1,"order":{"p":["p:b","p:a"],"q":"odd","r":[1,"p:a"]},
            "lastGood":{"p":"p:a","q":"p:b"},"usageStats":{"p:a":{"errorCount":2,"odd":1.50}}}"#;
        let order = |state: &StateDocument| -> Vec<String> {
            let ids = state.order(&"p".into()).unwrap();
            ids.iter().map(|id| id.as_str().to_owned()).collect()
        };
        let mut state = StateDocument::parse(text).unwrap();
        assert!(state.add_id("p:a", "p:z") && !state.add_id("p:a", "p:z"));
        let both = state.to_text().unwrap();
        assert_eq!(order(&state), ["p:b", "p:z", "p:a"]);
        assert!(both.contains(r#""p": "p:a""#) && both.matches("1.50").count() == 2, "{both}");
        assert!(state.replace_id("p:a", "p:z") && !state.replace_id("p:a", "p:z"));
        let after = state.to_text().unwrap();
        assert!(!after.contains("p:a") && after.contains("\"odd\": 1.50"), "{after}");
        assert_eq!(order(&state), ["p:b", "p:z"]);
        assert!(after.contains(r#""p": "p:z""#) && after.contains(r#""q": "odd""#), "{after}");
        assert!(!StateDocument::parse("{}").unwrap().replace_id("p:a", "p:z"));
    }
}
