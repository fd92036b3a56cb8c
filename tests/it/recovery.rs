//! What dead processes and stores that cannot be read leave to the commands after them.

use crate::support::authorization_server::Fault;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);

fn files(rig: &Rig, ending: &str) -> Vec<PathBuf> {
    let paths = rig.tree().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// Kills a refresh while the server has its request; what the request came to is `fault`.
fn kill_a_refresh(rig: &Rig, fault: Fault) {
    rig.expire(PROFILE);
    let before = rig.server.token_requests("refresh_token");
    rig.server.inject(fault);
    let mut child =
        rig.command(&TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(rig.server.wait_for_token_requests("refresh_token", before + 1, PATIENCE));
    rig.kill_worker();
    child.wait().unwrap();
}

#[test]
fn the_temporary_file_of_a_killed_save_is_removed_by_a_later_one() {
    let rig = Rig::signed_in();
    kill_a_refresh(&rig, Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    let left = files(&rig, ".tmp");
    assert!(!left.is_empty());
    let theirs = "agents/main/agent/auth-profiles.json.0d5f1c7e-8a55-4a3e-9a51-3f0a2b1c4d5e.tmp";
    rig.write(theirs, "{}");
    for path in left.iter().chain([&rig.path(theirs)]) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(10)).unwrap();
    }
    rig.run(&TOKEN).success();
    assert_eq!(files(&rig, ".tmp"), [rig.path(theirs)], "one of OpenClaw's stays");
}

#[test]
fn a_copy_that_could_not_be_read_during_a_refresh_follows_it_later() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let copy = rig.read(&store("main"));
    rig.write(&store("work"), "{ somebody is editing this");
    rig.run(&TOKEN).success();
    // A second one while it still cannot be read: nothing piles up.
    rig.expire(PROFILE);
    let token = rig.run(&TOKEN).success();
    assert_eq!(files(&rig, ".json").iter().filter(|path| is_kept(path)).count(), 1);
    rig.write(&store("work"), &copy);
    assert_eq!(rig.run(&[&TOKEN[..], &["--agent", "work"]].concat()).success(), token);
    assert_eq!(rig.document_of("work")["profiles"][PROFILE]["access"], token.as_str());
    assert_eq!((rig.server.token_requests("refresh_token"), rig.server.reuse_attempts()), (2, 0));
    assert!(!files(&rig, ".json").iter().any(|path| is_kept(path)));
}

fn is_kept(path: &Path) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with("recovery"))
}

#[test]
fn a_kept_login_that_nobody_holds_is_removed_by_the_command_that_doctor_gives() {
    let rig = Rig::signed_in();
    rig.write("recovery/x.json", r#"{"grant": "sha256:0", "access": "a", "refresh": "fake-kept"}"#);
    rig.run(&TOKEN).success();
    let next = |rig: &Rig| {
        let report: serde_json::Value =
            serde_json::from_str(&rig.run(&["doctor", "--json"]).stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let found = findings.into_iter().find(|finding| finding["code"] == "unstored");
        found.map(|finding| finding["next"].as_str().unwrap().to_owned())
    };
    let command = next(&rig).unwrap();
    assert_eq!(command, format!("rm {}", rig.path("recovery/x.json").display()));
    let mut shell = Command::new("/bin/sh");
    assert!(shell.args(["-c", &command]).status().unwrap().success());
    assert_eq!(next(&rig), None);
}

#[test]
fn a_kept_login_that_is_held_is_stored_by_the_command_that_doctor_gives() {
    let rig = Rig::signed_in();
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let hash = openclaw_auth::secret::Secret::new(refresh).fingerprint();
    let kept = json!({"grant": hash, "access": "fake-kept", "refresh": "fake-next", "expires": 4_102_444_800_000_i64});
    rig.write("recovery/x.json", &kept.to_string());
    let report: serde_json::Value =
        serde_json::from_str(&rig.run(&["doctor", "--json"]).stdout).unwrap();
    let next = report["findings"][0]["next"].as_str().unwrap().to_owned();
    let command = next.strip_prefix("openclaw-auth ").unwrap();
    let command: Vec<_> = command.split(' ').collect();
    assert_eq!(report["findings"][0]["hintCommand"].as_array().unwrap()[1..], command[..]);
    assert_eq!(rig.run(&command).success(), "fake-kept", "{next}");
    assert!(!rig.path("recovery/x.json").exists());
}

#[test]
fn nothing_is_written_in_the_place_of_a_state_directory_that_is_away() {
    for is_mount_point in [false, true] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let hold = rig.server.hold_token_responses();
        let mut running = rig.command(&TOKEN);
        running.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = running.spawn().unwrap();
        assert!(hold.wait_until_held(1, PATIENCE));
        let (here, away) = (rig.state_dir(), rig.state_dir().with_extension("away"));
        std::fs::rename(&here, &away).unwrap();
        if is_mount_point {
            std::fs::create_dir(&here).unwrap();
        }
        hold.release();
        let stderr = Finished::from(running.wait_with_output().unwrap()).failure(6);
        assert!(stderr.contains("is in "), "{stderr}");
        // What was made in its place is hidden when it is back.
        assert_eq!(here.exists(), is_mount_point, "{stderr}");
        let _ = std::fs::remove_dir_all(&here);
        std::fs::rename(&away, &here).unwrap();
        rig.run(&TOKEN).success();
        let requests = rig.server.token_requests("refresh_token");
        assert_eq!((requests, rig.server.reuse_attempts()), (1, 0), "{stderr}");
        assert_eq!(files(&rig, ".intent"), Vec::<PathBuf>::new());
    }
}

#[test]
fn the_bytes_of_a_dead_process_get_time_to_arrive_before_its_successor_posts() {
    let rig = Rig::signed_in();
    kill_a_refresh(&rig, Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    let started = Instant::now();
    rig.run(&TOKEN).success();
    assert!(started.elapsed() >= Duration::from_millis(500));
}

/// Runs the program as the first processes of pid namespaces of their own, each of which
/// has the same process ids; none where such a namespace cannot be made.
fn start_in_containers(rig: &Rig, count: usize) -> Option<Vec<Child>> {
    let apart = ["--pid", "--fork", "--mount-proc"];
    let can = Command::new("unshare").args(apart).arg("true").output();
    if !can.is_ok_and(|can| can.status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: unshare --pid is not possible here");
        return None;
    }
    let start = |_| {
        let mut command = Command::new("unshare");
        let program = rig.command(&TOKEN);
        command.args(apart).arg(program.get_program()).args(program.get_args()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("PATH", "/usr/bin:/bin").spawn().unwrap()
    };
    Some((0..count).map(start).collect())
}

#[test]
fn containers_that_share_a_state_directory_make_one_request() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let Some(running) = start_in_containers(&rig, 8) else { return };
    assert!(hold.wait_until_held(1, PATIENCE));
    hold.release();
    let mut tokens: Vec<_> = running
        .into_iter()
        .map(|child| Finished::from(child.wait_with_output().unwrap()).success())
        .collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!((rig.server.token_requests("refresh_token"), rig.server.reuse_attempts()), (1, 0));
    assert_eq!(files(&rig, ".lock"), Vec::<PathBuf>::new());
}

#[test]
fn a_holder_that_was_killed_in_another_container_blocks_nobody() {
    let rig = Rig::signed_in();
    kill_a_refresh(&rig, Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    // Its process id is that of a live process here.
    for lock in files(&rig, ".lock") {
        let payload = json!({"pid": std::process::id(), "createdAt": "2099-01-01T00:00:00.000Z",
            "owner": "openclaw-auth"});
        std::fs::write(&lock, payload.to_string()).unwrap();
    }
    let Some(running) = start_in_containers(&rig, 1) else { return };
    for child in running {
        Finished::from(child.wait_with_output().unwrap()).success();
    }
}
