//! Another program that refreshes the same login, and goes by the lock rules of OpenClaw.

use super::{PATIENCE, wait_until};
use crate::support::rig::{PROFILE, Rig, store};
use openclaw_auth::system::process::is_alive;
use serde_json::Value;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// After so long OpenClaw 2026.4.24 takes the lock of a refresh for abandoned.
const STALE_AFTER: Duration = Duration::from_mins(3);

/// Whether a lock file with that body, last written at that time, was left behind.
type Rule = fn(&Value, SystemTime) -> bool;

fn pid(body: &Value) -> Option<u32> {
    body["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
}

/// By OpenClaw 2026.4.24: the process is dead, or the lock is too old by its body or its file.
fn is_stale_in_april(body: &Value, modified: SystemTime) -> bool {
    let created = body["createdAt"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let is_old = |time: SystemTime| time.elapsed().is_ok_and(|age| age > STALE_AFTER);
    pid(body).is_some_and(|pid| !is_alive(pid))
        || created.is_none_or(|created| is_old(created.into()))
        || is_old(modified)
}

/// By OpenClaw 2026.9: the process is dead, or it is another one, which began at another time.
fn is_stale_in_september(body: &Value, _: SystemTime) -> bool {
    let Some(pid) = pid(body) else { return true };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let began = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
    let began = began.and_then(|began| began.parse::<u64>().ok());
    let told = body["starttime"].as_u64();
    !is_alive(pid) || told.is_some_and(|told| began != Some(told))
}

/// Waits for the lock of the refresh as OpenClaw does, by the rules of both generations.
/// Whether each would have posted the refresh token is what is returned at the end.
pub(super) fn follow(rig: &Rig) -> Vec<JoinHandle<bool>> {
    let directory = rig.path("locks/oauth-refresh");
    let mut locks = std::fs::read_dir(directory).unwrap().flatten().map(|entry| entry.path());
    let is_of_profile = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("sha256-") && path.extension().is_some_and(|it| it == "lock")
    };
    let lock = locks.find(is_of_profile).unwrap();
    let document = rig.path(&store("main"));
    let rules: [Rule; 2] = [is_stale_in_april, is_stale_in_september];
    let wait = |rule: Rule| {
        let (lock, document) = (lock.clone(), document.clone());
        std::thread::spawn(move || would_post(&lock, &document, rule))
    };
    rules.map(wait).into()
}

/// Waits for a lock, and looks whether the login is still expired then.
fn would_post(lock: &Path, document: &Path, is_stale: Rule) -> bool {
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "the lock is not released");
        if let Ok(mut file) = OpenOptions::new().create_new(true).write(true).open(lock) {
            file.write_all(body().as_bytes()).unwrap();
            let text = std::fs::read_to_string(document).unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
            let expires = document["profiles"][PROFILE]["expires"].as_u64().unwrap();
            // The other rule may have read the worker's body, seen that the worker has ended, and
            // removed this file for it.
            let _ = std::fs::remove_file(lock);
            return u128::from(expires) <= now;
        }
        let found = std::fs::read_to_string(lock).ok().zip(lock.metadata().ok());
        let stale = found.and_then(|(text, metadata)| {
            let body = serde_json::from_str(&text).ok()?;
            is_stale(&body, metadata.modified().ok()?).then_some(())
        });
        if stale.is_some() {
            let _ = std::fs::remove_file(lock);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A lock body of this process.
fn body() -> String {
    let (pid, now) = (std::process::id(), jiff::Timestamp::now());
    format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"{now:.3}\"\n}}")
}

/// Holds the lock of the store, as a live OpenClaw does, until its file is removed.
pub(super) fn hold_the_store(rig: &Rig, agent: &str) -> PathBuf {
    let lock = rig.path(&format!("{}.lock", store(agent)));
    wait_until("the lock of the store is free", || {
        let made = OpenOptions::new().create_new(true).write(true).open(&lock);
        made.is_ok_and(|mut file| file.write_all(body().as_bytes()).is_ok())
    });
    lock
}
