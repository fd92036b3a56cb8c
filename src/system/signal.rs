//! Signals that ask the process to stop, as a value to wait for or to look at.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP. From the moment one exists they no longer end the
/// process by themselves: a critical section is finished first.
pub struct StopSignals([Signal; 3]);

impl StopSignals {
    /// Starts to catch the signals. Needs a runtime.
    ///
    /// # Errors
    /// A handler cannot be installed.
    pub fn catch() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Waits for the first signal.
    pub async fn received(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
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
