//! Files in the user's hands alone, and whose they are.

use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::json;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A rig with one key, in a directory that other users can enter.
fn rig() -> Rig {
    let rig = Rig::new();
    let document =
        json!({"profiles": {"p:1": {"type": "api_key", "provider": "p", "key": "fake-key"}}});
    rig.write(&store("main"), &document.to_string());
    mode(rig.home().parent().unwrap(), 0o755);
    rig
}

fn mode(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "p"];

#[test]
fn what_others_can_read_or_write_is_refused_until_the_hint_is_run() {
    for (path, bits) in [
        ("", 0o775),
        ("", 0o707),
        ("agents/main/agent", 0o770),
        ("agents/main/agent", 0o777),
        (DOCUMENT, 0o644),
        (DOCUMENT, 0o640),
        (DOCUMENT, 0o620),
        ("providers", 0o777),
        ("providers/openai-codex.json", 0o666),
    ] {
        let rig = rig();
        assert_eq!(rig.run(&TOKEN).success(), "fake-key");
        mode(&rig.path(path), bits);
        let stderr = rig.run(&TOKEN).failure(6);
        assert!(stderr.contains("is open to other users"), "{path} {bits:o}: {stderr}");
        for args in [
            &["models", "auth", "paste-api-key", "--provider", "q"][..],
            &["models", "auth", "logout", "p:1"],
            &["models", "auth", "login", "--provider", "openai-codex"],
            &["doctor", "--restore", "latest"],
        ] {
            let refused = rig.run(args).failure(6);
            assert!(refused.contains("is open to other users"), "{args:?}: {refused}");
        }
        for args in [
            &["models", "auth", "list"][..],
            &["models", "status"],
            &["channels", "list"],
            &["models", "auth", "resolve", "p/m"],
            &["models", "auth", "order", "get", "--provider", "p"],
            &["secrets", "audit"],
        ] {
            let listed = rig.run(args);
            let is_settings = path.starts_with("providers");
            let is_told = listed.stderr.contains("warning: ") && listed.stderr.contains("chmod ");
            assert!(is_told || is_settings, "{args:?}: {}", listed.stderr);
            listed.success();
        }
        let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
        assert!(Command::new("/bin/sh").args(["-c", hint]).status().unwrap().success(), "{hint}");
        assert_eq!(rig.run(&TOKEN).success(), "fake-key", "{hint}");
    }
}

#[test]
fn kept_renewals_must_be_in_this_users_hands() {
    let kept = r#"{"grant": "sha256:0", "access": "fake-kept", "refresh": "fake-next"}"#;
    for (path, bits) in [
        ("recovery", 0o777),
        ("recovery", 0o770),
        ("recovery/x.json", 0o644),
        ("recovery/x.json", 0o620),
    ] {
        for directory in ["", "../home/.openclaw-auth-"] {
            let rig = rig();
            let [path, file] = [path, "recovery/x.json"].map(|name| format!("{directory}{name}"));
            rig.write(&file, kept);
            assert_eq!(rig.run(&TOKEN).success(), "fake-key");
            mode(&rig.path(&path), bits);
            let stderr = rig.run(&TOKEN).failure(6);
            assert!(stderr.contains("is open to other users"), "{path} {bits:o}: {stderr}");
            assert!(rig.run(&["doctor"]).stdout.contains("is open to other users"));
            let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
            let mut shell = Command::new("/bin/sh");
            assert!(shell.args(["-c", hint]).status().unwrap().success(), "{hint}");
            assert_eq!(rig.run(&TOKEN).success(), "fake-key", "{hint}");
        }
    }
}

#[test]
fn a_recovery_directory_that_leads_into_an_open_one_is_refused() {
    let rig = rig();
    let outside = rig.home().join("outside");
    std::fs::create_dir(&outside).unwrap();
    mode(&outside, 0o777);
    symlink(&outside, rig.path("recovery")).unwrap();
    assert!(rig.run(&TOKEN).failure(6).contains("recovery is open to other users"));
}

#[test]
fn directories_that_others_can_only_enter_are_fine() {
    let rig = rig();
    for path in ["", "agents", "agents/main", "agents/main/agent"] {
        mode(&rig.path(path), 0o755);
    }
    let finished = rig.run(&TOKEN);
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.success(), "fake-key");
    mode(&rig.path("agents/main"), 0o775);
    assert!(rig.run(&TOKEN).failure(6).contains("agents/main is open to other users"));
    // Nobody else gets there.
    mode(&rig.path(""), 0o700);
    rig.run(&TOKEN).success();
}

/// Whether files of other users can be made here; says so where they cannot.
fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root()
        && Command::new("setpriv").arg("--version").output().is_ok();
    if !is_root {
        super::skipped(&format!("{test} needs root and setpriv"));
    }
    is_root
}

/// Gives a tree to a user.
fn give(path: &Path, user: u32) {
    for entry in path.read_dir().into_iter().flatten().flatten() {
        give(&entry.path(), user);
    }
    chown(path, Some(user), Some(user)).unwrap();
}

const USER: u32 = 12_345;
const OTHER: u32 = 23_456;

/// Runs the program as another user.
fn run_as(rig: &Rig, user: u32, args: &[&str]) -> Finished {
    // The build directory may be closed to that user.
    let program = rig.home().join("openclaw-auth");
    if !program.exists() {
        // By a process of its own: one that this one forks meanwhile must not hold the copy
        // open for writing when it is started.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_openclaw-auth")).arg(&program);
        assert!(copy.status().unwrap().success());
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", &user.to_string(), "--regid", &user.to_string(), "--clear-groups"])
        .arg(&program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", rig.home())
        .env("OPENCLAW_STATE_DIR", rig.state_dir())
        .stdin(std::process::Stdio::null());
    command.output().unwrap().into()
}

#[test]
fn the_store_of_another_user_is_refused() {
    if !is_root("the_store_of_another_user_is_refused") {
        return;
    }
    let rig = rig();
    give(&rig.state_dir(), USER);
    mode(&rig.path(""), 0o755);
    assert_eq!(run_as(&rig, USER, &TOKEN).success(), "fake-key");
    let stderr = run_as(&rig, OTHER, &TOKEN).failure(6);
    assert!(stderr.contains("belongs to another user (uid 12345)"), "{stderr}");
    assert!(stderr.contains("hint: sudo chown \"$(id -un)\" "), "{stderr}");
    chown(rig.path(DOCUMENT), Some(OTHER), None).unwrap();
    mode(&rig.path(DOCUMENT), 0o644);
    let stderr = run_as(&rig, USER, &TOKEN).failure(6);
    assert!(stderr.contains("auth-profiles.json belongs to another user"), "{stderr}");
}

#[test]
fn a_link_to_what_another_user_owns_is_refused() {
    if !is_root("a_link_to_what_another_user_owns_is_refused") {
        return;
    }
    let rig = rig();
    let outside = rig.home().join("outside");
    std::fs::rename(rig.path("agents/main/agent"), &outside).unwrap();
    symlink(&outside, rig.path("agents/main/agent")).unwrap();
    give(&rig.path(""), USER);
    give(&outside, USER);
    assert_eq!(run_as(&rig, USER, &TOKEN).success(), "fake-key", "a link to one's own is fine");
    give(&outside, OTHER);
    mode(&outside, 0o755);
    assert!(run_as(&rig, USER, &TOKEN).failure(6).contains("belongs to another user"));
    // Nor is root led elsewhere by the user whose store it works on.
    give(&outside, 0);
    let stderr = rig.run(&TOKEN).failure(6);
    assert!(stderr.contains("belongs to another user (uid 0)"), "{stderr}");
    assert!(stderr.contains("hint: chown 12345 "), "{stderr}");
}

#[test]
fn what_root_writes_in_the_store_of_a_user_is_that_users() {
    if !is_root("what_root_writes_in_the_store_of_a_user_is_that_users") {
        return;
    }
    let rig = Rig::new();
    mode(rig.home().parent().unwrap(), 0o755);
    give(&rig.state_dir(), USER);
    rig.login(&[]).success();
    rig.expire(PROFILE);
    chown(rig.path(DOCUMENT), Some(USER), Some(USER)).unwrap();
    rig.run(&["models", "auth", "token", "--provider", "openai-codex"]).success();
    let mut checked = 0;
    let mut left = vec![rig.state_dir()];
    while let Some(path) = left.pop() {
        assert_eq!(path.metadata().unwrap().uid(), USER, "{}", path.display());
        left.extend(path.read_dir().into_iter().flatten().map(|entry| entry.unwrap().path()));
        checked += 1;
    }
    assert!(checked > 8, "{checked}");
    let args = ["models", "auth", "logout", PROFILE, "--local"];
    run_as(&rig, USER, &args).success();
}
