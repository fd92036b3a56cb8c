//! The thread that keeps a lock young, and brings its file to the disk meanwhile.

use super::lock_payload::payload_at;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Touches a lock from time to time until it is dropped: OpenClaw takes a lock for abandoned
/// once its `createdAt` is too long ago, whoever holds it.
#[derive(Debug)]
pub(super) struct Heartbeat {
    /// Asks for the file to be brought to the disk. The thread ends when this goes. Nobody
    /// waits for that: it writes to a file that is ours, and a busy machine takes its time to
    /// let it run.
    sync: Sender<Sender<io::Result<()>>>,
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
        let (sync, wanted) = channel::<Sender<io::Result<()>>>();
        std::thread::Builder::new().spawn(move || {
            loop {
                match wanted.recv_timeout(interval) {
                    // Nobody may want to know any more.
                    Ok(done) => drop(done.send(file.sync_all())),
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {
                        let Ok(payload) = payload_at(super::now()) else { return };
                        // Of the same length as before, so a reader sees one or the other.
                        if file.write_all_at(&payload, 0).is_err() {
                            return;
                        }
                    }
                }
            }
        })?;
        Ok(Self { sync })
    }

    /// Brings the file to the disk; `None` when the thread is gone.
    pub(super) fn sync(&self) -> Option<Receiver<io::Result<()>>> {
        let (done, is_done) = channel();
        self.sync.send(done).ok().map(|()| is_done)
    }
}
