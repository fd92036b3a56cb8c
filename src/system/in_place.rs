//! Writing a document where it stands: the last resort for one that takes no rename, because
//! it is a mount point of its own.
//!
//! The successor is on the disk beside the document first, as `<document>.writing`, below a line
//! with the hash of what it replaces, and stays there until the document holds all of it. The
//! first byte of the document is NUL from before anything else in it changes until everything
//! else has: so one that is half written is never valid JSON, and says that the copy beside it
//! is the truth. Each of these steps is on the disk before the next.
//!
//! That is safe because whoever is killed leaves one of three states:
//! - the copy, and the document of that hash: the write had not begun; [`complete`] makes it;
//! - the copy, and a document that begins with NUL: readers take the copy ([`interrupted`]),
//!   [`complete`] writes it once more;
//! - the copy, and another document: the write is complete, or somebody without the lock has
//!   written since, which counts as always; the copy is removed.
//!
//! All writers hold the lock of the document, and complete what they find before they read.
//! So does who takes a lease, before it reads which grant to post; and a reader that finds the
//! second state and the lock free.

use super::file::{behind_link, read, sync_directory, with_suffix};
use rustix::fs::{FallocateFlags, fallocate};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// Stands in the place of the first byte while the others are written.
const MARK: u8 = 0;

/// Where the successor of a document waits until it is written.
pub(super) fn copy_path(document: &Path) -> PathBuf {
    with_suffix(document, ".writing")
}

/// Writes what is in `successor` into the file at `path`.
///
/// # Errors
/// Nothing was changed; or the document could not be written to its end: the successor then
/// stays beside it, and counts.
pub(super) fn write(path: &Path, mut successor: NamedTempFile) -> io::Result<()> {
    let mut document = File::options().read(true).write(true).open(path)?;
    let replaced = hash_of(&mut document)?;
    let mut contents = Zeroizing::new(Vec::new());
    successor.rewind()?;
    successor.read_to_end(&mut contents)?;
    successor.rewind()?;
    writeln!(successor, "{replaced}")?;
    successor.write_all(&contents)?;
    successor.as_file().sync_all()?;
    let copy = copy_path(path);
    successor.persist(&copy).map_err(|error| error.error)?;
    let begun = sync_directory(path.parent().unwrap_or(Path::new("/")))
        .and_then(|()| begin(&document, contents.len()));
    if let Err(error) = begun {
        let _ = std::fs::remove_file(&copy);
        return Err(error);
    }
    overwrite(&document, &contents)?;
    // One that stays is removed by the next writer.
    let _ = super::file::remove(&copy);
    Ok(())
}

fn hash_of(document: &mut File) -> io::Result<String> {
    let mut text = Zeroizing::new(Vec::new());
    document.rewind()?;
    document.read_to_end(&mut text)?;
    Ok(format!("{:x}", Sha256::digest(&text)))
}

/// What a copy holds: the hash of what it replaces, and the successor; `None` where it is not
/// one of ours.
fn read_copy(path: &Path) -> io::Result<Option<(String, Zeroizing<String>)>> {
    let Some((text, _)) = read(path)? else { return Ok(None) };
    let text = Zeroizing::new(text);
    let parts = text.split_once('\n');
    Ok(parts.map(|(hash, successor)| (hash.to_owned(), Zeroizing::new(successor.to_owned()))))
}

/// Finds the space, and marks the document.
fn begin(document: &File, length: usize) -> io::Result<()> {
    match fallocate(document, FallocateFlags::KEEP_SIZE, 0, length as u64) {
        Err(rustix::io::Errno::NOSPC) => return Err(ErrorKind::StorageFull.into()),
        // Not every file system can.
        _ => document.write_all_at(&[MARK], 0)?,
    }
    document.sync_all()
}

fn overwrite(document: &File, contents: &[u8]) -> io::Result<()> {
    let Some((first, others)) = contents.split_first() else { return document.set_len(0) };
    document.write_all_at(&[MARK], 0)?;
    document.write_all_at(others, 1)?;
    document.set_len(contents.len() as u64)?;
    document.sync_all()?;
    document.write_all_at(&[*first], 0)?;
    document.sync_all()
}

/// The successor of the document at `path`, where a write of it was interrupted. `present` is
/// what stands in the document.
pub fn interrupted(path: &Path, present: &str) -> Option<String> {
    if present.as_bytes().first() != Some(&MARK) {
        return None;
    }
    let (_, mut successor) = read_copy(&copy_path(&behind_link(path))).ok()??;
    Some(std::mem::take(&mut *successor))
}

/// Whether a write of the document at `path` is under way, or was interrupted.
pub fn is_pending(path: &Path) -> bool {
    copy_path(path).symlink_metadata().is_ok()
}

/// Completes a write of the document at `path` that was interrupted, for one who holds its
/// lock. Where there was none, it costs one look.
///
/// # Errors
/// The document cannot be written; everything is as it was.
pub fn complete(path: &Path) -> io::Result<()> {
    if !is_pending(path) {
        return Ok(());
    }
    let Ok(mut document) = File::options().read(true).write(true).open(path) else {
        return Ok(());
    };
    let mut first = [0xFF];
    let _ = document.read(&mut first)?;
    let copy = copy_path(path);
    let is_marked = first == [MARK];
    match read_copy(&copy)? {
        Some((replaced, successor)) if is_marked || hash_of(&mut document)? == replaced => {
            begin(&document, successor.len())?;
            overwrite(&document, successor.as_bytes())?;
        }
        // Nothing is there but this.
        None if is_marked => return Ok(()),
        _ => {}
    }
    super::file::remove(&copy)
}

#[cfg(test)]
mod tests {
    use super::super::file::replace;
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// A document, and a successor that is going to be written.
    fn scene(contents: &str) -> (tempfile::TempDir, PathBuf, NamedTempFile) {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("d.json");
        replace(&path, b"{\"old\":1}").unwrap();
        let mut successor = NamedTempFile::new_in(root.path()).unwrap();
        successor.write_all(contents.as_bytes()).unwrap();
        (root, path, successor)
    }

    /// The copy that a write of `contents` over the present document leaves when it is killed.
    fn leave_copy(path: &Path, contents: &str) {
        let hash = hash_of(&mut File::open(path).unwrap()).unwrap();
        replace(&copy_path(path), format!("{hash}\n{contents}").as_bytes()).unwrap();
    }

    fn text(path: &Path) -> String {
        read(path).unwrap().unwrap().0
    }

    #[test]
    fn a_document_is_written_where_it_stands_and_nothing_is_left_beside_it() {
        for contents in ["{}", "{\"new\":\"longer than the old one\"}", "{\"new\":1}"] {
            let (root, path, successor) = scene(contents);
            let inode = path.metadata().unwrap().ino();
            write(&path, successor).unwrap();
            assert_eq!((text(&path).as_str(), path.metadata().unwrap().ino()), (contents, inode));
            assert_eq!(root.path().read_dir().unwrap().count(), 1);
        }
    }

    #[test]
    fn a_write_that_was_killed_at_any_step_is_completed() {
        const NEW: &str = "{\"new\":\"longer than the old one\"}";
        let marked = [&[MARK], &NEW.as_bytes()[1..]].concat();
        for (step, length) in [0, 1, 9, marked.len()].into_iter().enumerate() {
            let (_root, path, _) = scene("");
            leave_copy(&path, NEW);
            let document = File::options().write(true).open(&path).unwrap();
            document.write_all_at(&marked[..length], 0).unwrap();
            let seen = text(&path);
            let expected = (step > 0).then(|| NEW.to_owned());
            assert_eq!(interrupted(&path, &seen), expected, "step {step}");
            complete(&path).unwrap();
            assert_eq!(text(&path), NEW, "step {step}");
            assert!(!copy_path(&path).exists(), "step {step}");
        }
    }

    #[test]
    fn what_was_written_after_the_copy_counts() {
        for later in ["{\"later\":1}", "{\"new\":1}", ""] {
            let (_root, path, _) = scene("");
            leave_copy(&path, "{\"new\":1}");
            replace(&path, later.as_bytes()).unwrap();
            assert_eq!(interrupted(&path, later), None);
            complete(&path).unwrap();
            assert_eq!(text(&path), later);
            assert!(!copy_path(&path).exists());
        }
    }

    #[test]
    fn a_copy_that_is_none_is_removed_and_the_document_stays() {
        for copy in ["", "{}", "hash\n{}"] {
            let (_root, path, _) = scene("");
            replace(&copy_path(&path), copy.as_bytes()).unwrap();
            complete(&path).unwrap();
            assert_eq!(text(&path), "{\"old\":1}", "{copy}");
            assert!(!copy_path(&path).exists());
        }
    }

    #[test]
    fn a_document_that_cannot_be_written_is_untouched() {
        let (root, path, successor) = scene("{}");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(write(&path, successor).is_err());
        assert_eq!(root.path().read_dir().unwrap().count(), 1);
    }
}
