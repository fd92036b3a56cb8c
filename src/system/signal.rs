//! Signals that ask the process to stop, as a value to wait for or to look at.

use super::{block_on, with_runtime};
use rustix::process::{Resource, getrlimit};
use std::io::{self, Read};
use std::sync::Once;
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

/// Lets no signal that can be blocked end this process any more, nor any thread that it starts
/// from here on; but for those that say that the program is broken (SIGILL, SIGBUS, SIGFPE,
/// SIGSEGV). One call for all of them: a handler for each takes longer than the rest of the start.
/// Programs that are started get none of that: the standard library gives them an empty mask.
///
/// # Errors
/// The system does not know the call.
pub fn outlive() -> io::Result<()> {
    use nix::sys::signal::{SigSet, Signal};
    IS_CAUGHT.store(true, Ordering::Relaxed);
    let mut blocked = SigSet::all();
    for broken in [Signal::SIGILL, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGSEGV] {
        blocked.remove(broken);
    }
    Ok(blocked.thread_block()?)
}

/// Whether signals were caught before: then none ends the process by itself any more.
pub fn are_caught() -> bool {
    IS_CAUGHT.load(Ordering::Relaxed)
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error (EFBIG) in place
/// of the end of this process (SIGXFSZ), whose only copy of a token it may be. Where there is
/// no limit, nothing is done.
pub(super) fn outlive_size_limit() {
    static IS_CAUGHT: Once = Once::new();
    if getrlimit(Resource::Fsize).current.is_none() {
        return;
    }
    IS_CAUGHT.call_once(|| {
        let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
        // In a thread of its own, because this one may be in a runtime already. The handler
        // outlives the runtime that installs it.
        let catch = move || {
            with_runtime(|runtime| {
                let _inside = runtime.enter();
                signal(kind).map(drop)
            })
        };
        let caught = std::thread::Builder::new().spawn(catch);
        let _ = caught.map(std::thread::JoinHandle::join);
    });
}

/// Runs what waits for the user and notices no signal: one that comes ends the process with
/// `code`, after `last`.
#[expect(clippy::exit, reason = "a read that nothing wakes can only be left like this")]
pub fn ending<T>(
    code: u8,
    last: impl FnOnce() + Send + 'static,
    run: impl FnOnce() -> T,
) -> io::Result<T> {
    let (done, mut is_done) = tokio::sync::oneshot::channel::<()>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watching = std::thread::Builder::new().spawn(move || {
        let has_come = block_on(async {
            let caught = StopSignals::catch();
            let _ = ready.send(());
            let Ok(mut signals) = caught else { return false };
            tokio::select! {
                _ = &mut is_done => false,
                () = signals.received() => true,
            }
        });
        if matches!(has_come, Ok(true)) {
            last();
            std::process::exit(code.into());
        }
    })?;
    // Without a runtime there is nothing to wait for.
    let _ = is_ready.recv();
    let ran = run();
    drop(done);
    let _ = watching.join();
    Ok(ran)
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
    // The system writes the whole text anew for each read: mostly one is enough.
    let mut status = Vec::with_capacity(8192);
    let file = std::fs::File::open("/proc/self/status");
    let _ = file.and_then(|mut file| file.read_to_end(&mut status));
    let status = String::from_utf8_lossy(&status);
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}
