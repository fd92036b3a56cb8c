//! Standard input, output and error as values, so that a test can hold their other ends.

use super::terminal::may_read;
use super::typing::{self, Typed};
use crate::text::decoded;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Read, Stdin, Write};
use std::time::Duration;
use zeroize::Zeroizing;

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
            stdin: Some(Box::<StandardInput>::default()),
            stdin_is_terminal: rustix::termios::isatty(rustix::stdio::stdin()),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }
}

/// Standard input, whose buffers are made when it is read from: most commands never do.
#[derive(Default)]
struct StandardInput(Option<BufReader<Stdin>>);

impl StandardInput {
    fn reader(&mut self) -> &mut BufReader<Stdin> {
        self.0.get_or_insert_with(|| BufReader::new(std::io::stdin()))
    }
}

impl Read for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader().read(buffer)
    }
}

impl BufRead for StandardInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader().fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader().consume(amount);
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
/// foreground: reading from the background would stop it. The thread ends with the process,
/// or soon after the receiver is dropped; then [`typing::restore`] sets the terminal back.
pub fn lines(
    stdin: Box<dyn BufRead + Send>,
    is_terminal: bool,
) -> tokio::sync::mpsc::Receiver<String> {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    std::thread::spawn(move || {
        if is_terminal && typing::is_possible() {
            typed_lines(&sender);
            // Ctrl-C has to work when nobody reads it here.
            typing::restore();
            return;
        }
        let mut stdin = stdin;
        loop {
            let mut line = Vec::new();
            match read_line(&mut stdin, &mut line) {
                Ok(1..) if sender.blocking_send(decoded(&line)).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

/// Reads a line, or all there is of UTF-16, in which a line does not end with one byte.
fn read_line(stdin: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let read = Read::take(&mut *stdin, LONGEST_LINE).read_until(b'\n', line)?;
    if !line.contains(&0) && !line.starts_with(b"\xff\xfe") && !line.starts_with(b"\xfe\xff") {
        return Ok(read);
    }
    Ok(read + Read::take(stdin, LONGEST_LINE).read_to_end(line)?)
}

/// The rest of a paste comes faster than this, where whoever writes to a pipe keeps it open.
const PIPE_PAUSE: Duration = Duration::from_secs(1);

/// Reads what is sent to `stdin`: to its end, or until nothing has come after a line for a
/// moment. `None` when it has ended with nothing.
///
/// # Errors
/// It cannot be read, or is longer than 64 KiB.
pub fn paste(stdin: Box<dyn BufRead + Send>) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut stdin = stdin;
        loop {
            let mut line = Zeroizing::new(Vec::new());
            let read = read_line(&mut stdin, &mut line);
            let is_end = !matches!(read, Ok(1..));
            if sender.send(read.map(|_| line)).is_err() || is_end {
                return;
            }
        }
    });
    let mut pasted = Zeroizing::new(Vec::new());
    loop {
        let line = if pasted.is_empty() {
            receiver.recv().ok()
        } else {
            receiver.recv_timeout(PIPE_PAUSE).ok()
        };
        match line.transpose()? {
            Some(line) if !line.is_empty() => pasted.extend_from_slice(&line),
            _ => return Ok((!pasted.is_empty()).then_some(pasted)),
        }
        if pasted.len() as u64 >= LONGEST_LINE {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is longer than 64 KiB"));
        }
    }
}

/// Reads what is typed, until nobody wants it any more.
fn typed_lines(sender: &tokio::sync::mpsc::Sender<String>) {
    let mut line = typing::Line::default();
    while !sender.is_closed() {
        if may_read() && typing::set_raw(|| !sender.is_closed()).is_err() {
            return;
        }
        if !(is_readable() && may_read()) {
            continue;
        }
        let mut chunk = [0; 1024];
        let length = match rustix::io::read(std::io::stdin(), &mut chunk) {
            Ok(length @ 1..) => length,
            Err(rustix::io::Errno::INTR) => continue,
            _ => return,
        };
        let mut echo = Vec::new();
        for byte in &chunk[..length] {
            match line.take(*byte, &mut echo) {
                Typed::More => {}
                Typed::Line(line) => {
                    typing::echo(&std::mem::take(&mut echo), true);
                    if sender.blocking_send(decoded(&line)).is_err() {
                        return;
                    }
                }
                Typed::End => return,
                Typed::Interrupt => typing::interrupt(),
                Typed::Suspend => typing::suspend(),
            }
        }
        typing::echo(&echo, false);
    }
}

/// Waits for input on the terminal, for a while.
fn is_readable() -> bool {
    let ready = typing::is_awaited();
    if ready && !may_read() {
        // The input is somebody else's.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    ready
}
