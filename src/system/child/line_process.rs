//! A child process that is talked to line by line. It is killed, with everything that it
//! has started, as soon as nobody talks to it any more.

use super::group::{ENDS, Event, Group};
use crate::secret::{Secret, SecretBytes};
use std::collections::VecDeque;
use std::io;
use std::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A child process and what it prints.
pub struct LineProcess {
    group: Group,
    events: UnboundedReceiver<Event>,
    /// What of its ends was not seen yet.
    open: u8,
    stdout: Stream,
    stderr: Stream,
    /// What nobody has asked for yet.
    ready: VecDeque<Output>,
}

/// What happens to a child process.
#[derive(Debug)]
pub enum Output {
    /// A line of its standard output, without the line break. It may hold secrets.
    Stdout(Secret),
    /// A line of its standard error.
    Stderr(String),
    /// A line of its standard output is not UTF-8.
    NotUtf8,
    /// It has printed more than it may.
    LimitExceeded,
    /// It has ended: `exit status: 3`.
    Ended(String),
}

impl LineProcess {
    /// Starts `command`. On each of its streams it may print `output_bytes`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub(super) fn start(command: &mut Command, output_bytes: u64) -> io::Result<Self> {
        let (sender, events) = unbounded_channel();
        let tell = move |event| sender.send(event).is_ok();
        let group = Group::start(command, output_bytes, tell)?;
        let stream = || Stream { left: output_bytes, line: Vec::new() };
        let (stdout, stderr, ready) = (stream(), stream(), VecDeque::new());
        Ok(Self { group, events, open: ENDS, stdout, stderr, ready })
    }

    /// Sends it a line. One that does not listen any more misses it.
    pub fn send(&self, line: &Secret) {
        let bytes = [line.expose().as_bytes(), b"\n"].concat();
        self.group.write(SecretBytes::new(bytes));
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.group.close_input();
    }

    /// The next thing that it prints, or its end. May be given up on and asked for again.
    pub async fn next(&mut self) -> Output {
        loop {
            if let Some(output) = self.ready.pop_front() {
                return output;
            }
            if self.open == 0 {
                break;
            }
            let Some(event) = self.events.recv().await else { break };
            self.receive(event);
        }
        match self.group.kill() {
            Ok(status) => Output::Ended(status.to_string()),
            Err(error) => Output::Ended(error.to_string()),
        }
    }

    fn receive(&mut self, event: Event) {
        let (count, lines) = match event {
            Event::Exited => (0, Vec::new()),
            Event::Stdout(bytes) => (bytes.len(), self.stdout.lines(&bytes, of_stdout)),
            Event::Stderr(bytes) => (bytes.len(), self.stderr.lines(&bytes, of_stderr)),
        };
        self.open -= u8::from(count == 0);
        self.ready.extend(lines);
    }
}

fn of_stdout(line: &[u8]) -> Output {
    str::from_utf8(line).map_or(Output::NotUtf8, |line| Output::Stdout(Secret::new(line)))
}

fn of_stderr(line: &[u8]) -> Output {
    Output::Stderr(String::from_utf8_lossy(line).into_owned())
}

/// A stream that is cut into lines.
struct Stream {
    /// How many bytes may still come.
    left: u64,
    /// The beginning of a line.
    line: Vec<u8>,
}

impl Stream {
    /// The lines that end within `bytes`. No bytes are the end of the stream, and of its last
    /// line.
    fn lines(&mut self, bytes: &[u8], output: fn(&[u8]) -> Output) -> Vec<Output> {
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return vec![Output::LimitExceeded];
        };
        self.left = left;
        self.line.extend_from_slice(bytes);
        let text = std::mem::take(&mut self.line);
        let mut lines = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if line.ends_with(b"\n") || bytes.is_empty() {
                lines.push(output(without_line_break(line)));
            } else {
                self.line = line.to_vec();
            }
        }
        lines
    }
}

fn without_line_break(line: &[u8]) -> &[u8] {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let end = line.iter().rposition(|byte| !is_break(byte)).map_or(0, |last| last + 1);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::block_on;

    fn shell(script: &str) -> LineProcess {
        LineProcess::start(Command::new("/bin/sh").args(["-c", script]), 1_000).unwrap()
    }

    #[test]
    fn lines_go_both_ways_until_it_ends() {
        let mut process = shell("read line; echo \"got $line\"; echo aside >&2; exit 3");
        process.send(&Secret::new("hello"));
        let (mut line, mut error) = (None, None);
        let ended = block_on(async {
            loop {
                match process.next().await {
                    Output::Stdout(text) => line = Some(text),
                    Output::Stderr(text) => error = Some(text),
                    other => break other,
                }
            }
        });
        assert!(matches!(ended.unwrap(), Output::Ended(status) if status == "exit status: 3"));
        assert_eq!(line.unwrap().expose(), "got hello");
        assert_eq!(error.unwrap(), "aside");
    }

    #[test]
    fn too_much_output_and_output_that_is_not_utf8_are_reported() {
        let mut endless = shell("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyy; done");
        let ended = block_on(async {
            loop {
                match endless.next().await {
                    Output::Stdout(_) => {}
                    other => break other,
                }
            }
        });
        assert!(matches!(ended.unwrap(), Output::LimitExceeded));
        let mut binary = shell("printf '\\377\\n'");
        assert!(matches!(block_on(binary.next()).unwrap(), Output::NotUtf8));
    }

    #[test]
    fn nothing_that_it_has_started_outlives_it() {
        // Whoever still runs holds the pipe open: its end tells that nobody does.
        let root = tempfile::tempdir().unwrap();
        let alive = root.path().join("alive");
        rustix::fs::mkfifoat(rustix::fs::CWD, &alive, rustix::fs::Mode::RWXU).unwrap();
        let pipe = alive.clone();
        let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
        let mut process =
            shell(&format!("exec 3>{}; sleep 600 & echo ready; wait", alive.display()));
        assert!(matches!(block_on(process.next()).unwrap(), Output::Stdout(_)));
        drop(process);
        reader.join().unwrap();
    }
}
