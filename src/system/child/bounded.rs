//! A child process that gets its input at once and has limits for its time, its silence
//! and its output. Beyond a limit its process group is killed.

use super::group::{ENDS, Event, Group};
use crate::secret::SecretBytes;
use std::io;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
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

/// Runs `command` with `input` on its standard input.
///
/// # Errors
/// The process cannot be started or waited for.
pub(in crate::system) fn run(
    command: &mut Command,
    input: Vec<u8>,
    limits: Limits,
) -> io::Result<Ended> {
    let (sender, events) = channel();
    let tell = move |event| sender.send(event).is_ok();
    let mut child = Group::start(command, limits.output_bytes, tell)?;
    child.write(SecretBytes::new(input));
    child.close_input();
    match follow(&events, limits) {
        Ok(output) => Ok(Ended::Exited(child.wait()?, output)),
        Err(limit) => Ok(limit),
    }
}

/// Follows the process until it has ended and both its streams are closed, or until it is
/// beyond a limit.
fn follow(events: &Receiver<Event>, limits: Limits) -> Result<Vec<u8>, Ended> {
    let started = Instant::now();
    let mut heard = started;
    let mut printed = 0_u64;
    let mut output = Vec::new();
    let mut open = ENDS;
    while open > 0 {
        let now = Instant::now();
        let left = limits.time.saturating_sub(now.duration_since(started));
        let silence_left = limits.silence.saturating_sub(now.duration_since(heard));
        let count = match events.recv_timeout(left.min(silence_left)) {
            Ok(Event::Exited) => 0,
            Ok(Event::Stdout(bytes)) => {
                output.extend_from_slice(&bytes);
                bytes.len()
            }
            Ok(Event::Stderr(bytes)) => bytes.len(),
            Err(RecvTimeoutError::Timeout) if left <= silence_left => return Err(Ended::TimedOut),
            Err(RecvTimeoutError::Timeout) => return Err(Ended::Silent),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if count == 0 {
            open -= 1;
            continue;
        }
        heard = Instant::now();
        printed = printed.saturating_add(count as u64);
        if printed > limits.output_bytes {
            return Err(Ended::TooMuchOutput);
        }
    }
    Ok(output)
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
