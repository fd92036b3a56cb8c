//! What scripts rely on: failures in JSON, `--quiet`, `--version`.

use super::rig;
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
        ("logout nope --json", "failure", 1),
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
        let ours: Finished = ours.env("OPENCLAW_AUTH_JSON_ERRORS", "1").output().unwrap().into();
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
    let login: Finished = login.stdin(Stdio::null()).output().unwrap().into();
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
