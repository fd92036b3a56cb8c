//! Databases that cannot be used, or not now: a clear sentence, an exit code of the table, and no
//! byte of them changed, so that OpenClaw finds what it left.

use crate::support::database::{Row, Text, make_shared};
use crate::support::rig::Rig;
use rusqlite::Connection;
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PASTE: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "p"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--profile", "p:1"];
const DATABASE: &str = "state/openclaw.sqlite";
const PROFILES: &str =
    r#"{"version":1,"profiles":{"p:1":{"type":"api_key","provider":"p","key":"fake"}}}"#;

fn row(rig: &Rig) -> Text {
    Text::of(&rig.state_dir(), &rig.path("agents/main/agent"), "main", Row::Store)
}

fn with_key() -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    assert!(row(&rig).write(PROFILES));
    rig
}

fn paste(rig: &Rig) -> crate::support::rig::Finished {
    rig.run_with_input(&PASTE, "fake-key-fake-key\n")
}

/// Runs a command of the rig by `sh` in a mount namespace of its own, where `before` has been
/// run with the state directory as `$1`; `None` where that is not possible here.
fn apart(rig: &Rig, before: &str, args: &[&str], input: &str) -> Option<Output> {
    let namespace = ["--user", "--map-root-user", "--mount"];
    let mount = ["mount", "-t", "tmpfs", "none", "/mnt"];
    let can = Command::new("unshare").args(namespace).args(mount).output();
    if !can.is_ok_and(|output| output.status.success()) {
        skipped("unshare --user --mount is not possible here");
        return None;
    }
    let program = rig.command(args);
    let mut command = Command::new("unshare");
    let script = format!(
        "{before}; printf '{input}' | \"$2\" {}; code=$?; \
         test ! -d \"$1/kept\" || cp \"$1/state/\"openclaw* \"$1/kept\"; exit $code",
        args.join(" ")
    );
    command.args(namespace).args(["sh", "-c", &script, "sh"]);
    command.arg(rig.state_dir()).arg(program.get_program()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(command.output().unwrap())
}

fn skipped(why: &str) {
    // The output of a test that passes is not shown unless it is written so.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_writer_of_twelve_seconds_is_waited_for_and_no_reader_waits() {
    let rig = with_key();
    let held = row(&rig).hold();
    let started = Instant::now();
    let mut command = rig.command(&PASTE);
    command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut pasting = command.spawn().unwrap();
    pasting.stdin.take().unwrap().write_all(b"fake-key-fake-key\n").unwrap();
    assert_eq!(rig.run(&TOKEN).success(), "fake");
    assert!(started.elapsed() < Duration::from_secs(5), "a reader waited");
    std::thread::sleep(Duration::from_secs(12).saturating_sub(started.elapsed()));
    assert!(pasting.try_wait().unwrap().is_none());
    drop(held);
    assert!(pasting.wait().unwrap().success());
    assert!(row(&rig).read().unwrap().contains("fake-key-fake-key"));
}

#[test]
fn a_row_that_says_anything_but_where_the_credentials_are_is_an_error() {
    for said in [
        "not JSON",
        "1",
        "null",
        "[]",
        r#"{"location":1}"#,
        "{}",
        r#"{"location":"state-db","more":1}"#,
        r#"{"location":"STATE-DB"}"#,
    ] {
        let rig = with_key();
        row(&rig).run(&format!(
            "UPDATE config_machine_state SET value_json = '{said}' WHERE state_key = 'auth.sharedStore'"
        ));
        let before = std::fs::read(rig.path(DATABASE)).unwrap();
        for stderr in [rig.run(&TOKEN).failure(6), paste(&rig).failure(6)] {
            assert!(
                stderr.contains("auth.sharedStore") && stderr.contains("hint:"),
                "{said}: {stderr}"
            );
        }
        assert_eq!(std::fs::read(rig.path(DATABASE)).unwrap(), before, "{said}");
    }
}

#[test]
fn a_row_of_profiles_that_is_no_document_is_an_error() {
    for text in
        ["", "null", "7", "\"x\"", r#"{"version":1,"profiles":[]}"#, r#"{"profiles":{"a":1}"#]
    {
        let rig = with_key();
        assert!(row(&rig).write(text));
        let before = std::fs::read(rig.path(DATABASE)).unwrap();
        for stderr in [rig.run(&TOKEN).failure(6), paste(&rig).failure(6)] {
            assert!(
                stderr.contains("authProfiles.store") && stderr.contains("hint:"),
                "{text}: {stderr}"
            );
        }
        assert_eq!(std::fs::read(rig.path(DATABASE)).unwrap(), before, "{text}");
    }
}

#[test]
fn a_database_that_is_cut_off_or_none_is_an_error() {
    for keep in [0, 1, 100, 5_000] {
        let rig = with_key();
        let path = rig.path(DATABASE);
        Connection::open(&path).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..keep]).unwrap();
        for stderr in [rig.run(&TOKEN).failure(6), paste(&rig).failure(6)] {
            assert!(
                stderr.contains("openclaw.sqlite") && stderr.contains("hint:"),
                "{keep}: {stderr}"
            );
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes[..keep], "{keep}");
        assert!(!rig.path("agents/main/agent/auth-profiles.json").exists(), "{keep}");
    }
}

#[test]
fn a_log_without_its_database_is_left_for_openclaw() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite-wal", "fake log");
    for stderr in [rig.run(&TOKEN).failure(6), paste(&rig).failure(6)] {
        assert!(stderr.contains("openclaw.sqlite") && stderr.contains("hint:"), "{stderr}");
    }
    assert_eq!(rig.read("state/openclaw.sqlite-wal"), "fake log");
    assert_eq!(rig.path("state").read_dir().unwrap().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_written_is_read() {
    let rig = with_key();
    let before = std::fs::read(rig.path(DATABASE)).unwrap();
    let closed = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1""#;
    let Some(read) = apart(&rig, closed, &TOKEN, "") else { return };
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "fake", "{}", said(&read));
    let written = apart(&rig, closed, &PASTE, "fake-key-fake-key").unwrap();
    assert_eq!(written.status.code(), Some(6), "{}", said(&written));
    assert!(said(&written).contains("hint:"), "{}", said(&written));
    assert_eq!(std::fs::read(rig.path(DATABASE)).unwrap(), before);
}

#[test]
fn a_full_disk_changes_nothing() {
    let rig = with_key();
    std::fs::create_dir(rig.path("kept")).unwrap();
    let full = r#"cp "$1/state/openclaw.sqlite" /tmp/full.$$ \
        && mount -t tmpfs -o size=64k,mode=700 none "$1/state" && mv /tmp/full.$$ "$1/state/openclaw.sqlite" \
        && chmod 600 "$1/state/openclaw.sqlite"; cat /dev/zero > "$1/state/filler" 2>/dev/null; true"#;
    let Some(output) = apart(&rig, full, &PASTE, "fake-key-fake-key") else { return };
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(said(&output).contains("space"), "{}", said(&output));
    let database = Connection::open(rig.path("kept/openclaw.sqlite")).unwrap();
    let query =
        "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.store'";
    let text: String = database.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(text, PROFILES);
    let found: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}

#[test]
fn a_database_of_another_user_is_not_even_read() {
    let rig = with_key();
    let path = rig.path(DATABASE);
    if std::os::unix::fs::chown(&path, Some(65_534), None).is_err() {
        return skipped("a database of another user needs root");
    }
    let files = || rig.path("state").read_dir().unwrap().count();
    let before = files();
    for stderr in [rig.run(&TOKEN).failure(6), paste(&rig).failure(6)] {
        assert!(stderr.contains("65534") && stderr.contains("hint:"), "{stderr}");
    }
    assert_eq!(files(), before, "nothing is left beside it");
}

#[test]
fn the_layout_of_2026_6_and_7_is_read_and_the_way_out_is_told() {
    let rig = Rig::new();
    let directory = rig.path("agents/main/agent");
    std::fs::create_dir_all(&directory).unwrap();
    for path in [rig.path("agents"), rig.path("agents/main"), directory.clone()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    let path = directory.join("openclaw-agent.sqlite");
    let database = Connection::open(&path).unwrap();
    let tables = "PRAGMA journal_mode = WAL; PRAGMA user_version = 1;
        CREATE TABLE auth_profile_store (store_key TEXT NOT NULL PRIMARY KEY, store_json TEXT NOT NULL, updated_at INTEGER NOT NULL);
        CREATE TABLE auth_profile_state (state_key TEXT NOT NULL PRIMARY KEY, state_json TEXT NOT NULL, updated_at INTEGER NOT NULL);";
    database.execute_batch(tables).unwrap();
    database
        .execute("INSERT INTO auth_profile_store VALUES ('primary', ?1, 1)", [PROFILES])
        .unwrap();
    drop(database);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert_eq!(rig.run(&TOKEN).success(), "fake");
    let stderr = paste(&rig).failure(6);
    assert!(stderr.contains("OpenClaw 2026.6 and 2026.7"), "{stderr}");
    assert!(stderr.contains("openclaw doctor --fix"), "{stderr}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_failure_in_json_can_be_that_of_the_table() {
    let rig = with_key();
    let list = ["models", "auth", "list", "--agent", "nope", "--json"];
    let theirs = rig.run(&list);
    assert_eq!(theirs.code, 1, "{theirs:?}");
    let message = "there is no agent `nope`";
    let wanted = json!({"ok": false, "error": {"type": "cli_error", "message": message}});
    assert_eq!(serde_json::from_str::<serde_json::Value>(&theirs.stdout).unwrap(), wanted);
    let mut command = rig.command(&list);
    let ours = command.env("OPENCLAW_AUTH_JSON_ERRORS", "1").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(ours.status.code(), Some(2));
    assert_eq!(
        (&document["error"]["exitCode"], &document["error"]["message"]),
        (&json!(2), &json!(message))
    );
    // A command of ours alone has our exit codes.
    let token = rig.run(&["models", "auth", "token", "--profile", "nope:1", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&token.stdout).unwrap();
    assert_eq!((token.code, &document["error"]["exitCode"]), (3, &json!(3)));
}
