//! Logging another program out: its file without the login, by its own rules and locks.

use super::{ExternalError, Login, OtherStorage, Tool, format, text_of};
use crate::system::Environment;
use crate::system::file::{self, Reserved, with_suffix};
use crate::system::lock::foreign::{self, ForeignLock};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What came of logging a program out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedOut {
    /// Its files do not hold the logins any more; what they held is in these copies.
    Done(Vec<PathBuf>),
    /// A file holds another login by now: it was not touched.
    Changed(PathBuf),
}

/// How long a program may hold its own lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether the program can be logged out of `logins` here.
///
/// # Errors
/// One of them is in no file.
pub fn check_in_files(
    tool: Tool,
    environment: &Environment,
    logins: &[Login],
) -> Result<(), ExternalError> {
    let files = format(tool).files(environment);
    match logins.iter().find(|login| !files.contains(&login.path)) {
        None => Ok(()),
        Some(login) => Err(ExternalError::Elsewhere {
            tool,
            place: OtherStorage::ReadOnly(login.path.clone()),
        }),
    }
}

/// Takes `logins`, as they were read, out of the files of `tool`. A file whose logins are
/// others by now is left as it is.
///
/// # Errors
/// The program holds its lock, or a file cannot be written; that file is untouched then.
pub fn log_out(
    tool: Tool,
    environment: &Environment,
    logins: &[&Login],
) -> Result<LoggedOut, ExternalError> {
    let files = format(tool).files(environment);
    let mut backups = Vec::new();
    for path in &files {
        let own: Vec<&Login> = logins.iter().copied().filter(|login| login.path == *path).collect();
        if own.is_empty() {
            continue;
        }
        match log_out_of_file(tool, path, &own)? {
            Some(backup) => backups.push(backup),
            None => return Ok(LoggedOut::Changed(path.clone())),
        }
    }
    Ok(LoggedOut::Done(backups))
}

/// The backup of what the file held; `None` when it holds something else by now.
fn log_out_of_file(
    tool: Tool,
    path: &Path,
    logins: &[&Login],
) -> Result<Option<PathBuf>, ExternalError> {
    let format = format(tool);
    let _locks = lock(tool, path)?;
    let seen = file::fingerprint(path);
    let Some(text) = text_of(path)? else { return Ok(None) };
    let invalid = |reason| ExternalError::Invalid { path: path.to_owned(), reason };
    let present = format.parse(&text).map_err(invalid)?.logins;
    let is_there = |login: &&Login| {
        present.iter().any(|present| present.entry == login.entry && present.holds_same(login))
    };
    if !logins.iter().all(is_there) {
        return Ok(None);
    }
    let entries: Vec<&str> = logins.iter().map(|login| login.entry.as_str()).collect();
    let rest = format.without(&text, &entries).map_err(invalid)?.map(zeroize::Zeroizing::new);
    let failed = |source| ExternalError::Write { path: path.to_owned(), source };
    let backup = with_suffix(path, ".openclaw-auth.bak");
    // A link there would lead the copy to what somebody else chose.
    let removed = if backup.is_symlink() { file::remove(&backup) } else { Ok(()) };
    removed
        .and_then(|()| file::replace(&backup, text.as_bytes()))
        .map_err(|source| ExternalError::Write { path: backup.clone(), source })?;
    let mut reserved = Reserved::new(path).map_err(failed)?;
    reserved.write(rest.as_ref().map_or(b"", |rest| rest.as_bytes())).map_err(failed)?;
    // A program without locks may have written meanwhile.
    if file::fingerprint(path) != seen {
        return Ok(None);
    }
    if rest.is_some() {
        reserved.put_in_place().map_err(failed)?;
    } else {
        file::remove(&file::resolve(path)).map_err(failed)?;
    }
    Ok(Some(backup))
}

fn lock(tool: Tool, path: &Path) -> Result<Vec<ForeignLock>, ExternalError> {
    let mut held = Vec::new();
    for (lock, protocol) in format(tool).locks(path) {
        match foreign::wait(&lock, protocol, LOCK_TIMEOUT) {
            Ok(Some(taken)) => held.push(taken),
            Ok(None) => return Err(ExternalError::Locked { tool, path: lock }),
            Err(source) => return Err(ExternalError::Write { path: lock, source }),
        }
    }
    Ok(held)
}
