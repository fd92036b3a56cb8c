//! What OpenClaw does to a login in its database between a look of ours and the next one.

use crate::support::database::{Row, Text, make_shared};
use crate::support::patience::until;
use crate::support::rig::{PROFILE, Rig, Running};
use openclaw_auth::system::now;
use rustix::fs::inotify::{self, ReadFlags, WatchFlags};
use serde_json::{Value, json};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai"];

fn row(rig: &Rig) -> Text {
    Text::of(&rig.state_dir(), &rig.path("agents/main/agent"), "main", Row::Store)
}

/// A login in a database, whose token has expired.
fn expired() -> (Rig, Value) {
    let rig = Rig::signed_in();
    let mut login = rig.document()["profiles"][PROFILE].take();
    login["provider"] = "openai".into();
    login["expires"] = 2.into();
    std::fs::remove_dir_all(rig.path("agents")).unwrap();
    std::fs::remove_file(rig.path("openclaw.json")).unwrap();
    make_shared(&rig.state_dir());
    put(&rig, &login);
    (rig, login)
}

fn put(rig: &Rig, login: &Value) {
    let profiles = json!({"version": 1, "profiles": {PROFILE: login}});
    assert!(row(rig).write(&profiles.to_string()));
    row(rig).run(&format!("UPDATE config_machine_state SET updated_at_ms = {}", now()));
}

/// OpenClaw's lock on a refresh of the login, which this process holds.
fn take_lock(rig: &Rig) -> PathBuf {
    let lock = rig.path("locks/oauth-refresh/lock-a2e391a50b269d4d89a22053b022781d.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let started: u64 =
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let body = json!({"pid": std::process::id(), "createdAt": "2026-11-28T00:00:00.000Z",
        "starttime": started});
    std::fs::write(&lock, format!("{body:#}\n")).unwrap();
    lock
}

fn marked(login: &Value, state: &str) -> Value {
    let marker = |name: &str| {
        let (claim, hash) = ("ab".repeat(16), "cd".repeat(32));
        format!("openclaw-oauth-refresh-fence:v1:{claim}:{state}{name}:{hash}")
    };
    let mut entry = login.clone();
    entry["access"] = marker("access").into();
    entry["refresh"] = marker("refresh").into();
    entry["expires"] = 1.into();
    entry
}

/// Waits until another process has taken the lock, once it is free, and has let it go again.
fn of_another(lock: &Path) -> impl FnOnce() + use<> {
    let (directory, name) =
        (lock.parent().unwrap().to_owned(), lock.file_name().unwrap().to_owned());
    let changes = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let wanted = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    inotify::add_watch(&changes, &directory, wanted).unwrap();
    move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut changes = inotify::Reader::new(&changes, &mut buffer);
        let mut is_taken = false;
        loop {
            let change = changes.next().unwrap();
            if change.file_name().is_none_or(|it| it.to_bytes() != name.as_bytes()) {
                continue;
            }
            match change.events().contains(ReadFlags::DELETE) {
                true if is_taken => return,
                is_gone => is_taken |= !is_gone,
            }
        }
    }
}

/// A command of ours that waits for OpenClaw's lock finds a marker where the tokens were.
fn find_marker_under_lock(state: &str) -> (Rig, Value, Running, PathBuf) {
    let (rig, login) = expired();
    let lock = take_lock(&rig);
    let running = rig.start(&TOKEN);
    until("it waits", || rig.path("locks/oauth-refresh").read_dir().unwrap().count() > 1);
    put(&rig, &marked(&login, state));
    (rig, login, running, lock)
}

#[test]
fn a_refresh_that_openclaw_began_first_is_waited_for_without_its_lock() {
    let (rig, mut login, running, lock) = find_marker_under_lock("");
    let was_let_go = of_another(&lock);
    std::fs::remove_file(&lock).unwrap();
    was_let_go();
    // OpenClaw takes its lock again to store what it got.
    take_lock(&rig);
    login["access"] = "fake-settled".into();
    login["refresh"] = "fake-settled-refresh".into();
    login["expires"] = (now() + 3_600_000).into();
    put(&rig, &login);
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(running.finish().success(), "fake-settled");
    assert_eq!(rig.server.token_requests("refresh_token"), 0);
}

#[test]
fn a_refresh_that_openclaw_failed_first_is_told_as_that() {
    let (rig, _, running, lock) = find_marker_under_lock("failed:");
    std::fs::remove_file(lock).unwrap();
    let stderr = running.finish().failure(3);
    assert!(stderr.contains("lost in a failed OpenClaw refresh"), "{stderr}");
    assert_eq!(rig.server.token_requests("refresh_token"), 0);
}

/// The lock of OpenClaw's on a refresh, with that text in it.
fn write_lock(rig: &Rig, text: &str) -> PathBuf {
    let lock = take_lock(rig);
    std::fs::write(&lock, text).unwrap();
    let modified = std::time::SystemTime::now() - Duration::from_hours(10);
    std::fs::File::options().write(true).open(&lock).unwrap().set_modified(modified).unwrap();
    lock
}

#[test]
fn a_lock_of_openclaw_is_taken_over_when_openclaw_itself_would() {
    let me = std::process::id();
    let ago = |seconds: i64| openclaw_auth::system::lock::iso(now() - seconds * 1_000);
    let cases = [
        (format!(r#"{{"pid":{me},"createdAt":"{}"}}"#, ago(90_000)), false),
        (format!(r#"{{"createdAt":"{}"}}"#, ago(90)), false),
        (format!(r#"{{"createdAt":"{}"}}"#, ago(190)), true),
        (r#"{"pid":4194304}"#.to_owned(), true),
        (String::new(), false),
        ("no JSON at all".to_owned(), false),
    ];
    for (text, is_free) in cases {
        let (rig, _) = expired();
        let lock = write_lock(&rig, &text);
        let doctor = rig.run(&["doctor"]).stdout;
        let at = format!("{}", lock.file_name().unwrap().display());
        let found = doctor.lines().find(|line| line.contains(&at)).unwrap_or_default();
        assert_eq!(found.contains("is held by"), !is_free, "{text}: {doctor}");
        let finished = rig.run(&[&TOKEN[..], &["--lock-timeout", "1"]].concat());
        if is_free {
            finished.success();
            assert!(!lock.exists(), "{text}");
        } else {
            finished.failure(5);
            assert_eq!(std::fs::read_to_string(&lock).unwrap(), text);
        }
    }
}

#[test]
fn a_lock_that_somebody_is_removing_is_left_alone() {
    let (rig, _) = expired();
    let lock = write_lock(&rig, r#"{"pid":4194304}"#);
    let removing = lock.with_extension("lock.reclaim");
    std::fs::create_dir(&removing).unwrap();
    rig.run(&[&TOKEN[..], &["--lock-timeout", "1"]].concat()).failure(5);
    assert!(lock.exists());
    std::fs::remove_dir(&removing).unwrap();
    rig.run(&TOKEN).success();
}
