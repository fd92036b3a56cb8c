//! The main job from login to logout, without an account, a network or a browser:
//! `cargo run --release --example demo` (`-- --browser` opens a real one).
//!
//! Every command is run by the program's own entry point against an authorization server
//! inside this process, in a temporary state directory.

#![expect(clippy::print_stdout, reason = "the demo is there to be read")]
#![allow(clippy::unwrap_used, reason = "what fails in the demo ends it")]
#![allow(clippy::disallowed_methods, reason = "the demo prepares and inspects files directly")]

#[expect(dead_code, unused_imports, reason = "the demo needs a part of what the tests share")]
#[path = "it/support/mod.rs"]
mod support;

use openclaw_auth::cli;
use openclaw_auth::cli::ExitStatus;
use openclaw_auth::system::{Environment, Streams, now};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::authorization_server::{AuthorizationServer, Endpoint, Want};
use support::{free_port, user_agent};

/// Short enough to watch a token expire.
const LIFETIME_SECONDS: u64 = 6;

fn main() {
    let real_browser = std::env::args().any(|argument| argument == "--browser");
    let server = AuthorizationServer::start(Want {
        access_token_lifetime: LIFETIME_SECONDS,
        ..Want::default()
    });
    let root = tempfile::tempdir().unwrap();
    let demo = Demo { state_dir: root.path().join("state"), real_browser };
    let providers = demo.state_dir.join("providers");
    std::fs::create_dir_all(&providers).unwrap();
    let file =
        serde_json::to_string_pretty(&server.provider_file(&free_port::free_ports(2))).unwrap();
    std::fs::write(providers.join("openai-codex.json"), file).unwrap();
    println!("An authorization server runs at {} for this demo.", server.url());
    println!("A provider file points `openai-codex` at it: {}", providers.display());

    Demo::title("Sign in. The URL is shown, a browser follows it, the redirect comes back");
    demo.login();
    Demo::title("Where the login is, and how it is");
    demo.expect("models auth list", ExitStatus::Success);
    Demo::title("A token for a script: nothing is asked of the server");
    let first = demo.expect("models auth token --provider openai-codex", ExitStatus::Success);
    Demo::title("The token lives six seconds here. Once it has expired …");
    demo.wait_for_expiry();
    demo.expect("models auth list", ExitStatus::Success);
    Demo::title("… the next caller gets a fresh one, refreshed once and stored first");
    let second = demo.expect("models auth token --provider openai-codex", ExitStatus::Success);
    assert_ne!(first, second, "the token was refreshed");
    assert_eq!(server.token_requests("refresh_token"), 1, "with one request");
    Demo::title("OpenClaw's own listing of the same store");
    demo.expect("channels list --json --no-usage", ExitStatus::Success);
    Demo::title("Sign out: revoked at the server, removed here");
    demo.expect("models auth logout openai-codex:ada@example.test", ExitStatus::Success);
    assert_eq!(server.requests_at(Endpoint::Revoke).len(), 1, "the server was told");
    assert!(server.live_refresh_tokens().is_empty(), "no grant is left alive");
    Demo::title("A script learns from the exit code that a person has to sign in again");
    demo.expect("models auth token --provider openai-codex", ExitStatus::LoginRequired);
    println!("\nThat was the main job, from login to logout.");
}

struct Demo {
    state_dir: PathBuf,
    real_browser: bool,
}

impl Demo {
    fn title(title: &str) {
        println!("\n# {title}");
    }

    /// Runs a command and shows it as a user would see it.
    fn expect(&self, line: &str, expected: ExitStatus) -> String {
        println!("$ openclaw-auth {line}");
        let screen = Screen::default();
        let status = run(line, &self.environment(), &screen, &screen);
        assert_eq!(status, expected, "{}", screen.text());
        let text = screen.text();
        for shown in text.lines() {
            // Tokens are long, and these are fake.
            let cut: String = shown.chars().take(100).collect();
            println!("{cut}{}", if cut.len() < shown.len() { "…" } else { "" });
        }
        if status != ExitStatus::Success {
            println!("$ echo $?\n{}", status.code());
        }
        text
    }

    fn login(&self) {
        let line = "models auth login --provider openai-codex";
        println!("$ openclaw-auth {line}");
        let (lines, shown) = channel();
        let environment = self.environment();
        let running = std::thread::spawn(move || {
            let stderr = Screen { lines: Some(lines), ..Screen::default() };
            let stdout = Screen::default();
            let status = run(line, &environment, &stdout, &stderr);
            (status, stdout.text(), stderr.text())
        });
        // The URL stands on a line of its own.
        while let Ok(line) = shown.recv() {
            println!("{line}");
            let url = line.trim();
            if url.starts_with("http") && !self.real_browser {
                let visit = user_agent::follow(url);
                println!("(the browser was sent there and back: status {})", visit.status);
            }
        }
        let (status, stdout, stderr) = running.join().unwrap();
        assert_eq!(status, ExitStatus::Success, "{stderr}");
        print!("{stdout}");
    }

    fn wait_for_expiry(&self) {
        let store = self.state_dir.join("agents/main/agent/auth-profiles.json");
        let document: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(store).unwrap()).unwrap();
        let profile = document["profiles"].as_object().unwrap().values().next().unwrap();
        let left = profile["expires"].as_i64().unwrap() - now();
        std::thread::sleep(Duration::from_millis(left.max(0).try_into().unwrap()));
        while profile["expires"].as_i64().unwrap() >= now() {}
    }

    /// The user's own environment with a browser, else an empty one.
    fn environment(&self) -> Environment {
        let environment =
            if self.real_browser { Environment::of_process() } else { Environment::default() };
        environment.with("HOME", &self.state_dir).with("OPENCLAW_STATE_DIR", &self.state_dir)
    }
}

fn run(line: &str, environment: &Environment, stdout: &Screen, stderr: &Screen) -> ExitStatus {
    let mut streams = Streams {
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdin: None,
        stdin_is_terminal: false,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
    };
    let args = std::iter::once("openclaw-auth").chain(line.split(' ')).map(OsString::from);
    cli::run(args, environment.clone(), &mut streams, Path::new("/"))
}

/// What a command writes, kept, and sent on line by line.
#[derive(Clone, Default)]
struct Screen {
    written: Arc<Mutex<Vec<u8>>>,
    lines: Option<Sender<String>>,
}

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(lines) = &self.lines {
            for line in String::from_utf8_lossy(bytes).lines() {
                // Nobody reads on once the login has ended.
                let _ = lines.send(line.to_owned());
            }
        }
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
