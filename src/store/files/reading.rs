//! Reading the documents, without a lock.
//!
//! Who replaces a document in two steps (an editor renames it away and writes it anew, or
//! empties it and fills it) is waited out for a moment: nobody is told to sign in, or that a
//! document is broken, because of a look at the wrong time. A document that was there once is
//! never made anew from the files before it: their tokens are spent.

use super::failure::{invalid, read_failed};
use super::legacy;
use super::place::Files;
use crate::profile::Millis;
use crate::store::snapshot::Mark;
use crate::store::{Document, StateDocument, StoreError, Version};
use crate::system::{file, in_place, now};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// So long is looked again.
const PATIENCE: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(3);

/// Only what has changed so shortly before, in milliseconds, may be about to change again.
const YOUNG: Millis = 2_000;

/// What was read of a document.
pub(super) struct Read<T> {
    /// What it holds.
    pub(super) value: T,
    /// Its version; `None` where there is no document.
    pub(super) version: Option<Version>,
    /// Whether that is still to be written into it: who did so was interrupted, or is at it.
    pub(super) is_unfinished: bool,
}

/// The profiles; those of the legacy files where there was never a document.
pub(super) fn profiles(files: &Files) -> Result<Read<Document>, StoreError> {
    let path = files.profiles_path();
    let read = || parsed(&path, Document::parse);
    let is_in_flux = |found: &Result<Option<_>, _>| match found {
        // A link that led nowhere a moment ago leads somewhere again.
        Ok(_) if path.is_symlink() => true,
        Ok(_) => is_young(files.agent_dir.metadata()) && was_there(files),
        Err(_) => is_file_in_flux(&path),
    };
    if let Some(document) = settled(read, is_in_flux)? {
        return Ok(document);
    }
    let value = if was_there(files) {
        Document::default()
    } else {
        legacy::read(&files.agent_dir, files.oauth_file.as_deref())?
    };
    Ok(Read { value, version: None, is_unfinished: false })
}

/// Order and usage, without what the old layout keeps among the profiles.
pub(super) fn state(files: &Files) -> Result<Read<StateDocument>, StoreError> {
    let path = files.state_path();
    let read = || parsed(&path, |text| StateDocument::parse(&text));
    // Mostly there is none.
    let is_in_flux = |found: &Result<_, _>| found.is_err() && is_file_in_flux(&path);
    let nothing = || Read { value: StateDocument::default(), version: None, is_unfinished: false };
    Ok(settled(read, is_in_flux)?.unwrap_or_else(nothing))
}

/// Whether the profiles were there once: they left something behind, or are just being
/// replaced.
pub(super) fn was_there(files: &Files) -> bool {
    files.state_path().symlink_metadata().is_ok()
        || files.backup_dir().read_dir().is_ok_and(|mut backups| backups.next().is_some())
        || is_renamed_away(files)
}

/// Whether another program has just put a file beside the profiles that is named after them.
fn is_renamed_away(files: &Files) -> bool {
    let path = files.profiles_path();
    let Some(document) = path.file_name().and_then(|name| name.to_str()) else { return false };
    files.agent_dir.read_dir().into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name == document || name.contains(".lock") || name.contains("openclaw-auth");
        name.contains(document) && !is_ours && is_young(entry.metadata())
    })
}

/// Fails where the way to a document is a symbolic link that leads nowhere, and does so for
/// longer than a replacement takes.
pub(super) fn refuse_dead_link(path: &Path) -> Result<(), StoreError> {
    let look = || file::refuse_dead_link(path).map(Some).map_err(read_failed(path));
    settled(look, |_| is_file_in_flux(path)).map(drop)
}

/// Reads until what is found can be true, or for [`PATIENCE`].
fn settled<T>(
    read: impl Fn() -> Result<Option<T>, StoreError>,
    is_in_flux: impl Fn(&Result<Option<T>, StoreError>) -> bool,
) -> Result<Option<T>, StoreError> {
    let mut found = read();
    if matches!(found, Ok(Some(_))) || !is_in_flux(&found) {
        return found;
    }
    let started = Instant::now();
    while !matches!(found, Ok(Some(_))) && started.elapsed() < PATIENCE {
        std::thread::sleep(PAUSE);
        found = read();
    }
    found
}

/// What a file holds, or is about to hold where it is written in place; `None` where there is
/// none. A link that leads nowhere is a store that is away, not one without logins.
fn parsed<T>(
    path: &Path,
    parse: impl Fn(String) -> serde_json::Result<T>,
) -> Result<Option<Read<T>>, StoreError> {
    let Some((text, fingerprint)) = file::read(path).map_err(read_failed(path))? else {
        return Ok(None);
    };
    let successor = in_place::interrupted(path, &text);
    let is_unfinished = successor.is_some();
    let value = parse(successor.unwrap_or(text)).map_err(|error| invalid(path, &error))?;
    Ok(Some(Read { value, version: Some(Version(Mark::File(fingerprint))), is_unfinished }))
}

/// Whether the file, or what a link that leads nowhere led to, has changed a moment ago.
fn is_file_in_flux(path: &Path) -> bool {
    match path.metadata() {
        Ok(found) => found.is_file() && is_young(Ok(found)),
        Err(_) => path.is_symlink() && is_target_in_flux(path),
    }
}

/// Whether something has changed a moment ago in the directory that a symbolic link leads to.
fn is_target_in_flux(link: &Path) -> bool {
    // A link may lead to a link; who makes a circle of them has no document.
    const MOST_LINKS: usize = 40;
    let mut target = link.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = target.read_link() else { break };
        target.pop();
        target.push(next);
    }
    target.parent().is_some_and(|directory| is_young(directory.metadata()))
}

/// Whether something has changed a moment ago, or at a time to come.
fn is_young(found: io::Result<std::fs::Metadata>) -> bool {
    let changed = |found: std::fs::Metadata| found.ctime() * 1_000 + found.ctime_nsec() / 1_000_000;
    found.is_ok_and(|found| now().abs_diff(changed(found)) < YOUNG.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Engine;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    /// A store whose document is reached over so many links, and the document.
    fn linked(root: &Path, links: usize) -> (Files, PathBuf) {
        let document = root.join("there/profiles.json");
        std::fs::create_dir(root.join("there")).unwrap();
        let mut target = document.clone();
        for number in 1..links {
            let link = root.join(format!("link-{number}"));
            symlink(&target, &link).unwrap();
            target = link;
        }
        let files = Files {
            state_dir: root.to_owned(),
            agent_dir: root.to_owned(),
            oauth_file: None,
            backup_policy: None,
        };
        symlink(&target, files.profiles_path()).unwrap();
        (files, document)
    }

    #[test]
    fn a_link_to_what_is_being_replaced_is_waited_for() {
        for links in [1, 2] {
            let root = tempfile::tempdir().unwrap();
            let (files, document) = linked(root.path(), links);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(30));
                    file::replace(&document, b"{}").unwrap();
                });
                assert!(profiles(&files).is_ok_and(|read| read.version.is_some()), "{links}");
            });
        }
    }

    #[test]
    fn a_store_is_writable_though_its_document_is_just_being_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (files, document) = linked(root.path(), 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                file::replace(&document, b"{}").unwrap();
            });
            files.check_writable().unwrap();
        });
        std::fs::remove_file(&document).unwrap();
        assert!(files.check_writable().is_err(), "nothing comes");
    }

    #[test]
    fn a_link_that_leads_nowhere_for_long_is_a_store_that_is_away() {
        let root = tempfile::tempdir().unwrap();
        let (files, _) = linked(root.path(), 1);
        assert!(profiles(&files).is_err(), "nothing comes");
        let circle = files.profiles_path();
        std::fs::remove_file(&circle).unwrap();
        symlink(&circle, root.path().join("other")).unwrap();
        symlink(root.path().join("other"), &circle).unwrap();
        assert!(profiles(&files).is_err(), "a circle");
    }
}
