//! What is left when everything has ended: processes, locks, notes, temporary files.

use super::ledger::{Asked, Exchange};
use super::loss::Case;
use super::world::World;
use openclaw_auth::system::lock::{Attempt, StaleRule, try_acquire};
use openclaw_auth::system::now;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longer than a worker may live.
const PATIENCE: Duration = Duration::from_secs(160);

/// Waits until every worker has ended; those that live then, and what else does.
pub(crate) fn processes(world: &World) -> Vec<String> {
    let begun = Instant::now();
    while !world.gate.processes.all().is_empty() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    let alive = world.gate.processes.all();
    alive.iter().map(|pid| format!("process {pid} lives")).collect()
}

/// How many lock files are left, and those that somebody would wait for.
pub(crate) fn locks(world: &World) -> (usize, Vec<String>) {
    let left = files(world, |name| has_extension(name, "lock"));
    let mut wrong = Vec::new();
    for path in &left {
        match try_acquire(path, StaleRule::ByAge, now()) {
            Ok(Attempt::Acquired(_)) => {}
            Ok(Attempt::Held(holder)) => wrong.push(format!("{} of {holder}", path.display())),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    (left.len(), wrong)
}

/// Notes that a refresh has begun, about grants whose every request was answered, where they are
/// more than were killed: each of those may have left notes on one grant, and nobody saw how
/// far it was.
pub(crate) fn notes(world: &World, case: &Case<'_>) -> Vec<String> {
    let mut without_reason = BTreeMap::new();
    for path in files(world, |name| has_extension(name, "intent")) {
        let is_about = |exchange: &&Exchange| matches!(&exchange.asked, Asked::Refresh(posted) if is_of(&path, posted));
        let about: Vec<_> = case.book.all.iter().filter(is_about).collect();
        if about.iter().all(|exchange| case.is_known(exchange)) {
            let story = about.first().and_then(|exchange| match &exchange.asked {
                Asked::Refresh(posted) => Some(case.story(posted)),
                _ => None,
            });
            without_reason.insert(path.file_name().map(ToOwned::to_owned), story);
        }
    }
    let killed = world.gate.worker_kills()
        + case.done.values().filter(|done| done.code.is_none() && done.had_no_worker()).count();
    if without_reason.len() <= killed {
        return Vec::new();
    }
    let wrong = without_reason.into_iter();
    wrong.map(|(name, story)| format!("{name:?}: {}", story.unwrap_or_default())).collect()
}

/// As if enough time had passed for the next try of every refresh that failed.
pub(crate) fn let_pass(world: &World) {
    for note in files(world, |name| has_extension(name, "outcome")) {
        let text = std::fs::read(&note).unwrap_or_default();
        let Ok(mut outcome) = serde_json::from_slice::<Value>(&text) else { continue };
        outcome["at"] = 1.into();
        std::fs::write(&note, outcome.to_string()).unwrap();
    }
}

/// Whether a file is named after the grant with that refresh token.
fn is_of(path: &Path, token: &str) -> bool {
    let hash = format!("{:x}", Sha256::digest(token.as_bytes()));
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(&hash))
}

pub(crate) fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// The files of both state directories and of the home whose names are of a kind.
pub(crate) fn files(world: &World, is_wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let roots = world.state_dirs.iter().chain([&world.home]).filter(|root| !root.is_symlink());
    let mut found = Vec::new();
    roots.for_each(|root| collect(root, &is_wanted, &mut found));
    found
}

fn collect(directory: &Path, is_wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            collect(&entry.path(), is_wanted, found);
        } else if is_wanted(&entry.file_name().to_string_lossy()) {
            found.push(entry.path());
        }
    }
}
