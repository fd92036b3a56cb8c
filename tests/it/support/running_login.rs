//! A login while it waits for its user: in this process, or the built program.

use super::here::{Run, Written};
use super::rig::{Finished, send};
use super::user_agent::{Visit, follow};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A login that waits for its user.
pub(crate) struct RunningLogin {
    /// The URL to sign in at.
    pub url: String,
    subject: Subject,
    stdin: Option<Box<dyn Write + Send>>,
    stderr: Receiver<String>,
    seen: String,
}

/// What runs.
enum Subject {
    /// The built program.
    Process(Child),
    /// A run in this process: its exit code, and what it writes on standard output.
    Thread(JoinHandle<i32>, Written),
}

/// Long enough for a loaded machine; a test never waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

impl RunningLogin {
    /// Starts `command`, a login, and waits for its URL.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let stdin = child.stdin.take().expect("standard input");
        let stderr = child.stderr.take().expect("standard error");
        Self::of(Subject::Process(child), Box::new(stdin), stderr)
    }

    /// Starts `run`, a login, in this process and by the clock of the system, and waits for its
    /// URL.
    pub(crate) fn start_here(run: Run) -> Self {
        let (stdin, input) = std::io::pipe().expect("a pipe");
        let (errors, stderr) = std::io::pipe().expect("a pipe");
        let stdout = Written::default();
        let written = stdout.clone();
        let running = std::thread::spawn(move || {
            run.with(Box::new(BufReader::new(stdin)), Box::new(written), Box::new(stderr))
        });
        Self::of(Subject::Thread(running, stdout), Box::new(input), errors)
    }

    fn of(
        subject: Subject,
        stdin: Box<dyn Write + Send>,
        stderr: impl Read + Send + 'static,
    ) -> Self {
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = Some(stdin);
        let mut login =
            Self { url: String::new(), subject, stdin, stderr: lines, seen: String::new() };
        let url = login.wait_for("  http");
        url.trim().clone_into(&mut login.url);
        login
    }

    /// Waits for a line of standard error that holds `text`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.stderr.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with `{text}`: {error}\n{}", self.seen),
            }
        }
    }

    /// What standard error held so far.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    /// Signs in at the server and follows the redirect to the listener.
    pub(crate) fn visit(&self) -> Visit {
        follow(&self.url)
    }

    /// Sends a line to standard input.
    pub(crate) fn paste(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("standard input");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("a reader");
    }

    /// Gives standard input to the caller.
    pub(crate) fn take_input(&mut self) -> Box<dyn Write + Send> {
        self.stdin.take().expect("standard input")
    }

    /// Closes standard input.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the program, which is a process.
    pub(crate) fn signal(&self, signal: Signal) {
        match &self.subject {
            Subject::Process(child) => send(child, signal),
            Subject::Thread(..) => panic!("a signal is for a process: start the login as one"),
        }
    }

    /// Waits for the end of the program.
    pub(crate) fn finish(mut self) -> Finished {
        // Standard input stays open: the login has to end by itself.
        let (code, stdout) = match self.subject {
            Subject::Process(mut child) => {
                let mut stdout = String::new();
                let mut pipe = child.stdout.take().expect("standard output");
                pipe.read_to_string(&mut stdout).expect("text");
                (child.wait().expect("a status").code().expect("an exit code"), stdout)
            }
            Subject::Thread(running, stdout) => {
                let code = running.join().expect("the run");
                (code, stdout.text())
            }
        };
        while let Ok(line) = self.stderr.recv_timeout(PATIENCE) {
            self.seen.push_str(&line);
            self.seen.push('\n');
        }
        Finished { code, stdout, stderr: self.seen }
    }
}
