//! The program in this process, on a clock that the test moves: for what waits and has no
//! signal, terminal or process as its subject.

use super::rig::{Finished, NOWHERE, Rig};
use openclaw_auth::app::{Machine, RefreshesBy};
use openclaw_auth::cli;
use openclaw_auth::system::worker::Threads;
use openclaw_auth::system::{Clock, Environment, ManualClock, Streams};
use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a command writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).expect("text")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says at its end that the run is over, however it ended.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Rig {
    /// Runs the program in this process to its end without input; a refresh is made by a
    /// worker that is a thread. A second of its clock takes about fifty milliseconds.
    pub(crate) fn run_here(&self, args: &[&str]) -> Finished {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                    self.clock.advance(Duration::from_millis(20));
                }
            });
            let _over = Over(&is_over);
            self.run_by_clock(args)
        })
    }

    /// As [`Self::run_here`], while `hand` alone moves the clock.
    pub(crate) fn run_by_hand(&self, args: &[&str], hand: impl FnOnce(&ManualClock)) -> Finished {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| self.run_by_clock(args));
            hand(&self.clock);
            running.join().expect("the run")
        })
    }

    fn run_by_clock(&self, args: &[&str]) -> Finished {
        let (stdout, stderr) = (Written::default(), Written::default());
        let mut streams = Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin: Some(Box::new(io::empty())),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let environment = Environment::of([
            ("HOME", self.home().into_os_string()),
            ("OPENCLAW_STATE_DIR", self.state_dir().into_os_string()),
            ("HTTPS_PROXY", NOWHERE.into()),
        ]);
        let machine =
            Machine { clock: Clock::Manual(Arc::clone(&self.clock)), ..Machine::default() };
        let by = RefreshesBy::Thread(Arc::new(Threads::default()));
        let args = std::iter::once("openclaw-auth").chain(args.iter().copied());
        let args = args.map(OsString::from);
        let status = cli::run_on(machine, by, args, environment, &mut streams, self.root.path());
        let code = i32::from(status.code());
        Finished { code, stdout: stdout.text(), stderr: stderr.text() }
    }
}
