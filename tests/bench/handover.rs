//! How long after its release the lock of a document has its next holder.

use crate::measure::Summary;
use crate::table::{milliseconds, render};
use anyhow::{Result, bail};
use fs2::FileExt;
use openclaw_auth::system::lock::{self, Attempt};
use serde::Serialize;
use std::any::Any;
use std::fs::File;
use std::path::Path;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread::{ThreadId, current};
use std::time::{Duration, Instant};

/// Hand-overs of one lock.
#[derive(Debug, Serialize)]
pub(crate) struct Handover {
    pub name: &'static str,
    pub waiters: u32,
    pub latency: Summary,
}

pub(crate) const OURS: &str = "openclaw-auth";
const FLOOR: &str = "floor: flock, blocking";

/// The time that a holder keeps it, different each time, so that the release falls into
/// any phase of the waiting: 10 to 15 ms.
fn hold(turn: u32) {
    std::thread::sleep(Duration::from_micros(10_000 + u64::from(turn * 379 % 5_000)));
}

/// The locks of threads exclude each other like those of processes: each has a descriptor
/// of its own.
pub(crate) fn measure(directory: &Path, handovers: u32) -> Result<Vec<Handover>> {
    let document = directory.join("handover.json");
    let ours = || match lock::wait(&document, lock::StaleRule::ByAge, lock::TIMEOUT)? {
        Attempt::Acquired(lock) => Ok(Box::new(lock) as Box<dyn Any>),
        Attempt::Held(holder) => bail!("the lock is held by {holder}"),
    };
    let plain = directory.join("handover.flock");
    let floor = || {
        let file = File::create(&plain)?;
        file.lock_exclusive()?;
        Ok(Box::new(file) as Box<dyn Any>)
    };
    let mut measured = Vec::new();
    for waiters in [1, 8] {
        eprintln!("Lock hand-over, {waiters} waiting …");
        let latency = latency(waiters, handovers, &ours)?;
        measured.push(Handover { name: OURS, waiters, latency });
        let latency = self::latency(waiters, handovers, &floor)?;
        measured.push(Handover { name: FLOOR, waiters, latency });
    }
    Ok(measured)
}

/// A release of the lock.
#[derive(Clone, Copy)]
struct Released {
    at: Instant,
    by: ThreadId,
}

/// One thread more than may wait takes the lock in turn, all at once.
fn latency(
    waiters: u32,
    handovers: u32,
    acquire: &(impl Fn() -> Result<Box<dyn Any>> + Sync),
) -> Result<Summary> {
    let threads = waiters + 1;
    let start = Barrier::new(threads as usize);
    // Who released it last; and what the next holders measured.
    let state: Mutex<(Option<Released>, Vec<Duration>)> = Mutex::default();
    std::thread::scope(|scope| {
        let run = || -> Result<()> {
            start.wait();
            for turn in 0..handovers.div_ceil(threads) {
                let lock = acquire()?;
                let acquired = Instant::now();
                let mut shared = state.lock().unwrap_or_else(PoisonError::into_inner);
                // Who is the only one left at the end hands over to nobody.
                if let Some(Released { at, by }) = shared.0
                    && by != current().id()
                {
                    shared.1.push(acquired.saturating_duration_since(at));
                }
                drop(shared);
                hold(turn);
                let released = Some(Released { at: Instant::now(), by: current().id() });
                state.lock().unwrap_or_else(PoisonError::into_inner).0 = released;
                drop(lock);
                // Somebody else is next.
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a waiting thread panicked")))
        })
    })?;
    let (_, latencies) = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Summary::of(latencies))
}

pub(crate) fn markdown(handovers: &[Handover]) -> String {
    let header = ["lock", "waiting", "hand-overs", "median ms", "p99 ms", "max ms"];
    let rows = handovers.iter().map(|handover| {
        let Summary { count, median_us, p99_us, max_us, .. } = handover.latency;
        vec![
            handover.name.to_owned(),
            handover.waiters.to_string(),
            count.to_string(),
            milliseconds(median_us),
            milliseconds(p99_us),
            milliseconds(max_us),
        ]
    });
    format!(
        "## Hand-over of the document lock\n\n\
         From before a holder lets it go until after the next one has it, whoever that is.\n\n{}",
        render(&header, rows)
    )
}
