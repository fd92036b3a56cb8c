//! Waiting for what a process does: for a condition, and never for a time.

use super::rig::Running;
use std::time::{Duration, Instant};

/// Longer than anything takes that a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Who only reads a few files sleeps less often.
const SLEEPS: u64 = 10;

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a process waits for something itself: it has gone to sleep again and again.
#[track_caller]
pub(crate) fn until_it_waits(running: &Running) {
    until("the process waits", || sleeps(running.id()).is_some_and(|count| count > SLEEPS));
}

/// Whether a process has ended, though nobody has asked for its outcome yet.
pub(crate) fn has_ended(running: &Running) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id()));
    status.is_ok_and(|status| status.contains("State:\tZ"))
}

/// How often a process has gone to sleep by itself.
fn sleeps(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
