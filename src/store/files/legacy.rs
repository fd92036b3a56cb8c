//! The files that OpenClaw kept credentials in before `auth-profiles.json`: `auth.json` of
//! an agent, and the shared `credentials/oauth.json`. Both map providers to credentials.
//!
//! They are read where there is no document yet. The first write of the document imports
//! them; then `auth.json` becomes a backup without its API keys. Each step may be the last
//! one: the document is complete before anything else is touched.

use crate::profile::Kind;
use crate::store::json_text::{RawObject, pretty, raw};
use crate::store::{Document, StoreError};
use crate::system::file;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The document that the legacy files amount to; an empty one when there are none.
pub(super) fn read(agent_dir: &Path, oauth_file: Option<&Path>) -> Result<Document, StoreError> {
    let mut document = Document::default();
    for (provider, entry) in members(&agent_file(agent_dir))? {
        if let Some(entry) = credential(&entry) {
            import(&mut document, &provider, entry);
        }
    }
    let shared = oauth_file.map(members).transpose()?.unwrap_or_default();
    for (provider, entry) in shared {
        if let Ok(mut entry) = serde_json::from_str::<RawObject>(entry.get())
            && !document.has_entry(&profile_id(&provider))
        {
            if let Ok(kind) = raw(Kind::OAuth.name()) {
                entry.shift_insert(0, "type".to_owned(), kind);
            }
            import(&mut document, &provider, entry);
        }
    }
    Ok(document)
}

/// Turns `auth.json` into a backup without its API keys, once `document`, which is stored,
/// holds its entries: because this write has just imported them, or as they are. Entries
/// that the document never had, or holds otherwise, stay where they are.
///
/// # Errors
/// A file cannot be written; the document is complete all the same.
pub(super) fn retire(
    agent_dir: &Path,
    document: &Document,
    just_imported: bool,
) -> Result<(), StoreError> {
    let path = agent_file(agent_dir);
    let failed =
        |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
    let mut kept = members(&path)?;
    let is_stored = |provider: &str, entry: &RawValue| {
        let Some(entry) = credential(entry) else { return true };
        let id = profile_id(provider);
        let mut alone = Document::default();
        import(&mut alone, provider, entry);
        let value = |document: &Document| {
            document.entry(&id).and_then(|entry| serde_json::from_str::<Value>(entry).ok())
        };
        value(document) == value(&alone)
    };
    if kept.is_empty()
        || !(just_imported || kept.iter().all(|(provider, entry)| is_stored(provider, entry)))
    {
        return Ok(());
    }
    kept.retain(|_, entry| {
        !credential(entry).is_some_and(|entry| is_kind(&entry, &[Kind::ApiKey]))
    });
    let text = serde_json::to_string(&kept).map_err(|error| failed(error.into()))?;
    file::replace(&free_backup(&path), pretty(&text).as_bytes()).map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)
}

/// `auth.json.bak`, or the first of `auth.json.bak.2`, `.3` … that nothing has yet.
fn free_backup(path: &Path) -> PathBuf {
    let backup = file::with_suffix(path, ".bak");
    let numbered = (2..).map(|number| file::with_suffix(&backup, &format!(".{number}")));
    let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
    std::iter::once(backup.clone()).chain(numbered).find(is_free).unwrap_or(backup)
}

fn agent_file(agent_dir: &Path) -> PathBuf {
    agent_dir.join("auth.json")
}

fn profile_id(provider: &str) -> String {
    format!("{provider}:default")
}

fn import(document: &mut Document, provider: &str, mut entry: RawObject) {
    if !entry.contains_key("provider")
        && let Ok(value) = raw(provider)
    {
        let after_type = entry.get_index_of("type").map_or(0, |at| at + 1);
        entry.shift_insert(after_type, "provider".to_owned(), value);
    }
    if let Ok(entry) = raw(&entry) {
        document.set_entry(&profile_id(provider), entry);
    }
}

/// The members of a legacy file; none when there is no file.
fn members(path: &Path) -> Result<RawObject, StoreError> {
    let text = match file::read(path) {
        Ok(None) => return Ok(RawObject::new()),
        Ok(Some((text, _))) => text,
        Err(source) => {
            return Err(StoreError::Read {
                location: path.to_owned().into(),
                source: Arc::new(source),
            });
        }
    };
    serde_json::from_str(&text).map_err(|error| StoreError::Invalid {
        location: path.into(),
        reason: format!("it is not an object (line {}, column {})", error.line(), error.column()),
    })
}

/// The members of an entry of `auth.json` that is a credential.
fn credential(entry: &RawValue) -> Option<RawObject> {
    let entry: RawObject = serde_json::from_str(entry.get()).ok()?;
    is_kind(&entry, &[Kind::OAuth, Kind::Token, Kind::ApiKey]).then_some(entry)
}

fn is_kind(entry: &RawObject, kinds: &[Kind]) -> bool {
    let named = ["type", "mode"].iter().find_map(|key| entry.get(*key));
    let named = named.and_then(|name| serde_json::from_str::<String>(name.get()).ok());
    named.and_then(|name| Kind::from_name(&name)).is_some_and(|kind| kinds.contains(&kind))
}
