//! A marker of OpenClaw's in the place of a grant that we are about to spend.
//!
//! OpenClaw refreshes what is named `<provider>:default` and has expired without the lock that
//! a refresh of ours holds. Only a marker keeps it from that: it waits for who has put it there.
//!
//! Invariant: what a marker stands for is on the disk, in a file of ours, before the marker is;
//! and until a credential has taken its place, whoever reads the row through this program finds
//! the login as it was. So one who is killed in between has lost nothing.

use super::extras::Claim;
use super::held::Held;
use super::look::Look;
use super::merge::{self, Changes, Entries};
use super::place::Sqlite;
use super::reading::store_text;
use super::rows::Which;
use crate::profile::{Millis, ProviderId};
use crate::secret::Secret;
use crate::store::document;
use crate::store::{Document, StoreError, Unspent};
use crate::system::lock;
use rand::RngCore;
use std::time::Duration;

impl Sqlite {
    /// Puts a marker in the place of `grant`, where OpenClaw's gateway could spend it. Waits for
    /// who writes to the databases as long as `wait` in all.
    pub(super) fn mark(
        &self,
        grant: &Secret,
        now: Millis,
        wait: Duration,
    ) -> Result<(), StoreError> {
        if self.open_to_openclaw(&self.look()?, grant, now)?.is_empty() || !self.may_have_gateway()
        {
            return Ok(());
        }
        let held = self.hold(wait)?;
        let Some(look) = held.look(self)? else { return Ok(()) };
        let stored = self.stored(&look)?;
        let mut extras = self.extras();
        let hidden = self.hidden()?;
        extras.claims.retain(|id, claim| {
            claim.stands_in(&stored, id) || hidden.by().is_some_and(|own| claim.stands_in(own, id))
        });
        let mut markers = Entries::new();
        for id in self.open_to_openclaw(&look, grant, now)? {
            if hidden.has(&id) {
                continue;
            }
            let claim = new_id();
            let Some(entry) = stored.entry(&id) else { continue };
            let Some(marker) = document::marked(entry, &id, &claim).map_err(|e| self.odd(&e))?
            else {
                continue;
            };
            let entry = Some(serde_json::from_str(entry).map_err(|error| self.odd(&error))?);
            extras.claims.insert(id.clone(), Claim { id: claim, entry });
            markers.push((id, Some(Secret::new(marker.get()))));
        }
        extras.write(&self.extras_path())?;
        self.put(&held, &look, markers)
    }

    /// `grant` was not replaced: takes its markers away, or lets them say that its refresh has
    /// failed. The login stays what it was for this program either way.
    pub(super) fn unmark(&self, grant: &Secret, unspent: Unspent) -> Result<(), StoreError> {
        let is_of_grant = |claim: &Claim| {
            claim.entry.as_ref().is_some_and(|entry| document::holds(entry.get(), grant))
        };
        if !self.extras().claims.values().any(&is_of_grant) {
            return Ok(());
        }
        let held = self.hold(lock::TIMEOUT)?;
        let Some(look) = held.look(self)? else { return Ok(()) };
        let (stored, mut extras) = (self.stored(&look)?, self.extras());
        let mut entries = Entries::new();
        for (id, claim) in &mut extras.claims {
            if !is_of_grant(claim) || !claim.stands_in(&stored, id) {
                continue;
            }
            let text = match unspent {
                Unspent::Surely => {
                    claim.entry.take().map(|entry| Secret::new(Box::<str>::from(entry)))
                }
                Unspent::Perhaps => {
                    stored.entry(id).map(|entry| Secret::new(document::failed(entry, &claim.id)))
                }
            };
            entries.extend(text.map(|text| (id.clone(), Some(text))));
        }
        self.put(&held, &look, entries)?;
        extras.write(&self.extras_path())
    }

    /// What the rows say, whatever markers of ours stand for.
    fn stored(&self, look: &Look) -> Result<Document, StoreError> {
        let stored = merge::profiles(store_text(look.own_rows()), self.shared_store(look));
        stored.map_err(|error| self.odd(&error))
    }

    /// The profiles that hold `grant`, and which OpenClaw refreshes without a lock.
    fn open_to_openclaw(
        &self,
        look: &Look,
        grant: &Secret,
        now: Millis,
    ) -> Result<Vec<String>, StoreError> {
        let stored = self.stored(look)?;
        let open = stored.profiles().filter(|profile| {
            let held = profile.credential.refresh_token();
            is_default(profile.id, &profile.credential.provider)
                && held.is_some_and(|held| held.matches(grant))
                && profile.credential.expires().is_none_or(|expires| expires <= now)
        });
        Ok(open.map(|profile| profile.id.to_owned()).collect())
    }

    /// Writes entries to the rows that have them, and commits.
    fn put(&self, held: &Held, look: &Look, entries: Entries) -> Result<(), StoreError> {
        let rows = self.present(look);
        for (owner, changes) in self.by_owner(&rows, Changes::of(entries)) {
            if !changes.is_empty() {
                let text = merge::changed_profiles(store_text(rows.rows(owner)), &changes, false);
                let text = text.map_err(|error| self.odd(&error))?;
                self.write(held, owner, Which::Store, Some(text.expose()))?;
            }
        }
        held.commit(self)
    }

    fn odd(&self, error: &serde_json::Error) -> StoreError {
        self.invalid_row(self.row_name(Which::Store), error)
    }
}

fn is_default(id: &str, provider: &ProviderId) -> bool {
    let provider = provider.spelling().trim().to_lowercase();
    id.strip_suffix(":default").is_some_and(|named| named == provider)
}

/// An id that nobody else uses: 32 hexadecimal digits.
fn new_id() -> String {
    let mut bytes = [0; 16];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
