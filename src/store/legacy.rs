//! The credential files that came before `auth-profiles.json`: `auth.json` beside it, and
//! `credentials/oauth.json` of the whole state directory, which belongs to `main`.
//!
//! Invariant: they are read, never written. They count while there is no
//! `auth-profiles.json`; the first update writes one that holds what they held.

use super::json_text::{RawObject, raw};
use super::{Document, StoreError};
use crate::profile::{Kind, MAIN_AGENT};
use crate::system::file;
use serde_json::value::RawValue;
use std::path::Path;

/// What the former files of an agent hold; an empty document when there are none.
pub(super) fn read(state_dir: &Path, agent_dir: &Path) -> Result<Document, StoreError> {
    let mut document = Document::default();
    let of_agent = entries(&agent_dir.join("auth.json"))?;
    // A file with profiles is no file of that age.
    let of_agent = of_agent.filter(|entries| !entries.contains_key("profiles"));
    let is_main = agent_dir == state_dir.join("agents").join(MAIN_AGENT).join("agent");
    let of_main = if is_main || of_agent.is_some() {
        entries(&state_dir.join("credentials/oauth.json"))?
    } else {
        None
    };
    for (provider, entry) in of_agent.into_iter().flatten() {
        add(&mut document, &provider, &entry, None);
    }
    for (provider, entry) in of_main.into_iter().flatten() {
        add(&mut document, &provider, &entry, Some(Kind::OAuth));
    }
    Ok(document)
}

fn entries(path: &Path) -> Result<Option<RawObject>, StoreError> {
    match file::read(path) {
        Ok(None) => Ok(None),
        Ok(Some((text, _))) => {
            let entries = serde_json::from_str(text.trim_start_matches('\u{feff}'));
            let invalid = |error: serde_json::Error| StoreError::Invalid {
                path: path.to_owned(),
                reason: error.to_string(),
            };
            entries.map(Some).map_err(invalid)
        }
        Err(source) => Err(StoreError::Read { path: path.to_owned(), source }),
    }
}

/// Adds an entry as `<provider>:default`, unless there is one: its type and provider
/// first, then its other fields as they are.
fn add(document: &mut Document, provider: &str, entry: &RawValue, kind: Option<Kind>) {
    let id = format!("{provider}:default");
    let Ok(mut fields) = serde_json::from_str::<RawObject>(entry.get()) else { return };
    if document.has_entry(&id) {
        return;
    }
    let mut whole = RawObject::new();
    let named = |kind: Kind| raw(kind.name()).ok();
    if let Some(kind) = kind.and_then(named).or_else(|| fields.shift_remove("type")) {
        whole.insert("type".to_owned(), kind);
    }
    fields.shift_remove("type");
    if let Some(provider) = fields.shift_remove("provider").or_else(|| raw(provider).ok()) {
        whole.insert("provider".to_owned(), provider);
    }
    whole.extend(fields);
    if let Ok(whole) = raw(&whole) {
        document.set_entry(&id, whole);
    }
}
