//! The auth-state document: order, last good profile, and usage statistics.
//!
//! A refused grant is remembered in the statistics of its profile, by the hash of its
//! refresh token: OpenClaw keeps fields there that it does not know, and a new login has
//! another hash.

use super::Document;
use super::json_text::{RawObject, pretty, raw};
use crate::profile::{Millis, UsageStats, normalize_provider_id};
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const ORDER: &str = "order";
const LAST_GOOD: &str = "lastGood";
const USAGE_STATS: &str = "usageStats";
const REFUSED_GRANT: &str = "refusedGrant";

/// An auth-state document. Values that we do not touch keep their text.
#[derive(Debug)]
pub struct StateDocument(RawObject);

impl Default for StateDocument {
    fn default() -> Self {
        let version = raw(&1).unwrap_or_default();
        Self(RawObject::from([("version".to_owned(), version)]))
    }
}

/// A grant that the server has refused.
#[derive(Debug, Deserialize, Serialize)]
struct RefusedGrant {
    /// The hash of its refresh token.
    hash: String,
    /// The server's error code.
    reason: String,
    /// When, in milliseconds since the epoch.
    at: Millis,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageWire {
    #[serde(default)]
    last_used: Option<f64>,
    #[serde(default)]
    cooldown_until: Option<f64>,
    #[serde(default)]
    disabled_until: Option<f64>,
}

impl StateDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map(Self)
    }

    /// The document as text: two spaces a level, a final newline.
    ///
    /// # Errors
    /// Never in practice: every part is JSON already.
    pub fn to_text(&self) -> serde_json::Result<String> {
        Ok(pretty(&serde_json::to_string(&self.0)?))
    }

    /// Takes over what the old layout keeps inside the profiles document and this
    /// document does not have.
    pub(super) fn fill_from(&mut self, profiles: &Document) {
        for member in [ORDER, LAST_GOOD, USAGE_STATS] {
            let Some(old) = profiles.member(member) else { continue };
            let Ok(mut merged) = serde_json::from_str::<RawObject>(old.get()) else { continue };
            // Old keys keep their place, as OpenClaw merges them.
            merged.extend(self.object(member));
            self.set_object(member, &merged);
        }
    }

    /// The stored order of a provider by its normalised id; an empty one counts as none.
    pub fn order(&self, provider: &str) -> Option<Vec<String>> {
        let orders = self.object(ORDER);
        let (_, order) = orders.iter().find(|(key, _)| normalize_provider_id(key) == provider)?;
        let ids: Vec<serde_json::Value> = serde_json::from_str(order.get()).ok()?;
        let ids = ids.iter().filter_map(serde_json::Value::as_str).map(str::trim);
        let ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
        (!ids.is_empty()).then_some(ids)
    }

    /// What is remembered about the use of a profile.
    pub fn usage(&self, profile_id: &str) -> UsageStats {
        let stats = self.object(USAGE_STATS);
        let Some(Ok(wire)) =
            stats.get(profile_id).map(|entry| serde_json::from_str::<UsageWire>(entry.get()))
        else {
            return UsageStats::default();
        };
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
        let time = |number: Option<f64>| number.map(|number| number as Millis);
        UsageStats {
            last_used: time(wire.last_used),
            cooldown_until: time(wire.cooldown_until),
            disabled_until: time(wire.disabled_until),
        }
    }

    /// Why the server refused this refresh token of a profile, if it did: the error code.
    pub fn refusal(&self, profile_id: &str, refresh_token: &Secret) -> Option<String> {
        let stats = self.object(USAGE_STATS);
        let entry: RawObject = serde_json::from_str(stats.get(profile_id)?.get()).ok()?;
        let refused: RefusedGrant = serde_json::from_str(entry.get(REFUSED_GRANT)?.get()).ok()?;
        (refused.hash == refresh_token.fingerprint()).then_some(refused.reason)
    }

    /// Remembers that the server refused this refresh token of a profile.
    pub fn set_refused(&mut self, profile_id: &str, token: &Secret, reason: &str, now: Millis) {
        let refused =
            RefusedGrant { hash: token.fingerprint(), reason: reason.to_owned(), at: now };
        let mut stats = self.object(USAGE_STATS);
        let mut entry: RawObject = stats
            .get(profile_id)
            .and_then(|entry| serde_json::from_str(entry.get()).ok())
            .unwrap_or_default();
        if let Ok(refused) = raw(&refused) {
            entry.insert(REFUSED_GRANT.to_owned(), refused);
        }
        if let Ok(entry) = raw(&entry) {
            stats.insert(profile_id.to_owned(), entry);
        }
        self.set_object(USAGE_STATS, &stats);
    }

    /// Ends the cooldown of a profile; whether there was one.
    pub fn clear_cooldown(&mut self, profile_id: &str) -> bool {
        let mut stats = self.object(USAGE_STATS);
        let Some(mut entry) = stats
            .get(profile_id)
            .and_then(|entry| serde_json::from_str::<RawObject>(entry.get()).ok())
        else {
            return false;
        };
        let fields = entry.len();
        entry.retain(|field, _| !(field.starts_with("cooldown") || field.starts_with("disabled")));
        let changed = entry.len() != fields;
        if changed && let Ok(entry) = raw(&entry) {
            stats.insert(profile_id.to_owned(), entry);
            self.set_object(USAGE_STATS, &stats);
        }
        changed
    }

    /// Removes every mention of a profile; whether there was one.
    pub fn forget(&mut self, profile_id: &str) -> bool {
        let mut changed = false;
        let mut stats = self.object(USAGE_STATS);
        if stats.shift_remove(profile_id).is_some() {
            self.set_object(USAGE_STATS, &stats);
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
        for value in orders.values_mut() {
            let Ok(ids) = serde_json::from_str::<Vec<Box<RawValue>>>(value.get()) else { continue };
            let kept: Vec<_> = ids.iter().filter(|id| !is_text(id, profile_id)).collect();
            if kept.len() != ids.len()
                && let Ok(kept) = raw(&kept)
            {
                *value = kept;
                changed = true;
            }
        }
        orders.retain(|_, ids| ids.get() != "[]");
        if changed {
            self.set_object(ORDER, &orders);
        }
        changed
    }

    pub(super) fn object(&self, member: &str) -> RawObject {
        self.0
            .get(member)
            .and_then(|value| serde_json::from_str(value.get()).ok())
            .unwrap_or_default()
    }

    fn set_object(&mut self, member: &str, object: &RawObject) {
        if object.is_empty() {
            self.0.shift_remove(member);
        } else if let Ok(object) = raw(object) {
            self.0.insert(member.to_owned(), object);
        }
    }
}

/// Whether the server has refused the refresh token that the credential holds.
pub fn is_refused(
    state: &StateDocument,
    profile_id: &str,
    credential: &crate::profile::Credential,
) -> bool {
    credential.refresh_token().is_some_and(|token| state.refusal(profile_id, token).is_some())
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
    }

    #[test]
    fn a_refusal_is_remembered_for_that_grant_only() {
        let mut state = StateDocument::parse(STATE).unwrap();
        let token = Secret::new("fake-refresh");
        state.set_refused("p:1", &token, "invalid_grant", 7);
        assert_eq!(state.refusal("p:1", &token).as_deref(), Some("invalid_grant"));
        assert!(state.refusal("p:1", &Secret::new("fake-other")).is_none());
        assert!(state.refusal("p:2", &token).is_none());
        let text = state.to_text().unwrap();
        assert!(!text.contains("fake-refresh"));
        assert!(text.contains("\"odd\": 1,") && text.contains("\"lastUsed\": 5"));
        assert_eq!(state.usage("p:1").cooldown_until, Some(9));
    }

    #[test]
    fn a_forgotten_profile_is_mentioned_nowhere() {
        let mut state = StateDocument::parse(STATE).unwrap();
        assert!(state.forget("p:1"));
        assert_eq!(state.order("p"), Some(vec!["p:2".to_owned()]));
        let text = state.to_text().unwrap();
        assert!(!text.contains("p:1") && !text.contains("\"q\""));
        assert!(!state.forget("p:1"));
    }

    #[test]
    fn the_old_layout_fills_what_is_missing() {
        let profiles =
            Document::parse(r#"{"profiles":{},"order":{"p":["old"],"z":["z:1"]}}"#).unwrap();
        let mut state = StateDocument::parse(STATE).unwrap();
        state.fill_from(&profiles);
        assert_eq!(state.order("p").unwrap(), ["p:1", "p:2"]);
        assert_eq!(state.order("z").unwrap(), ["z:1"]);
    }
}
