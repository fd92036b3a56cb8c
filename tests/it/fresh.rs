//! The first login of a state directory goes where the OpenClaw that is installed looks for it.

use crate::support::database::{Row, Text};
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig};
use serde_json::Value;

const PASTE: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "openrouter"];

/// Puts an OpenClaw of this version on a `PATH`, which is the answer. Running it would leave a
/// file.
fn install(rig: &Rig, version: &str) -> String {
    let package = "lib/node_modules/openclaw";
    let text = serde_json::json!({"name": "openclaw", "version": version}).to_string();
    rig.write_at_home(&format!("{package}/package.json"), &text);
    let mark = rig.home().join("was-run");
    rig.write_at_home(
        &format!("{package}/openclaw.mjs"),
        &format!("#!/bin/sh\n: >{}\n", mark.display()),
    );
    let bin = rig.home().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = rig.home().join(package).join("openclaw.mjs");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).unwrap();
    std::os::unix::fs::symlink(script, bin.join("openclaw")).unwrap();
    format!("{}:/usr/bin:/bin", bin.display())
}

fn run(rig: &Rig, path: &str, args: &[&str]) -> Finished {
    let finished = rig.here(args).env("PATH", path).input("fake-key-fake-key\n").run();
    assert!(!rig.home().join("was-run").exists(), "OpenClaw is not run");
    finished
}

fn has_database(rig: &Rig) -> bool {
    rig.path("state/openclaw.sqlite").exists()
}

fn storage(rig: &Rig, path: &str) -> (String, String) {
    let report = run(rig, path, &["doctor", "--json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let text = |name: &str| report["storage"][name].as_str().unwrap().to_owned();
    (text("format"), text("reason"))
}

#[test]
fn the_installed_openclaw_says_where_the_first_login_goes() {
    for (version, format) in [("2026.9.6", "sqlite"), ("2026.8.1", "sqlite"), ("2026.4.24", "json")]
    {
        let rig = Rig::new();
        let path = install(&rig, version);
        let before = rig.tree();
        let (told, reason) = storage(&rig, &path);
        assert_eq!(told, format, "{version}: {reason}");
        assert!(reason.contains(version), "{reason}");
        let status = run(&rig, &path, &["models", "status"]);
        assert!(status.stderr.contains(version), "{}", status.stderr);
        run(&rig, &path, &["models", "auth", "list"]).success();
        assert!(rig.tree() == before, "looking makes nothing");
        run(&rig, &path, &PASTE).success();
        assert_eq!(has_database(&rig), format == "sqlite", "{version}");
        assert_eq!(rig.path("agents/main/agent/auth-profiles.json").exists(), format == "json");
        assert_eq!(storage(&rig, &path).0, format);
        let token = ["models", "auth", "token", "--profile", "openrouter:manual"];
        assert_eq!(run(&rig, &path, &token).success(), "fake-key-fake-key");
    }
}

#[test]
fn no_login_goes_where_the_installed_openclaw_does_not_look() {
    for version in ["2026.6.6", "2026.7.35"] {
        let rig = Rig::new();
        let path = install(&rig, version);
        let before = rig.tree();
        let (format, reason) = storage(&rig, &path);
        assert_eq!(format, "sqlite", "{reason}");
        assert!(reason.contains(version) && reason.contains("2026.8.1"), "{reason}");
        let login = ["models", "auth", "login", "--provider", "openai-codex", "--no-browser"];
        let order = ["models", "auth", "order", "set", "--provider", "p", "p:1"];
        for args in [&PASTE[..], &login, &order] {
            let finished = run(&rig, &path, args);
            assert!(finished.code == 6 || args == order, "{}", finished.stderr);
            assert!(rig.tree() == before, "{args:?} makes nothing");
        }
        let stderr = run(&rig, &path, &PASTE).failure(6);
        assert!(stderr.contains(version) && stderr.contains("update OpenClaw"), "{stderr}");
        // What is there already is used as before.
        let key =
            r#"{"version":1,"profiles":{"p:1":{"type":"api_key","provider":"p","key":"fake-1"}}}"#;
        rig.write("agents/main/agent/auth-profiles.json", key);
        run(&rig, &path, &PASTE).success();
        let token = ["models", "auth", "token", "--profile", "p:1"];
        assert_eq!(run(&rig, &path, &token).success(), "fake-1");
    }
}

#[test]
fn without_an_openclaw_it_goes_to_documents_and_what_is_there_stays() {
    let rig = Rig::new();
    let (format, reason) = storage(&rig, "/nonexistent");
    assert_eq!(format, "json");
    assert!(reason.contains("no OpenClaw"), "{reason}");
    run(&rig, "/nonexistent", &PASTE).success();
    assert!(!has_database(&rig));
    // An OpenClaw that comes later changes nothing: `store convert` does.
    let path = install(&rig, "2026.9.6");
    run(&rig, &path, &["models", "auth", "paste-api-key", "--provider", "p"]).success();
    assert!(!has_database(&rig));
    assert_eq!(storage(&rig, &path).0, "json");
    // The document of another agent counts as well.
    let other = Rig::new();
    let path = install(&other, "2026.9.6");
    other.write("agents/work/agent/auth-profiles.json", r#"{"version":1,"profiles":{}}"#);
    run(&other, &path, &PASTE).success();
    assert!(!has_database(&other));
}

#[test]
fn what_would_be_an_agents_own_needs_the_database_that_openclaw_makes() {
    let rig = Rig::new();
    let path = install(&rig, "2026.9.6");
    rig.write("openclaw.json", r#"{"agents":{"entries":{"main":{},"work":{}}}}"#);
    let args = [&PASTE[..], &["--agent", "work"]].concat();
    let stderr = run(&rig, &path, &args).failure(6);
    assert!(stderr.contains("openclaw models auth order clear"), "{stderr}");
    assert!(!has_database(&rig) && !rig.path("agents/work").exists());
}

#[test]
fn a_first_login_is_stored_under_the_name_that_it_has_there() {
    let rig = Rig::new();
    let path = install(&rig, "2026.9.6");
    let profile = "openai:ada@example.test";
    // A login needs a listener, which the rig has with its own environment.
    let mut command =
        rig.command(&["models", "auth", "login", "--provider", "openai-codex", "--no-browser"]);
    command.env("PATH", &path);
    let login = crate::support::rig::RunningLogin::start_here(command.here());
    assert_eq!(login.visit().status, 200);
    login.finish().success();
    let text = Text::of(&rig.state_dir(), &rig.path("agents/main/agent"), "main", Row::Store);
    let stored: Value = serde_json::from_str(&text.read().unwrap()).unwrap();
    assert_eq!(stored["profiles"][profile]["provider"], "openai", "{stored}");
}
