//! The document of an agent's sessions, as far as it pins a model or a profile:
//! `{<session key>: {…, "authProfileOverride": …}}`.
//!
//! Invariant: other sessions, and other fields of the session, keep their text.

use super::StoreError;
use super::files::{acquire, invalid, write};
use super::json_text::{RawObject, pretty, raw};
use crate::profile::{Millis, ProfileId, ProviderId};
use crate::system::{file, lock};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The fields that say which model a session last ran with: they are out of date as soon
/// as another one is pinned.
const DERIVED: [&str; 6] = [
    "model",
    "modelProvider",
    "contextTokens",
    "fallbackNoticeSelectedModel",
    "fallbackNoticeActiveModel",
    "fallbackNoticeReason",
];
const PROFILE: &str = "authProfileOverride";
const PROFILE_SOURCE: &str = "authProfileOverrideSource";
const COMPACTION_COUNT: &str = "authProfileOverrideCompactionCount";
const PROVIDER: &str = "providerOverride";
const MODEL: &str = "modelOverride";
const MODEL_SOURCE: &str = "modelOverrideSource";
const SWITCH_PENDING: &str = "liveModelSwitchPending";
const UPDATED_AT: &str = "updatedAt";
/// Who pinned: a person, as opposed to `auto`.
const USER: &str = "user";

/// What a session pins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionOverride {
    /// The provider of the pinned model.
    #[serde(rename = "providerOverride", deserialize_with = "text")]
    pub provider: Option<ProviderId>,
    /// The pinned model.
    #[serde(rename = "modelOverride", deserialize_with = "text")]
    pub model: Option<String>,
    /// Who pinned the model.
    #[serde(rename = "modelOverrideSource", deserialize_with = "text")]
    pub model_source: Option<String>,
    /// The pinned profile.
    #[serde(rename = "authProfileOverride", deserialize_with = "text")]
    pub profile: Option<ProfileId>,
    /// Who pinned the profile, where that is recorded.
    #[serde(rename = "authProfileOverrideSource", deserialize_with = "text")]
    pub profile_source: Option<String>,
    /// How often the session had been compacted when a rotation chose the profile.
    #[serde(rename = "authProfileOverrideCompactionCount", deserialize_with = "whole")]
    pub compaction_count: Option<u64>,
    /// The provider that the session last used.
    #[serde(rename = "modelProvider", deserialize_with = "text")]
    pub last_provider: Option<ProviderId>,
}

impl SessionOverride {
    /// Who pinned the profile: what is recorded, else rotation where it left its count,
    /// else a person. `None` when no profile is pinned.
    pub fn effective_profile_source(&self) -> Option<&str> {
        self.profile.as_ref()?;
        let guess = if self.compaction_count.is_some() { "auto" } else { USER };
        Some(self.profile_source.as_deref().unwrap_or(guess))
    }
}

/// The sessions of one agent.
#[derive(Clone, Debug)]
pub struct SessionStore {
    path: PathBuf,
}

/// One session in its document.
struct Session {
    sessions: RawObject,
    key: String,
    entry: RawObject,
}

impl SessionStore {
    /// The sessions in the document at `path`.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The document.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The session under the first of `keys` that there is, with its key. Takes no lock.
    ///
    /// # Errors
    /// The document exists and cannot be read.
    pub fn find(&self, keys: &[String]) -> Result<Option<(String, SessionOverride)>, StoreError> {
        let Some(Session { key, entry, .. }) = self.read(keys)? else { return Ok(None) };
        Ok(Some((key, overrides(&entry))))
    }

    /// Pins what a person asked for: the model, if one is given (`None` in it stands for
    /// the agent's usual one), and with it the profile or no profile; else the profile
    /// alone. `None` when there is no such session.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn pin(
        &self,
        keys: &[String],
        model: Option<Option<(&ProviderId, &str)>>,
        profile: Option<&ProfileId>,
        now: Millis,
    ) -> Result<Option<(String, SessionOverride)>, StoreError> {
        self.change(keys, now, |entry| {
            if let Some(model) = model {
                remove(entry, &DERIVED);
                match model {
                    Some((provider, model)) => {
                        set(entry, PROVIDER, provider);
                        set(entry, MODEL, &model);
                        set(entry, MODEL_SOURCE, &USER);
                    }
                    None => remove(entry, &[PROVIDER, MODEL, MODEL_SOURCE]),
                }
                set(entry, SWITCH_PENDING, &true);
            }
            pin_profile(entry, profile);
        })
    }

    /// Pins nothing any more. `None` when there is no such session.
    ///
    /// # Errors
    /// The lock, the document or the disk; nothing has changed then.
    pub fn unpin(
        &self,
        keys: &[String],
        now: Millis,
    ) -> Result<Option<(String, SessionOverride)>, StoreError> {
        self.change(keys, now, |entry| {
            if entry.contains_key(MODEL) || entry.contains_key(PROVIDER) {
                remove(entry, &DERIVED);
                remove(entry, &[PROVIDER, MODEL, MODEL_SOURCE]);
                set(entry, SWITCH_PENDING, &true);
            }
            pin_profile(entry, None);
        })
    }

    fn change(
        &self,
        keys: &[String],
        now: Millis,
        change: impl FnOnce(&mut RawObject),
    ) -> Result<Option<(String, SessionOverride)>, StoreError> {
        // Without the document there is no session, and nothing to lock.
        if self.read(keys)?.is_none() {
            return Ok(None);
        }
        let _lock = acquire(&self.path, None, lock::TIMEOUT)?;
        let Some(Session { mut sessions, key, mut entry }) = self.read(keys)? else {
            return Ok(None);
        };
        let before = text_of(&entry);
        change(&mut entry);
        let after = overrides(&entry);
        if text_of(&entry) == before {
            return Ok(Some((key, after)));
        }
        set(&mut entry, UPDATED_AT, &now);
        let failed = |error| invalid(&self.path, &error);
        sessions.insert(key.clone(), raw(&entry).map_err(failed)?);
        let text = serde_json::to_string(&sessions).map_err(failed)?;
        write(&self.path, &pretty(&text))?;
        Ok(Some((key, after)))
    }

    fn read(&self, keys: &[String]) -> Result<Option<Session>, StoreError> {
        let text = match file::read(&self.path) {
            Ok(None) => return Ok(None),
            Ok(Some((text, _))) => text,
            Err(source) => {
                return Err(StoreError::Read {
                    location: self.path.clone().into(),
                    source: Arc::new(source),
                });
            }
        };
        let failed = |error| invalid(&self.path, &error);
        let sessions: RawObject =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(failed)?;
        let Some(key) = keys.iter().find(|key| sessions.contains_key(*key)) else {
            return Ok(None);
        };
        let entry = serde_json::from_str(sessions[key].get()).map_err(failed)?;
        Ok(Some(Session { key: key.clone(), sessions, entry }))
    }
}

fn pin_profile(entry: &mut RawObject, profile: Option<&ProfileId>) {
    match profile {
        Some(profile) => {
            set(entry, PROFILE, profile);
            set(entry, PROFILE_SOURCE, &USER);
        }
        None => remove(entry, &[PROFILE, PROFILE_SOURCE]),
    }
    remove(entry, &[COMPACTION_COUNT]);
}

fn overrides(entry: &RawObject) -> SessionOverride {
    serde_json::from_str(&text_of(entry)).unwrap_or_default()
}

fn text_of(entry: &RawObject) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}

fn set<T: serde::Serialize>(entry: &mut RawObject, field: &str, value: &T) {
    if let Ok(value) = raw(value) {
        entry.insert(field.to_owned(), value);
    }
}

fn remove(entry: &mut RawObject, fields: &[&str]) {
    entry.retain(|field, _| !fields.contains(&field.as_str()));
}

/// A text that is not blank; anything else is none.
fn text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: for<'t> From<&'t str>,
{
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(T::from))
}

fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSIONS: &str = r#"{
  "other": {
    "n": 1.50
  },
  "agent:main:main": {
    "sessionId": "x",
    "updatedAt": 1,
    "model": "old",
    "modelProvider": "q",
    "authProfileOverride": "q:1",
    "authProfileOverrideSource": "auto",
    "authProfileOverrideCompactionCount": 3,
    "odd": "\u0041"
  }
}
"#;

    fn changed(change: impl Fn(&SessionStore, &[String])) -> String {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("sessions.json");
        file::replace(&path, SESSIONS.as_bytes()).unwrap();
        let store = SessionStore::new(path.clone());
        change(&store, &["nope".to_owned(), "agent:main:main".to_owned()]);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "no lock stays behind");
        file::read(&path).unwrap().unwrap().0
    }

    #[test]
    fn a_pinned_profile_is_the_users_and_the_rest_stays() {
        let text = changed(|store, keys| {
            assert_eq!(
                store.find(keys).unwrap().unwrap().1.effective_profile_source(),
                Some("auto")
            );
            store.pin(keys, None, Some(&"q:2".into()), 7).unwrap().unwrap();
        });
        let expected = SESSIONS
            .replace("\"q:1\"", "\"q:2\"")
            .replace("\"auto\"", "\"user\"")
            .replace("\"updatedAt\": 1", "\"updatedAt\": 7")
            .replace("    \"authProfileOverrideCompactionCount\": 3,\n", "");
        assert_eq!(text, expected);
    }

    #[test]
    fn a_pinned_model_drops_the_profile_and_what_was_derived() {
        let text = changed(|store, keys| {
            let (key, after) =
                store.pin(keys, Some(Some((&"p".into(), "m"))), None, 7).unwrap().unwrap();
            assert_eq!((key.as_str(), after.model.as_deref()), ("agent:main:main", Some("m")));
        });
        for gone in ["authProfile", "\"model\"", "modelProvider"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert!(text.contains("\"liveModelSwitchPending\": true"), "{text}");
    }

    #[test]
    fn nothing_is_written_when_nothing_changes_or_there_is_no_session() {
        let text = changed(|store, keys| {
            store.unpin(keys, 7).unwrap().unwrap();
            store.unpin(keys, 8).unwrap().unwrap();
            assert!(store.unpin(&["nope".to_owned()], 9).unwrap().is_none());
        });
        assert!(text.contains("\"updatedAt\": 7") && !text.contains("authProfile"), "{text}");
        assert!(text.contains("\"modelProvider\""), "no model was pinned: {text}");
    }
}
