//! The profiles that there are, read once for any number of logins.

use super::super::account;
use crate::app::App;
use crate::config::Config;
use crate::external::Tool;
use crate::profile::{AgentId, Identity, Kind, ProfileId, ProviderId};
use crate::provider::Catalog;
use crate::secret::Secret;
use crate::store::{Document, Provenance, Store};
use indexmap::{IndexMap, IndexSet};
use std::collections::HashMap;

/// A profile of the document.
#[derive(Debug)]
pub(super) struct Profile {
    /// Its id.
    pub(super) id: ProfileId,
    /// Its provider.
    pub(super) provider: ProviderId,
    /// Its kind.
    pub(super) kind: Kind,
    /// Where it was imported from.
    pub(super) provenance: Option<Provenance>,
}

/// The profiles of a document, by what they are looked for.
#[derive(Debug, Default)]
pub(super) struct Known {
    ids: IndexSet<ProfileId>,
    profiles: Vec<Profile>,
    /// By the hash of the refresh token, else of the token or key.
    by_secret: HashMap<String, usize>,
    /// By the program and the hash of the refresh token that was imported.
    by_import: HashMap<(String, String), usize>,
    /// The OAuth grants of each provider with their accounts.
    grants: IndexMap<ProviderId, Vec<(ProfileId, Identity)>>,
}

impl Known {
    /// The profiles of a document.
    pub(super) fn of(document: &Document, catalog: &Catalog) -> Self {
        let mut known = Self::default();
        for (id, entry) in document.entries() {
            let credential = document.credential(id);
            let id = ProfileId::from(id);
            known.ids.insert(id.clone());
            let Some(credential) = credential.filter(|_| Tool::managing_stored(&id).is_none())
            else {
                continue;
            };
            let registration = account::registration(catalog, &credential.provider);
            let account = account::stored(&credential, registration);
            let secret = credential.refresh_token().or_else(|| credential.bearer());
            let secret = secret.map(Secret::fingerprint);
            let kind = credential.kind();
            let provenance = Provenance::of(entry);
            let provider = credential.provider;
            known.add(Profile { id, provider, kind, provenance }, secret, account);
        }
        known
    }

    /// Adds a profile that is going to be in the document, or replaces what was known of it.
    pub(super) fn add(&mut self, profile: Profile, secret: Option<String>, account: Identity) {
        let at = self.profiles.len();
        self.ids.insert(profile.id.clone());
        if let Some(secret) = secret {
            self.by_secret.insert(secret, at);
        }
        if let Some(Provenance { tool, grant: Some(grant), .. }) = &profile.provenance {
            self.by_import.insert((tool.clone(), grant.clone()), at);
        }
        if profile.kind == Kind::OAuth {
            let grants = self.grants.entry(profile.provider.clone()).or_default();
            match grants.iter_mut().find(|(id, _)| *id == profile.id) {
                Some(present) => present.1 = account,
                None => grants.push((profile.id.clone(), account)),
            }
        }
        self.profiles.push(profile);
    }

    /// Whether there is an entry of this id, valid or not.
    pub(super) fn has(&self, id: &ProfileId) -> bool {
        self.ids.contains(id)
    }

    /// The profile that holds this secret.
    pub(super) fn holding(&self, fingerprint: &str) -> Option<&Profile> {
        self.by_secret.get(fingerprint).map(|at| &self.profiles[*at])
    }

    /// The profile that was imported from `tool` when that had this refresh token.
    pub(super) fn imported(&self, tool: &str, fingerprint: &str) -> Option<&Profile> {
        let key = (tool.to_owned(), fingerprint.to_owned());
        self.by_import.get(&key).map(|at| &self.profiles[*at])
    }

    /// The profile without a grant that came from this entry of `tool`.
    pub(super) fn of_entry(&self, tool: &str, entry: &str, kind: Kind) -> Option<&Profile> {
        self.profiles.iter().find(|profile| {
            profile.kind == kind
                && profile
                    .provenance
                    .as_ref()
                    .is_some_and(|it| it.tool == tool && it.entry == entry)
        })
    }

    /// The grants of a provider with their accounts.
    pub(super) fn grants(&self, provider: &ProviderId) -> &[(ProfileId, Identity)] {
        self.grants.get(provider).map_or(&[], Vec::as_slice)
    }
}

/// The refresh tokens, by their hash, that the other stores hold: the agent and the
/// profile.
pub(super) fn held_elsewhere(
    app: &App,
    config: &Config,
    own: &Store,
) -> HashMap<String, (AgentId, ProfileId)> {
    let mut held = HashMap::new();
    for store in app.holding_stores(config).iter().filter(|store| !store.is_same(own)) {
        // What cannot be read is not ours to judge here.
        let Ok(document) = store.profiles() else { continue };
        for profile in document.profiles() {
            if let Some(token) = profile.credential.refresh_token() {
                let held_by = (store.agent_id().clone(), profile.id.into());
                held.insert(token.fingerprint(), held_by);
            }
        }
    }
    held
}
