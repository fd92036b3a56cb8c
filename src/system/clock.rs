//! The clock: what time it is, and waiting until it is later.
//!
//! Invariant: what a use case decides by time, it asks of the clock that it was given. A test
//! gives it one that moves by hand, so that nothing waits for real seconds.

use crate::profile::Millis;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Now, in milliseconds since the epoch.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX))
}

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The clock of the system.
    #[default]
    System,
    /// A clock that moves when it is moved.
    Manual(Arc<ManualClock>),
}

impl Clock {
    /// The time of day, in milliseconds since the epoch.
    pub fn now(&self) -> Millis {
        match self {
            Self::System => now(),
            Self::Manual(clock) => {
                let passed = clock.state().passed;
                let passed = Millis::try_from(passed.as_millis()).unwrap_or(Millis::MAX);
                clock.start.saturating_add(passed)
            }
        }
    }

    /// The moment, for deadlines and spans: it never goes back.
    pub fn instant(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(clock) => clock.first + clock.state().passed,
        }
    }

    /// How long ago `earlier` was.
    pub fn since(&self, earlier: Instant) -> Duration {
        self.instant().saturating_duration_since(earlier)
    }

    /// How long it is until `later`.
    pub fn until(&self, later: Instant) -> Duration {
        later.saturating_duration_since(self.instant())
    }

    /// Waits for `time`. Needs the timer of a runtime.
    pub async fn sleep(&self, time: Duration) {
        match self {
            Self::System => tokio::time::sleep(time).await,
            Self::Manual(clock) => Arc::clone(clock).sleep(time).await,
        }
    }

    /// Waits until `later`. Needs the timer of a runtime.
    pub async fn sleep_until(&self, later: Instant) {
        match self {
            Self::System => tokio::time::sleep_until(later.into()).await,
            Self::Manual(clock) => {
                let time = later.saturating_duration_since(self.instant());
                Arc::clone(clock).sleep(time).await;
            }
        }
    }

    /// What `work` comes to within `limit`; `None` when it takes longer. Needs the timer of a
    /// runtime.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.sleep(limit) => None,
        }
    }

    /// Waits for `time` with the whole thread.
    pub fn pause(&self, time: Duration) {
        match self {
            Self::System => std::thread::sleep(time),
            Self::Manual(clock) => clock.pause(time),
        }
    }

    /// Ticks `every` so often, at once for the first time.
    pub fn ticks(&self, every: Duration) -> Ticks {
        Ticks { clock: self.clone(), next: self.instant(), every }
    }
}

/// What ticks.
#[derive(Debug)]
pub struct Ticks {
    clock: Clock,
    next: Instant,
    every: Duration,
}

impl Ticks {
    /// Waits for the next tick. Nothing is lost when this is not waited for to the end.
    pub async fn tick(&mut self) {
        self.clock.sleep_until(self.next).await;
        self.next = self.clock.instant() + self.every;
    }
}

/// Who moves the clock waits so long for somebody to wait for it.
const LONGEST: Duration = Duration::from_mins(1);

/// A clock that moves when it is moved.
#[derive(Debug)]
pub struct ManualClock {
    start: Millis,
    first: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How far it was moved.
    passed: Duration,
    /// Who waits, and until it was moved how far.
    waiting: Vec<Waiting>,
    next_id: u64,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    until: Duration,
    waker: Option<Waker>,
}

impl ManualClock {
    /// A clock that says `start`, in milliseconds since the epoch, until it is moved.
    pub fn new(start: Millis) -> Arc<Self> {
        Arc::new(Self {
            start,
            first: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Moves it by `time`.
    pub fn advance(&self, time: Duration) {
        let mut state = self.state();
        state.passed += time;
        let passed = state.passed;
        let due = state.waiting.iter_mut().filter(|waiting| waiting.until <= passed);
        let wakers: Vec<_> = due.filter_map(|waiting| waiting.waker.take()).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        self.changed.notify_all();
    }

    /// Moves it by `time` as soon as somebody waits for exactly that long; whether somebody
    /// did within a minute.
    #[must_use]
    pub fn pass(&self, time: Duration) -> bool {
        let is_awaited = |state: &State| {
            state.waiting.iter().any(|waiting| waiting.until == state.passed + time)
        };
        let awaited =
            self.changed.wait_timeout_while(self.state(), LONGEST, |state| !is_awaited(state));
        let (state, ended) = awaited.unwrap_or_else(PoisonError::into_inner);
        drop(state);
        self.advance(time);
        !ended.timed_out()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(self: Arc<Self>, time: Duration) -> Sleep {
        let id = self.enter(time);
        Sleep { clock: self, id }
    }

    /// Notes that somebody waits for `time`, by an id.
    fn enter(&self, time: Duration) -> u64 {
        let mut state = self.state();
        let (id, until) = (state.next_id, state.passed.saturating_add(time));
        state.next_id += 1;
        state.waiting.push(Waiting { id, until, waker: None });
        drop(state);
        self.changed.notify_all();
        id
    }

    fn leave(&self, id: u64) {
        self.state().waiting.retain(|waiting| waiting.id != id);
    }

    fn pause(&self, time: Duration) {
        let id = self.enter(time);
        let mut state = self.state();
        while state.waiting.iter().any(|own| own.id == id && own.until > state.passed) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        self.leave(id);
    }
}

/// Somebody who waits for a [`ManualClock`].
struct Sleep {
    clock: Arc<ManualClock>,
    id: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state();
        let passed = state.passed;
        let own = state.waiting.iter_mut().find(|waiting| waiting.id == self.id);
        match own {
            Some(own) if own.until > passed => {
                own.waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_clock_that_is_moved_by_hand_wakes_who_waits_long_enough() {
        let manual = ManualClock::new(1_000);
        let clock = Clock::Manual(Arc::clone(&manual));
        let begun = clock.instant();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                clock.pause(SECOND);
                let first = clock.now();
                crate::system::block_on(clock.sleep(2 * SECOND)).unwrap();
                (first, clock.now())
            });
            assert!(manual.pass(SECOND) && manual.pass(2 * SECOND));
            assert_eq!(waiting.join().unwrap(), (2_000, 4_000));
        });
        assert_eq!(clock.since(begun), 3 * SECOND);
        assert!(manual.state().waiting.is_empty());
    }

    #[test]
    fn ticks_come_at_once_and_then_one_by_one_and_a_limit_ends_what_takes_longer() {
        let manual = ManualClock::new(0);
        let clock = Clock::Manual(Arc::clone(&manual));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                crate::system::block_on(async {
                    let mut ticks = clock.ticks(SECOND);
                    for _ in 0..3 {
                        ticks.tick().await;
                    }
                    clock.within(3 * SECOND, std::future::pending::<()>()).await
                })
                .unwrap()
            });
            for seconds in [1, 1, 3] {
                assert!(manual.pass(seconds * SECOND));
            }
            assert_eq!(waiting.join().unwrap(), None);
        });
        assert_eq!(clock.now(), 5_000);
    }
}
