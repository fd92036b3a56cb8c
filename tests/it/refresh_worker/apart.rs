//! Workers where the machine lacks something, or where processes are kept apart.

use super::{PATIENCE, TOKEN, exists, finish, held, locks, posted, skipped, start, wait_until};
use crate::support::rig::{PROFILE, Rig};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The note of a refresh without a worker.
const NOTE: &str =
    "no process could be started for the refresh: it is made by this one, so do not kill it";

/// `program` (a tool and its arguments), which then starts what comes behind it.
fn within(rig: &Rig, program: &[&str], args: &[&str]) -> Command {
    let own = rig.command(args);
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(own.get_program()).args(args).env_clear();
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command
}

/// Whether `program` can be run here as it has to be; says so where it cannot.
fn can(program: &[&str]) -> bool {
    let tried = Command::new(program[0]).args(&program[1..]).arg("true").output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        skipped(&format!("`{}` is not possible here", program.join(" ")));
    }
    can
}

const APART: [&str; 5] = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

#[test]
fn without_proc_the_caller_makes_the_request_and_says_so_once() {
    let without = ["unshare", "--mount", "sh", "-c", r#"umount -l /proc && exec "$@""#, "sh"];
    if !can(&without) {
        return;
    }
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["other"] = document["profiles"][PROFILE].clone();
        document["profiles"]["other"]["refresh"] = "fake-unknown".into();
    });
    for args in [&TOKEN[..], &["models", "auth", "refresh", "--all", "--force"]] {
        rig.expire(PROFILE);
        let done = finish(start(&mut within(&rig, &without, args)));
        assert_eq!(done.stderr.matches(NOTE).count(), 1, "{done:?}");
    }
    let profile = &rig.document()["profiles"][PROFILE];
    assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()));
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn a_refresh_whose_start_slot_cannot_be_made_is_the_callers_and_it_says_so() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    // A worker begins with the slot of its grant, whose name a directory has here.
    let grant = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let slot = format!("grant-sha256-{:x}.start", Sha256::digest(grant));
    std::fs::create_dir_all(rig.state_dir().join("locks/oauth-refresh").join(slot)).unwrap();
    let done = rig.run(&TOKEN);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.stderr.matches(NOTE).count(), 1, "{done:?}");
    assert_eq!(rig.server.reuse_attempts(), 0);
}

/// Gives a tree to a user.
fn give(path: &Path, user: u32) {
    for entry in path.read_dir().into_iter().flatten().flatten() {
        give(&entry.path(), user);
    }
    chown(path, Some(user), Some(user)).unwrap();
}

const USER: u32 = 34_567;

/// A rig that belongs to another user, with a copy of the program; `None` where that is not
/// possible.
fn of_another_user(rig: &Rig) -> Option<[String; 2]> {
    let user = format!("--reuid={USER}");
    if !can(&["setpriv", &user, "--clear-groups"]) {
        return None;
    }
    let program = rig.home().join("openclaw-auth");
    // By a process of its own: one that this one forks meanwhile must not hold the copy open
    // for writing when it is started.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_openclaw-auth")).arg(&program).status();
    assert!(copied.unwrap().success());
    give(&rig.state_dir(), USER);
    give(&rig.home(), USER);
    let above = rig.home().parent().unwrap().to_owned();
    std::fs::set_permissions(above, PermissionsExt::from_mode(0o755)).unwrap();
    Some([user, program.to_str().unwrap().to_owned()])
}

/// The program as that user, started by the shell `script`.
fn as_user(rig: &Rig, [user, program]: &[String; 2], script: &str) -> Command {
    let own = rig.command(&TOKEN);
    let mut command = Command::new("setpriv");
    command.args([user, "--clear-groups", "sh", "-c", script, "sh", program]).args(TOKEN);
    command.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    command
}

#[test]
fn without_another_process_the_caller_makes_the_request_and_says_so() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let Some(user) = of_another_user(&rig) else { return };
    let script = r#"ulimit -u 1 2>/dev/null || ulimit -p 1; exec "$@""#;
    let done = finish(start(&mut as_user(&rig, &user, script)));
    assert_eq!(done.stderr.matches(NOTE).count(), 1, "{done:?}");
    done.success();
    assert_eq!(posted(&rig), (1, 0));
    assert_eq!(locks(&rig), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_worker_is_not_shown_to_its_own_user() {
    let (rig, hold) = held();
    let Some(user) = of_another_user(&rig) else { return };
    let caller = start(&mut as_user(&rig, &user, r#"exec "$@""#));
    assert!(hold.wait_until_held(1, PATIENCE));
    let worker = rig.worker();
    assert!(exists(worker) && worker != caller.id());
    for pid in [worker, caller.id()] {
        for name in ["environ", "mem", "maps", "fd"] {
            let looked = Command::new("setpriv")
                .args([&user[0], "--clear-groups", "sh", "-c"])
                .arg(format!("ls /proc/{pid}/{name}/ || dd if=/proc/{pid}/{name} count=1"))
                .output()
                .unwrap();
            assert!(!looked.status.success(), "{name}: {looked:?}");
            assert!(String::from_utf8_lossy(&looked.stderr).contains("Permission denied"));
        }
    }
    hold.release();
    finish(caller).success();
}

/// The process in a namespace of its own whose parent is `outer`.
fn first_of(outer: &Child) -> Pid {
    let children = format!("/proc/{0}/task/{0}/children", outer.id());
    let mut found = None;
    wait_until("there is a first process", || {
        let text = std::fs::read_to_string(&children).unwrap_or_default();
        found = text.split_whitespace().next().and_then(|pid| pid.parse().ok());
        found.is_some()
    });
    Pid::from_raw(found.unwrap()).unwrap()
}

#[test]
fn the_first_process_of_a_namespace_does_not_leave_before_its_worker() {
    if !can(&APART) {
        return;
    }
    let (rig, hold) = held();
    let mut outer = start(&mut within(&rig, &APART, &TOKEN));
    assert!(hold.wait_until_held(1, PATIENCE));
    let first = first_of(&outer);
    let mut said = BufReader::new(outer.stderr.take().unwrap());
    kill_process(first, Signal::TERM).unwrap();
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("finishing a refresh"), "{line}");
    for _ in 0..20 {
        kill_process(first, Signal::TERM).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(outer.try_wait().unwrap().is_none(), "with it, the worker would end");
    hold.release();
    assert_eq!(outer.wait().unwrap().code(), Some(130));
    rig.run_process(&TOKEN).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn the_first_process_of_a_namespace_waits_for_the_worker_of_another_beyond_its_time() {
    if !can(&APART) {
        return;
    }
    let (rig, hold) = held();
    let script = r#""$@" >/dev/null & echo begun; read -r _; exec "$@" --lock-timeout 100ms"#;
    let program = [&APART[..], &["sh", "-c", script, "sh"]].concat();
    let mut command = within(&rig, &program, &TOKEN);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut outer = command.spawn().unwrap();
    assert!(hold.wait_until_held(1, PATIENCE));
    outer.stdin.take().unwrap().write_all(b"\n").unwrap();
    let first = first_of(&outer).as_raw_nonzero().get();
    let waits = || {
        let line = std::fs::read(format!("/proc/{first}/cmdline")).unwrap_or_default();
        line.windows(14).any(|part| part == b"--lock-timeout")
    };
    wait_until("the first process waits", waits);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(outer.try_wait().unwrap().is_none(), "with it, the worker would end");
    hold.release();
    finish(outer).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn an_init_that_does_not_reap_gets_nothing_to_reap() {
    if !can(&APART) {
        return;
    }
    let (rig, hold) = held();
    // The first process becomes one that never waits for a child.
    let script = r#"("$@" >/dev/null 2>&1; echo done); exec cat"#;
    let program = [&APART[..], &["sh", "-c", script, "sh"]].concat();
    let mut command = within(&rig, &program, &TOKEN);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut outer = command.spawn().unwrap();
    assert!(hold.wait_until_held(1, PATIENCE));
    hold.release();
    let mut line = String::new();
    BufReader::new(outer.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "done\n");
    let first = first_of(&outer).as_raw_nonzero().get();
    wait_until("the first process is one that does not reap", || {
        std::fs::read_to_string(format!("/proc/{first}/comm")).is_ok_and(|it| it == "cat\n")
    });
    let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"));
    assert_eq!(children.unwrap(), "");
    drop(outer.stdin.take());
    outer.wait().unwrap();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn a_worker_that_does_not_begin_is_given_up_and_the_token_is_posted_once() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    // A worker opens /dev/null before it says that it has begun.
    let stuck = rig.home().join("stuck");
    rustix::fs::mkfifoat(rustix::fs::CWD, &stuck, rustix::fs::Mode::RUSR).unwrap();
    let script = r#"mount --bind "$0" /dev/null && exec "$@""#;
    let program = ["unshare", "--mount", "sh", "-c", script, stuck.to_str().unwrap()];
    if !can(&program) {
        return;
    }
    let begun = std::time::Instant::now();
    let mut caller = start(&mut within(&rig, &program, &TOKEN));
    let mut said = String::new();
    caller.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said.matches(NOTE).count(), 1, "{said}");
    finish(caller).success();
    assert!(begun.elapsed() >= std::time::Duration::from_secs(2));
    assert_eq!(posted(&rig), (1, 0));
    assert_eq!(locks(&rig), Vec::<std::path::PathBuf>::new());
}
