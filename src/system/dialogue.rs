//! A child process that is talked to line by line. It is killed, with everything that it
//! has started, as soon as nobody talks to it any more.

use super::child::{kill_group, pid, wait_for_exit};
use crate::secret::Secret;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A child process and what it says.
pub struct Dialogue {
    child: Child,
    input: Option<mpsc::Sender<Secret>>,
    events: UnboundedReceiver<Event>,
    /// What is left to happen: both streams are closed, and the process has ended.
    open: u8,
    /// Whether it has been waited for, so that its id may be another's.
    is_over: bool,
}

/// What happens to a child process.
#[derive(Debug)]
pub enum Output {
    /// A line of its standard output, without the line break. It may hold secrets.
    Line(Secret),
    /// A line of its standard error.
    Aside(String),
    /// Its output is not text.
    NoText,
    /// It has printed more than it may.
    TooMuch,
    /// It has ended: `exit status: 3`.
    Ended(String),
}

enum Event {
    Output(Output),
    Closed,
}

impl Dialogue {
    /// Starts `command` in a process group of its own. On each of its streams it may print
    /// `output_bytes`.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn start(command: &mut Command, output_bytes: u64) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let (sender, events) = unbounded_channel();
        let input = child.stdin.take().map(feed);
        if let Some(stdout) = child.stdout.take() {
            follow(stdout, output_bytes, sender.clone(), |line| match String::from_utf8(line) {
                Ok(line) => Output::Line(Secret::new(line)),
                Err(_) => Output::NoText,
            });
        }
        if let Some(stderr) = child.stderr.take() {
            let aside = |line: Vec<u8>| Output::Aside(String::from_utf8_lossy(&line).into_owned());
            follow(stderr, output_bytes, sender.clone(), aside);
        }
        if let Some(pid) = pid(&child) {
            std::thread::spawn(move || {
                wait_for_exit(pid);
                let _ = sender.send(Event::Closed);
            });
        }
        Ok(Self { child, input, events, open: 3, is_over: false })
    }

    /// Sends it a line. One that does not listen any more misses it.
    pub fn say(&self, line: Secret) {
        if let Some(input) = &self.input {
            let _ = input.send(line);
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// The next thing that it says. May be given up on and asked for again.
    pub async fn next(&mut self) -> Output {
        while self.open > 0 {
            match self.events.recv().await {
                Some(Event::Output(said)) => return said,
                Some(Event::Closed) => self.open -= 1,
                None => break,
            }
        }
        match self.end() {
            Ok(status) => Output::Ended(status.to_string()),
            Err(error) => Output::Ended(error.to_string()),
        }
    }
}

impl Dialogue {
    /// Kills what is left of it: what has ended by itself may have left children behind.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if !std::mem::replace(&mut self.is_over, true) {
            kill_group(&self.child);
        }
        self.child.wait()
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // There is nothing to be done about one that cannot be waited for.
        let _ = self.end();
    }
}

/// Writes lines to the standard input of a process until there are no more.
fn feed(mut stdin: ChildStdin) -> mpsc::Sender<Secret> {
    let (sender, lines) = mpsc::channel::<Secret>();
    std::thread::spawn(move || {
        for line in lines {
            let written = stdin.write_all(line.expose().as_bytes());
            if written.and_then(|()| stdin.write_all(b"\n")).is_err() {
                return;
            }
        }
    });
    sender
}

/// Sends what a stream says, line by line, on a thread that ends with it.
fn follow(
    stream: impl Read + Send + 'static,
    limit: u64,
    sender: UnboundedSender<Event>,
    said: impl Fn(Vec<u8>) -> Output + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stream.take(limit.saturating_add(1)));
        loop {
            let mut line = Vec::new();
            match lines.read_until(b'\n', &mut line) {
                Ok(1..) if lines.get_ref().limit() == 0 => {
                    let _ = sender.send(Event::Output(Output::TooMuch));
                    break;
                }
                Ok(1..) => {
                    while line.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
                        line.pop();
                    }
                    if sender.send(Event::Output(said(line))).is_err() {
                        return;
                    }
                }
                _ => break,
            }
        }
        let _ = sender.send(Event::Closed);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::block_on;

    fn shell(script: &str) -> Dialogue {
        Dialogue::start(Command::new("/bin/sh").args(["-c", script]), 1_000).unwrap()
    }

    #[test]
    fn lines_go_both_ways_until_it_ends() {
        let mut dialogue = shell("read line; echo \"got $line\"; echo aside >&2; exit 3");
        dialogue.say(Secret::new("hello"));
        let (mut line, mut aside) = (None, None);
        let ended = block_on(async {
            loop {
                match dialogue.next().await {
                    Output::Line(text) => line = Some(text),
                    Output::Aside(text) => aside = Some(text),
                    other => break other,
                }
            }
        });
        assert!(matches!(ended.unwrap(), Output::Ended(status) if status == "exit status: 3"));
        assert_eq!(line.unwrap().expose(), "got hello");
        assert_eq!(aside.unwrap(), "aside");
    }

    #[test]
    fn too_much_output_and_no_text_are_told() {
        let mut endless = shell("while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyy; done");
        let ended = block_on(async {
            loop {
                match endless.next().await {
                    Output::Line(_) => {}
                    other => break other,
                }
            }
        });
        assert!(matches!(ended.unwrap(), Output::TooMuch));
        let mut binary = shell("printf '\\377\\n'");
        assert!(matches!(block_on(binary.next()).unwrap(), Output::NoText));
    }

    #[test]
    fn nobody_is_left_when_the_talk_is_over() {
        // Whoever still runs holds the pipe open: its end tells that nobody does.
        let root = tempfile::tempdir().unwrap();
        let alive = root.path().join("alive");
        rustix::fs::mkfifoat(rustix::fs::CWD, &alive, rustix::fs::Mode::RWXU).unwrap();
        let pipe = alive.clone();
        let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
        let mut dialogue =
            shell(&format!("exec 3>{}; sleep 600 & echo ready; wait", alive.display()));
        assert!(matches!(block_on(dialogue.next()).unwrap(), Output::Line(_)));
        drop(dialogue);
        reader.join().unwrap();
    }
}
