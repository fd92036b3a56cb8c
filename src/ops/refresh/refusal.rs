//! What a server refused: remembered in every store that holds the grant, and asked of every
//! store before a refresh token is posted.

use super::propagate::holders;
use crate::ops::Notes;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::store::{Ended, Lease, StateDocument, Store, StoreError};
use crate::system::lock;
use std::time::Duration;

/// How long another store is waited for: the note remembers as well.
const BRIEFLY: Duration = Duration::from_secs(1);

/// The stores that may hold a grant: that of the profile whose lease is held, and the others.
pub(super) struct Holders<'a> {
    pub(super) own: &'a Store,
    pub(super) lease: &'a Lease,
    pub(super) others: &'a [Store],
    pub(super) now: Millis,
}

impl Holders<'_> {
    /// Why the server refused this refresh token, if one of the stores says that it did: the
    /// error code. From then on all that hold the token say so. `state` is that of the own
    /// store.
    pub(super) fn refusal(
        &self,
        state: &StateDocument,
        token: &Secret,
        interaction: &mut dyn Notes,
    ) -> Option<String> {
        let told = state.refusal_by_any(token);
        // An unrelated store that cannot be read is no obstacle.
        let of_others =
            || self.others.iter().find_map(|other| refusal(other, token).ok().flatten());
        let noted = || self.own.noted_refusal(token).map(|noted| noted.code().to_owned());
        let refusal = told.or_else(of_others).or_else(noted);
        if let Some(reason) = &refusal {
            self.remember(token, reason, interaction);
        }
        refusal
    }

    /// Remembers that the server refused this refresh token: in a note, until every store that
    /// holds the token knows.
    pub(super) fn remember(&self, token: &Secret, reason: &str, interaction: &mut dyn Notes) {
        self.own.end(token, Ended::Refused);
        let refused = Refused { token, reason, now: self.now };
        let own = remember(self.own, Some(self.lease), lock::TIMEOUT, refused);
        let mut all_know = own.is_ok();
        for other in self.others {
            all_know &= remember(other, None, BRIEFLY, refused).is_ok();
        }
        // What could not be noted on a full disk may have its space by now.
        self.own.end(token, if all_know { Ended::RefusalStored } else { Ended::Refused });
        if let Err(error) = own {
            interaction.warn(&format!("could not store that the login is over: {error}"));
        }
    }
}

fn refusal(store: &Store, token: &Secret) -> Result<Option<String>, StoreError> {
    Ok(store.read()?.state()?.refusal_by_any(token))
}

/// A refresh token that was refused, why, and when.
#[derive(Clone, Copy)]
struct Refused<'a> {
    token: &'a Secret,
    reason: &'a str,
    now: Millis,
}

fn remember(
    store: &Store,
    lease: Option<&Lease>,
    lock_timeout: Duration,
    Refused { token, reason, now }: Refused<'_>,
) -> Result<(), StoreError> {
    let snapshot = store.read()?;
    let state = snapshot.state()?;
    let mut ids = holders(&snapshot.document, &[token.fingerprint()]);
    ids.retain(|id| state.refusal(id, token).is_none());
    if ids.is_empty() {
        return Ok(());
    }
    store.update_state_with(lease, lock_timeout, |state| {
        for id in &ids {
            state.set_refused(id, token, reason, now);
        }
        true
    })
}
