//! Waiting for the lease on a profile.

use super::selection::Selected;
use crate::exit::Failure;
use crate::profile::Credential;
use crate::store::{Lease, Turn};
use crate::text::printable;
use std::time::Duration;

/// What ended the wait for a lease.
pub(super) enum Waited {
    /// The lease is ours.
    Leased(Lease),
    /// There is no need for it any more.
    Adopted(Box<Credential>),
}

/// Waits for the lease on a profile, or until `adopt` finds, in a document that has
/// changed, what the lease was wanted for.
pub(super) fn wait_for_lease(
    selected: &Selected,
    timeout: Duration,
    adopt: impl Fn(&Selected) -> Result<Option<Credential>, Failure>,
) -> Result<Waited, Failure> {
    let mut seen = selected.version;
    let turn = selected.store.wait_for_lease(&selected.lease_key(), timeout, || {
        let present = selected.store.version();
        if present == seen {
            return Ok(None);
        }
        seen = present;
        adopt(selected)
    });
    match turn? {
        Turn::Leased(lease) => Ok(Waited::Leased(lease)),
        Turn::Found(credential) => Ok(Waited::Adopted(Box::new(credential))),
        Turn::TimedOut(error) => {
            let id = printable(&selected.id, 200);
            Err(Failure::from(error).context(format!("another process is refreshing `{id}`")))
        }
    }
}
