//! What dead processes and stores that cannot be read leave to the commands after them.

use crate::support::authorization_server::Fault;
use crate::support::rig::{PROFILE, Rig, store};
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

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
    child.kill().unwrap();
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
