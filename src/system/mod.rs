//! The machine: clock, environment, streams, files, locks, processes, HTTP, browser.
//!
//! Invariant: this is the only folder that reads the environment, the clock or the
//! terminal, and the only one that writes files.

mod authorities;
pub mod browser;
pub mod child;
mod clients;
mod clock;
mod coding;
pub mod environment;
pub mod file;
pub mod file_system;
#[cfg(static_glibc)]
mod getent;
pub mod http;
mod http_error;
pub mod in_place;
pub mod keychain;
pub mod limits;
pub mod lock;
mod machine;
pub mod new_file;
pub mod permissions;
pub mod process;
mod proxy;
pub mod relocation;
mod replacement;
mod request_error;
pub mod route;
pub mod signal;
mod spare_file;
mod stop;
pub mod stream;
mod temporary;
pub mod terminal;
pub mod trace;
pub mod trust;
pub mod typing;
mod watched_body;
pub mod worker;

pub use clients::Clients;
pub use clock::{Clock, ManualClock, Ticks, now};
pub use environment::Environment;
pub use machine::Machine;
use std::os::unix::net::UnixStream;
pub use stop::{Stop, StopSource};
pub use stream::Streams;
use tokio::runtime::Runtime;

/// A runtime takes fewer descriptors than so many pairs.
const PAIRS: usize = 4;

/// A single-threaded runtime: only who waits pays for one.
///
/// # Errors
/// The system has no more descriptors, or not as many as a runtime takes.
fn runtime() -> std::io::Result<Runtime> {
    // The driver of signals panics where it gets none.
    let enough = (0..PAIRS).map(|_| UnixStream::pair()).collect::<std::io::Result<Vec<_>>>()?;
    drop(enough);
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Does `work` with a runtime of its own.
///
/// # Errors
/// See [`runtime`].
fn with_runtime<T>(work: impl FnOnce(&Runtime) -> T) -> std::io::Result<T> {
    let runtime = runtime()?;
    let done = work(&runtime);
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    Ok(done)
}

/// Runs `future` on a runtime that is made for this call.
///
/// # Errors
/// The system has no more descriptors, or not as many as a runtime takes.
pub fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    with_runtime(|runtime| runtime.block_on(future))
}
