//! Replacing a file as a whole: its successor is written beside it, and renamed over it.
//!
//! Invariant: whether that can be done is found out before the successor is worth anything
//! ([`check_replaceable`]), and what fails after the rename is told apart from what fails
//! before it.
//!
//! A file that is a mount point of its own (`docker -v file:file`) takes no rename: a document
//! is then written where it stands, see [`in_place`].

use super::file::{behind_link, sync_directory};
use super::{in_place, temporary};
use rustix::fs::{Access, FallocateFlags, fallocate, fstatvfs};
use rustix::io::Errno;
use rustix::process::{Resource, geteuid, getrlimit};
use std::fs::File;
use std::io::{self, ErrorKind, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How a file gets its new contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// Another file takes its place.
    Rename,
    /// It is a mount point: what is in it is overwritten.
    InPlace,
}

/// Finds out without writing how the file at `path` can be replaced; one that is not there is
/// made.
///
/// # Errors
/// It cannot: its directory takes no new file, or the file takes no successor (immutable,
/// append-only, somebody else's in a sticky directory, a mount point that is read-only).
pub fn check_replaceable(path: &Path) -> io::Result<Replacing> {
    let path = behind_link(path);
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    super::file::check_writable(directory)?;
    refuse_attributes(directory, "its directory")?;
    let found = match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Replacing::Rename),
        found => found?,
    };
    let is_mount_point = refuse_attributes(&path, "it")?;
    let parent = directory.metadata()?;
    if is_mount_point || found.dev() != parent.dev() {
        rustix::fs::access(&path, Access::READ_OK | Access::WRITE_OK)?;
        return Ok(Replacing::InPlace);
    }
    let user = geteuid();
    let is_sticky = parent.mode() & 0o1000 != 0;
    if is_sticky && !user.is_root() && ![found.uid(), parent.uid()].contains(&user.as_raw()) {
        return Err(denied("it belongs to another user, and its directory is sticky"));
    }
    Ok(Replacing::Rename)
}

fn denied(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, reason.into())
}

/// Whether `path` is a mount point, where the system tells.
///
/// # Errors
/// It is immutable or append-only (chattr(1)): no name in it, or of it, can be changed.
#[cfg(target_os = "linux")]
fn refuse_attributes(path: &Path, subject: &str) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes as Is, StatxFlags, statx};
    // Neither an old kernel nor every file system tells: then the rename does.
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    let Ok(told) = statx(CWD, path, flags, StatxFlags::empty()) else { return Ok(false) };
    let has = |attribute| told.stx_attributes.contains(attribute);
    for (attribute, name) in [(Is::IMMUTABLE, "immutable"), (Is::APPEND, "append-only")] {
        if has(attribute) {
            return Err(denied(format!("{subject} is {name} (chattr)")));
        }
    }
    Ok(has(Is::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn refuse_attributes(_path: &Path, _subject: &str) -> io::Result<bool> {
    Ok(false)
}

/// Replaces the file at `path` by `contents`: temporary file (0600) in the same
/// directory, fsync, rename, fsync of the directory.
///
/// # Errors
/// Nothing has changed at `path` when this fails, except when only the last fsync did.
pub fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut reserved = Reserved::new(path)?;
    reserved.write(contents)?;
    reserved.put_in_place()?.map_or(Ok(()), Err)
}

/// A temporary file that is going to replace another.
#[derive(Debug)]
pub struct Reserved {
    path: PathBuf,
    temporary: tempfile::NamedTempFile,
    way: Replacing,
    /// Whether the file may be written in place.
    may_overwrite: bool,
}

impl Reserved {
    /// Makes sure that a file can be made beside the one at `path`.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn new(path: &Path) -> io::Result<Self> {
        let path = behind_link(path);
        let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
        // First, for what they leave may be the space that is missing.
        temporary::sweep(directory);
        let temporary = temporary::create(&path)?;
        Ok(Self { path, temporary, way: Replacing::Rename, may_overwrite: false })
    }

    /// As [`Self::new`], of a document that is written in place where nothing else is left.
    /// Who reads it completes such a write with [`in_place::complete`], under its lock.
    ///
    /// # Errors
    /// The document cannot be replaced: see [`check_replaceable`].
    pub fn of_document(path: &Path) -> io::Result<Self> {
        let way = check_replaceable(path)?;
        Ok(Self { way, may_overwrite: true, ..Self::new(path)? })
    }

    /// Whether the file keeps its inode, and with it every other name that it has.
    pub fn overwrites(&self) -> bool {
        self.way == Replacing::InPlace
    }

    /// Makes sure that there is space for `size` bytes, and sets the first `held` of them
    /// aside. Those stay with the file: to give them back would cost more than the write.
    ///
    /// # Errors
    /// There is no space, or this process may write no file of `held` bytes (`ulimit -f`).
    pub fn make_room(&self, held: u64, size: u64) -> io::Result<()> {
        // What is set aside does not count against the limit; what is written does.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| limit < held) {
            return Err(Errno::FBIG.into());
        }
        make_room(self.temporary.as_file(), held, size, 0)?;
        if self.way == Replacing::Rename {
            return Ok(());
        }
        let document = File::options().write(true).open(&self.path)?;
        make_room(&document, held, size, document.metadata()?.len())
    }

    /// Writes `contents`, durably, beside the file.
    ///
    /// # Errors
    /// The disk; the file is untouched.
    pub fn write(&mut self, contents: &[u8]) -> io::Result<()> {
        self.temporary.as_file_mut().rewind()?;
        self.temporary.write_all(contents)?;
        // What was written before may have been longer.
        if self.temporary.as_file().metadata()?.len() > contents.len() as u64 {
            self.temporary.as_file().set_len(contents.len() as u64)?;
        }
        self.temporary.as_file().sync_all()
    }

    /// Puts what was written in the place of the file. Returns why it may not survive a
    /// power loss, where the directory could not be brought to the disk.
    ///
    /// # Errors
    /// The file is as it was; of one that was written in place, see [`in_place::write`].
    pub fn put_in_place(self) -> io::Result<Option<io::Error>> {
        let Self { path, temporary, way, may_overwrite } = self;
        let temporary = match way {
            Replacing::InPlace => temporary,
            Replacing::Rename => match temporary.persist(&path) {
                Ok(_) => {
                    let directory = path.parent().unwrap_or(Path::new("/"));
                    return Ok(sync_directory(directory).err());
                }
                // It became a mount point just now, or the system did not tell that it is one.
                // Another name of it is a backup.
                Err(failed)
                    if may_overwrite
                        && is_busy(&failed.error)
                        && path.metadata().is_ok_and(|found| found.nlink() == 1) =>
                {
                    failed.file
                }
                Err(failed) => return Err(failed.error),
            },
        };
        in_place::write(&path, temporary).map(|()| None)
    }
}

fn is_busy(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::BUSY)
}

/// As [`Reserved::make_room`], in a file that has `present` bytes already.
fn make_room(file: &File, held: u64, size: u64, present: u64) -> io::Result<()> {
    if free_space(file).is_some_and(|free| free < size.saturating_sub(present)) {
        return Err(Errno::NOSPC.into());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, held) {
        // Not every file system can; then the write has to find its space.
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Fails where fewer than `size` bytes can still be written beside the file at `path`.
///
/// # Errors
/// They cannot ([`ErrorKind::StorageFull`]), or there is no such file.
#[cfg(feature = "sqlite")]
pub fn check_room(path: &Path, size: u64) -> io::Result<()> {
    if free_space(&File::open(path)?).is_some_and(|free| free < size) {
        return Err(Errno::NOSPC.into());
    }
    Ok(())
}

/// How many bytes this user can still write beside `file`, where the file system tells.
fn free_space(file: &File) -> Option<u64> {
    let told = fstatvfs(file).ok().filter(|told| told.f_blocks > 0)?;
    let is_root = geteuid().is_root();
    Some(told.f_frsize.saturating_mul(if is_root { told.f_bfree } else { told.f_bavail }))
}

#[cfg(test)]
mod tests {
    use super::super::file::read;
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_written_twice_is_the_last() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        let all = free_space(&File::open(root.path()).unwrap()).unwrap();
        let mut reserved = Reserved::new(&path).unwrap();
        let error = reserved.make_room(1, all.saturating_mul(2)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        reserved.make_room(9_000, 9_000).unwrap();
        reserved.write(b"a longer text").unwrap();
        reserved.write(b"text").unwrap();
        assert!(reserved.put_in_place().unwrap().is_none());
        assert_eq!(read(&path).unwrap().unwrap().0, "text");
    }

    #[test]
    fn what_is_there_or_can_be_made_is_replaced_by_a_rename() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("d.json");
        assert_eq!(check_replaceable(&path).unwrap(), Replacing::Rename);
        replace(&path, b"{}").unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let below_nothing = root.path().join("none/none/d.json");
        for path in [&path, &link, &below_nothing] {
            assert_eq!(check_replaceable(path).unwrap(), Replacing::Rename, "{}", path.display());
        }
    }

    /// Only root may set the attribute, and not every file system has it.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_immutable_or_append_only_document_is_seen_without_a_write() {
        use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("d");
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("d.json");
        replace(&path, b"{}").unwrap();
        for flag in [IFlags::IMMUTABLE, IFlags::APPEND] {
            for what in [&path, &directory] {
                let file = File::open(what).unwrap();
                let Ok(before) = ioctl_getflags(&file) else { continue };
                if ioctl_setflags(&file, before | flag).is_err() {
                    continue;
                }
                let checked = check_replaceable(&path).map_err(|error| error.kind());
                let reserved = Reserved::of_document(&path).map(drop);
                ioctl_setflags(&file, before).unwrap();
                assert_eq!(checked, Err(ErrorKind::PermissionDenied), "{flag:?} {what:?}");
                assert!(reserved.is_err());
            }
        }
    }
}
