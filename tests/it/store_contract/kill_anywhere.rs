//! The refresh of `kill.rs` under `strace`: killed at each system call by which it changes a
//! file, and looked at for what it brings to the disk. Without `strace` there is a line that
//! says so, and the kills between the steps remain.

use super::child::{MARK, Player, in_front};
use super::kill::{STEPS, judge, prepare};
use super::subject::{Engine, World, engines, is_lock};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The calls that change names and contents, and that bring them to the disk.
const CALLS: &str = "rename,renameat,renameat2,link,linkat,unlink,unlinkat,write,pwrite64,\
                     fsync,fdatasync,ftruncate";

/// A call of the thread that plays.
struct Call {
    name: String,
    /// Which one of this name it is.
    number: usize,
    /// The step that it tells.
    told: Option<&'static str>,
    /// Its files of the world, those before those after.
    files: Vec<String>,
}

/// Whether a process can be killed at a call here.
fn can_kill() -> bool {
    let words = ["-f", "-o", "/dev/null", "-e", "inject=fsync:signal=KILL:when=9", "true"];
    let tried = Command::new("strace").args(words).output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        let _ = writeln!(std::io::stderr(), "SKIPPED: strace cannot kill here");
    }
    can
}

/// Runs the refresh under `strace` with more words; what it told, its process id, the log.
fn run(world: &World, log: &Path, more: &[&str]) -> (Vec<String>, u32, String) {
    let log_name = log.to_string_lossy();
    let words = [&["strace", "-f", "-y", "-s", "40", "-o", &log_name], more, &["--"]].concat();
    let mut player = Player::of(in_front(&words, world, "sequence", "nowhere"));
    let (told, _) = player.finish();
    (told, player.pid, std::fs::read_to_string(log).unwrap())
}

/// The calls of a refresh to which nothing happens.
fn calls(engine: Engine, log: &Path) -> Vec<Call> {
    let world = World::new(engine);
    prepare(&world);
    let trace = format!("trace={CALLS}");
    let (told, _, log) = run(&world, log, &["-e", &trace]);
    assert_eq!(told, STEPS, "{engine:?}");
    let root = world.root().to_string_lossy().into_owned();
    // Other threads keep locks young.
    let player = log.lines().find(|line| line.contains(MARK)).unwrap();
    let player = player.split(' ').next().unwrap();
    let mut made: HashMap<String, usize> = HashMap::new();
    let own =
        log.lines().filter_map(|line| line.strip_prefix(player)?.trim_start().split_once('('));
    own.map(|(name, about)| {
        let number = made.entry(name.to_owned()).or_default();
        *number += 1;
        let told = STEPS.into_iter().find(|step| about.contains(&format!("{MARK}{step}")));
        let files = about.split(['"', '<', '>']).filter(|it| it.starts_with(&root));
        let files = files.map(str::to_owned).collect();
        Call { name: name.to_owned(), number: *number, told, files }
    })
    .collect()
}

/// How many calls of this name the thread with the most of them made.
fn most_calls(log: &str, name: &str) -> usize {
    let mut made: HashMap<&str, usize> = HashMap::new();
    for (thread, call) in log.lines().filter_map(|line| line.split_once(' ')) {
        if call.trim_start().split_once('(').is_some_and(|(called, _)| called == name) {
            *made.entry(thread).or_default() += 1;
        }
    }
    made.into_values().max().unwrap_or(0)
}

#[test]
fn a_refresh_that_is_killed_at_any_call_loses_nothing() {
    if !can_kill() {
        return;
    }
    for engine in engines() {
        let logs = tempfile::tempdir().unwrap();
        let mut points = calls(engine, &logs.path().join("all"));
        points.retain(|call| !call.files.is_empty() || call.told.is_some());
        let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let kill_at = |Call { name, number, .. }: &Call| {
            let world = World::new(engine);
            prepare(&world);
            let log = logs.path().join(format!("{name}-{number}"));
            let trace = format!("trace={name}");
            let inject = format!("inject={name}:signal=KILL:when={number}");
            let (told, pid, log) = run(&world, &log, &["-e", &trace, "-e", &inject]);
            judge(&world, &told, pid);
            if !log.contains("killed by SIGKILL") {
                assert!(most_calls(&log, name) < *number, "{name} {number}: nobody was killed");
                missed.lock().unwrap().push(format!("{name} {number}"));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        kill_at(point);
                    }
                });
            }
        });
        let missed = missed.into_inner().unwrap();
        // How a database is opened goes by how long ago it was written, and so does the number of
        // these calls: where a run has fewer of them, nobody is killed.
        let (vary, others): (Vec<_>, Vec<_>) = missed.iter().partition(|missed| {
            let is_of_sqlite = missed.starts_with("pwrite64") || missed.starts_with("ftruncate");
            engine == Engine::Sqlite && is_of_sqlite
        });
        assert!(others.is_empty(), "{engine:?}: of {}: {others:?}", points.len());
        assert!(vary.len() * 2 < points.len(), "{engine:?}: of {}: {vary:?}", points.len());
    }
}

#[test]
fn what_is_said_to_be_done_is_on_the_disk() {
    if !can_kill() {
        return;
    }
    for engine in engines() {
        let logs = tempfile::tempdir().unwrap();
        // What was written and not synced since, and whether names have changed since a sync.
        let (mut unsynced, mut is_named) = (HashSet::new(), false);
        for call in calls(engine, &logs.path().join("all")) {
            if matches!(call.told, Some("noted" | "spooled" | "committed")) {
                assert!(unsynced.is_empty(), "{engine:?}: {:?} before {unsynced:?}", call.told);
                assert!(!is_named, "{engine:?}: {:?} before its name is on the disk", call.told);
            }
            let Some(last) = call.files.last() else { continue };
            match call.name.as_str() {
                "fsync" | "fdatasync" => {
                    unsynced.remove(last);
                    is_named = false;
                }
                // A lock need not outlive the machine.
                _ if is_lock(last) => {}
                "write" | "pwrite64" => {
                    unsynced.insert(last.clone());
                }
                "rename" | "renameat" | "renameat2" => {
                    let from = &call.files[0];
                    assert!(!unsynced.contains(from), "{engine:?}: {from} before its contents");
                    is_named = true;
                }
                // A note is a lock under one more name.
                "link" | "linkat" => is_named = true,
                _ => {}
            }
        }
    }
}
