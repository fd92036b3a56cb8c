//! The thread that keeps a lock young.

use super::payload::payload_at;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Touches a lock from time to time until it is dropped: OpenClaw takes a lock for abandoned
/// once its `createdAt` is too long ago, whoever holds it.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// The thread ends when this goes. Nobody waits for that: it writes to a file that is ours,
    /// and a busy machine takes its time to let it run.
    _end: Sender<()>,
}

/// Well below the 30 seconds after which OpenClaw takes a store lock for abandoned.
pub(super) const BEAT: Duration = Duration::from_secs(10);

impl Heartbeat {
    /// Starts to touch the lock in `file`, once an `interval`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(file: &File, interval: Duration) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (end, ended) = channel();
        std::thread::Builder::new().spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(interval) {
                let Ok(payload) = payload_at(crate::system::now()) else { return };
                // Of the same length as before, so a reader sees one or the other.
                if file.write_all_at(&payload, 0).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { _end: end })
    }
}
