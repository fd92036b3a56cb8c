//! What commands leave in the directories of a store while they work, or when they are cut
//! off: locks and temporary files. Nothing is written.

use crate::profile::Millis;
use crate::store::Location;
use crate::store::lock_name;
use crate::system::lock::{self, Holder, StaleRule};
use crate::system::now;
use std::path::{Path, PathBuf};

/// A lock, or a temporary file that nobody can be using any more.
#[derive(Debug)]
pub enum Leftover {
    /// A lock file.
    Lock {
        /// Where it is.
        location: Location,
        /// Who took it, and since when.
        holder: Holder,
        /// Whether that process still holds it.
        is_held: bool,
    },
    /// A temporary file of a command that was cut off.
    Temporary(Location),
}

/// A temporary file is in use for so long at most, in milliseconds.
const IN_USE: Millis = 120_000;

/// The locks and abandoned temporary files that the stores of a state directory share.
pub fn shared_leftovers(state_dir: &Path) -> Vec<Leftover> {
    let mut found = leftovers_in(&state_dir.join("locks/oauth-refresh"));
    found.extend(leftovers_in(state_dir));
    found
}

/// The locks and abandoned temporary files in a directory, by name.
pub(super) fn leftovers_in(directory: &Path) -> Vec<Leftover> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().filter_map(leftover).collect()
}

fn leftover(path: PathBuf) -> Option<Leftover> {
    match path.extension().and_then(std::ffi::OsStr::to_str) {
        // A pipe or a link in the place of a lock keeps everybody out until it is removed.
        Some("lock") if is_special(&path) => Some(Leftover::Temporary(path.into())),
        Some("lock") => {
            let (holder, is_held) = lock::look(&path, rule_of(&path), now())?;
            Some(Leftover::Lock { location: path.into(), holder, is_held })
        }
        // Nobody takes a lock beside which this is.
        Some("reclaim") if age(&path).is_some_and(|age| age > IN_USE) => {
            Some(Leftover::Temporary(path.into()))
        }
        Some("tmp") if age(&path).is_some_and(|age| age > IN_USE) => {
            Some(Leftover::Temporary(path.into()))
        }
        _ => None,
    }
}

/// By which rule OpenClaw takes a lock: those of its later versions are named otherwise.
fn rule_of(path: &Path) -> StaleRule {
    let name = path.file_name().unwrap_or_default();
    if name == "openclaw.json.lock" || lock_name::is_lease(name) {
        StaleRule::ByProcess
    } else {
        StaleRule::ByAge
    }
}

fn is_special(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// How long ago a file was last written, in milliseconds.
fn age(path: &Path) -> Option<Millis> {
    let modified = path.symlink_metadata().ok()?.modified().ok()?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis();
    Some(now().saturating_sub(Millis::try_from(since).ok()?))
}
