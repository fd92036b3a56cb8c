//! The system calls of a save, and a run in which one of them fails.

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

/// One call: its name, which one of that name, and what it is about.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    call: String,
    number: usize,
    about: String,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.call, self.number, self.about)
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

fn strace(scene: &Scene, trace: &str, inject: Option<String>) -> Vec<String> {
    let log = scene.outside("strace").to_string_lossy().into_owned();
    let mut words: Vec<String> = ["strace", "-f", "-y", "-s", "0", "-o", &log, "-e"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("trace={trace}")])
        .collect();
    words.extend(inject.into_iter().flat_map(|inject| ["-e".to_owned(), inject]));
    words.push("--".to_owned());
    words
}

/// The calls by which the command of a scene saves when nothing fails.
pub(crate) fn points(scene: &Scene) -> Vec<Point> {
    let finished = scene.run(&strace(scene, CALLS, None), scene.command);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let log = std::fs::read_to_string(scene.outside("strace")).expect("the log of strace");
    let state_dir = scene.state_dir.to_string_lossy().into_owned();
    let mut first = None;
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut points = Vec::new();
    for line in log.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        // Calls are counted by thread; the first one does all the work on files.
        if process != *first.get_or_insert(process) || call.contains(['<', '+']) {
            continue;
        }
        let number = seen.entry(call.to_owned()).or_default();
        *number += 1;
        if let Some(at) = arguments.rfind(&state_dir) {
            let about = arguments[at + state_dir.len()..].trim_start_matches('/');
            let about = about.split(['"', '>']).next().unwrap_or_default().to_owned();
            points.push(Point { call: call.to_owned(), number: *number, about });
        }
    }
    points
}

/// Runs the command of a scene with a fault; nothing when the call was another one.
pub(crate) fn run_with(scene: &Scene, point: &Point, fault: Fault) -> Option<Finished> {
    let inject = format!("inject={}:{}:when={}", point.call, fault.injection(), point.number);
    let finished = scene.run(&strace(scene, &point.call, Some(inject)), scene.command);
    let log = std::fs::read_to_string(scene.outside("strace")).expect("the log of strace");
    let state_dir = scene.state_dir.to_string_lossy().into_owned();
    let came = match fault {
        Fault::Kill => log.contains("killed by SIGKILL"),
        _ => log.lines().any(|line| line.contains("(INJECTED)") && line.contains(&state_dir)),
    };
    let code = if fault == Fault::Kill { None } else { finished.code };
    came.then_some(Finished { code, ..finished })
}
