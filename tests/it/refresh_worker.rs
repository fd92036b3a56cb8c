//! The worker of a refresh: it goes on whatever becomes of its caller, there is one, it shows
//! nothing, and nothing of it stays behind.

mod apart;
mod killed;
mod other_program;
mod thread;

use crate::support::authorization_server::TokenResponseHold;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{Finished, PROFILE, Rig};
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);

/// A rig whose login is expired, and the server holds its answers back.
fn held() -> (Rig, TokenResponseHold) {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    (rig, hold)
}

fn posted(rig: &Rig) -> (usize, usize) {
    (rig.server.token_requests("refresh_token"), rig.server.reuse_attempts())
}

/// Says that a test does not run here, and why.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Starts `command` with everything that it says kept.
fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finish(child: Child) -> Finished {
    child.wait_with_output().unwrap().into()
}

/// Waits until `is_so`.
#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether there is a process of that id, dead ones that nobody has reaped included.
fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The processes that are workers, each with its parent.
fn workers() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let is_worker = line.split(|byte| *byte == 0).nth(1) == Some(b"refresh-worker");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        is_worker.then_some((pid, parent))
    })
    .collect()
}

/// What is in the directories of locks, beside directories.
fn locks(rig: &Rig) -> Vec<PathBuf> {
    let directories = ["locks/oauth-refresh", "agents/main/agent"];
    let entries = directories.map(|name| std::fs::read_dir(rig.path(name)).into_iter().flatten());
    let is_lock = |path: &PathBuf| {
        let extension = path.extension().and_then(std::ffi::OsStr::to_str);
        matches!(extension, Some("lock" | "start" | "intent" | "tmp"))
    };
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_lock).collect()
}

#[test]
fn a_finished_command_leaves_no_process_and_no_file_behind() {
    let (rig, hold) = held();
    let caller = start(&mut rig.command(&TOKEN));
    assert!(hold.wait_until_held(1, PATIENCE));
    let worker = rig.worker();
    assert!(exists(worker) && worker != caller.id());
    hold.release();
    finish(caller).success();
    assert!(!exists(worker), "its caller has reaped it");
    assert_eq!(locks(&rig), Vec::<PathBuf>::new());
}

#[test]
fn a_worker_that_is_killed_leaves_a_note_and_nothing_else() {
    let (rig, hold) = held();
    let caller = start(&mut rig.command(&TOKEN));
    assert!(hold.wait_until_held(1, PATIENCE));
    let worker = rig.kill_worker();
    let stderr = finish(caller).failure(4);
    assert!(stderr.contains("the process that refreshed it was killed"), "{stderr}");
    assert!(!exists(worker));
    let left = locks(&rig);
    let slots = left.iter().filter(|path| path.extension().is_some_and(|it| it == "start"));
    assert_eq!(slots.count(), 0, "{left:?}");
}

#[test]
fn a_storm_of_callers_starts_one_worker() {
    let (rig, hold) = held();
    let callers: Vec<_> = (0..100).map(|_| start(&mut rig.command(&TOKEN))).collect();
    assert!(hold.wait_until_held(1, PATIENCE));
    let ours: BTreeSet<_> = callers.iter().map(Child::id).collect();
    let started = || workers().into_iter().filter(|(_, parent)| ours.contains(parent)).count();
    assert_eq!(started(), 1);
    hold.release();
    let mut tokens: Vec<_> = callers.into_iter().map(|caller| finish(caller).success()).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(posted(&rig), (1, 0));
    assert_eq!(locks(&rig), Vec::<PathBuf>::new());
}

#[test]
fn a_descriptor_of_the_caller_is_not_kept_by_the_worker() {
    let (rig, hold) = held();
    let guarded = rig.home().join("guarded.lock");
    let program = rig.command(&TOKEN);
    let mut command = Command::new("sh");
    let script = r#"exec 9>"$1"; flock 9 || exit 99; shift; exec "$@""#;
    command.args(["-c", script, "sh"]).arg(&guarded);
    command.arg(program.get_program()).args(program.get_args()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let mut caller = start(&mut command);
    assert!(hold.wait_until_held(1, PATIENCE));
    let file = std::fs::File::options().write(true).open(&guarded).unwrap();
    assert!(fs2::FileExt::try_lock_exclusive(&file).is_err(), "the caller holds it");
    let worker = rig.worker();
    caller.kill().unwrap();
    caller.wait().unwrap();
    assert!(fs2::FileExt::try_lock_exclusive(&file).is_ok(), "the worker does not hold it");
    assert!(openclaw_auth::system::process::is_alive(worker));
    hold.release();
    rig.run_process(&TOKEN).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn a_worker_has_few_variables_and_no_secret_among_them() {
    let (rig, hold) = held();
    let mut command = rig.command(&TOKEN);
    command
        .env("HTTPS_PROXY", "http://ada:fake-proxy-password@127.0.0.1:1")
        .env("ALL_PROXY", "http://ada:fake-proxy-password@127.0.0.1:1")
        .env("OPENAI_API_KEY", "fake-key")
        .env("MY_UNKNOWN_VARIABLE", "fake-unknown")
        .env("LC_ALL", "C.UTF-8")
        .env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
    let caller = start(&mut command);
    assert!(hold.wait_until_held(1, PATIENCE));
    let worker = rig.worker();
    let arguments = std::fs::read(format!("/proc/{worker}/cmdline")).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains("fake"));
    match std::fs::read(format!("/proc/{worker}/environ")) {
        Ok(variables) => {
            let variables = String::from_utf8(variables).unwrap();
            let entries =
                variables.split_terminator('\0').filter_map(|entry| entry.split_once('='));
            let names: BTreeSet<_> = entries.map(|(name, _)| name).collect();
            assert_eq!(names, BTreeSet::from(["HOME", "LC_ALL", "SSL_CERT_FILE"]));
            assert!(!variables.contains("fake"), "{variables}");
        }
        // Not even by its own user.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    hold.release();
    finish(caller).success();
}

#[test]
fn a_state_directory_may_be_relative_or_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let (rig, hold) = held();
    hold.release();
    let state = rig.state_dir();
    let odd = state.with_file_name(std::ffi::OsStr::from_bytes(b"st\xffte"));
    let relative = Path::new(state.file_name().unwrap()).to_owned();
    for (place, named, posts) in [(&state, &relative, 1), (&odd, &odd, 2)] {
        rig.expire(PROFILE);
        std::fs::rename(&state, place).unwrap();
        let command = &mut rig.command(&TOKEN);
        let done = finish(start(command.env("OPENCLAW_STATE_DIR", named)));
        std::fs::rename(place, &state).unwrap();
        assert_eq!(done.stderr, "", "{}", named.display());
        assert_eq!(rig.document()["profiles"][PROFILE]["access"], done.success().as_str());
        assert_eq!(posted(&rig), (posts, 0));
    }
}

/// The lock files of a refresh under way.
fn lock_files(rig: &Rig) -> Vec<PathBuf> {
    locks(rig)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "lock"))
        .collect()
}

#[test]
fn a_lock_names_the_worker_and_when_it_began_and_is_kept_young() {
    let (rig, hold) = held();
    let mut caller = start(&mut rig.command(&TOKEN));
    assert!(hold.wait_until_held(1, PATIENCE));
    let worker = rig.worker();
    let stat = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap();
    let began = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    caller.kill().unwrap();
    caller.wait().unwrap();
    let files = lock_files(&rig);
    assert!(files.len() >= 2, "{files:?}");
    let old = SystemTime::now() - Duration::from_secs(25);
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let body: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["pid"], worker, "{}", path.display());
        assert_eq!(body["starttime"].to_string(), began);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    }
    // OpenClaw takes a lock of thirty seconds for abandoned.
    let is_young = |path: &PathBuf| {
        let age = path.metadata().unwrap().modified().unwrap().elapsed().unwrap_or_default();
        age < Duration::from_secs(20)
    };
    wait_until("the locks are touched", || files.iter().all(is_young));
    hold.release();
    rig.run_process(&TOKEN).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn a_caller_who_waits_longer_for_a_lock_than_a_worker_lives_for_it_starts_another() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let lock = other_program::hold_the_store(&rig, "main");
    let mut caller = start(&mut rig.command(&TOKEN));
    let mut seen = BTreeSet::new();
    wait_until("there was a second worker", || {
        let own = workers().into_iter().filter(|(_, parent)| *parent == caller.id());
        seen.extend(own.map(|(pid, _)| pid));
        seen.len() > 1
    });
    assert!(caller.try_wait().unwrap().is_none());
    std::fs::remove_file(lock).unwrap();
    finish(caller).success();
    assert_eq!(posted(&rig), (1, 0));
}

#[test]
fn the_time_that_a_caller_waited_for_a_lock_is_told_in_all() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let _lock = other_program::hold_the_store(&rig, "main");
    let begun = Instant::now();
    let stderr = rig.run_process(&[&TOKEN[..], &["--lock-timeout", "17s"]].concat()).failure(5);
    assert!(begun.elapsed() >= Duration::from_secs(17));
    assert!(stderr.contains("within 17 s"), "{stderr}");
    assert_eq!(posted(&rig), (0, 0));
}

#[test]
fn the_first_interrupt_is_answered_and_the_second_leaves() {
    for (first, second) in [("\u{3}", "\u{3}"), ("TERM", "HUP")] {
        let (rig, hold) = held();
        let mut terminal = PseudoTerminal::start(&rig.command(&TOKEN), 80, 24);
        assert!(hold.wait_until_held(1, PATIENCE));
        let worker = rig.worker();
        let ask = |terminal: &mut PseudoTerminal, how: &str| match how {
            "TERM" => terminal.signal(Signal::TERM),
            "HUP" => terminal.signal(Signal::HUP),
            typed => terminal.enter(typed),
        };
        ask(&mut terminal, first);
        terminal.wait_for("finishing a refresh; again to leave");
        ask(&mut terminal, second);
        assert_eq!(terminal.finish(), 130);
        assert!(openclaw_auth::system::process::is_alive(worker));
        hold.release();
        rig.run_process(&TOKEN).success();
        assert_eq!(posted(&rig), (1, 0));
    }
}

#[test]
fn a_caller_that_is_asked_to_stop_waits_ten_seconds() {
    let (rig, hold) = held();
    let mut caller = start(&mut rig.command(&TOKEN));
    assert!(hold.wait_until_held(1, PATIENCE));
    let begun = Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&caller), Signal::TERM).unwrap();
    let mut said = String::new();
    BufReader::new(caller.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
    assert!(said.contains("finishing a refresh; again to leave"), "{said}");
    assert_eq!(caller.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() >= Duration::from_secs(10) && begun.elapsed() < PATIENCE);
    hold.release();
    rig.run_process(&TOKEN).success();
    assert_eq!(posted(&rig), (1, 0));
}
