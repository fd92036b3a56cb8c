//! Signals that ask the process to stop, as a value to wait for or to look at.

use super::block_on;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether signals were ever caught: a handler stays for good.
static IS_CAUGHT: AtomicBool = AtomicBool::new(false);

/// SIGINT, SIGTERM and SIGHUP, but for those that the process was started to ignore
/// (`nohup`). From the moment this exists they no longer end the process by themselves: a
/// critical section is finished first.
pub struct StopSignals([Option<Signal>; 3]);

impl StopSignals {
    /// Starts to catch the signals. Needs a runtime.
    ///
    /// # Errors
    /// A handler cannot be installed.
    pub fn catch() -> io::Result<Self> {
        IS_CAUGHT.store(true, Ordering::Relaxed);
        let ignored = ignored_signals();
        let catch = |kind: SignalKind| {
            let bit = 1_u64 << (kind.as_raw_value() - 1);
            (ignored & bit == 0).then(|| signal(kind)).transpose()
        };
        Ok(Self([
            catch(SignalKind::interrupt())?,
            catch(SignalKind::terminate())?,
            catch(SignalKind::hangup())?,
        ]))
    }

    /// Waits for the first signal.
    pub async fn received(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = received(interrupt) => {}
            () = received(terminate) => {}
            () = received(hangup) => {}
        }
    }

    /// Whether a signal has come since [`Self::catch`].
    pub async fn has_come(&mut self) -> bool {
        // The driver turns a caught signal into a value on its next round.
        tokio::task::yield_now().await;
        tokio::select! {
            biased;
            () = self.received() => true,
            () = tokio::task::yield_now() => false,
        }
    }
}

/// Runs what itself notices Ctrl-C, with SIGINT caught. From then on SIGINT no longer ends the
/// process by itself: see [`ending`].
///
/// # Errors
/// A handler cannot be installed.
pub fn caught<T>(run: impl FnOnce() -> T) -> io::Result<T> {
    block_on(async { StopSignals::catch().map(|_signals| run()) })?
}

/// Runs what waits for the user and notices no signal: one that comes ends the process with
/// `code` where signals were caught before, and by itself where not.
#[expect(clippy::exit, reason = "a read that nothing wakes can only be left like this")]
pub fn ending<T>(code: u8, run: impl FnOnce() -> T) -> T {
    if !IS_CAUGHT.load(Ordering::Relaxed) {
        return run();
    }
    let (done, mut is_done) = tokio::sync::oneshot::channel::<()>();
    let watch = move || {
        let watched = block_on(async {
            let Ok(mut signals) = StopSignals::catch() else { return false };
            tokio::select! {
                _ = &mut is_done => false,
                () = signals.received() => true,
            }
        });
        if matches!(watched, Ok(true)) {
            std::process::exit(code.into());
        }
    };
    let watching = std::thread::Builder::new().spawn(watch);
    let ran = run();
    drop(done);
    if let Ok(watching) = watching {
        let _ = watching.join();
    }
    ran
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// The set of ignored signals (proc(5), `SigIgn` of `status`); none where it is not told.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}
