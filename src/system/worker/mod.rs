//! A worker, which outlives its caller: a process of this program, or a thread of this
//! process. Here is how one is started, how its caller listens to it, and how it begins.
//!
//! A worker that is a process inherits a *start slot*, the open file of an advisory lock, so
//! that one worker runs for one purpose as long as it lives, whatever becomes of its caller.
//! Its job comes over standard input, for it holds the environment with its secrets; its
//! answers go over standard output, a line each. In the place of standard error it gets the
//! slot.
//!
//! Invariant: what is posted to a server is never said here. The job names what is to be
//! refreshed, and the worker reads the store itself.

mod life;
mod slot;
mod thread;

pub use life::{Life, Unsaved};
pub use slot::{Attempt, Slot, Waiter};
pub use thread::Threads;

use super::process::keep_memory_private;
use super::{Environment, child};
use close_fds::CloseFdsBuilder;
use fs2::FileExt;
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::mpsc::UnboundedReceiver;
use zeroize::Zeroizing;

/// The first line of a worker that has begun.
const READY: &str = "ready";
/// A worker that has not begun by then is given up.
const START_TIMEOUT: Duration = Duration::from_secs(2);
/// The variables that a worker gets as its environment: what the libraries of the system read
/// by themselves, and no secret among it. Everything else comes with the job, proxies with
/// their passwords as well.
const INHERITED: [&str; 13] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "HOSTALIASES",
    // Modules that know names of hosts may be there.
    "LD_LIBRARY_PATH",
    "RUST_BACKTRACE",
];

/// A worker that has begun.
#[derive(Debug)]
pub struct Running {
    said: Message,
    /// The process, where it is one.
    child: Option<Child>,
}

/// Where the lines of a worker come from.
#[derive(Debug)]
enum Message {
    Pipe(Lines<BufReader<Receiver>>),
    Channel(UnboundedReceiver<String>),
}

impl Running {
    /// A worker that is a thread.
    fn thread(lines: UnboundedReceiver<String>) -> Self {
        Self { said: Message::Channel(lines), child: None }
    }

    /// Its next line; `None` once it is done or dead. Nothing is lost when this is not waited
    /// for to the end.
    pub async fn line(&mut self) -> Option<String> {
        match &mut self.said {
            Message::Pipe(lines) => lines.next_line().await.ok().flatten(),
            Message::Channel(lines) => lines.recv().await,
        }
    }

    /// Waits until the process has ended, where it is one.
    pub fn wait(mut self) {
        let _ = self.child.as_mut().map(Child::wait);
    }
}

/// A process that has not begun as a worker yet: it is ended when this goes, and no zombie is
/// left. Without a job it has done nothing.
struct Starting(Option<Child>);

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a worker, `openclaw-auth <name>`, that holds `slot`, and hands it its `job`.
///
/// # Errors
/// It cannot be started, or has not begun in two seconds. Then it does nothing.
pub async fn start(
    name: &str,
    slot: &Slot,
    job: Zeroizing<Vec<u8>>,
    environment: &Environment,
) -> io::Result<Running> {
    // A descriptor that the caller was given, like the 9 of `flock 9`, is not the worker's.
    CloseFdsBuilder::new().cloexecfrom(3);
    let is_inherited = |name: &str| INHERITED.contains(&name) || name.starts_with("LC_");
    let inherited = environment.pairs().filter(|(name, _)| is_inherited(name));
    let mut command = child::command_with("/proc/self/exe", inherited);
    command.arg(name).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(slot.share()?);
    let mut child = command.spawn()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let mut starting = Starting(Some(child));
    let stdin = Sender::from_owned_fd(OwnedFd::from(stdin.ok_or(ErrorKind::BrokenPipe)?))?;
    let stdout = Receiver::from_owned_fd(OwnedFd::from(stdout.ok_or(ErrorKind::BrokenPipe)?))?;
    let mut lines = BufReader::new(stdout).lines();
    let begun = tokio::time::timeout(START_TIMEOUT, lines.next_line()).await;
    if !matches!(&begun, Ok(Ok(Some(line))) if line == READY) {
        return Err(ErrorKind::TimedOut.into());
    }
    // A worker that was stopped does not read, and its caller can be asked to stop.
    tokio::spawn(hand_over(stdin, job));
    Ok(Running { said: Message::Pipe(lines), child: starting.0.take() })
}

async fn hand_over(mut stdin: Sender, job: Zeroizing<Vec<u8>>) {
    // Who does not read it is dead, which its caller sees.
    let _ = stdin.write_all(&job).await;
}

/// The side of the worker: what it has from its caller. The job holds secrets: it is not
/// shown by `Debug`, and wiped.
pub struct Begun {
    /// The slot, held until the process ends.
    slot: File,
    /// What is to be done.
    pub job: Zeroizing<Vec<u8>>,
}

impl Begun {
    /// The slot, which is at `path`.
    pub fn slot(self, path: PathBuf) -> Slot {
        Slot::inherited(self.slot, path)
    }
}

/// Begins as a worker: in a session of its own, with its memory kept private, and tells its
/// caller. `None` when this process was started by hand.
///
/// # Errors
/// The caller is gone, or the system has no more threads.
pub fn begin() -> io::Result<Option<Begun>> {
    let _ = rustix::process::setsid();
    keep_memory_private();
    // It was started as `exe`, and who waits for it is told its name.
    let _ = rustix::thread::set_name(c"openclaw-auth");
    super::signal::outlive()?;
    let slot = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let is_slot =
        slot.metadata().is_ok_and(|it| it.is_file()) && matches!(slot.try_lock_exclusive(), Ok(()));
    if !is_slot || rustix::termios::isatty(io::stdin()) {
        return Ok(None);
    }
    let nowhere = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stderr(&nowhere)?;
    life::end_in_time()?;
    say(READY)?;
    let mut job = Zeroizing::new(Vec::with_capacity(64 * 1024));
    io::stdin().read_to_end(&mut job)?;
    if job.is_empty() { Err(Errno::PIPE.into()) } else { Ok(Some(Begun { slot, job })) }
}

/// Says a line to the caller, who may be gone.
///
/// # Errors
/// The caller is gone.
pub fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
