//! Secrets stay in the user's hands: files, processes, terminals, and what errors of the
//! network say.

mod files;
mod network;
mod proxy;

use crate::support::rig::{Rig, RunningLogin};
use serde_json::json;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// Says that a test was not made, past the capture of the test runner.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

#[test]
fn a_process_with_secrets_leaves_no_core_dump_and_shows_none_of_them() {
    let rig = Rig::new();
    let args = ["models", "auth", "paste-api-key", "--provider", "p"];
    let mut command = rig.command(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let limits = || std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let has_none = |limits: &str| {
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        line.split_whitespace().nth(4) == Some("0")
    };
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !has_none(&limits()) {
        assert!(std::time::Instant::now() < patience, "{}", limits());
        std::thread::yield_now();
    }
    child.stdin.as_mut().unwrap().write_all(b"fake-key").unwrap();
    let shown = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains("fake-"));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_browser_gets_neither_secrets_of_ours_nor_of_the_environment() {
    let rig = Rig::new();
    let seen = rig.path("seen");
    let script = format!(
        "#!/bin/sh\n(env; echo; tr '\\0' ' ' < /proc/$$/cmdline) > {0}.part && mv {0}.part {0}\n",
        seen.display()
    );
    rig.write("browser.sh", &script);
    let path = rig.path("browser.sh");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = rig.command(&["models", "auth", "login", "--provider", "openai-codex"]);
    command.env("BROWSER", &path).env("PATH", "/usr/bin:/bin").env("PLAIN", "plain");
    for name in ["OPENAI_API_KEY", "GH_TOKEN", "client_secret", "DB_PASSWORD"] {
        command.env(name, "fake-withheld");
    }
    let mut login = RunningLogin::start(command);
    login.wait_for("A browser was started");
    while !seen.exists() {
        std::thread::yield_now();
    }
    let text = std::fs::read_to_string(&seen).unwrap();
    assert!(text.contains("PLAIN=plain") && text.contains(&login.url), "{text}");
    assert!(!text.contains("fake-withheld") && !text.contains("code_verifier"), "{text}");
    login.visit();
    login.finish().success();
}

#[test]
fn no_path_moves_the_cursor() {
    let rig = Rig::new();
    let odd = std::ffi::OsString::from_vec(b"st\x1b[31m\xc2\x9b2Jate".to_vec());
    let state_dir = rig.home().join(odd);
    let agent = state_dir.join("agents/main/agent");
    std::fs::create_dir_all(&agent).unwrap();
    std::fs::create_dir_all(state_dir.join("providers")).unwrap();
    std::fs::write(state_dir.join("providers/x.json"), "{").unwrap();
    let document = json!({"profiles": {
        "p:1": {"type": "api_key", "provider": "p", "key": "k"}, "bad": 5}});
    let path = agent.join("auth-profiles.json");
    std::fs::write(&path, document.to_string()).unwrap();
    for mode in [0o600, 0o644] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        for args in [
            &["models", "auth", "list"][..],
            &["models", "auth", "list", "--json"],
            &["models", "auth", "token", "--provider", "p"],
            &["models", "auth", "token", "--provider", "none"],
            &["models", "auth", "order", "get", "--provider", "p"],
            &["models", "auth", "resolve", "p/m"],
            &["models", "auth", "login", "--provider", "x"],
            &["models", "auth", "session", "show", "--session", "\u{1b}[2J"],
            &["models", "status"],
            &["channels", "list"],
            &["channels", "status"],
            &["secrets", "audit"],
            &["agents", "list"],
            &["doctor"],
            &["doctor", "--restore", "\u{1b}[2J"],
            &["onboard", "--non-interactive"],
            &["\u{1b}[2J"],
            &["models", "\u{9b}2J"],
        ] {
            let mut command = rig.command(args);
            let output = command.env("OPENCLAW_STATE_DIR", &state_dir).output().unwrap();
            for stream in [&output.stdout, &output.stderr] {
                let text = String::from_utf8_lossy(stream);
                let is_safe = |c: char| c == '\n' || !c.is_control();
                // JSON is for programs: it escapes what is below U+0020, and only that.
                let is_json = args.contains(&"--json");
                assert!(
                    text.chars().all(|c| is_safe(c) || is_json && c as u32 > 0x7f),
                    "{args:?}: {text:?}"
                );
            }
        }
    }
}
