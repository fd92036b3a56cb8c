//! Standard input, output and error as values, so that a test can hold their other ends.

use std::io::{BufRead, BufReader, IsTerminal, Write};

/// The standard streams of a run.
pub struct Streams {
    /// Where commands write their data.
    pub stdout: Box<dyn Write>,
    /// Where everything else goes.
    pub stderr: Box<dyn Write>,
    /// Where lines are read from; taken by the one reader.
    pub stdin: Option<Box<dyn BufRead + Send>>,
    /// Whether standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
}

impl Streams {
    /// The streams of this process. Standard output is buffered: flush it.
    pub fn of_process() -> Self {
        Self {
            stdout: Box::new(std::io::BufWriter::new(std::io::stdout())),
            stderr: Box::new(std::io::stderr()),
            stdin: Some(Box::new(BufReader::new(std::io::stdin()))),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }
}

/// How many columns the terminal has that standard output is; `None` when it is none.
pub fn stdout_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// The longest line that a prompt accepts, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Reads `stdin` line by line on a thread of its own and sends each line; the channel
/// closes at the end of input. A terminal is read only while this process is in its
/// foreground: reading from the background would stop it. The thread ends with the process.
pub fn lines(
    stdin: Box<dyn BufRead + Send>,
    is_terminal: bool,
) -> tokio::sync::mpsc::Receiver<String> {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    std::thread::spawn(move || {
        let mut stdin = stdin;
        loop {
            while is_terminal && !(is_readable() && is_in_foreground()) {}
            let mut line = Vec::new();
            match std::io::Read::take(&mut stdin, LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(1..)
                    if sender
                        .blocking_send(String::from_utf8_lossy(&line).into_owned())
                        .is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

/// Waits for input on the terminal, for a while.
fn is_readable() -> bool {
    const WHILE: rustix::event::Timespec =
        rustix::event::Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let stdin = std::io::stdin();
    let mut wanted = [rustix::event::PollFd::new(&stdin, rustix::event::PollFlags::IN)];
    let ready = matches!(rustix::event::poll(&mut wanted, Some(&WHILE)), Ok(1..));
    if ready && !is_in_foreground() {
        // The input is somebody else's.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    ready
}

/// Whether this process may read from its terminal without being stopped: it is in the
/// foreground, or there is no job control.
pub fn is_in_foreground() -> bool {
    match rustix::termios::tcgetpgrp(std::io::stdin()) {
        Ok(foreground) => foreground == rustix::process::getpgrp(),
        Err(_) => true,
    }
}

/// Typing that is not shown on the terminal of standard input, until this is dropped.
#[derive(Debug)]
pub struct Unseen(rustix::termios::Termios);

impl Unseen {
    /// Stops showing what is typed; `None` where there is no terminal.
    pub fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let usual = tcgetattr(std::io::stdin()).ok()?;
        let mut unseen = usual.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        unseen.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &unseen).ok()?;
        Some(Self(usual))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that has gone away shows nothing any more.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
