//! A process of this program that outlives its caller: how it is started, how its caller
//! listens to it, and how it begins.
//!
//! The worker inherits a *start slot*, the open file of an advisory lock, so that one worker
//! runs for one purpose as long as it lives, whatever becomes of its caller. Its job comes
//! over standard input, for it holds the environment with its secrets; its answers go over
//! standard output, a line each. In the place of standard error it gets the slot.
//!
//! Invariant: what is posted to a server is never said here. The job names what is to be
//! refreshed, and the worker reads the store itself.

use super::Environment;
use super::process::keep_memory_private;
use close_fds::CloseFdsBuilder;
use fs2::FileExt;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zeroize::Zeroizing;

/// The first line of a worker that has begun.
const READY: &str = "ready";
/// A worker that has not begun by then is given up.
const START_TIMEOUT: Duration = Duration::from_secs(2);
/// What a worker leaves for those who wait has at most so many bytes.
const LARGEST_OUTCOME: u64 = 64 * 1024;
/// The variables that a worker gets as its environment: what the libraries of the system read
/// by themselves, and no secret among it. Everything else comes with the job, proxies with
/// their passwords as well.
const INHERITED: [&str; 12] = [
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
    "RUST_BACKTRACE",
];

/// The right to start the one worker for something, as long as the file stays open.
#[derive(Debug)]
pub struct Slot {
    file: File,
    path: PathBuf,
}

impl Slot {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the slot back without a word.
    pub fn release(self) {
        self.end("");
    }

    /// Leaves `outcome` for those who wait for the slot, and gives it back: its file goes,
    /// and who has it open reads the outcome there.
    fn end(mut self, outcome: &str) {
        let _ = self.file.write_all(outcome.as_bytes());
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// One who wants a slot.
#[derive(Debug)]
pub struct Waiter {
    path: PathBuf,
    /// The file of the slot that somebody else had when it was last tried.
    seen: Option<File>,
}

/// What came of one try for a slot.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(Slot),
    /// A worker has it, or who starts one.
    Busy,
    /// The worker that was waited for has ended, and left this outcome.
    Ended(String),
}

impl Waiter {
    /// One who wants the slot at `path`.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, seen: None }
    }

    /// Tries once to take the slot.
    ///
    /// # Errors
    /// The file cannot be made or locked.
    pub fn try_take(&mut self) -> io::Result<Attempt> {
        loop {
            let file = match self.seen.take() {
                Some(mut file) if !is_at(&file, &self.path) => {
                    let mut outcome = String::new();
                    file.rewind()?;
                    file.take(LARGEST_OUTCOME).read_to_string(&mut outcome)?;
                    if !outcome.is_empty() {
                        return Ok(Attempt::Ended(outcome));
                    }
                    continue;
                }
                Some(file) => file,
                None => open(&self.path)?,
            };
            match file.try_lock_exclusive() {
                // The one who had it may have removed the file meanwhile.
                Ok(()) if !is_at(&file, &self.path) => self.seen = Some(file),
                Ok(()) => {
                    // A worker that was killed may have left something.
                    file.set_len(0)?;
                    return Ok(Attempt::Taken(Slot { file, path: self.path.clone() }));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.seen = Some(file);
                    return Ok(Attempt::Busy);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Opens the file of a slot, which is made (0600) where there is none.
fn open(path: &Path) -> io::Result<File> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(held), Ok(found)) = (file.metadata(), path.symlink_metadata()) else { return false };
    (held.dev(), held.ino()) == (found.dev(), found.ino())
}

/// A worker that has begun.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: UnboundedReceiver<String>,
}

impl Running {
    /// Its next line; `None` once it is done or dead.
    pub async fn line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Waits until it has ended.
    pub fn wait(mut self) {
        let _ = self.child.wait();
    }
}

/// Starts a worker, `openclaw-auth <name>`, that holds `slot`, and hands it its `job`.
///
/// # Errors
/// It cannot be started, or has not begun in two seconds. Then it does nothing.
pub async fn start(
    name: &str,
    slot: &Slot,
    job: &[u8],
    environment: &Environment,
) -> io::Result<Running> {
    // A descriptor that the caller was given, like the 9 of `flock 9`, is not the worker's.
    CloseFdsBuilder::new().cloexecfrom(3);
    let mut command = Command::new("/proc/self/exe");
    command.arg(name).env_clear().envs(
        environment
            .pairs()
            .filter(|(name, _)| INHERITED.contains(&name.as_str()) || name.starts_with("LC_")),
    );
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(slot.file.try_clone()?)
        .spawn()?;
    let (sender, mut lines) = unbounded_channel();
    let stdout = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
    std::thread::Builder::new().spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    let begun = tokio::time::timeout(START_TIMEOUT, lines.recv()).await;
    let mut stdin = child.stdin.take().ok_or(ErrorKind::BrokenPipe)?;
    if !matches!(&begun, Ok(Some(line)) if line == READY) {
        // Without a job it ends by itself; one that never began is ended.
        drop(stdin);
        let _ = child.kill();
        let _ = child.wait();
        return Err(ErrorKind::TimedOut.into());
    }
    stdin.write_all(job)?;
    Ok(Running { child, lines })
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
    /// Leaves `outcome` for those who wait for the slot at `path`, and gives it back: the
    /// next worker may start.
    pub fn end(self, path: &Path, outcome: &str) {
        Slot { file: self.slot, path: path.to_owned() }.end(outcome);
    }
}

/// Begins as a worker: in a session of its own, with its memory kept private, and tells its
/// caller. `None` when this process was started by hand.
///
/// # Errors
/// The caller is gone.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(waiter: &mut Waiter) -> Slot {
        match waiter.try_take().unwrap() {
            Attempt::Taken(slot) => slot,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_slot_is_taken_once_and_leaves_nothing_behind() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other] = [(); 2].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        slot.release();
        assert!(!path.exists());
        taken(&mut other).release();
        assert!(!path.exists());
    }

    #[test]
    fn who_waited_reads_what_the_holder_left_and_who_comes_later_does_not() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other, mut late] = [(); 3].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        slot.end("refused");
        assert!(matches!(late.try_take().unwrap(), Attempt::Taken(_)));
        assert!(matches!(other.try_take().unwrap(), Attempt::Ended(text) if text == "refused"));
    }

    #[test]
    fn a_slot_lives_as_long_as_a_copy_of_its_descriptor() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        let [mut one, mut other] = [(); 2].map(|()| Waiter::new(path.clone()));
        let slot = taken(&mut one);
        let inherited = slot.file.try_clone().unwrap();
        drop(slot);
        assert!(matches!(other.try_take().unwrap(), Attempt::Busy));
        drop(inherited);
        assert!(matches!(other.try_take().unwrap(), Attempt::Taken(_)));
    }

    #[test]
    fn what_is_no_file_is_no_slot() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("grant.start");
        std::os::unix::fs::symlink(root.path().join("elsewhere"), &path).unwrap();
        assert!(Waiter::new(path).try_take().is_err());
        assert!(Waiter::new(root.path().to_owned()).try_take().is_err());
    }
}
