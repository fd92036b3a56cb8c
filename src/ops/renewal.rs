//! Storing what a refresh brought: in the profile that asked, and in every other entry of
//! the state directory that holds the same grant, which the refresh has spent.
//!
//! Nothing is copied into a store that did not hold the grant.

use super::selection::Selected;
use crate::profile::Credential;
use crate::secret::Secret;
use crate::store::{AgentStore, Document, Renewal, StoreError, renewed_entry};
use crate::system::file::Reserved;

/// What became of a renewal.
pub(super) enum Outcome {
    /// It is stored.
    Stored(Credential),
    /// Another process has replaced the grant meanwhile: that one counts.
    Replaced(Credential),
    /// The profile was removed meanwhile, and stays removed.
    Removed,
}

/// Stores `renewal` wherever the refresh token that was `posted` is held.
pub(super) fn store_renewal(
    selected: &Selected,
    renewal: &Renewal,
    posted: &Secret,
    reserved: Option<Reserved>,
    stores: &[AgentStore],
) -> Result<Outcome, StoreError> {
    let id = &selected.id;
    let outcome = selected.store.update_reserved(reserved, |document| {
        let renewed = renew(document, posted, renewal)?;
        let outcome = match document.credential(id) {
            None => Outcome::Removed,
            Some(present) if renewed.contains(id) => Outcome::Stored(present),
            Some(present) => Outcome::Replaced(present),
        };
        Ok((!renewed.is_empty(), outcome))
    });
    for other in stores.iter().filter(|other| !other.is_same(&selected.store)) {
        if holds(other, posted) {
            // A copy that cannot be renewed here is found out when it is used.
            let _ = other.update(|document| {
                let renewed = renew(document, posted, renewal)?;
                Ok((!renewed.is_empty(), ()))
            });
        }
    }
    outcome
}

fn holds(store: &AgentStore, token: &Secret) -> bool {
    store.read().is_ok_and(|snapshot| !holders(&snapshot.document, token).is_empty())
}

/// The profiles that hold a refresh token.
fn holders(document: &Document, token: &Secret) -> Vec<String> {
    document
        .profiles()
        .filter(|profile| {
            profile.credential.refresh_token().is_some_and(|held| held.matches(token))
        })
        .map(|profile| profile.id.to_owned())
        .collect()
}

/// Renews every entry that holds the token; returns their ids.
fn renew(
    document: &mut Document,
    posted: &Secret,
    renewal: &Renewal,
) -> serde_json::Result<Vec<String>> {
    let ids = holders(document, posted);
    for id in &ids {
        if let Some(entry) = document.entry(id) {
            let entry = renewed_entry(entry, renewal)?;
            document.set_entry(id, entry);
        }
    }
    Ok(ids)
}
