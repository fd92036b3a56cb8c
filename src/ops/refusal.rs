//! What a server refused: remembered in every store that holds the grant, and asked of every
//! store before a refresh token is posted.

use super::renewal::holders;
use crate::secret::Secret;
use crate::store::{AgentStore, Document, Lease, StoreError};
use crate::system::now;

/// What a note does not say.
const UNKNOWN_CODE: &str = "refused";

/// The stores that may hold a grant: that of the profile whose lease is held, and the others.
pub(super) struct Holders<'a> {
    pub(super) own: &'a AgentStore,
    pub(super) lease: &'a Lease,
    pub(super) others: &'a [AgentStore],
}

impl Holders<'_> {
    /// Why the server refused this refresh token, if one of the stores says that it did: the
    /// error code. From then on all that hold the token say so. `document` is that of the
    /// own store.
    pub(super) fn refusal(
        &self,
        document: &Document,
        token: &Secret,
    ) -> Result<Option<String>, StoreError> {
        let told = self.own.read_state(document)?.refusal_by_any(token);
        // An unrelated store that cannot be read is no obstacle.
        let of_others =
            || self.others.iter().find_map(|other| refusal(other, token).ok().flatten());
        let noted = || self.own.has_noted_refusal(token).then(|| UNKNOWN_CODE.to_owned());
        let refusal = told.or_else(of_others).or_else(noted);
        if let Some(reason) = &refusal {
            self.remember(token, reason)?;
        }
        Ok(refusal)
    }

    /// Remembers that the server refused this refresh token: in the note of the refresh, until
    /// the stores know.
    pub(super) fn remember(&self, token: &Secret, reason: &str) -> Result<(), StoreError> {
        self.own.note_refusal(token);
        let remembered = remember(self.own, Some(self.lease), token, reason);
        for other in self.others {
            // One that cannot be written asks the others.
            let _ = remember(other, None, token, reason);
        }
        if remembered.is_ok() {
            self.own.end_noted_refusal(token);
        }
        remembered
    }
}

fn refusal(store: &AgentStore, token: &Secret) -> Result<Option<String>, StoreError> {
    Ok(store.read_state(&store.read()?.document)?.refusal_by_any(token))
}

fn remember(
    store: &AgentStore,
    lease: Option<&Lease>,
    token: &Secret,
    reason: &str,
) -> Result<(), StoreError> {
    let document = store.read()?.document;
    let state = store.read_state(&document)?;
    let mut ids = holders(&document, &[token.fingerprint()]);
    ids.retain(|id| state.refusal(id, token).is_none());
    if ids.is_empty() {
        return Ok(());
    }
    store.update_state_beside(lease, |state| {
        for id in &ids {
            state.set_refused(id, token, reason, now());
        }
        true
    })
}
