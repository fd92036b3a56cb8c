//! A state directory with one login, and the command whose save is disturbed.

use super::point::Tracee;
use super::support::authorization_server::{Account, AuthorizationServer, Want};
use super::support::free_port::free_ports;
use openclaw_auth::ops::refresh::worker::COMMAND;
use openclaw_auth::system::file::create_private_directory;
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// The profile of the login.
pub(crate) const PROFILE: &str = "openai-codex:ada@example.test";
/// What is pasted.
pub(crate) const PASTED: &str = "fake-pasted-token";
/// The profile that it is pasted into.
pub(crate) const PASTED_PROFILE: &str = "mistral:manual";

/// A command that saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Refresh,
    /// The refresh of a grant that another agent holds a copy of.
    RefreshCopied,
    Logout,
    Paste,
}

impl Command {
    pub(crate) const ALL: [Self; 4] =
        [Self::Refresh, Self::RefreshCopied, Self::Logout, Self::Paste];

    /// The processes that it consists of.
    pub(crate) fn tracees(self) -> &'static [Tracee] {
        match self {
            Self::Refresh | Self::RefreshCopied => &[Tracee::Command, Tracee::Worker],
            Self::Logout | Self::Paste => &[Tracee::Command],
        }
    }

    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Refresh | Self::RefreshCopied => {
                &["models", "auth", "token", "--profile", PROFILE]
            }
            Self::Logout => &["models", "auth", "logout", PROFILE],
            Self::Paste => &["models", "auth", "paste-token", "--provider", "mistral"],
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it, or its worker, was killed.
    pub(crate) was_killed: bool,
    /// No code when it was killed itself.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The file in the home directory that holds the words of a worker, a line each.
const WORKER: &str = "worker";

/// Becomes what the scene in `home` wants for a worker.
pub(crate) fn become_worker(home: &Path) -> std::io::Error {
    let words = std::fs::read_to_string(home.join(WORKER)).unwrap_or_default();
    let mut words = words.lines();
    let mut command = std::process::Command::new(words.next().unwrap_or_default());
    command.args(words).arg(COMMAND).exec()
}

/// A login that has to be refreshed, in a state directory of its own.
pub(crate) struct Scene {
    pub(crate) command: Command,
    pub(crate) server: AuthorizationServer,
    pub(crate) state_dir: PathBuf,
    /// The document before the command.
    pub(crate) before: String,
    /// The refresh token in it.
    pub(crate) refresh: String,
    program: PathBuf,
    root: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new(command: Command, program: &Path) -> Self {
        let root = tempfile::tempdir().unwrap();
        let state_dir = root.path().join("state");
        Self::at(command, program, root, state_dir)
    }

    /// A scene whose state directory is elsewhere.
    pub(crate) fn at(
        command: Command,
        program: &Path,
        root: tempfile::TempDir,
        state_dir: PathBuf,
    ) -> Self {
        let server = AuthorizationServer::start(Want::default());
        let tokens = server.issue_tokens(&Account::of_email("ada@example.test"));
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let document = json!({"version": 1, "profiles": {
            PROFILE: {
                "type": "oauth", "provider": "openai-codex", "email": "ada@example.test",
                "access": tokens["access_token"], "refresh": refresh, "expires": 1,
            },
            "openai:other": {"type": "api_key", "provider": "openai", "key": "fake-key"},
        }});
        let before = serde_json::to_string_pretty(&document).unwrap() + "\n";
        create_private_directory(&state_dir.join("agents/main/agent")).unwrap();
        create_private_directory(&state_dir.join("providers")).unwrap();
        let write = |name: &str, text: &str| {
            let path = state_dir.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        };
        write("providers/openai-codex.json", &server.provider_file(&free_ports(1)).to_string());
        write("agents/main/agent/auth-profiles.json", &before);
        let mut config = json!({"auth": {"profiles": {
            PROFILE: {"provider": "openai-codex", "mode": "oauth"}
        }}});
        if command == Command::RefreshCopied {
            config["agents"] = json!({"list": [{"id": "main"}, {"id": "work"}]});
            create_private_directory(&state_dir.join("agents/work/agent")).unwrap();
            write("agents/work/agent/auth-profiles.json", &before);
        }
        write("openclaw.json", &config.to_string());
        let program = program.to_owned();
        Self { command, server, state_dir, before, refresh, program, root }
    }

    /// A place outside of the state directory.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs the command, under `wrapper` when there is one.
    pub(crate) fn run(&self, wrapper: &[String], command: Command) -> Finished {
        self.run_with(wrapper, command.arguments())
    }

    /// Runs the command in a process whose worker is the program under `wrapper`.
    pub(crate) fn run_with_worker_under(&self, wrapper: &[String]) -> Finished {
        let program = self.program.to_string_lossy().into_owned();
        std::fs::write(self.outside(WORKER), [wrapper, &[program]].concat().join("\n")).unwrap();
        let this = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        let finished = self.run_program(&[this], self.command.arguments());
        std::fs::remove_file(self.outside(WORKER)).unwrap();
        finished
    }

    /// Runs the program with these arguments.
    pub(crate) fn run_with(&self, wrapper: &[String], arguments: &[&str]) -> Finished {
        let program = self.program.to_string_lossy().into_owned();
        self.run_program(&[wrapper, &[program]].concat(), arguments)
    }

    fn run_program(&self, program: &[String], arguments: &[&str]) -> Finished {
        let mut words = program.to_vec();
        words.extend(arguments.iter().map(|&word| word.to_owned()));
        let mut child = std::process::Command::new(&words[0])
            .args(&words[1..])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.root.path())
            .env("OPENCLAW_STATE_DIR", &self.state_dir)
            .current_dir(self.root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        // Who is killed reads nothing.
        let _ = child.stdin.take().expect("a pipe").write_all(format!("{PASTED}\n").as_bytes());
        let output: Output = child.wait_with_output().expect("its end");
        Finished {
            was_killed: output.status.code().is_none(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Forgets what refreshes have noted, as if the time were over for which that holds.
    pub(crate) fn forget_notes(&self) {
        for directory in ["locks/oauth-refresh", "agents/main/agent", "agents/work/agent"] {
            let entries = std::fs::read_dir(self.state_dir.join(directory));
            for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with("grant-") && !name.ends_with(".lock") {
                    let _ = std::fs::remove_file(path);
                }
            }
        }
    }

    pub(crate) fn document_path(&self) -> PathBuf {
        self.state_dir.join("agents/main/agent/auth-profiles.json")
    }

    /// The document; nothing when it does not parse.
    pub(crate) fn document(&self) -> Option<Value> {
        serde_json::from_str(&std::fs::read_to_string(self.document_path()).ok()?).ok()
    }
}
