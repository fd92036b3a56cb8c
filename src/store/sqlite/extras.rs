//! What OpenClaw drops from its rows and this program wants to keep: fields of an entry that
//! OpenClaw does not know, and what servers refused. It is in a file of ours.
//!
//! Invariant: an entry is nothing without its row. What is kept here of an entry that is gone
//! says nothing.

use crate::profile::AgentId;
use crate::secret::Secret;
use crate::store::json_text::{RawObject, raw};
use crate::store::{Document, StateDocument, StoreError};
use crate::system::file;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::merge::{Entries, again};

/// The fields of an entry that OpenClaw 2026.9 keeps, and what it reads as one of them.
const KEPT: [&str; 29] = [
    "type",
    "mode",
    "provider",
    "setup",
    "copyToAgents",
    "email",
    "displayName",
    "key",
    "apiKey",
    "keyRef",
    "metadata",
    "token",
    "tokenRef",
    "expires",
    "access",
    "refresh",
    "idToken",
    "clientId",
    "enterpriseUrl",
    "projectId",
    "accountId",
    "chatgptPlanType",
    "subscriptionType",
    "rateLimitTier",
    "tokenEndpoint",
    "deviceAuthorizationEndpoint",
    "issuer",
    "authFlow",
    "oauthRef",
];

/// What is kept beside the rows of one agent.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Extras {
    /// Fields by profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    fields: IndexMap<String, RawObject>,
    /// What servers refused, by profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    usage: IndexMap<String, RawObject>,
}

/// Where it is kept.
pub(super) fn path(state_dir: &Path, agent: &AgentId) -> PathBuf {
    directory(state_dir).join(format!("{}.json", agent.as_str()))
}

/// The directory of what is ours beside OpenClaw's databases.
pub(super) fn directory(state_dir: &Path) -> PathBuf {
    crate::store::files::generation::own_directory(state_dir)
}

impl Extras {
    /// What is kept at `path`; nothing where that cannot be read.
    pub(super) fn read(path: &Path) -> Self {
        let text = file::read(path).ok().flatten();
        text.and_then(|(text, _)| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Keeps it at `path`; removes that where there is nothing to keep.
    pub(super) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::Write { location: path.into(), source: Arc::new(source) };
        if self.fields.is_empty() && self.usage.is_empty() {
            return file::remove(path).map_err(failed);
        }
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let directory = path.parent().map_or(Ok(()), file::create_private_directory);
        directory.and_then(|()| file::replace(path, &text)).map_err(failed)
    }

    /// The document with the fields that are kept of its entries.
    pub(super) fn complete(&self, mut document: Document) -> serde_json::Result<Document> {
        let mut is_changed = false;
        for (id, fields) in &self.fields {
            let Some(entry) = document.entry(id) else { continue };
            let Ok(mut entry) = serde_json::from_str::<RawObject>(entry) else { continue };
            for (name, value) in fields {
                entry.entry(name.clone()).or_insert_with(|| value.clone());
            }
            document.set_entry(id, raw(&entry)?);
            is_changed = true;
        }
        if is_changed { again(&document) } else { Ok(document) }
    }

    /// Takes what OpenClaw would drop out of `changes`; whether that changed anything here.
    pub(super) fn take_fields(&mut self, changes: &mut Entries) -> serde_json::Result<bool> {
        let mut is_changed = false;
        for (id, text) in changes {
            let before = self.fields.get(id).map(raw).transpose()?;
            let mut kept = RawObject::new();
            if let Some(text) = text
                && let Ok(mut entry) = serde_json::from_str::<RawObject>(text.expose())
            {
                entry.retain(|name, value| {
                    let stays = KEPT.contains(&name.as_str());
                    if !stays {
                        kept.insert(name.clone(), value.clone());
                    }
                    stays
                });
                *text = Secret::new(serde_json::to_string(&entry)?);
            }
            let after = (!kept.is_empty()).then(|| raw(&kept)).transpose()?;
            is_changed |=
                before.map(|it| it.get().to_owned()) != after.map(|it| it.get().to_owned());
            if kept.is_empty() {
                self.fields.shift_remove(id);
            } else {
                self.fields.insert(id.clone(), kept);
            }
        }
        Ok(is_changed)
    }

    /// Adds what servers refused to `state`.
    pub(super) fn complete_state(&self, state: &mut StateDocument) {
        for (id, fields) in &self.usage {
            state.change_entry(id, |entry| {
                for (name, value) in fields {
                    entry.entry(name.clone()).or_insert_with(|| value.clone());
                }
            });
        }
    }

    /// Takes what servers refused out of `state`; whether that changed anything here.
    pub(super) fn take_refusals(&mut self, state: &mut StateDocument) -> serde_json::Result<bool> {
        let taken = state.take_refusals();
        let is_changed = raw(&taken)?.get() != raw(&self.usage)?.get();
        self.usage = taken;
        Ok(is_changed)
    }
}
