//! Taking turns: one process refreshes a grant while the others wait for its result.

use super::{Lease, Store, StoreError};
use crate::secret::Secret;
use crate::store::{LeaseAttempt, LeaseKey};
use crate::system::Clock;
use crate::system::lock;
use crate::system::worker::{Attempt, Slot};
use std::sync::Arc;
use std::time::Duration;

/// What ended the wait for a turn.
#[derive(Debug)]
pub enum Turn<T, L = Lease> {
    /// It is our turn: the lease, or the right to start a worker.
    Leased(L),
    /// What the turn was wanted for is there.
    Found(T),
    /// The time is over: [`StoreError::LockTimeout`] with the holder.
    TimedOut(StoreError),
}

/// The right to start a worker, or what came of the one that was waited for.
#[derive(Debug)]
pub enum Start {
    /// A worker may be started, which holds this.
    Now(Slot),
    /// The worker has ended with this outcome, which nobody has stored.
    Ended(String),
}

/// What came of one try for a turn.
enum Tried<L> {
    Ours(L),
    /// The error for when the time is over.
    Held(StoreError),
}

/// The one loop that waits for a turn: it looks often and tries less and less often.
async fn wait<T, L, E: From<StoreError>>(
    clock: &Clock,
    timeout: Duration,
    mut look: impl FnMut() -> Result<Option<T>, E>,
    mut attempt: impl FnMut(Duration) -> Result<Tried<L>, StoreError>,
) -> Result<Turn<T, L>, E> {
    let started = clock.instant();
    let mut next = Duration::ZERO;
    let mut held = None;
    loop {
        let waited = clock.since(started);
        // To look costs next to nothing, to try does not, and two hundred processes wait at a
        // time.
        if let Some(found) = look()? {
            return Ok(Turn::Found(found));
        }
        if waited >= next {
            next = next_try(waited, timeout);
            match attempt(timeout)? {
                Tried::Ours(ours) => return Ok(Turn::Leased(ours)),
                Tried::Held(error) => held = Some(error),
            }
        }
        if waited >= timeout
            && let Some(error) = held
        {
            return Ok(Turn::TimedOut(error));
        }
        clock.sleep(lock::pause(waited, longest_look(waited))).await;
    }
}

/// Who has waited so long for a lease looks for a result at least so often: the looks of a
/// thousand take the time of a machine that its one worker needs.
fn longest_look(waited: Duration) -> Duration {
    (waited / 50).clamp(Duration::from_millis(8), Duration::from_millis(100))
}

/// When one that has tried the lease after waiting so long tries it again: less and less
/// often, and at the very end.
fn next_try(waited: Duration, timeout: Duration) -> Duration {
    let pause = (waited / 8).clamp(Duration::from_millis(20), Duration::from_secs(1));
    (waited + pause).min(timeout)
}

impl Store {
    /// Waits for the lease, or until `look` finds what the lease is wanted for: another
    /// process has stored it. `look` runs before each attempt and often in between, so it
    /// has to be cheap where nothing has changed.
    ///
    /// # Errors
    /// Locks cannot be used there, or the error of `look`.
    pub async fn wait_for_lease<T, E: From<StoreError>>(
        &self,
        key: &LeaseKey<'_>,
        clock: &Clock,
        timeout: Duration,
        look: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Turn<T>, E> {
        let attempt = |waited| {
            Ok(match self.engine.try_lease(key)? {
                LeaseAttempt::Acquired(lease) => Tried::Ours(lease),
                LeaseAttempt::Held(holder) => Tried::Held(StoreError::LockTimeout {
                    location: self.engine.lease_location(key),
                    waited,
                    holder,
                }),
            })
        };
        wait(clock, timeout, look, attempt).await
    }

    /// Waits for the right to start a worker that refreshes `grant`, or until `look` finds
    /// what it is wanted for, or until the worker that was waited for has ended.
    ///
    /// # Errors
    /// Locks cannot be used there.
    pub async fn wait_to_start<T>(
        &self,
        key: &LeaseKey<'_>,
        grant: &Secret,
        clock: &Clock,
        timeout: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<Turn<T, Start>, StoreError> {
        let mut waiter = self.engine.waiter_to_start(grant)?;
        let attempt = |waited| {
            let location = || self.engine.lease_location(key);
            let attempt = waiter.try_take();
            let attempt = attempt.map_err(|source| StoreError::Lock {
                location: location(),
                source: Arc::new(source),
            })?;
            Ok(match attempt {
                Attempt::Taken(slot) => Tried::Ours(Start::Now(slot)),
                Attempt::Ended(outcome) => Tried::Ours(Start::Ended(outcome)),
                Attempt::Busy => Tried::Held(StoreError::LockTimeout {
                    location: location(),
                    waited,
                    holder: self.engine.lease_holder(key),
                }),
            })
        };
        wait(clock, timeout, || Ok(look()), attempt).await
    }

    /// Tries once to take the lease.
    ///
    /// # Errors
    /// Locks cannot be used there.
    pub fn try_lease(&self, key: &LeaseKey<'_>) -> Result<LeaseAttempt, StoreError> {
        self.engine.try_lease(key)
    }

    /// Moves a lease to `grant`, which the profile holds by now, and waits for whoever has
    /// that. Whether it was on another one, so that everything has to be read again.
    ///
    /// # Errors
    /// The lock, or the time is over.
    pub fn follow_grant(
        &self,
        lease: &mut Lease,
        grant: &Secret,
        timeout: Duration,
    ) -> Result<bool, StoreError> {
        self.engine.follow_grant(lease, grant, timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_looks_less_and_less_often_and_notices_soon() {
        let millis = Duration::from_millis;
        assert_eq!(longest_look(millis(300)), millis(8));
        assert_eq!(longest_look(millis(2_000)), millis(40));
        assert_eq!(longest_look(Duration::from_mins(1)), millis(100));
    }

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
