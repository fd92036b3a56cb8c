//! `onboard` and `configure`

use crate::support::here::InProcess as _;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{Finished, PROFILE, Rig, RunningLogin};
use serde_json::json;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

#[test]
fn a_first_login_needs_no_questions() {
    let rig = Rig::new();
    let choice = ["onboard", "--non-interactive", "--auth-choice", "openai-codex"];
    let command = rig.command(&[&choice[..], &["--model", "openai-codex/gpt-5.5"]].concat());
    let login = RunningLogin::start_here(command.here());
    assert_eq!(login.visit().status, 200);
    let text = login.finish().success();
    assert!(
        text.contains("Signed in to") && text.contains("Default model: openai-codex/gpt-5.5"),
        "{text}"
    );
    assert!(rig.document()["profiles"][PROFILE].is_object());
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(
        config["agents"],
        json!({"defaults": {"model": {"primary": "openai-codex/gpt-5.5"}}})
    );
}

#[test]
fn a_key_comes_from_standard_input() {
    let rig = Rig::new();
    let mut command =
        rig.command(&["onboard", "--non-interactive", "--auth-choice", "openai-api-key"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"fake-key\n").unwrap();
    Finished::from(child.wait_with_output().unwrap()).success();
    let expected = json!({"type": "api_key", "provider": "openai", "key": "fake-key"});
    assert_eq!(rig.document()["profiles"]["openai:default"], expected);
}

#[test]
fn what_is_wrong_is_found_before_anything_is_done() {
    let rig = Rig::new();
    let before = rig.tree();
    let onboard = ["onboard", "--non-interactive"];
    for (args, message) in [
        (&[][..], "needs --auth-choice"),
        (&["--auth-choice", "nope"], "one of: "),
        (&["--auth-choice", "skip", "--model", "no-model"], "provider/model"),
        (&["--auth-choice", "openai-codex", "--model", "a b/c"], "provider/model"),
    ] {
        let stderr = rig.run(&[&onboard[..], args].concat()).failure(2);
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    for args in [&["onboard"][..], &["configure"], &["configure", "--section", "model"]] {
        assert!(rig.run(args).failure(2).contains("needs a terminal"));
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_default_model_is_allowed_where_models_are_listed() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{agents: {defaults: {models: {'p/a': {}}, model: 'p/a'}}} // mine\n",
    );
    rig.run(&["onboard", "--non-interactive", "--auth-choice", "skip", "--model", "p/b"]).success();
    let text = rig.read("openclaw.json");
    assert!(text.contains("// mine"), "{text}");
    let status = rig.run(&["models", "status", "--json"]).json();
    assert_eq!(status["defaultModel"], "p/b");
    assert_eq!(status["allowed"], json!(["p/a", "p/b"]));
}

#[test]
fn logins_of_other_programs_and_providers_that_programs_serve_are_offered() {
    let rig = Rig::new();
    rig.write_at_home(
        ".codex/auth.json",
        &json!({"OPENAI_API_KEY": "fake-key", "tokens": null}).to_string(),
    );
    let programs = rig.home().join("programs");
    std::fs::create_dir(&programs).unwrap();
    std::fs::set_permissions(&programs, Permissions::from_mode(0o700)).unwrap();
    let program = programs.join("openclaw-auth-provider-acme");
    let done = r#"{"event":"done","credential":{"access":"fake-acme"}}"#;
    let describe = r#"{"event":"describe","protocolVersion":1,"operations":["login"]}"#;
    let script = format!(
        "#!/bin/sh\nread -r line\ncase $line in *describe*) echo '{describe}';; *) echo '{done}';; esac\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut add = rig.command(&["models", "auth", "add"]);
    add.env("TERM", "xterm-256color").env("PATH", &path);
    let mut terminal = PseudoTerminal::start(&add, 100, 60);
    terminal.wait_for_screen("Codex CLI is signed in: use it");
    terminal.wait_for_screen("acme (by a program)");
    terminal.enter("Codex CLI");
    terminal.wait_for_screen("> Codex CLI");
    terminal.enter("\r");
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    let document = rig.document();
    assert!(document["profiles"].to_string().contains("fake-key"), "{document}");

    let mut onboard = rig.command(&["onboard", "--non-interactive", "--auth-choice", "acme"]);
    let onboard: Finished = onboard.env("PATH", &path).finish_here();
    assert!(onboard.stderr.contains("models auth token --provider acme"), "{}", onboard.stderr);
    assert!(onboard.success().contains("Signed in to"));
}

#[test]
fn an_interrupted_choice_leaves_the_cursor_where_it_was() {
    let rig = Rig::new();
    let mut configure = rig.command(&["configure"]);
    configure.env("TERM", "xterm-256color");
    let mut terminal = PseudoTerminal::start(&configure, 80, 24);
    terminal.wait_for_screen("Sign in at a provider");
    assert!(terminal.screen().hide_cursor());
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    assert!(!terminal.screen().hide_cursor(), "{}", terminal.text());
}

/// The agent of `--agent` and what is told at the end go along (issue 14, kind 11).
#[test]
fn another_state_directory_keeps_the_agent_and_the_notices() {
    let rig = Rig::new();
    let other = |name: &str| format!("other state/{name}");
    rig.write(&other("openclaw.json"), r#"{"agents":{"list":[{"id":"main"},{"id":"work"}]}}"#);
    rig.write(&other("agents/work/agent/auth-profiles.json"), r#"{"version":1,"profiles":{}}"#);
    // No backup can be made there, which is told at the end.
    rig.write(&other("agents/work/agent/backups"), "");
    for directory in ["", "agents", "agents/work", "agents/work/agent"] {
        let path = rig.path(&other(directory));
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    }
    let args = ["--agent", "work", "onboard", "--auth-choice", "openai-api-key", "--model", "p/m"];
    let mut onboard = rig.command(&[&args[..], &["--state-dir"]].concat());
    onboard.env("TERM", "xterm-256color");
    let mut terminal = PseudoTerminal::start(&onboard, 200, 40);
    terminal.wait_for("State directory");
    terminal.enter(&format!("{}\r", rig.path("other state").display()));
    terminal.wait_for("API Key: ");
    terminal.enter("fake-key-0123456789\r");
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    let text = terminal.text();
    let stored = rig.read(&other("agents/work/agent/auth-profiles.json"));
    assert!(stored.contains("fake-key-0123456789"), "{text}");
    assert!(!rig.path(&other("agents/main")).exists());
    assert!(text.contains("backup"), "{text}");
    assert!(text.contains("other state'") && text.contains("--agent work"), "{text}");
}
