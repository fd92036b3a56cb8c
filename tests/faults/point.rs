//! The system calls of a save, and a run in which one of them fails: those of the command, and
//! those of the worker that it starts.
//!
//! `strace -f` counts calls by process, so that a fault at the tenth call of the worker would
//! come at the tenth call of its caller first. So the one that is traced is traced alone.

use super::scene::{Finished, Scene};
use std::collections::HashMap;
use std::fmt;
use std::process::Command;

/// The calls that change files, and those that open them.
const CALLS: &str = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,openat,unlink,\
                     unlinkat,fallocate,ftruncate,fchmod,chmod,mkdir,mkdirat,flock,utimensat";

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoSpace,
    InputOutput,
    Denied,
    ReadOnly,
    Kill,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] =
        [Self::NoSpace, Self::InputOutput, Self::Denied, Self::ReadOnly, Self::Kill];

    const fn injection(self) -> &'static str {
        match self {
            Self::NoSpace => "error=ENOSPC",
            Self::InputOutput => "error=EIO",
            Self::Denied => "error=EACCES",
            Self::ReadOnly => "error=EROFS",
            Self::Kill => "signal=KILL",
        }
    }

    /// What the system says of it.
    pub(crate) const fn text(self) -> Option<&'static str> {
        match self {
            Self::NoSpace => Some("No space left on device"),
            Self::InputOutput => Some("Input/output error"),
            Self::Denied => Some("Permission denied"),
            Self::ReadOnly => Some("Read-only file system"),
            Self::Kill => None,
        }
    }
}

/// Whose calls are traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracee {
    /// The process of the command.
    Command,
    /// The worker that makes the request of a refresh.
    Worker,
}

/// One call: its name, which one of that name, and what it is about.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    tracee: Tracee,
    call: String,
    number: usize,
    about: String,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tracee, call, number, about } = self;
        write!(f, "{tracee:?}: {call} {number} ({about})")
    }
}

/// Why no faults can be injected here.
pub(crate) fn unavailable() -> Option<String> {
    let tried = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=9", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("strace: {error}")),
    }
}

/// The words before a program that is traced.
fn strace(scene: &Scene, trace: &str, inject: Option<String>) -> Vec<String> {
    let log = scene.outside("strace").to_string_lossy().into_owned();
    let mut words: Vec<String> = ["strace", "-y", "-s", "0", "-o", &log, "-e"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("trace={trace}")])
        .collect();
    words.extend(inject.into_iter().flat_map(|inject| ["-e".to_owned(), inject]));
    words.push("--".to_owned());
    words
}

/// Runs the command of a scene while one of its processes is traced; also the trace.
fn run_traced(scene: &Scene, tracee: Tracee, strace: &[String]) -> (Finished, String) {
    let finished = match tracee {
        Tracee::Command => scene.run(strace, scene.command),
        Tracee::Worker => scene.run_with_worker_under(strace),
    };
    let log = std::fs::read_to_string(scene.outside("strace")).unwrap_or_default();
    (finished, log)
}

/// The calls by which a process of the command of a scene saves when nothing fails. Only those
/// of its first thread are traced, which does all the work on files.
pub(crate) fn points(scene: &Scene, tracee: Tracee) -> Vec<Point> {
    let (finished, log) = run_traced(scene, tracee, &strace(scene, CALLS, None));
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let state_dir = scene.state_dir.to_string_lossy().into_owned();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut points = Vec::new();
    for line in log.lines() {
        let Some((call, arguments)) = line.split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        let number = seen.entry(call.to_owned()).or_default();
        *number += 1;
        if let Some(at) = arguments.rfind(&state_dir) {
            let about = arguments[at + state_dir.len()..].trim_start_matches('/');
            let about = about.split(['"', '>']).next().unwrap_or_default().to_owned();
            points.push(Point { tracee, call: call.to_owned(), number: *number, about });
        }
    }
    points
}

/// Runs the command of a scene with a fault; nothing when the call was another one.
pub(crate) fn run_with(scene: &Scene, point: &Point, fault: Fault) -> Option<Finished> {
    let inject = format!("inject={}:{}:when={}", point.call, fault.injection(), point.number);
    let strace = strace(scene, &point.call, Some(inject));
    let (finished, log) = run_traced(scene, point.tracee, &strace);
    let state_dir = scene.state_dir.to_string_lossy().into_owned();
    let came = match fault {
        Fault::Kill => log.contains("killed by SIGKILL"),
        _ => log.lines().any(|line| line.contains("(INJECTED)") && line.contains(&state_dir)),
    };
    let was_killed = fault == Fault::Kill;
    came.then_some(Finished { was_killed, ..finished })
}
