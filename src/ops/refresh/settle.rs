//! How a refresh ends: what came is stored or spooled; what was refused is remembered.
//!
//! Invariant: a refresh token that was received is stored or spooled, whatever became of the
//! document meanwhile; one that was refused is never posted again.

use super::propagate::{Outcome, may_be_held, store_renewal};
use super::refusal::Holders;
use super::transaction::Transaction;
use super::{Earlier, Over, RefreshError};
use crate::oauth::TokenError;
use crate::ops::Notes;
use crate::ops::selection::Selected;
use crate::profile::{Credential, Identity};
use crate::provider::ASSUMED_LIFETIME;
use crate::secret::Secret;
use crate::store::{Ended, Lease, Location, Prepared, Renewal, StoreError};
use crate::system::now;
use std::time::Duration;

/// A received refresh token waits so long for a lock before it goes to the spool.
const FREE_LOCK: Duration = Duration::ZERO;
/// A reply that is spooled is tried to be stored for so long.
const STORE_TIMEOUT: Duration = Duration::from_secs(20);

impl Transaction<'_> {
    /// Stores what came, or spools it where a later command finds it. With one store and a
    /// free lock it is stored at once; else it is spooled first.
    pub(super) fn commit(
        &self,
        posted: &Secret,
        renewal: Renewal,
        lease: &Lease,
        prepared: Option<Prepared>,
    ) -> Result<Credential, RefreshError> {
        let Self { selected, spool, others, .. } = self;
        let renewal = renewal_of(selected, renewal);
        let refresh = renewal.grant.refresh.as_ref();
        let rotates = refresh.is_some_and(|refresh| !refresh.matches(posted));
        // Whatever happens from here on, no store is left with nothing but a spent token.
        let is_followed = rotates && spool.follow(posted, &renewal).unwrap_or(false);
        let ahead = (rotates && !is_followed && may_be_held(posted, others))
            .then(|| spool.save(posted, &renewal).ok())
            .flatten();
        let store = |prepared, wait| {
            store_renewal(selected, lease, &renewal, posted, prepared, wait, others)
        };
        let first = store(prepared, if ahead.is_some() { STORE_TIMEOUT } else { FREE_LOCK });
        let (stored, kept) = match first {
            Err(StoreError::LockTimeout { .. }) if ahead.is_none() => {
                let kept = spool.save(posted, &renewal).ok();
                (store(None, STORE_TIMEOUT), kept)
            }
            first => (first, ahead),
        };
        let (outcome, is_complete) = match stored {
            // A document that is not there says nothing of a logout.
            Ok((Outcome::Removed, _)) if !selected.store.has_document() => {
                let source = std::io::Error::from(std::io::ErrorKind::NotFound).into();
                let source = StoreError::Read { location: selected.store.location(), source };
                return Err(self.keep(posted, &renewal, kept, source));
            }
            Ok(stored) => stored,
            Err(source) => return Err(self.keep(posted, &renewal, kept, source)),
        };
        if let Some(location) = kept.filter(|_| is_complete) {
            spool.remove(&location);
        }
        selected.store.end(posted, Ended::Known);
        match outcome {
            Outcome::Stored(credential) | Outcome::Replaced(credential) => Ok(credential),
            Outcome::Removed => Err(self.signed_out()),
        }
    }

    /// What came cannot be stored: it stays where it is `kept`, else goes to the spool.
    fn keep(
        &self,
        posted: &Secret,
        renewal: &Renewal,
        kept: Option<Location>,
        source: StoreError,
    ) -> RefreshError {
        let kept = kept.map_or_else(|| self.spool.save(posted, renewal), Ok);
        let Ok(kept_in) = kept else { return RefreshError::Lost { source } };
        self.selected.store.end(posted, Ended::Known);
        RefreshError::Kept { profile_id: self.selected.id.clone(), kept_in, source }
    }

    /// There is no new credential: remembers what is known of the old one.
    pub(super) fn fail(
        &self,
        posted: &Secret,
        error: TokenError,
        earlier: Option<Earlier>,
        lease: &Lease,
        interaction: &mut dyn Notes,
    ) -> Result<Credential, RefreshError> {
        let Self { selected, others, .. } = self;
        let holders = Holders { own: &selected.store, lease, others };
        // The profile may have got another grant meanwhile: others have this one still.
        let is_refused = error.refused_grant().is_some();
        if let Some(code) = error.refused_grant() {
            holders.remember(posted, code, interaction);
            selected.store.forget_outcome(posted);
        }
        // What became of an earlier request is known when the server has refused the token.
        let is_known = earlier.is_none() && !error.is_outcome_unknown();
        if is_known || is_refused {
            selected.store.end(posted, Ended::Known);
        }
        let failed = if is_refused {
            let over = Over::Refused { error, earlier };
            RefreshError::LoginOver { login: selected.login().into(), over }
        } else {
            self.failed(posted, error)
        };
        // Somebody without our lease may have refreshed or signed in meanwhile.
        self.adopt()?.ok_or(failed)
    }
}

/// What a renewal means for a profile. Who it belongs to is not changed by a refresh.
fn renewal_of(selected: &Selected, renewal: Renewal) -> Renewal {
    let (claimed, stored) = (renewal.identity, &selected.credential.identity);
    let identity = Identity {
        email: claimed.email.filter(|_| stored.email.is_none()),
        account_id: claimed.account_id.filter(|_| stored.account_id.is_none()),
        subject: None,
    };
    // There is a refresh token, if only the one that was posted.
    let expires = renewal.expires.or_else(|| Some(now().saturating_add(ASSUMED_LIFETIME)));
    Renewal { expires, identity, ..renewal }
}
