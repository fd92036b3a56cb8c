//! Workers that are threads of this process.
//!
//! Invariant: who waits for one may leave, and the process does not: what was begun is ended
//! before [`Threads`] are gone.

use super::Running;
use crate::system::runtime;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// The workers of a process that are threads.
#[derive(Debug)]
pub struct Threads {
    begun: Mutex<Vec<JoinHandle<()>>>,
    asked: watch::Sender<u32>,
}

impl Default for Threads {
    fn default() -> Self {
        Self { begun: Mutex::default(), asked: watch::Sender::new(0) }
    }
}

impl Threads {
    /// Starts a worker that does `work`, which is given whom to tell, a line each, on a
    /// runtime of its own.
    ///
    /// # Errors
    /// There is no thread to be had, or no runtime.
    pub fn start<W: Future<Output = ()>>(
        &self,
        work: impl FnOnce(mpsc::UnboundedSender<String>) -> W + Send + 'static,
    ) -> io::Result<Running> {
        let (teller, lines) = mpsc::unbounded_channel();
        let runtime = runtime()?;
        let thread = std::thread::Builder::new().spawn(move || {
            runtime.block_on(work(teller));
            // A name that is still being looked up is not waited for.
            runtime.shutdown_background();
        })?;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|thread| !thread.is_finished());
        begun.push(thread);
        drop(begun);
        Ok(Running::thread(lines))
    }

    /// Asks those who wait for a worker to stop, as a signal asks a process.
    pub fn ask_to_stop(&self) {
        self.asked.send_modify(|times| *times += 1);
    }

    /// What tells that [`Self::ask_to_stop`] was called from now on.
    pub fn asked(&self) -> watch::Receiver<u32> {
        self.asked.subscribe()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let begun = std::mem::take(self.begun.get_mut().unwrap_or_else(PoisonError::into_inner));
        for thread in begun {
            let _ = thread.join();
        }
    }
}
