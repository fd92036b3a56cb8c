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

/// What came for the refresh token that was `posted`, and who may hold that.
pub(super) struct Reply<'a> {
    /// The profile whose lease is held.
    pub(super) selected: &'a Selected,
    pub(super) lease: &'a Lease,
    pub(super) renewal: &'a IssuedCredential,
    pub(super) posted: &'a Secret,
    /// The stores beside that of the profile.
    pub(super) others: &'a [Store],
}

impl Reply<'_> {
    /// Stores it wherever the posted token is held, each store waited for as long as `left` says
    /// then. The second value is whether none of the others can still hold the token. A document
    /// that is not there is an error.
    pub(super) fn store(
        &self,
        prepared: Option<Prepared>,
        left: impl Fn() -> Duration,
    ) -> Result<(Outcome, bool), StoreError> {
        let Self { selected, lease, posted, others, .. } = self;
        let id = selected.id.as_str();
        let outcome =
            selected.store.update_prepared(prepared, Some(lease), left(), |document| {
                let renewed = self.renew(document)?;
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
        for other in *others {
            // Whether it worked is seen below: a store without the grant may fail as it likes.
            let _ = self.store_in(other, left());
        }
        Ok((outcome, !may_be_held(posted, others)))
    }

    fn store_in(&self, other: &Store, wait: Duration) -> Result<(), StoreError> {
        let document = other.profiles()?;
        let is_held = !holders(&document, &[self.posted.fingerprint()]).is_empty();
        if !is_held && marked(&document, self.posted).is_empty() {
            return Ok(());
        }
        other.update_within(wait, |document| Ok((!self.renew(document)?.is_empty(), ())))
    }

    /// Renews every entry that holds the posted token, and those where OpenClaw has put a marker
    /// in its place, which it does without our lease for a login that is expired: our reply is
    /// the one that came. Returns their ids.
    fn renew(&self, document: &mut Document) -> serde_json::Result<Vec<String>> {
        let mut renewed = renew(document, &[self.posted.fingerprint()], self.renewal)?;
        for id in marked(document, self.posted) {
            let Some(entry) = document.entry(&id) else { continue };
            let mut renewal = self.renewal.clone();
            renewal.grant.refresh.get_or_insert_with(|| self.posted.clone());
            let entry = renewed_entry(entry, &renewal)?;
            document.set_entry(&id, entry);
            renewed.push(id);
        }
        Ok(renewed)
    }
}

/// The profiles in which a marker of OpenClaw's stands for the refresh token that was `posted`.
fn marked(document: &Document, posted: &Secret) -> Vec<String> {
    let ids = document.summaries().map(|summary| summary.id);
    ids.filter(|id| document.is_marked_for(id, posted)).map(ToOwned::to_owned).collect()
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
