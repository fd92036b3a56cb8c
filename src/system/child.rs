//! A child process that gets its input at once and has limits for its time, its silence
//! and its output. Beyond a limit its process group is killed.

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// The limits of a child process.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long it may run.
    pub time: Duration,
    /// How long it may print nothing.
    pub silence: Duration,
    /// How many bytes it may print, on both streams together.
    pub output_bytes: u64,
}

/// How a child process ended.
pub enum Ended {
    /// By itself, with what it printed on standard output.
    Exited(ExitStatus, Vec<u8>),
    /// It ran too long.
    TimedOut,
    /// It printed nothing for too long.
    Silent,
    /// It printed too much.
    TooMuchOutput,
}

/// Without the output, which may be a secret.
impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(status, _) => write!(f, "Exited({status})"),
            Self::TimedOut => f.write_str("TimedOut"),
            Self::Silent => f.write_str("Silent"),
            Self::TooMuchOutput => f.write_str("TooMuchOutput"),
        }
    }
}

enum Event {
    Output(Vec<u8>),
    Error(usize),
    StreamClosed,
    Exited,
}

/// Runs `command` with `input` on its standard input.
///
/// # Errors
/// The process cannot be started or waited for.
pub fn run(command: &mut Command, input: Vec<u8>, limits: Limits) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own process group, so that its own children end with it.
        .process_group(0)
        .spawn()?;
    let (sender, events) = channel();
    watch(&mut child, input, &sender);
    drop(sender);
    let ended = follow(&events, limits);
    match ended {
        Followed::Complete(output) => Ok(Ended::Exited(child.wait()?, output)),
        Followed::Beyond(limit) => {
            end(&mut child)?;
            Ok(limit)
        }
    }
}

enum Followed {
    Complete(Vec<u8>),
    Beyond(Ended),
}

/// Kills the process, which has not been waited for, and its group.
fn end(child: &mut Child) -> io::Result<()> {
    kill_group(child);
    child.wait().map(drop)
}

/// Kills what is left of the group of a process that has not been waited for.
pub(super) fn kill_group(child: &Child) {
    if let Some(pid) = pid(child) {
        // The group is gone when this fails.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// The id of the process.
pub(super) fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Starts the threads that feed the process and tell what it does. They end with it.
fn watch(child: &mut Child, input: Vec<u8>, sender: &Sender<Event>) {
    if let Some(mut stdin) = child.stdin.take() {
        // A process that does not read its input may answer all the same.
        std::thread::spawn(move || drop(stdin.write_all(&input)));
    }
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone(), Event::Output);
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender.clone(), |bytes| Event::Error(bytes.len()));
    }
    if let Some(pid) = pid(child) {
        let sender = sender.clone();
        std::thread::spawn(move || {
            wait_for_exit(pid);
            let _ = sender.send(Event::Exited);
        });
    }
}

/// Waits until the process has ended. It stays to be waited for, so that its id is not
/// reused meanwhile.
pub(super) fn wait_for_exit(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
}

fn forward(
    mut stream: impl Read + Send + 'static,
    sender: Sender<Event>,
    event: impl Fn(Vec<u8>) -> Event + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        loop {
            match stream.read(&mut buffer) {
                Ok(count @ 1..) => {
                    if sender.send(event(buffer[..count].to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        let _ = sender.send(Event::StreamClosed);
    });
}

/// Follows the process until it has ended and both its streams are closed, or until it is
/// beyond a limit.
fn follow(events: &Receiver<Event>, limits: Limits) -> Followed {
    let started = Instant::now();
    let mut heard = started;
    let mut printed = 0_u64;
    let mut output = Vec::new();
    let mut open = 3;
    while open > 0 {
        let now = Instant::now();
        let left = limits.time.saturating_sub(now.duration_since(started));
        let silence_left = limits.silence.saturating_sub(now.duration_since(heard));
        match events.recv_timeout(left.min(silence_left)) {
            Ok(Event::StreamClosed | Event::Exited) => open -= 1,
            Ok(Event::Output(bytes)) => {
                printed = printed.saturating_add(bytes.len() as u64);
                output.extend(bytes);
                heard = Instant::now();
            }
            Ok(Event::Error(count)) => {
                printed = printed.saturating_add(count as u64);
                heard = Instant::now();
            }
            Err(RecvTimeoutError::Timeout) if left <= silence_left => {
                return Followed::Beyond(Ended::TimedOut);
            }
            Err(RecvTimeoutError::Timeout) => return Followed::Beyond(Ended::Silent),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if printed > limits.output_bytes {
            return Followed::Beyond(Ended::TooMuchOutput);
        }
    }
    Followed::Complete(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Limits = Limits {
        time: Duration::from_mins(1),
        silence: Duration::from_mins(1),
        output_bytes: 1_000_000,
    };

    fn shell(script: &str, input: &str, limits: Limits) -> Ended {
        run(Command::new("/bin/sh").args(["-c", script]), input.into(), limits).unwrap()
    }

    #[test]
    fn output_and_status_are_returned() {
        let ended = shell("cat; echo noise >&2; exit 3", "hello", PATIENT);
        let Ended::Exited(status, output) = ended else { panic!("{ended:?}") };
        assert_eq!((status.code(), output.as_slice()), (Some(3), b"hello".as_slice()));
    }

    #[test]
    fn input_that_nobody_reads_is_no_error() {
        let ended = shell("exec <&-; echo ok", &"x".repeat(1_000_000), PATIENT);
        assert!(matches!(ended, Ended::Exited(status, _) if status.success()));
    }

    #[test]
    fn a_process_beyond_a_limit_is_killed_with_its_children() {
        // Whoever still runs holds the pipe open: its end tells that nobody does.
        let root = tempfile::tempdir().unwrap();
        let alive = root.path().join("alive");
        rustix::fs::mkfifoat(rustix::fs::CWD, &alive, rustix::fs::Mode::RWXU).unwrap();
        let limits = |time, silence, output_bytes| Limits {
            time: Duration::from_millis(time),
            silence: Duration::from_millis(silence),
            output_bytes,
        };
        for (script, limits, expected) in [
            ("sleep 600 & wait", limits(50, 600_000, 9), "TimedOut"),
            ("sleep 600", limits(600_000, 50, 9), "Silent"),
            ("while :; do echo y; done", limits(600_000, 600_000, 100), "TooMuchOutput"),
            ("sleep 600 & exec >&- 2>&-", limits(50, 600_000, 9), "TimedOut"),
        ] {
            let pipe = alive.clone();
            let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
            let script = format!("exec 3>{}; {script}", alive.display());
            let ended = shell(&script, "", limits);
            reader.join().unwrap();
            assert!(format!("{ended:?}").starts_with(expected), "{script}: {ended:?}");
        }
    }
}
