//! Waiting for the lease on a profile.

use crate::ops::selection::Selected;
use crate::profile::{Credential, ProfileId};
use crate::store::{Lease, StoreError, Turn};
use crate::system::Clock;
use crate::system::trace::{Event, Hash, Trace};
use std::time::Duration;

/// What ended the wait for a lease.
pub(in crate::ops) enum Waited {
    /// The lease is ours.
    Leased(Lease),
    /// There is no need for it any more.
    Adopted(Box<Credential>),
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else had it all the time.
    #[error("another process is refreshing `{}`", profile_id)]
    Busy {
        /// The profile.
        profile_id: ProfileId,
        /// Who has it.
        source: StoreError,
    },
}

/// What stopped the wait.
enum Stopped<E> {
    Waiting(StoreError),
    Adopting(E),
}

impl<E> From<StoreError> for Stopped<E> {
    fn from(error: StoreError) -> Self {
        Self::Waiting(error)
    }
}

/// Waits for the lease on a profile, or until `adopt` finds, in a document that has
/// changed, what the lease was wanted for.
pub(in crate::ops) async fn wait_for_lease<E: From<LeaseError>>(
    selected: &Selected,
    clock: &Clock,
    timeout: Duration,
    adopt: impl Fn(&Selected) -> Result<Option<Credential>, E>,
) -> Result<Waited, E> {
    let mut seen = selected.version;
    let look = || {
        let present = selected.store.version();
        if present == seen {
            return Ok(None);
        }
        seen = present;
        adopt(selected).map_err(Stopped::Adopting)
    };
    let key = selected.lease_key();
    match selected.store.wait_for_lease(&key, clock, timeout, look).await {
        Ok(Turn::Leased(lease)) => Ok(Waited::Leased(lease)),
        Ok(Turn::Found(credential)) => Ok(Waited::Adopted(Box::new(credential))),
        Ok(Turn::TimedOut(source)) => {
            Err(LeaseError::Busy { profile_id: selected.id.clone(), source }.into())
        }
        Err(Stopped::Waiting(error)) => Err(LeaseError::from(error).into()),
        Err(Stopped::Adopting(error)) => Err(error),
    }
}

/// Tells whether the lease that a refresh waited for is ours; hands on what came of the wait.
pub(super) fn tell<E>(
    trace: &Trace,
    selected: &Selected,
    waited: Result<Waited, E>,
) -> Result<Waited, E> {
    trace.tell(|| Event::Lease {
        profile: Hash::of(selected.id.as_str()),
        is_ours: matches!(waited, Ok(Waited::Leased(_))),
    });
    waited
}
