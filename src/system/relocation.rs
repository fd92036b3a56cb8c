//! Moving whole directories, so that nothing is lost on the way.
//!
//! Within a file system a move is one rename(2). Across file systems the directory is
//! copied and flushed first; its source is removed only by [`Relocation::finish`], and of
//! it only what is still as it was copied. Until then [`Relocation::undo`] goes back.

use super::file::{self, Fingerprint};
use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt};
use std::path::{Path, PathBuf};

/// A directory, file or symbolic link that is at its new place.
#[derive(Debug)]
pub struct Relocation {
    /// Where it was.
    pub from: PathBuf,
    /// Where it is.
    pub to: PathBuf,
    /// What was copied because it could not be renamed, in the order of its removal.
    copied: Option<Vec<(PathBuf, Option<Fingerprint>)>>,
}

impl Relocation {
    /// Moves `from` to `to`, which does not exist; `None` when there is nothing at `from`.
    ///
    /// # Errors
    /// Something cannot be read or written; everything is where it was then.
    pub fn start(from: &Path, to: &Path) -> io::Result<Option<Self>> {
        match rename(from, to) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                Self::copy(from, to).map(Some)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(Some(Self { from: from.to_owned(), to: to.to_owned(), copied: None })),
        }
    }

    fn copy(from: &Path, to: &Path) -> io::Result<Self> {
        let mut copied = Vec::new();
        if let Err(error) = copy(from, to, &mut copied) {
            // The source is whole, so the half of a copy is worth nothing.
            let _ = remove(to);
            return Err(error);
        }
        Ok(Self { from: from.to_owned(), to: to.to_owned(), copied: Some(copied) })
    }

    /// Brings everything back to where it was.
    ///
    /// # Errors
    /// It cannot be brought back; it stays at its new place then.
    pub fn undo(self) -> io::Result<()> {
        match self.copied {
            None => rename(&self.to, &self.from),
            Some(_) => remove(&self.to),
        }
    }

    /// Removes what is left at the old place. Says whether the old place is empty now:
    /// what has appeared or changed there since it was copied stays.
    pub fn finish(self) -> bool {
        let Some(copied) = self.copied else { return true };
        for (path, fingerprint) in copied {
            // What cannot be removed is left, and is reported by the answer.
            let _ = match fingerprint {
                None => fs::remove_dir(&path),
                Some(known) if of(&path) == Some(known) => fs::remove_file(&path),
                Some(_) => Ok(()),
            };
        }
        self.from.symlink_metadata().is_err()
    }
}

/// Makes a new private directory in `parent`, called `name` or, where that is taken, `name`
/// with a number.
///
/// # Errors
/// It cannot be made.
pub fn create_new_directory(parent: &Path, name: &str) -> io::Result<PathBuf> {
    file::create_private_directory(parent)?;
    let mut path = parent.join(name);
    for number in 2.. {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                path = parent.join(format!("{name}-{number}"));
            }
            result => return result.map(|()| path),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Removes a directory if it is empty.
pub fn remove_empty_directory(path: &Path) {
    let _ = fs::remove_dir(path);
}

fn of(path: &Path) -> Option<Fingerprint> {
    path.symlink_metadata().ok().map(|metadata| Fingerprint::of(&metadata))
}

#[expect(clippy::disallowed_methods, reason = "nothing is replaced: the target does not exist")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    for directory in [to, from].into_iter().filter_map(Path::parent) {
        if let Ok(directory) = File::open(directory) {
            let _ = directory.sync_all();
        }
    }
    Ok(())
}

/// Copies `from` to `to` with its permissions and lists what was copied, contents first.
/// Sockets and pipes hold nothing and are not copied.
fn copy(
    from: &Path,
    to: &Path,
    copied: &mut Vec<(PathBuf, Option<Fingerprint>)>,
) -> io::Result<()> {
    let metadata = from.symlink_metadata()?;
    let kind = metadata.file_type();
    let fingerprint = Some(Fingerprint::of(&metadata));
    if kind.is_dir() {
        DirBuilder::new().mode(0o700).create(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()), copied)?;
        }
        fs::set_permissions(to, metadata.permissions())?;
        super::file::sync_directory(to)?;
        copied.push((from.to_owned(), None));
    } else if kind.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
        copied.push((from.to_owned(), fingerprint));
    } else if kind.is_file() {
        fs::copy(from, to)?;
        let file = File::open(to)?;
        if let Ok(modified) = metadata.modified() {
            let _ = file.set_modified(modified);
        }
        file.sync_all()?;
        copied.push((from.to_owned(), fingerprint));
    } else if kind.is_socket() || kind.is_fifo() {
        copied.push((from.to_owned(), fingerprint));
    } else {
        return Err(io::Error::other(format!("{} is a device", from.display())));
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn filled(root: &Path) -> PathBuf {
        let from = root.join("from");
        file::create_public_directory(&from.join("a/b")).unwrap();
        file::replace(&from.join("a/b/one"), b"1").unwrap();
        file::replace(&from.join("two"), b"2").unwrap();
        std::os::unix::fs::symlink("two", from.join("link")).unwrap();
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o500)).unwrap();
        from
    }

    fn text(path: &Path) -> String {
        file::read(path).unwrap().unwrap().0
    }

    #[test]
    fn a_copy_is_whole_and_then_the_source_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (filled(root.path()), root.path().join("to"));
        let relocation = Relocation::copy(&from, &to).unwrap();
        assert_eq!(text(&from.join("a/b/one")), "1", "the source stays until the end");
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(relocation.finish());
        assert!(!from.exists());
        assert_eq!((text(&to.join("a/b/one")), text(&to.join("link"))), ("1".into(), "2".into()));
        assert_eq!(to.join("a/b").metadata().unwrap().permissions().mode() & 0o777, 0o500);
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("two"));
    }

    #[test]
    fn what_appears_or_changes_after_the_copy_is_not_removed() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (filled(root.path()), root.path().join("to"));
        let relocation = Relocation::copy(&from, &to).unwrap();
        file::replace(&from.join("new"), b"n").unwrap();
        file::replace(&from.join("two"), b"changed").unwrap();
        assert!(!relocation.finish());
        assert_eq!(
            (text(&from.join("new")), text(&from.join("two"))),
            ("n".into(), "changed".into())
        );
    }

    #[test]
    fn a_move_and_a_copy_can_be_undone() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (filled(root.path()), root.path().join("to"));
        Relocation::start(&from, &to).unwrap().unwrap().undo().unwrap();
        assert!(from.join("two").exists() && !to.exists());
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o700)).unwrap();
        Relocation::copy(&from, &to).unwrap().undo().unwrap();
        assert!(from.join("two").exists() && !to.exists());
        assert!(Relocation::start(&root.path().join("none"), &to).unwrap().is_none());
    }

    #[test]
    fn a_new_directory_takes_no_name_that_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let parent = root.path().join("trash");
        let names = [(); 3].map(|()| create_new_directory(&parent, "x").unwrap());
        assert_eq!(names, [parent.join("x"), parent.join("x-2"), parent.join("x-3")]);
        assert_eq!(names[0].metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
