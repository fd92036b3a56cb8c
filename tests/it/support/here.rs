//! The program in this process: for what has no signal, terminal or process as its subject.
//!
//! Invariant: nothing of the process that the tests share is read or changed, so that they run
//! beside each other; what waits gets a clock that the test moves.

use super::rig::{Finished, NOWHERE, Rig};
use super::running_login::RunningLogin;
use openclaw_auth::app::RefreshesBy;
use openclaw_auth::cli;
use openclaw_auth::system::browser::{Browser, Opening};
use openclaw_auth::system::child::Programs;
use openclaw_auth::system::worker::Threads;
use openclaw_auth::system::{Clock, Environment, Machine, ManualClock, StopSource, Streams};
use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use url::Url;

/// What a command writes.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(super) fn text(&self) -> String {
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
pub(crate) struct Run {
    current_dir: PathBuf,
    args: Vec<OsString>,
    environment: Environment,
    input: Vec<u8>,
    machine: Machine,
}

impl Run {
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

    /// With requests to stop that are counted there.
    pub(crate) fn stop(mut self, asked: &watch::Sender<u32>) -> Self {
        self.machine.stop = StopSource::Owner(asked.subscribe());
        self
    }

    /// By this clock.
    pub(crate) fn on(mut self, clock: &Arc<ManualClock>) -> Self {
        self.machine.clock = Clock::Manual(Arc::clone(clock));
        self
    }

    /// On these streams, none of which is a terminal; the exit code.
    pub(super) fn with(
        self,
        stdin: Box<dyn BufRead + Send>,
        stdout: Box<dyn Write>,
        stderr: Box<dyn Write>,
    ) -> i32 {
        let mut streams = Streams {
            stdout,
            stderr,
            stdin: Some(stdin),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
        };
        let by = RefreshesBy::Thread(Arc::new(Threads::default()));
        let (machine, directory) = (self.machine, self.current_dir);
        let status =
            cli::run_on(machine, by, self.args, self.environment, &mut streams, &directory);
        i32::from(status.code())
    }

    /// To its end.
    pub(crate) fn run(mut self) -> Finished {
        let (stdout, stderr) = (Written::default(), Written::default());
        let input = Box::new(io::Cursor::new(std::mem::take(&mut self.input)));
        let code = self.with(input, Box::new(stdout.clone()), Box::new(stderr.clone()));
        Finished { code, stdout: stdout.text(), stderr: stderr.text() }
    }

    /// A login, until it waits for its user.
    pub(crate) fn start_login(self) -> RunningLogin {
        RunningLogin::start_here(self)
    }
}

/// A prepared command of the program, run in this process instead.
pub(crate) trait InProcess {
    /// Its arguments, environment and directory, without input.
    fn here(&self) -> Run;

    /// Runs it to its end, without input.
    fn finish_here(&self) -> Finished {
        self.here().run()
    }
}

impl InProcess for Command {
    fn here(&self) -> Run {
        assert_eq!(self.get_program(), env!("CARGO_BIN_EXE_openclaw-auth"), "the program");
        let variables = self.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let environment = variables.map(|(name, value)| (name.to_str().expect("a name"), value));
        Run {
            current_dir: self.get_current_dir().expect("a directory").to_owned(),
            args: std::iter::once(self.get_program())
                .chain(self.get_args())
                .map(Into::into)
                .collect(),
            environment: Environment::of(environment),
            input: Vec::new(),
            machine: Machine::default(),
        }
    }
}

impl Rig {
    /// A run of the program in this process, in a clean environment and without input; a
    /// refresh is made by a worker that is a thread.
    pub(crate) fn here(&self, args: &[&str]) -> Run {
        let environment = Environment::of([
            ("HOME", self.home().into_os_string()),
            ("OPENCLAW_STATE_DIR", self.state_dir().into_os_string()),
            ("HTTPS_PROXY", NOWHERE.into()),
        ]);
        let args = std::iter::once("openclaw-auth").chain(args.iter().copied());
        let args = args.map(OsString::from).collect();
        let (current_dir, input) = (self.root.path().to_owned(), Vec::new());
        Run { current_dir, args, environment, input, machine: Machine::default() }
    }

    /// Runs the program in this process to its end without input.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.here(args).run()
    }

    /// As [`Self::run`], with a line on standard input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Finished {
        self.here(args).input(input).run()
    }

    /// As [`Self::run`], with bytes on standard input.
    pub(crate) fn run_with_bytes(&self, args: &[&str], input: &[u8]) -> Finished {
        self.here(args).input(input).run()
    }

    /// As [`Self::run`], by a clock of which a second takes about fifty milliseconds.
    pub(crate) fn run_here(&self, args: &[&str]) -> Finished {
        self.run_quickly(self.here(args))
    }

    /// As [`Self::run_here`], what was prepared.
    pub(crate) fn run_quickly(&self, run: Run) -> Finished {
        self.quickly(|| run.on(&self.clock).run())
    }

    /// Does `work` while a second of the clock takes about fifty milliseconds.
    pub(crate) fn quickly<T>(&self, work: impl FnOnce() -> T) -> T {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                    self.clock.advance(Duration::from_millis(20));
                }
            });
            let _over = Over(&is_over);
            work()
        })
    }

    /// As [`Self::run_here`], while `hand` alone moves the clock.
    pub(crate) fn run_by_hand(&self, args: &[&str], hand: impl FnOnce(&ManualClock)) -> Finished {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| self.here(args).on(&self.clock).run());
            hand(&self.clock);
            running.join().expect("the run")
        })
    }
}
