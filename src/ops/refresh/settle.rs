//! How a refresh ends: what came is stored or spooled; what was refused is remembered.
//!
//! Invariant: a refresh token that was received is stored or spooled, whatever became of the
//! document meanwhile; one that was refused is never posted again.

use super::propagate::{Outcome, Reply, may_be_held};
use super::refusal::Holders;
use super::transaction::{Reserved, Transaction};
use super::{Earlier, Over, RefreshError};
use crate::oauth::TokenError;
use crate::ops::Notes;
use crate::ops::selection::Selected;
use crate::profile::{Credential, Identity, Millis};
use crate::provider::ASSUMED_LIFETIME;
use crate::secret::Secret;
use crate::store::{Ended, IssuedCredential, Lease, Location, StoreError, Unspent};
use crate::system::file::SpareFile;
use crate::system::limits;
use std::time::Duration;

/// A received refresh token waits so long for a lock before it goes to the spool.
const FREE_LOCK: Duration = Duration::ZERO;
/// A reply that is spooled is tried to be stored for so long, in all stores together.
const STORE_TIMEOUT: Duration = limits::COMMIT;

impl Transaction<'_> {
    /// Stores what came, or spools it where a later command finds it. With one store and a
    /// free lock it is stored at once; else it is spooled first.
    pub(super) fn commit(
        &self,
        posted: &Secret,
        renewal: IssuedCredential,
        lease: &Lease,
        Reserved { prepared, spare }: Reserved,
    ) -> Result<Credential, RefreshError> {
        let Self { selected, spool, others, .. } = self;
        let renewal = renewal_of(selected, renewal, self.app.now());
        let refresh = renewal.grant.refresh.as_ref();
        let rotates = refresh.is_some_and(|refresh| !refresh.matches(posted));
        // Whatever happens from here on, no store is left with nothing but a spent token.
        let is_followed = rotates && spool.follow(posted, &renewal).unwrap_or(false);
        let ahead = (rotates && !is_followed && may_be_held(posted, others))
            .then(|| spool.save(posted, &renewal).ok())
            .flatten();
        let reply = Reply { selected, lease, renewal: &renewal, posted, others };
        // The time of all stores together.
        let (clock, began) = (&self.app.machine.clock, self.app.machine.clock.instant());
        let left = || STORE_TIMEOUT.saturating_sub(clock.since(began));
        let wait = || if ahead.is_some() { left() } else { FREE_LOCK };
        let first = reply.store(prepared, wait);
        let (stored, kept) = match first {
            Err(StoreError::LockTimeout { .. }) if ahead.is_none() => {
                let kept = spool.save(posted, &renewal).ok();
                (reply.store(None, left), kept)
            }
            first => (first, ahead),
        };
        let (outcome, is_complete) = match stored {
            Ok(stored) => stored,
            Err(source) => return Err(self.leave_in_spool(posted, &renewal, kept, spare, source)),
        };
        let kept = kept.filter(|location| !(is_complete && spool.remove(location)));
        self.end(posted, kept.as_ref());
        spool.forget_unread(posted);
        if let Some(given) = refresh.filter(|_| rotates) {
            selected.store.note_replaced(posted, given);
        }
        match outcome {
            Outcome::Stored(credential) | Outcome::Replaced(credential) => Ok(credential),
            Outcome::Removed => Err(self.signed_out()),
        }
    }

    /// What came cannot be stored: it stays where it is `kept`, else goes to the spool.
    fn leave_in_spool(
        &self,
        posted: &Secret,
        renewal: &IssuedCredential,
        kept: Option<Location>,
        spare: Option<SpareFile>,
        source: StoreError,
    ) -> RefreshError {
        let kept = kept.map_or_else(|| self.spool.save_at_last(posted, renewal, spare), Ok);
        let Ok(kept_in) = kept else { return RefreshError::Lost { source } };
        self.end(posted, Some(&kept_in));
        RefreshError::Kept { profile_id: self.selected.id.clone(), kept_in, source }
    }

    /// Notes how the refresh ended. Where its reply is `kept` in the home directory, the note
    /// stays and says so: another process may have another home.
    fn end(&self, posted: &Secret, kept: Option<&Location>) {
        let store = &self.selected.store;
        match kept.filter(|location| !self.spool.is_in_state_dir(location)) {
            Some(location) => store.note_kept(posted, location),
            None => store.end(posted, Ended::Known),
        }
    }

    /// Keeps an answer of success that cannot be read, for a person: there may be a refresh
    /// token in it. The error says where.
    pub(super) fn spool_unread(&self, posted: &Secret, error: TokenError) -> TokenError {
        let TokenError::Unusable { reason, raw } = error else { return error };
        let reason = match self.spool.save_unread(posted, raw.expose()) {
            Ok(Some(kept_in)) => format!("{reason}; the answer is stored as it came in {kept_in}"),
            Ok(None) => reason,
            Err(failed) => format!("{reason}; the answer could not be stored: {failed}"),
        };
        TokenError::Unusable { reason, raw }
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
        // What became of an earlier request is known when the server has refused the token.
        let is_refused = error.refused_grant().is_some();
        let is_known = earlier.is_none() && !error.is_outcome_unknown();
        let is_unspent = is_known || is_refused;
        self.unmark(posted, if is_unspent { Unspent::Surely } else { Unspent::Perhaps });
        let holders = Holders { own: &selected.store, lease, others, now: self.app.now() };
        // The profile may have got another grant meanwhile: others have this one still.
        if let Some(code) = error.refused_grant() {
            holders.remember(posted, code, interaction);
            selected.store.forget_outcome(posted);
        }
        if is_unspent {
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
fn renewal_of(selected: &Selected, renewal: IssuedCredential, now: Millis) -> IssuedCredential {
    let (claimed, stored) = (renewal.identity, &selected.credential.identity);
    let identity = Identity {
        email: claimed.email.filter(|_| stored.email.is_none()),
        account_id: claimed.account_id.filter(|_| stored.account_id.is_none()),
        subject: None,
    };
    // There is a refresh token, if only the one that was posted.
    let expires = renewal.expires.or_else(|| Some(now.saturating_add(ASSUMED_LIFETIME)));
    IssuedCredential { expires, identity, ..renewal }
}
