//! A child process that leads a process group of its own, with pipes to and from it. Its own
//! children end with it.
//!
//! Invariant: it is waited for once, after everything that it has started was killed, so that no
//! signal reaches a process that has got its id.

use crate::secret::SecretBytes;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;

/// A process that was started. It is killed, with its group, when this goes.
pub(super) struct Group {
    leader: Child,
    input: Option<mpsc::Sender<SecretBytes>>,
    /// Whether it need not be killed any more: it may have been waited for.
    is_over: bool,
}

/// What happens to a process.
pub(super) enum Event {
    /// It has printed this on its standard output; nothing, once that is closed.
    Stdout(Vec<u8>),
    /// The same of its standard error.
    Stderr(Vec<u8>),
    /// It has ended.
    Exited,
}

/// How many ends there are to see: of two streams, and of the process.
pub(super) const ENDS: u8 = 3;

impl Group {
    /// Starts `command`. Of each of its streams, what it prints goes to `tell`, at most one byte
    /// more than `output_bytes`; when nobody listens any more, `tell` returns false.
    ///
    /// # Errors
    /// The process cannot be started.
    pub(super) fn start(
        command: &mut Command,
        output_bytes: u64,
        tell: impl Fn(Event) -> bool + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let mut leader = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let input = leader.stdin.take().map(feed);
        if let Some(stdout) = leader.stdout.take() {
            let tell = tell.clone();
            forward(stdout, output_bytes, move |bytes| tell(Event::Stdout(bytes)));
        }
        if let Some(stderr) = leader.stderr.take() {
            let tell = tell.clone();
            forward(stderr, output_bytes, move |bytes| tell(Event::Stderr(bytes)));
        }
        if let Some(pid) = pid(&leader) {
            std::thread::spawn(move || {
                wait_for_exit(pid);
                tell(Event::Exited);
            });
        }
        Ok(Self { leader, input, is_over: false })
    }

    /// Writes to its standard input. A process that does not read it may answer all the same.
    pub(super) fn write(&self, bytes: SecretBytes) {
        if let Some(input) = &self.input {
            let _ = input.send(bytes);
        }
    }

    /// Closes its standard input, once all was written.
    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until it has ended by itself. What it has left behind goes on.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        self.is_over = true;
        self.leader.wait()
    }

    /// Kills what is left of it: what has ended by itself may have left children behind.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub(super) fn kill(&mut self) -> io::Result<ExitStatus> {
        if !std::mem::replace(&mut self.is_over, true)
            && let Some(pid) = pid(&self.leader)
        {
            // The group is gone when this fails.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        self.leader.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // There is nothing to be done about one that cannot be waited for.
        let _ = self.kill();
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits until the process has ended. It stays to be waited for, so that its id is not
/// reused meanwhile.
fn wait_for_exit(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
}

/// Writes what is sent to the standard input of a process, until there is no more.
fn feed(mut stdin: ChildStdin) -> mpsc::Sender<SecretBytes> {
    let (sender, input) = mpsc::channel::<SecretBytes>();
    std::thread::spawn(move || {
        let mut input = input.into_iter();
        while input.next().is_some_and(|bytes| stdin.write_all(bytes.expose()).is_ok()) {}
    });
    sender
}

/// Tells what a stream says, on a thread that ends with it.
fn forward(
    stream: impl Read + Send + 'static,
    limit: u64,
    tell: impl Fn(Vec<u8>) -> bool + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut stream = stream.take(limit.saturating_add(1));
        let mut buffer = [0; 8192];
        loop {
            let count = match stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                count => count.unwrap_or(0),
            };
            if !tell(buffer[..count].to_vec()) || count == 0 {
                return;
            }
        }
    });
}
