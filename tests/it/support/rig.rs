//! The program in a fresh state directory, pointed at an authorization server of its own.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use openclaw_auth::system::{ManualClock, now};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::authorization_server::{AuthorizationServer, Want};
use super::free_port::free_ports;
pub(crate) use super::running_login::RunningLogin;

/// The profile id of the server's default account.
pub(crate) const PROFILE: &str = "openai-codex:ada@example.test";

const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "openai-codex"];

/// A proxy that nobody is: no test reaches a real host, whatever a definition names. Loopback
/// addresses never go through a proxy.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:1";

/// A state directory, an authorization server, and the program between them.
pub(crate) struct Rig {
    /// The authorization server.
    pub server: AuthorizationServer,
    /// The redirect ports of this rig.
    pub ports: Vec<u16>,
    pub(super) root: tempfile::TempDir,
    /// The clock of the runs in this process that a test moves.
    pub clock: Arc<ManualClock>,
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Finished {
    /// Standard output of a run that succeeded, without its final newline.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self.stdout.strip_suffix('\n').map(str::to_owned).unwrap_or(self.stdout)
    }

    /// Standard output of a run that succeeded, as JSON; of events, one a line, the last.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.success();
        let last = || serde_json::from_str(text.lines().last().unwrap_or_default());
        serde_json::from_str(&text).or_else(|_| last()).expect("JSON on standard output")
    }

    /// What a run with `--json` says of its failure with `code`.
    #[track_caller]
    pub(crate) fn json_failure(self, code: i32) -> Value {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        let mut report: Value = serde_json::from_str(&self.stdout).expect("JSON");
        report["error"].take()
    }

    /// Standard error of a run that failed with `code` and printed nothing else.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "a failure prints nothing on standard output");
        self.stderr
    }
}

/// The program while it runs.
pub(crate) struct Running(Child);

impl Running {
    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        send(&self.0, signal);
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it, and waits for its end.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("a process");
        self.0.wait().expect("its end");
    }

    /// Goes away as the reader of its standard output.
    pub(crate) fn stop_reading(&mut self) {
        drop(self.0.stdout.take());
    }

    /// Waits for its end.
    pub(crate) fn finish(self) -> Finished {
        self.0.wait_with_output().expect("the output").into()
    }
}

pub(super) fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("a process");
}

impl Rig {
    /// A rig with the server's default account.
    pub(crate) fn new() -> Self {
        Self::with(Want::default())
    }

    /// A rig whose server behaves as `want` says.
    pub(crate) fn with(want: Want) -> Self {
        super::ignored_signals::catch();
        let root = tempfile::tempdir().expect("a temporary directory");
        let clock = ManualClock::new(now());
        let rig =
            Self { server: AuthorizationServer::start(want), ports: free_ports(2), root, clock };
        std::fs::create_dir(rig.home()).expect("a home directory");
        rig.write("providers/openai-codex.json", &rig.server.provider_file(&rig.ports).to_string());
        rig
    }

    /// The state directory.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// The home directory, which nothing should touch.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// A path below the state directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.state_dir().join(name)
    }

    /// Writes a file below the state directory, private as the program would.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let parent = path.parent().expect("a parent");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
    }

    /// Writes a private file below the home directory, as another program would.
    pub(crate) fn write_at_home(&self, name: &str, text: &str) {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, text).expect("a file");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("permissions");
    }

    /// The text of a file below the home directory; `None` where there is none.
    pub(crate) fn read_at_home(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.home().join(name)).ok()
    }

    /// The text of a file below the state directory.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The credential document of agent `main`.
    pub(crate) fn document(&self) -> Value {
        self.document_of("main")
    }

    /// The credential document of an agent.
    pub(crate) fn document_of(&self, agent: &str) -> Value {
        serde_json::from_str(&self.read(&store(agent))).expect("a document")
    }

    /// Changes the credential document of an agent.
    pub(crate) fn edit(&self, agent: &str, change: impl FnOnce(&mut Value)) {
        let mut document = self.document_of(agent);
        change(&mut document);
        self.write(&store(agent), &serde_json::to_string_pretty(&document).expect("JSON"));
    }

    /// Makes the access token of a profile of `main` expired.
    pub(crate) fn expire(&self, profile: &str) {
        self.edit("main", |document| document["profiles"][profile]["expires"] = 1.into());
    }

    /// Every file below the state directory with its contents, to see that nothing changed.
    pub(crate) fn tree(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.state_dir(), &mut files);
        files.sort();
        files
    }

    /// Makes what is remembered of failed refreshes so much older, as if the time had passed.
    pub(crate) fn let_pass(&self, time: Duration) {
        let aged = i64::try_from(time.as_millis()).expect("a time");
        for (path, text) in self.tree() {
            if path.extension().is_some_and(|it| it == "outcome") {
                let mut outcome: Value = serde_json::from_slice(&text).expect("an outcome");
                outcome["at"] = (outcome["at"].as_i64().expect("a time") - aged).into();
                std::fs::write(&path, outcome.to_string()).expect("a file");
            }
        }
    }

    /// The program with a clean environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_openclaw-auth"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home())
            .env("OPENCLAW_STATE_DIR", self.state_dir())
            .env("HTTPS_PROXY", NOWHERE)
            .current_dir(self.root.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the built program to its end without input.
    pub(crate) fn run_process(&self, args: &[&str]) -> Finished {
        self.command(args).output().expect("the program").into()
    }

    /// The process that holds the lease of a refresh: the worker.
    pub(crate) fn worker(&self) -> u32 {
        let locks = std::fs::read_dir(self.path("locks/oauth-refresh")).unwrap();
        let paths = locks.map(|entry| entry.unwrap().path());
        let lock = paths.into_iter().find(|path| path.extension().is_some_and(|it| it == "lock"));
        let payload = std::fs::read_to_string(lock.expect("a lease is held")).unwrap();
        let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
        u32::try_from(payload["pid"].as_u64().unwrap()).unwrap()
    }

    /// Kills the worker of a refresh, and waits until it is dead.
    pub(crate) fn kill_worker(&self) -> u32 {
        let pid = self.worker();
        let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        while openclaw_auth::system::process::is_alive(pid) {
            std::thread::yield_now();
        }
        pid
    }

    /// Starts the program without input.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running(command.spawn().expect("the program"))
    }

    /// Writes the provider file `providers/<id>.json`.
    pub(crate) fn provider(&self, id: &str, file: &Value) {
        self.write(&format!("providers/{id}.json"), &file.to_string());
    }

    /// Sends a provider of the catalog to the server, with everything else as it is.
    pub(crate) fn redirect(&self, provider: &str) {
        let file =
            super::catalog::redirected(&super::catalog::row(provider), &self.server, &self.ports);
        self.provider(provider, &file);
    }

    /// Starts a login with any arguments and waits for what the user needs.
    pub(crate) fn start_sign_in(&self, args: &[&str]) -> RunningLogin {
        self.here(&[&["models", "auth", "login"][..], args].concat()).start_login()
    }

    /// Starts `models auth login` in this process and waits for the URL.
    pub(crate) fn start_login(&self, args: &[&str]) -> RunningLogin {
        self.here(&[&LOGIN[..], args].concat()).start_login()
    }

    /// As [`Self::start_login`], by the clock that the test moves.
    pub(crate) fn start_login_by_clock(&self) -> RunningLogin {
        self.here(&LOGIN).on(&self.clock).start_login()
    }

    /// Starts `models auth login` as a process and waits for the URL.
    pub(crate) fn start_login_process(&self, args: &[&str]) -> RunningLogin {
        RunningLogin::start(self.command(&[&LOGIN[..], args].concat()))
    }

    /// Signs in through the redirect.
    #[track_caller]
    pub(crate) fn login(&self, args: &[&str]) -> Finished {
        let login = self.start_login(args);
        let visit = login.visit();
        let finished = login.finish();
        assert_eq!(visit.status, 200, "{finished:?}");
        finished
    }

    /// A rig that is signed in.
    pub(crate) fn signed_in() -> Self {
        let rig = Self::new();
        rig.login(&[]).success();
        rig
    }
}

/// The name of an agent's credential document below the state directory.
pub(crate) fn store(agent: &str) -> String {
    format!("agents/{agent}/agent/auth-profiles.json")
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
}
