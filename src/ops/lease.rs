//! Waiting for the lease on a profile.

use super::selection::Selected;
use crate::exit::Failure;
use crate::profile::Credential;
use crate::store::{Lease, LeaseAttempt, StoreError};
use crate::system::lock::{self, Holder};
use std::time::{Duration, Instant};

/// What ended the wait for a lease.
pub(super) enum Waited {
    /// The lease is ours.
    Leased(Lease),
    /// There is no need for it any more.
    Adopted(Box<Credential>),
}

/// One that waits looks at the document at least so often.
const LOOK: Duration = Duration::from_millis(8);

/// When one that has tried the lease after waiting so long tries it again: less and less
/// often, and at the very end.
fn next_try(waited: Duration, timeout: Duration) -> Duration {
    let pause = (waited / 8).clamp(Duration::from_millis(20), Duration::from_secs(1));
    (waited + pause).min(timeout)
}

/// Waits for the lease on a profile, or until `adopt` finds, in a document that has
/// changed, what the lease was wanted for.
pub(super) fn wait_for_lease(
    selected: &Selected,
    timeout: Duration,
    adopt: impl Fn(&Selected) -> Result<Option<Credential>, Failure>,
) -> Result<Waited, Failure> {
    let provider = &selected.credential.provider;
    let grant = selected.credential.refresh_token();
    let started = Instant::now();
    let mut seen = selected.fingerprint;
    let mut holder = Holder::default();
    let mut next = Duration::ZERO;
    loop {
        let waited = started.elapsed();
        // Looking at the document costs next to nothing, taking the lease does not, and two
        // hundred processes wait at a time.
        let present = selected.store.fingerprint();
        if present != seen {
            seen = present;
            if let Some(credential) = adopt(selected)? {
                return Ok(Waited::Adopted(Box::new(credential)));
            }
        }
        if waited >= next {
            next = next_try(waited, timeout);
            holder = match selected.store.try_lease(provider, &selected.id, grant)? {
                LeaseAttempt::Acquired(lease) => return Ok(Waited::Leased(lease)),
                LeaseAttempt::Held(holder) => holder,
            };
        }
        if waited >= timeout {
            let path = selected.store.lease_path(provider, &selected.id);
            let held = StoreError::LockTimeout { path, waited: timeout, holder };
            let id = &selected.id;
            return Err(
                Failure::from(held).context(format!("another process is refreshing `{id}`"))
            );
        }
        std::thread::sleep(lock::pause(waited, LOOK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_tried_less_and_less_often_and_at_the_very_end() {
        let timeout = Duration::from_mins(1);
        let (mut at, mut tries, mut longest) = (Duration::ZERO, 0, Duration::ZERO);
        while at < timeout {
            let next = next_try(at, timeout);
            (longest, at, tries) = (longest.max(next.saturating_sub(at)), next, tries + 1);
        }
        assert_eq!(at, timeout);
        assert!(longest <= Duration::from_secs(1) && tries < 120, "{longest:?} {tries}");
    }
}
