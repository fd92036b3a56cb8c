//! The document that carries a login from one store to another: the entry as it is stored, with
//! the id of its profile.

use crate::profile::{Credential, Kind, ProfileId, ProviderId};
use crate::provider::{predecessor, successor};
use crate::secret::Secret;
use crate::store::{Document, Store};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// What `kind` says in every such document.
const KIND: &str = "openclaw-auth login";

/// The largest that is read, in bytes.
pub(super) const LARGEST: u64 = 1024 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'d> {
    schema: u32,
    kind: &'static str,
    profile_id: &'d ProfileId,
    entry: &'d RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    kind: String,
    profile_id: ProfileId,
    entry: Box<RawValue>,
}

/// A login that was carried here.
pub(super) struct Carried {
    /// The profile id that it had.
    pub(super) profile_id: ProfileId,
    /// The text of its entry.
    pub(super) entry: Secret,
    /// The credential in it.
    pub(super) credential: Credential,
}

/// The document of a profile; `None` where the entry is no JSON.
pub(super) fn write(profile_id: &ProfileId, entry: &str) -> Option<Secret> {
    let entry: &RawValue = serde_json::from_str(entry).ok()?;
    let written = Written { schema: 1, kind: KIND, profile_id, entry };
    serde_json::to_string(&written).ok().map(|text| Secret::new(text + "\n"))
}

/// The login in such a document; `None` where it is none.
pub(super) fn read(text: &str) -> Option<Carried> {
    let Read { kind, profile_id, entry } = serde_json::from_str(text).ok()?;
    if kind != KIND || !profile_id.is_valid() {
        return None;
    }
    let mut document = Document::default();
    let text = Secret::new(entry.get());
    document.set_entry(profile_id.as_str(), entry);
    let credential = document.credential(profile_id.as_str())?;
    let is_held = credential.bearer().is_some() || credential.refresh_token().is_some();
    (is_held || credential.is_reference()).then_some(Carried {
        profile_id,
        entry: text,
        credential,
    })
}

impl Carried {
    /// The same login under the provider that `store` has for it, as `store convert` names it. A
    /// key is of the provider that it names.
    pub(super) fn named_for(self, store: &Store) -> Self {
        if self.credential.kind() == Kind::ApiKey {
            return self;
        }
        let former = &self.credential.provider;
        let is_in_database = store.will_be_in_database();
        let provider = if is_in_database { successor(former) } else { predecessor(former) };
        provider.and_then(|provider| self.under(&provider)).unwrap_or(self)
    }

    /// The same login of another provider, with the id that says so; `None` where its entry is no
    /// object.
    fn under(&self, provider: &ProviderId) -> Option<Self> {
        let mut members: IndexMap<String, Box<RawValue>> =
            serde_json::from_str(self.entry.expose()).ok()?;
        members.insert("provider".to_owned(), to_raw_value(provider.as_str()).ok()?);
        let entry = Secret::new(serde_json::to_string(&members).ok()?);
        let id = self.profile_id.as_str();
        let rest = id.strip_prefix(self.credential.provider.as_str());
        let profile_id = match rest.and_then(|rest| rest.strip_prefix(':')) {
            Some(rest) => format!("{}:{rest}", provider.as_str()).as_str().into(),
            None => self.profile_id.clone(),
        };
        let credential = Credential { provider: provider.clone(), ..self.credential.clone() };
        Some(Self { profile_id, entry, credential })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let entry =
            r#"{"type":"oauth","provider":"p","access":"fake-a","refresh":"fake-r","odd":[1.50]}"#;
        let text = write(&"p:1".into(), entry).unwrap();
        let carried = read(text.expose()).unwrap();
        assert_eq!((carried.profile_id.as_str(), carried.entry.expose()), ("p:1", entry));
        for text in ["", "{}", "{\"kind\":\"openclaw-auth login\",\"profileId\":\"\",\"entry\":{}}"]
        {
            assert!(read(text).is_none());
        }
        let cut = text.expose();
        assert!(read(&cut[..cut.len() - 3]).is_none(), "a part of one is none");
    }
}
