//! Waiting for a lock: looking again from time to time.

use super::{Attempt, Holder, SidecarLock, StaleRule, try_acquire_beside};
use crate::system::file::with_suffix;
use crate::system::now;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a change waits for the lock of its document.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// One that waits looks again at least so often.
pub const POLL: Duration = Duration::from_millis(3);

/// How long one that has waited so long sleeps before it looks again: first a short while,
/// for most locks are held for as long as a write takes, then up to `longest`.
pub fn pause(waited: Duration, longest: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(1);
    (waited / 8).clamp(SHORTEST, longest)
}

/// Waits up to `timeout` for the lock file beside `document`; [`Attempt::Held`] by whoever
/// still holds it then.
///
/// # Errors
/// See [`super::try_acquire`].
pub fn wait(document: &Path, rule: StaleRule, timeout: Duration) -> io::Result<Attempt> {
    wait_at(&with_suffix(document, ".lock"), None, rule, timeout)
}

/// As [`wait`], by [`StaleRule::ByAge`], for one who holds the lock `held`.
///
/// # Errors
/// See [`super::try_acquire`].
pub fn wait_beside(
    document: &Path,
    held: Option<&SidecarLock>,
    timeout: Duration,
) -> io::Result<Attempt> {
    wait_at(&with_suffix(document, ".lock"), held, StaleRule::ByAge, timeout)
}

fn wait_at(
    path: &Path,
    held: Option<&SidecarLock>,
    rule: StaleRule,
    timeout: Duration,
) -> io::Result<Attempt> {
    let started = Instant::now();
    loop {
        let attempt = try_acquire_beside(path, held, rule, now())?;
        let waited = started.elapsed();
        if matches!(attempt, Attempt::Acquired(_)) || waited >= timeout {
            return Ok(attempt);
        }
        std::thread::sleep(pause(waited, POLL));
    }
}

/// Tries for something until it is had, or the time is over; then who has it.
///
/// # Errors
/// An attempt fails.
pub fn try_for<T, E>(
    timeout: Duration,
    mut attempt: impl FnMut() -> Result<Result<T, Holder>, E>,
) -> Result<Result<T, Holder>, E> {
    let started = Instant::now();
    loop {
        match attempt()? {
            Err(_) if started.elapsed() < timeout => std::thread::sleep(POLL),
            done => return Ok(done),
        }
    }
}
