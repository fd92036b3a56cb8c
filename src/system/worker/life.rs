//! How long a worker lives: [`limits::WORKER`] at most, and what it takes to prepare the
//! request, unless a request is in flight or its reply is not saved yet.
//!
//! Invariant: a request that is begun has the time for its whole answer, so that none is cut
//! off by the end of its worker.

use crate::system::limits;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The requests of this process that are in flight, or whose replies are not saved yet.
static UNSAVED: AtomicUsize = AtomicUsize::new(0);
/// The milliseconds that do not count against the time of this process as a worker.
static PREPARING: AtomicU64 = AtomicU64::new(0);

/// The time of a worker; without an end for what is no worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    begun: Option<Instant>,
    /// What was spent on preparing requests, which does not count.
    preparing: Duration,
}

impl Life {
    /// That of a worker, which begins now.
    pub fn of_worker() -> Self {
        Self { begun: Some(Instant::now()), preparing: Duration::ZERO }
    }

    /// Whether this is a worker.
    pub const fn is_of_worker(self) -> bool {
        self.begun.is_some()
    }

    /// Whether a request that is made after `pause` has the time for its whole answer.
    pub fn has_time_for_request(self, pause: Duration) -> bool {
        self.spent().is_none_or(|spent| spent + pause <= limits::WORKER_REQUEST)
    }

    /// The time without `preparing`, of which as much counts not as one request may take.
    #[must_use]
    pub fn without(self, preparing: Duration) -> Self {
        let all = (self.preparing + preparing).min(limits::REQUEST);
        if self.is_of_worker() {
            let millis = u64::try_from(all.as_millis()).unwrap_or(u64::MAX);
            PREPARING.fetch_max(millis, Ordering::SeqCst);
        }
        Self { preparing: all, ..self }
    }

    /// How much of the time is over.
    fn spent(self) -> Option<Duration> {
        Some(self.begun?.elapsed().saturating_sub(self.preparing))
    }

    /// How long to wait, of `wanted`, for what comes right before a request.
    pub fn request_wait(self, wanted: Duration) -> Duration {
        let left = |spent| limits::WORKER_REQUEST.saturating_sub(spent);
        self.spent().map_or(wanted, |spent| wanted.min(left(spent)))
    }

    /// How long to wait for a lock, of `wanted`.
    pub fn lock_wait(self, wanted: Duration) -> Duration {
        let left = |spent| limits::WORKER_LOCKS.saturating_sub(spent);
        self.spent().map_or(wanted, |spent| wanted.min(left(spent)))
    }
}

/// A request that is in flight, or a reply that is not saved yet, as long as this exists.
pub struct Unsaved(());

impl Unsaved {
    /// Keeps the worker alive until it is dropped.
    pub fn hold() -> Self {
        UNSAVED.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Unsaved {
    fn drop(&mut self) {
        UNSAVED.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends this process when the time of a worker is over and nothing is unsaved.
///
/// # Errors
/// There is no thread to be had.
#[expect(clippy::exit, reason = "what hangs can only be left like this")]
pub(super) fn end_in_time() -> io::Result<()> {
    std::thread::Builder::new().spawn(|| {
        wait_for_end(limits::WORKER);
        std::process::exit(1);
    })?;
    Ok(())
}

/// Waits for `time`, and as long as something is unsaved then.
fn wait_for_end(time: Duration) {
    const LOOK: Duration = Duration::from_secs(1);
    std::thread::sleep(time);
    std::thread::sleep(Duration::from_millis(PREPARING.load(Ordering::SeqCst)));
    while UNSAVED.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(LOOK.min(time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun_ago(ago: Duration) -> Life {
        Life { begun: Instant::now().checked_sub(ago), preparing: Duration::ZERO }
    }

    #[test]
    fn preparing_a_request_does_not_count_but_a_wait_behind_it_does() {
        let seconds = Duration::from_secs;
        let wait = |life: Life| life.request_wait(seconds(30));
        // `without` also moves the end of this process, which is none of a test's.
        let prepared = |ago, preparing| Life { preparing: seconds(preparing), ..begun_ago(ago) };
        assert!(prepared(seconds(24), 23).has_time_for_request(seconds(1)));
        assert!(wait(prepared(seconds(24), 23)) <= seconds(19));
        assert!(!prepared(seconds(44), 23).has_time_for_request(Duration::ZERO));
        assert_eq!(wait(prepared(seconds(44), 23)), Duration::ZERO);
        assert_eq!(wait(Life::default().without(seconds(40))), seconds(30));
        assert_eq!(Life::default().without(seconds(40)).preparing, limits::REQUEST);
    }

    #[test]
    fn a_request_that_is_begun_ends_before_its_worker() {
        let latest = limits::WORKER_REQUEST + limits::CONNECT + limits::TOKEN_ANSWER;
        assert_eq!(latest, limits::WORKER);
        assert!(limits::WORKER_LOCKS < limits::WORKER_REQUEST);
        let seconds = Duration::from_secs;
        assert!(begun_ago(seconds(5)).has_time_for_request(seconds(10)));
        assert!(!begun_ago(seconds(5)).has_time_for_request(seconds(16)));
        assert!(!begun_ago(seconds(21)).has_time_for_request(Duration::ZERO));
        assert!(Life::default().has_time_for_request(seconds(3_600)));
    }

    #[test]
    fn a_worker_waits_for_locks_no_longer_than_its_request_can_wait() {
        let seconds = Duration::from_secs;
        assert_eq!(Life::default().lock_wait(seconds(150)), seconds(150));
        assert!(begun_ago(seconds(14)).lock_wait(seconds(150)) <= seconds(1));
        assert_eq!(begun_ago(seconds(1)).lock_wait(seconds(3)), seconds(3));
        assert_eq!(begun_ago(seconds(60)).lock_wait(seconds(150)), Duration::ZERO);
    }

    #[test]
    fn the_end_waits_for_what_is_unsaved() {
        let unsaved = Unsaved::hold();
        let waiting = std::thread::spawn(|| wait_for_end(Duration::from_millis(1)));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        drop(unsaved);
        waiting.join().unwrap();
    }
}
