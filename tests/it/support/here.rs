//! The program in this process, on a clock that the test moves: for what waits and has no
//! signal, terminal or process as its subject.

use super::rig::{Finished, NOWHERE, Rig};
use openclaw_auth::app::RefreshesBy;
use openclaw_auth::cli;
use openclaw_auth::system::browser::{Browser, Opening};
use openclaw_auth::system::child::Programs;
use openclaw_auth::system::worker::Threads;
use openclaw_auth::system::{Clock, Environment, Machine, ManualClock, StopSource, Streams};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

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

/// A run of the program in this process that is being prepared.
pub(crate) struct Run<'r> {
    rig: &'r Rig,
    args: Vec<OsString>,
    environment: Environment,
    input: Vec<u8>,
    machine: Machine,
}

impl Run<'_> {
    /// With this variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment = self.environment.with(name, value);
        self
    }

    /// With these bytes on standard input, which then ends.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// With this in the place of the user's browser.
    pub(crate) fn browser(
        mut self,
        open: impl Fn(&Url) -> Opening + Send + Sync + 'static,
    ) -> Self {
        self.machine.browser = Browser::Instead(Arc::new(open));
        self
    }

    /// With what this makes of the command of another program that is to be started.
    pub(crate) fn programs(
        mut self,
        replace: impl Fn(&Command) -> io::Result<Command> + Send + Sync + 'static,
    ) -> Self {
        self.machine.programs = Programs::Instead(Arc::new(replace));
        self
    }

    /// To its end, by the clock of the rig, which others move.
    fn finish(self) -> Finished {
        let (stdout, stderr) = (Written::default(), Written::default());
        let mut streams = Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin: Some(Box::new(io::Cursor::new(self.input))),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let by = RefreshesBy::Thread(Arc::new(Threads::default()));
        let current_dir = self.rig.root.path();
        let environment = self.environment;
        let status =
            cli::run_on(self.machine, by, self.args, environment, &mut streams, current_dir);
        let code = i32::from(status.code());
        Finished { code, stdout: stdout.text(), stderr: stderr.text() }
    }

    /// To its end. A second of its clock takes about fifty milliseconds.
    pub(crate) fn run(self) -> Finished {
        let clock = Arc::clone(&self.rig.clock);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                    clock.advance(Duration::from_millis(20));
                }
            });
            let _over = Over(&is_over);
            self.finish()
        })
    }
}

impl Rig {
    /// A run of the program in this process, by the clock of this rig, in a clean environment
    /// and without input; a refresh is made by a worker that is a thread.
    pub(crate) fn here(&self, args: &[&str]) -> Run<'_> {
        let environment = Environment::of([
            ("HOME", self.home().into_os_string()),
            ("OPENCLAW_STATE_DIR", self.state_dir().into_os_string()),
            ("HTTPS_PROXY", NOWHERE.into()),
        ]);
        let machine = Machine {
            clock: Clock::Manual(Arc::clone(&self.clock)),
            stop: StopSource::Nobody,
            ..Machine::default()
        };
        let args = std::iter::once("openclaw-auth").chain(args.iter().copied());
        let args = args.map(OsString::from).collect();
        Run { rig: self, args, environment, input: Vec::new(), machine }
    }

    /// Runs the program in this process to its end, as [`Run::run`].
    pub(crate) fn run_here(&self, args: &[&str]) -> Finished {
        self.here(args).run()
    }

    /// As [`Self::run_here`], while `hand` alone moves the clock.
    pub(crate) fn run_by_hand(&self, args: &[&str], hand: impl FnOnce(&ManualClock)) -> Finished {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| self.here(args).finish());
            hand(&self.clock);
            running.join().expect("the run")
        })
    }
}
