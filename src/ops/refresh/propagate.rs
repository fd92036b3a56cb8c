//! Storing what a refresh brought: in the profile that asked, and in every other entry of
//! the state directory that holds the same grant, which the refresh has spent.
//!
//! Nothing is copied into a store that did not hold the grant, or holds a copy of one that moved
//! away.

use crate::app::App;
use crate::config::Config;
use crate::ops::moving::may_take;
use crate::ops::selection::Selected;
use crate::profile::Credential;
use crate::secret::Secret;
use crate::store::{
    Document, IssuedCredential, Lease, Location, Prepared, Spool, SpooledReply, Store, StoreError,
    renewed_entry,
};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// What became of a renewal.
pub(super) enum Outcome {
    /// It is stored.
    Stored(Credential),
    /// Another process has replaced the grant meanwhile: that one counts.
    Replaced(Credential),
    /// The profile was removed meanwhile, and stays removed.
    Removed,
}

/// Stores `renewal` wherever the refresh token that was `posted` is held: in the profile
/// that is `selected`, whose lease is held, and in the `others`. The second value is whether
/// none of those can still hold the token. A document that is not there is an error.
pub(super) fn store_renewal(
    selected: &Selected,
    lease: &Lease,
    renewal: &IssuedCredential,
    posted: &Secret,
    prepared: Option<Prepared>,
    lock_timeout: Duration,
    others: &[Store],
) -> Result<(Outcome, bool), StoreError> {
    let id = selected.id.as_str();
    let grant = [posted.fingerprint()];
    let outcome =
        selected.store.update_prepared(prepared, Some(lease), lock_timeout, |document| {
            let mut renewed = renew(document, &grant, renewal)?;
            renewed.extend(renew_marked(document, id, posted, renewal)?);
            let outcome = match document.credential(id) {
                // What was read says so, and no second look: a document that is not there
                // says nothing of a logout.
                None => (!document.is_new()).then_some(Outcome::Removed),
                Some(present) if renewed.iter().any(|renewed| renewed == id) => {
                    Some(Outcome::Stored(present))
                }
                Some(present) => Some(Outcome::Replaced(present)),
            };
            Ok((!renewed.is_empty(), outcome))
        })?;
    let outcome = outcome.ok_or_else(|| StoreError::Read {
        location: selected.store.location(),
        source: Arc::new(ErrorKind::NotFound.into()),
    })?;
    for other in others {
        // Whether it worked is seen below: a store without the grant may fail as it likes.
        let _ = renew_in(other, &grant, renewal);
    }
    Ok((outcome, !may_be_held(posted, others)))
}

/// Whether one of the stores holds the refresh token that is `posted`, or cannot be read, so
/// that it may.
pub(super) fn may_be_held(posted: &Secret, stores: &[Store]) -> bool {
    let grant = [posted.fingerprint()];
    stores.iter().any(|store| !matches!(holder(store, &grant), Ok(None)))
}

/// A profile of a store that holds one of the grants.
pub(crate) fn holder(store: &Store, grants: &[String]) -> Result<Option<String>, StoreError> {
    Ok(holders(&store.profiles()?, grants).into_iter().next())
}

/// Stores the replies that earlier commands could not. Returns where those were that are
/// done with; one whose grant some store still cannot take, or nobody holds, stays.
pub(in crate::ops) fn store_spooled(
    (app, config): (&App, &Config),
    spool: &Spool,
) -> Vec<Location> {
    let pending = spool.pending();
    if pending.is_empty() {
        return Vec::new();
    }
    let stores = app.holding_stores(config);
    let mut done = Vec::new();
    for waiting in pending {
        let SpooledReply { grants, renewal, .. } = &waiting;
        let (mut is_stored, mut is_complete) = (false, true);
        let may_take = |store: &Store| grants.iter().all(|it| may_take((app, config), store, it));
        for store in stores.iter().filter(|store| may_take(store)) {
            match renew_in(store, grants, renewal) {
                Ok(renewed) => is_stored |= renewed || has_renewal(store, renewal),
                Err(_) => is_complete = false,
            }
        }
        // Without a holder of the spent token it waits: somebody may want it yet. A token
        // that is not spent needs no second holder, whom a later renewal would reach too.
        let location = waiting.location();
        if is_stored && (is_complete || !waiting.is_spent()) && spool.remove(&location) {
            for store in &stores {
                store.forget_kept(grants);
            }
            done.push(location);
        }
    }
    done
}

fn has_renewal(store: &Store, renewal: &IssuedCredential) -> bool {
    let Some(refresh) = &renewal.grant.refresh else { return false };
    matches!(holder(store, &[refresh.fingerprint()]), Ok(Some(_)))
}

/// Renews the grants in one store; whether the store held one.
fn renew_in(
    store: &Store,
    grants: &[String],
    renewal: &IssuedCredential,
) -> Result<bool, StoreError> {
    if holder(store, grants)?.is_none() {
        return Ok(false);
    }
    store.update(|document| {
        let renewed = renew(document, grants, renewal)?;
        Ok((!renewed.is_empty(), !renewed.is_empty()))
    })
}

/// The profiles that hold one of the grants, by the hashes of their refresh tokens.
pub(super) fn holders(document: &Document, grants: &[String]) -> Vec<String> {
    document
        .profiles()
        .filter(|profile| {
            profile
                .credential
                .refresh_token()
                .is_some_and(|held| grants.contains(&held.fingerprint()))
        })
        .map(|profile| profile.id.to_owned())
        .collect()
}

/// Renews every entry that holds one of the grants; returns their ids.
fn renew(
    document: &mut Document,
    grants: &[String],
    renewal: &IssuedCredential,
) -> serde_json::Result<Vec<String>> {
    let ids = holders(document, grants);
    for id in &ids {
        if let Some(entry) = document.entry(id) {
            let entry = renewed_entry(entry, renewal)?;
            document.set_entry(id, entry);
        }
    }
    Ok(ids)
}

/// Renews the entry of the profile `id` where OpenClaw has put a marker in the place of the
/// grant that was `posted`, which it does without our lease for a login that is expired: our
/// reply is the one that came. Returns the id then.
fn renew_marked(
    document: &mut Document,
    id: &str,
    posted: &Secret,
    renewal: &IssuedCredential,
) -> serde_json::Result<Option<String>> {
    let Some(entry) = document.entry(id).filter(|_| document.is_marked_for(id, posted)) else {
        return Ok(None);
    };
    let mut renewal = renewal.clone();
    renewal.grant.refresh.get_or_insert_with(|| posted.clone());
    let entry = renewed_entry(entry, &renewal)?;
    document.set_entry(id, entry);
    Ok(Some(id.to_owned()))
}
