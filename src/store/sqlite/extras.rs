//! What OpenClaw drops from its rows and this program wants to keep: fields of an entry that
//! OpenClaw does not know, and what servers refused. It is in a file of ours.
//!
//! Invariant: an entry is nothing without its row. What is kept here of an entry that is gone
//! says nothing, nor does it of another login that has the same name by now.
//!
//! So is what a marker of ours stands for (see [`super::claim`]): whoever reads the row finds
//! the login as it was.

use crate::profile::AgentId;
use crate::secret::Secret;
use crate::store::document::is_marked_by;
use crate::store::json_text::{RawObject, raw};
use crate::store::{Document, StateDocument, StoreError};
use crate::system::file;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bound::Bound;
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
    /// The login that the fields are of, by profile. Those of an earlier version name none.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    bound: IndexMap<String, Bound>,
    /// What servers refused, by profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    usage: IndexMap<String, RawObject>,
    /// What markers of ours stand for, by profile.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(super) claims: IndexMap<String, Claim>,
}

/// A marker of ours in the place of the tokens of an entry.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Claim {
    /// Its id, which nobody else uses.
    pub(super) id: String,
    /// The entry as it was; none when the marker is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<Box<RawValue>>,
}

/// Without the entry, which holds tokens.
impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("id", &self.id).finish_non_exhaustive()
    }
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
        if self.fields.is_empty() && self.usage.is_empty() && self.claims.is_empty() {
            return file::remove(path).map_err(failed);
        }
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let directory = path.parent().map_or(Ok(()), file::create_private_directory);
        directory.and_then(|()| file::replace(path, &text)).map_err(failed)
    }

    /// Whether the rows of `document` are older than this: a marker of ours that is gone by
    /// now stands in it.
    pub(super) fn is_ahead_of(&self, document: &Document) -> bool {
        let mut gone = self.claims.iter().filter(|(_, claim)| claim.entry.is_none());
        gone.any(|(id, claim)| claim.stands_in(document, id))
    }

    /// The document with what markers of ours stand for, and with the fields that are kept of
    /// its entries.
    pub(super) fn complete(&self, mut document: Document) -> serde_json::Result<Document> {
        let mut is_changed = false;
        for (id, claim) in &self.claims {
            let Some(entry) = claim.entry.as_ref().filter(|_| claim.stands_in(&document, id))
            else {
                continue;
            };
            document.set_entry(id, entry.clone());
            is_changed = true;
        }
        for (id, fields) in &self.fields {
            let Some(entry) = document.entry(id) else { continue };
            let is_of = |bound: &Bound| bound.is_to(document.credential(id).as_ref());
            if !self.bound.get(id).is_none_or(is_of) {
                continue;
            }
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
            let before = self.bound.shift_remove(id);
            let Some(text) = text.as_ref().filter(|_| !kept.is_empty()) else {
                self.fields.shift_remove(id);
                continue;
            };
            let bound = Bound::to(text, before.as_ref())?;
            is_changed |= before.as_ref() != Some(&bound);
            self.bound.insert(id.clone(), bound);
            self.fields.insert(id.clone(), kept);
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

impl Extras {
    /// The markers of the profiles `changed` are gone; whether that changed anything here.
    pub(super) fn settle(&mut self, changed: &[String]) -> bool {
        let mut is_changed = false;
        for (_, claim) in self.claims.iter_mut().filter(|(id, _)| changed.contains(id)) {
            is_changed |= claim.entry.take().is_some();
        }
        is_changed
    }
}

impl Claim {
    /// Whether its marker stands in the entry of the profile `id`.
    pub(super) fn stands_in(&self, document: &Document, id: &str) -> bool {
        document.entry(id).is_some_and(|entry| is_marked_by(entry, &self.id))
    }
}
