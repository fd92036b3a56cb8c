//! `doctor`, and getting back what a change replaced.

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// The codes of the findings, with their severities, and the exit code.
#[track_caller]
fn findings(rig: &Rig) -> (i32, BTreeSet<String>) {
    let finished = rig.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    let found = report["findings"].as_array().unwrap();
    for finding in found {
        assert!(!finding["message"].as_str().unwrap().is_empty(), "{finding}");
        assert!(!finding["next"].as_str().unwrap().is_empty(), "{finding}");
    }
    assert_eq!(report["ok"], finished.code == 0, "{report}");
    let name = |finding: &Value| {
        format!("{} {}", finding["severity"].as_str().unwrap(), finding["code"].as_str().unwrap())
    };
    (finished.code, found.iter().map(name).collect())
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn nothing_is_wrong_with_a_store_of_ours() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    assert_eq!(findings(&rig), (0, names(&[])));
    let text = rig.run(&["doctor"]).success();
    assert!(text.starts_with("Nothing is wrong in "), "{text}");
    assert_eq!(rig.tree(), before);
    let empty = Rig::new();
    assert_eq!(findings(&empty), (0, names(&[])));
}

#[test]
fn everything_that_is_wrong_has_a_next_command() {
    let rig = Rig::signed_in();
    rig.server.revoke_all();
    rig.expire(PROFILE);
    rig.run(&TOKEN).failure(3);
    rig.edit("main", |document| {
        document["profiles"]["copy"] = document["profiles"][PROFILE].clone();
        document["profiles"]["odd"] = json!({"type": "weird"});
    });
    rig.write(&store("broken"), "{");
    rig.write("providers/mine.json", "{");
    rig.write("openclaw.json", "{");
    rig.write("agents/main/agent/auth-profiles.json.abc.tmp", "{}");
    let leftover = File::options()
        .write(true)
        .open(rig.path("agents/main/agent/auth-profiles.json.abc.tmp"))
        .unwrap();
    leftover.set_modified(SystemTime::now() - Duration::from_mins(10)).unwrap();
    rig.write("openclaw.json.lock", r#"{"pid":4194304,"createdAt":"2026-01-01T00:00:00.000Z"}"#);
    rig.write("agents/broken/agent/openclaw-agent.sqlite", "");
    rig.write("recovery/x.json", r#"{"grant": "sha256:0", "access": "fake-kept"}"#);
    set_permissions(rig.path(&store("main")), Permissions::from_mode(0o644)).unwrap();
    let expected = names(&[
        "problem exposed",
        "problem newer-generation",
        "note lock",
        "problem leftover",
        "note unstored",
        "problem unreadable",
        "problem uninterpretable",
        "problem shared",
        "problem refused",
        "problem provider",
        "problem configuration",
    ]);
    assert_eq!(findings(&rig), (1, expected));
    let finished = rig.run(&["doctor"]);
    assert_eq!(finished.code, 1);
    assert!(!finished.stdout.contains("fake-"), "{}", finished.stdout);
    assert_eq!(finished.stdout.matches("  next: ").count(), finished.stdout.lines().count() / 2);
}

#[test]
fn an_abandoned_lock_is_a_note() {
    let rig = Rig::signed_in();
    let lock = "agents/main/agent/auth-profiles.json.lock";
    rig.write(lock, r#"{"pid":4194304,"createdAt":"2026-01-01T00:00:00.000Z"}"#);
    assert_eq!(findings(&rig), (0, names(&["note lock"])));
    assert!(rig.path(lock).exists(), "a look takes nothing");
}

/// The backups of `main`, the newest first.
fn backups(rig: &Rig) -> Vec<Value> {
    let listed = rig.run(&["doctor", "--restore", "--list", "--json"]).json();
    listed["backups"].as_array().unwrap().clone()
}

#[test]
fn a_logout_can_be_undone() {
    let rig = Rig::signed_in();
    let before = rig.document();
    let token = rig.run(&TOKEN).success();
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    rig.run(&TOKEN).failure(3);
    let listed = backups(&rig);
    assert_eq!(listed[0]["profiles"], json!([PROFILE]));
    assert_eq!(listed[0]["replacedBy"], "change");
    let mode = std::fs::metadata(listed[0]["path"].as_str().unwrap()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let text = rig.run(&["doctor", "--restore"]).success();
    assert!(text.contains(PROFILE) && text.contains("ago by a change"), "{text}");
    let text = rig.run(&["doctor", "--restore", "latest"]).success();
    assert_eq!(text, format!("restored: {PROFILE}"));
    assert_eq!(rig.document(), before);
    assert_eq!(rig.run(&TOKEN).success(), token);
    assert!(rig.read("openclaw.json").contains(PROFILE), "it is recorded again");
    assert_eq!(backups(&rig)[0]["profiles"], json!([]), "what was replaced is kept as well");
    let again = rig.run(&["doctor", "--restore", listed[0]["name"].as_str().unwrap()]).success();
    assert_eq!(again, "Nothing differs from the backup");
}

#[test]
fn a_rotated_refresh_token_comes_back_only_by_force() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
    let name = backups(&rig)[0]["name"].as_str().unwrap().to_owned();
    assert!(name.ends_with(".renewal"), "{name}");
    let before = rig.document();
    let report = rig.run(&["doctor", "--restore", &name, "--json"]).json();
    assert_eq!(report["restored"], json!([]));
    assert_eq!(report["kept"][0]["id"], PROFILE);
    assert!(report["kept"][0]["reason"].as_str().unwrap().contains("newer one"));
    assert_eq!(rig.document(), before);

    // Nor by way of a logout: the newer backup tells.
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    let text = rig.run(&["doctor", "--restore", &name]).success();
    assert!(text.starts_with("left as it is: "), "{text}");
    rig.run(&["doctor", "--restore", "latest"]).success();
    assert_eq!(rig.document(), before);

    let report = rig.run(&["doctor", "--restore", &name, "--force", "--json"]).json();
    assert_eq!(report["restored"], json!([PROFILE]));
    assert_ne!(rig.document(), before);
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn an_overwritten_key_comes_back_and_what_came_since_stays() {
    let rig = Rig::new();
    let key = |id: &str, key: &str| {
        let args = ["models", "auth", "paste-api-key", "--provider", "p", "--profile-id", id];
        let mut command = rig.command(&args);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), key.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    key("a", "fake-1");
    key("a", "fake-2");
    key("b", "fake-3");
    let listed = backups(&rig);
    assert_eq!(listed.len(), 2);
    let oldest = listed[1]["name"].as_str().unwrap();
    rig.run(&["doctor", "--restore", oldest]).success();
    let profiles = rig.document()["profiles"].clone();
    assert_eq!(
        (&profiles["a"]["key"], &profiles["b"]["key"]),
        (&json!("fake-1"), &json!("fake-3"))
    );
    for n in 0..9 {
        key("a", &format!("fake-{n}"));
    }
    assert_eq!(backups(&rig).len(), 5);
    rig.run(&["doctor", "--restore", "../../x"]).failure(1);
}

#[test]
fn the_next_command_for_a_broken_document_brings_the_logins_back() {
    let rig = Rig::signed_in();
    let before = rig.document();
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    rig.write(&store("main"), "{ broken");
    let report = rig.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    let next = report["findings"][0]["next"].as_str().unwrap().to_owned();
    let mut shell = std::process::Command::new("/bin/sh");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_openclaw-auth")).parent().unwrap();
    shell.arg("-c").arg(&next).env("OPENCLAW_STATE_DIR", rig.state_dir());
    shell.env("HOME", rig.home()).env("PATH", format!("{}:/usr/bin:/bin", program.display()));
    assert!(shell.output().unwrap().status.success(), "{next}");
    assert_eq!(rig.document(), before);
}

#[test]
fn the_age_of_a_backup_counts_by_the_clock_of_the_machine() {
    let rig = Rig::signed_in();
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    rig.clock.advance(std::time::Duration::from_mins(3 * 60 + 30));
    let listed = rig.here(&["doctor", "--restore", "--list"]).on(&rig.clock).run().success();
    assert!(listed.contains("replaced 3 h ago by a change"), "{listed}");
}

#[test]
fn no_backup_is_kept_where_none_is_wanted() {
    let rig = Rig::signed_in();
    let mut command = rig.command(&["models", "auth", "logout", PROFILE, "--local"]);
    assert!(command.env("OPENCLAW_AUTH_BACKUPS", "0").output().unwrap().status.success());
    assert!(!rig.path("agents/main/agent/backups").exists());
    assert!(rig.run(&["doctor", "--restore"]).stderr.contains("has no backup"));
}
