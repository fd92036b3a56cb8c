//! Files that hold credentials: private, and replaced as a whole.
//!
//! A reader sees the old document or the new one, never a part (rename(2)); what
//! [`replace`] has returned from survives a power loss (fsync of file and directory).

#[cfg(feature = "sqlite")]
pub use super::replacement::check_room;
pub use super::replacement::{Reserved, check_replaceable, replace};
pub use super::spare_file::SpareFile;
use rustix::fs::{Access, AtFlags};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};
use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A larger document is not read.
const LARGEST_FILE: u64 = 256 * 1024 * 1024;

/// Identifies one version of a file: it changes with every replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Fingerprint {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// The fingerprint of the file at `path`; `None` when there is none.
pub fn fingerprint(path: &Path) -> Option<Fingerprint> {
    std::fs::metadata(path).ok().map(|metadata| Fingerprint::of(&metadata))
}

/// `path` with `suffix` behind its name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Fails where a symbolic link that leads nowhere is at `path`, or on the way to it: what it
/// leads to is away, which is something else than not there.
///
/// # Errors
/// There is such a link.
pub fn refuse_dead_link(path: &Path) -> io::Result<()> {
    let Some(link) = dead_link(path) else { return Ok(()) };
    let reason = if link == path {
        "it is a symbolic link that leads nowhere".to_owned()
    } else {
        format!("{} is a symbolic link that leads nowhere", link.display())
    };
    Err(io::Error::new(ErrorKind::NotFound, reason))
}

/// The symbolic link at `path`, or on the way to it, that leads nowhere.
pub fn dead_link(path: &Path) -> Option<&Path> {
    let there = path.ancestors().find(|name| name.symlink_metadata().is_ok())?;
    let is_dead = there.is_symlink()
        && there.metadata().is_err_and(|error| {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        });
    is_dead.then_some(there)
}

/// The text of the file at `path` with its fingerprint; `None` when there is none.
///
/// # Errors
/// The file cannot be read or is not UTF-8, or a symbolic link to it leads nowhere.
pub fn read(path: &Path) -> io::Result<Option<(String, Fingerprint)>> {
    read_up_to(path, LARGEST_FILE)
}

/// As [`read`], of a file of `largest` bytes at most.
///
/// # Errors
/// The file cannot be read, is larger, or is not UTF-8.
pub fn read_up_to(path: &Path, largest: u64) -> io::Result<Option<(String, Fingerprint)>> {
    let too_large = || {
        let reason = format!("it is larger than {} MiB", largest / 1024 / 1024);
        io::Error::new(ErrorKind::InvalidInput, reason)
    };
    match path.metadata() {
        // Opening a pipe would wait for its other end.
        Ok(metadata) if !metadata.is_file() => {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Ok(metadata) if metadata.len() > largest => return Err(too_large()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return refuse_dead_link(path).map(|()| None);
        }
        Err(error) => return Err(error),
    }
    // Who writes a file in place while it is read makes two versions one text.
    for is_last in [false, false, true] {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let before = file.metadata()?;
        let mut text = String::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 1);
        // It may have grown since.
        let read = io::Read::read_to_string(&mut io::Read::take(&mut file, largest + 1), &mut text);
        let fingerprint = Fingerprint::of(&before);
        if !is_last && Fingerprint::of(&file.metadata()?) != fingerprint {
            continue;
        }
        read?;
        if text.len() as u64 > largest {
            return Err(too_large());
        }
        return Ok(Some((text, fingerprint)));
    }
    Ok(None)
}

/// The bytes of the regular file at `path`, as far as a document may be long.
///
/// # Errors
/// It cannot be read, or is no regular file.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, LARGEST_FILE), &mut bytes)?;
    Ok(bytes)
}

/// What is replaced when `path` is written: the target of a symbolic link, as OpenClaw has
/// it; the link itself when it leads nowhere.
pub fn behind_link(path: &Path) -> PathBuf {
    let target = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    target.unwrap_or_else(|| path.to_owned())
}

/// Whether two directories are one, whatever links lead there.
pub fn is_one_directory(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|found| (found.dev(), found.ino()));
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => resolve(one) == resolve(other),
    }
}

/// Where `path` leads, without any link on the way.
pub fn resolve(path: &Path) -> PathBuf {
    if let Ok(resolved) = path.canonicalize() {
        return resolved;
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// Brings the names in `directory` to the disk. A file system that cannot do so for a
/// directory (SMB, vboxsf, some of FUSE) says nothing about the file, and is no failure.
///
/// # Errors
/// The disk.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        Err(error) if is_unsupported(&error) => Ok(()),
        synced => synced,
    }
}

/// Whether the file system does not know what it was asked for.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    let unsupported = [Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS];
    Errno::from_io_error(error).is_some_and(|error| unsupported.contains(&error))
}

/// Whether files can be made in `directory`, or in the nearest parent that exists.
///
/// # Errors
/// Why they cannot.
pub fn check_writable(directory: &Path) -> io::Result<()> {
    let existing = directory.ancestors().find(|ancestor| ancestor.exists());
    let existing = existing.unwrap_or(Path::new("/"));
    Ok(rustix::fs::access(existing, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Removes the file at `path`, if there is one, for good (fsync of the directory).
///
/// # Errors
/// The file is still there, except when only the fsync failed.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    sync_directory(path.parent().ok_or(ErrorKind::InvalidInput)?)
}

/// Creates `path` and its missing parents with mode 0700, whatever the umask.
///
/// # Errors
/// A directory cannot be created.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    create_directories(path, 0o700)
}

/// Creates `path` and its missing parents with mode 0755, whatever the umask.
///
/// # Errors
/// A directory cannot be created.
pub fn create_public_directory(path: &Path) -> io::Result<()> {
    create_directories(path, 0o755)
}

fn create_directories(path: &Path, mode: u32) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut current = Some(path);
    while let Some(directory) = current.filter(|directory| !directory.as_os_str().is_empty()) {
        if directory.is_dir() {
            break;
        }
        missing.push(directory);
        current = directory.parent();
    }
    for directory in missing.into_iter().rev() {
        match DirBuilder::new().mode(mode).create(directory) {
            Ok(()) => {
                std::fs::set_permissions(directory, Permissions::from_mode(mode))?;
                give_to_owner_of(directory.parent().unwrap_or(directory), directory)?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => {}
            Err(error) => return refuse_dead_link(directory).and(Err(error)),
        }
    }
    Ok(())
}

/// What root makes in the directory of another user is that user's: otherwise a `sudo`
/// would lock them out of their own store.
pub(super) fn give_to_owner_of(directory: &Path, made: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = directory.metadata()?;
    if owner.uid() == 0 {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::chownat(rustix::fs::CWD, made, Some(user), Some(group), flags)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_private_and_its_directory_too() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("a/b");
        create_private_directory(&directory).unwrap();
        let path = directory.join("document.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap().0, "two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(root.path().join("a").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(directory.read_dir().unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_symbolic_link_stays_and_its_target_is_replaced() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("target");
        let link = root.path().join("link");
        replace(&target, b"old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(read(&target).unwrap().unwrap().0, "new");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_replaced_wherever_its_directory_is() {
        let root = tempfile::tempdir().unwrap();
        let [directory, other] = ["directory", "other"].map(|name| root.path().join(name));
        create_private_directory(&directory).unwrap();
        std::os::unix::fs::symlink(&directory, &other).unwrap();
        let link = other.join("link");
        std::os::unix::fs::symlink(root.path().join("gone"), &link).unwrap();
        assert_eq!(behind_link(&link), link);
        replace(&link, b"new").unwrap();
        assert!(!link.is_symlink());
        assert_eq!(read(&directory.join("link")).unwrap().unwrap().0, "new");
    }

    #[test]
    fn every_replacement_has_a_fingerprint_of_its_own() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        replace(&path, b"one").unwrap();
        let first = fingerprint(&path);
        replace(&path, b"two").unwrap();
        assert_ne!(first, fingerprint(&path));
    }
}
