//! What scripts rely on: failures in JSON, `--quiet`, `--version`.

use super::{commands, rig};
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig};
use serde_json::{Value, json};
use std::process::Stdio;

#[test]
fn a_failure_under_json_is_one_document() {
    let rig = rig();
    for (line, code, exit) in [
        ("token nope --json", "login_required", 3),
        ("token ada@example.test --json", "usage", 2),
        ("token --min-ttl soon --json", "usage", 2),
        ("list --bogus --json", "usage", 2),
        ("--json lgin", "usage", 2),
        ("logout nope --json", "login_required", 3),
        ("login chatgpt list --json --bogus", "usage", 2),
        ("models auth refresh --bogus --json", "usage", 2),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let finished = rig.run(&args);
        assert_eq!(finished.code, exit, "{line}: {finished:?}");
        let report: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {finished:?}"));
        assert_eq!((&report["schema"], &report["error"]["code"]), (&json!(1), &json!(code)));
        assert_eq!(report["error"]["exitCode"], exit);
        let message = report["error"]["message"].as_str().unwrap();
        assert!(finished.stderr.starts_with("error: ") && !message.is_empty(), "{finished:?}");
    }
    // OpenClaw's commands fail as OpenClaw's do.
    for line in
        ["models status --bogus --json", "agents delete --odd --json", "channels list --odd --json"]
    {
        let args: Vec<&str> = line.split(' ').collect();
        rig.run(&args).failure(2);
        let mut ours = rig.command(&args);
        let ours: Finished = ours.env("OPENCLAW_AUTH_JSON_ERRORS", "1").finish_here();
        let report: Value = serde_json::from_str(&ours.stdout).unwrap();
        assert_eq!(report["error"]["code"], "usage", "{line}");
    }
}

#[test]
fn quiet_says_nothing_but_errors() {
    let rig = Rig::new();
    assert_eq!(rig.run(&["list", "--quiet"]).stderr, "");
    assert_eq!(rig.run(&["--quiet", "prune", "--dry-run"]).stderr, "");
    assert!(rig.run(&["-q", "token", "nope"]).failure(3).starts_with("error: "));
    let mut login =
        rig.command(&["login", "chatgpt", "--quiet", "--json", "--no-browser", "--timeout", "1s"]);
    let login: Finished = login.stdin(Stdio::null()).finish_here();
    assert!(!login.stderr.contains("http"), "{login:?}");
}

#[test]
fn the_version_in_full_says_where_the_program_comes_from() {
    let rig = Rig::new();
    let text = rig.run(&["--version", "-v"]).success();
    for part in ["openclaw-auth ", "\ncommit: ", "\ntarget: ", "\nfeatures: ", "2026.4.24"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(rig.run(&["-Vv"]).success(), text);
    assert_eq!(rig.run(&["--version"]).success().lines().count(), 1);
}

/// What a command prints that has failed: one document, or the last line of its events.
fn failure_of(finished: &Finished, what: &str) -> Value {
    let document = serde_json::from_str::<Value>(&finished.stdout)
        .unwrap_or_else(|error| panic!("{what}: {error}: {finished:?}"));
    match document["event"].as_str() {
        Some(event) => {
            assert_eq!(event, "error", "{what}: {finished:?}");
            document
        }
        None => document["error"].clone(),
    }
}

#[test]
fn every_command_with_json_fails_in_one_document() {
    let rig = Rig::new();
    let mut found = Vec::new();
    commands(&rig, &mut Vec::new(), &mut found);
    let with_json = found.iter().filter(|(_, help)| help.contains(" --json"));
    let paths: Vec<&Vec<String>> = with_json.map(|(path, _)| path).collect();
    assert!(paths.len() > 40, "{paths:?}");
    // An option that is none; one that means nothing here; one without its value; a root option
    // that is blank; an argument too many.
    let bad: [&[&str]; 5] = [
        &["--json", "--bogus"],
        &["--json", "--profile"],
        &["--bogus=1", "--json"],
        &["--json", "--agent", " "],
        &["--json", "a", "b", "c", "d", "--bogus"],
    ];
    for path in paths {
        for more in bad {
            let words: Vec<&str> =
                path.iter().map(String::as_str).chain(more.iter().copied()).collect();
            let what = words.join(" ");
            let mut command = rig.command(&words);
            let ours: Finished =
                command.env("OPENCLAW_AUTH_JSON_ERRORS", "1").output().unwrap().into();
            if ours.code == 0 {
                // `agents … --agent " "` is OpenClaw's to judge.
                continue;
            }
            let error = failure_of(&ours, &what);
            assert_eq!(error["exitCode"], ours.code, "{what}: {ours:?}");
            assert!(!error["message"].as_str().unwrap().is_empty(), "{what}");
            assert!(ours.stderr.contains("error: "), "{what}: {ours:?}");
            let plain: Finished = rig.command(&words).output().unwrap().into();
            assert!(plain.stdout.is_empty() || plain.stdout == ours.stdout, "{what}: {plain:?}");
        }
    }
}

#[test]
fn every_report_of_ours_fails_in_json_where_the_configuration_cannot_be_read() {
    let rig = rig();
    rig.write("openclaw.json", "{ nonsense");
    for line in [
        "token chatgpt",
        "list",
        "models auth list",
        "check",
        "logout chatgpt",
        "logout --all",
        "prune",
        "prune --dry-run",
        "use chatgpt",
        "move chatgpt --to-agent other",
        "import codex --copy",
        "models auth refresh",
        "models auth report --profile openai-codex:work --reason ok",
        "models auth resolve openai-codex/gpt-5.5",
        "models auth session show",
        "models auth paste-api-key --provider google",
        "models auth paste-token --provider anthropic",
        "models auth setup-token",
        "doctor --restore latest",
        "doctor --restore --list",
        "login chatgpt",
        "login google",
        "login start --provider openai-codex",
        "login finish",
        "login cancel nope",
        "models auth login --provider openai-codex",
    ] {
        let args: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let finished = rig.run_with_input(&args, "");
        assert_ne!(finished.code, 0, "{line}");
        let report: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {finished:?}"));
        // `check` has a report of its own for it.
        if line != "check" {
            assert_eq!(failure_of(&finished, line)["exitCode"], finished.code, "{line}: {report}");
        }
    }
}

#[test]
fn a_key_that_login_stores_ends_with_an_event() {
    let rig = Rig::new();
    for (name, key) in [("zai", "fake-key-0123456789"), ("deepseek", "fake-deepseek-012345")] {
        let finished = rig.run_with_input(&["login", name, "--json"], &format!("{key}\n"));
        let done: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!((finished.code, &done["event"]), (0, &json!("done")), "{finished:?}");
        assert_eq!((&done["refreshable"], &done["agentId"]), (&json!(false), &json!("main")));
        assert_eq!(rig.run(&["token", done["profileId"].as_str().unwrap()]).success(), key);
        let empty = rig.run_with_input(&["login", name, "--json"], "");
        assert_eq!(failure_of(&empty, name)["exitCode"], empty.code);
    }
    let several = rig.run(&["login", "claude", "--json"]);
    assert!(failure_of(&several, "claude")["hint"].as_str().unwrap().contains("setup-token"));
}
