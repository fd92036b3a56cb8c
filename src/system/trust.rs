//! Whether a file may be trusted with secrets: it is a regular file of this user that
//! nobody else can change or, where that matters, read.
//!
//! The checks are made on the open file, so that what was checked is what is read.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Why a file is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Insecure {
    /// There is none, or it cannot be opened.
    Unreadable(String),
    /// It is a symbolic link.
    SymbolicLink,
    /// It is a directory, a pipe or a device.
    NotRegular,
    /// Others may change it, or read it.
    Open {
        /// Its permission bits.
        mode: u32,
        /// The bits that must not be set.
        forbidden: u32,
    },
    /// It belongs to somebody else.
    OtherOwner {
        /// The user id of its owner.
        owner: u32,
    },
    /// It is in none of the directories that it may be in.
    Elsewhere,
}

impl Insecure {
    /// Whether somebody else could be behind the file, rather than nobody.
    pub const fn is_unsafe(&self) -> bool {
        !matches!(self, Self::Unreadable(_))
    }
}

impl fmt::Display for Insecure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(f, "cannot be opened: {reason}"),
            Self::SymbolicLink => f.write_str("is a symbolic link"),
            Self::NotRegular => f.write_str("is not a regular file"),
            Self::Open { mode, .. } => {
                write!(f, "is open to other users (mode {:04o})", mode & 0o7777)
            }
            Self::OtherOwner { owner } => write!(f, "belongs to another user (uid {owner})"),
            Self::Elsewhere => f.write_str("is outside the trusted directories"),
        }
    }
}

/// The permission bits with which somebody else can change a file.
pub const OTHERS_WRITE: u32 = 0o022;
/// The permission bits with which somebody else can read or change a file.
pub const OTHERS_READ_OR_WRITE: u32 = 0o066;

/// Opens the regular file at `path`, which must not be a symbolic link itself, and must
/// be this user's and not have the permission bits `forbidden`, unless that is `None`.
///
/// # Errors
/// The file is not trusted.
pub fn open(path: &Path, forbidden: Option<u32>) -> Result<File, Insecure> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(_) if path.is_symlink() => return Err(Insecure::SymbolicLink),
        Err(error) => return Err(Insecure::Unreadable(error.to_string())),
    };
    let metadata = file.metadata().map_err(|error| Insecure::Unreadable(error.to_string()))?;
    check(&metadata, forbidden)?;
    Ok(file)
}

/// The program at `path`, checked like [`open`] without opening it: it may be executable
/// and not readable. A symbolic link is followed where `follow` says so.
///
/// # Errors
/// The program is not trusted.
pub fn program(path: &Path, forbidden: Option<u32>, follow: bool) -> Result<PathBuf, Insecure> {
    let unreadable = |error: io::Error| Insecure::Unreadable(error.to_string());
    let is_link = path.symlink_metadata().map_err(unreadable)?.is_symlink();
    if is_link && !follow {
        return Err(Insecure::SymbolicLink);
    }
    let path = if is_link { path.canonicalize().map_err(unreadable)? } else { path.to_owned() };
    check(&path.symlink_metadata().map_err(unreadable)?, forbidden)?;
    Ok(path)
}

/// The installed program that `path` leads to: root's or this user's, and nobody else can
/// change it or put another in its place.
///
/// # Errors
/// The program is not trusted.
pub fn installed_program(path: &Path) -> Result<PathBuf, Insecure> {
    let unreadable = |error: io::Error| Insecure::Unreadable(error.to_string());
    let resolved = path.canonicalize().map_err(unreadable)?;
    let metadata = resolved.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Insecure::NotRegular);
    }
    let directories = [path.parent(), resolved.parent()];
    let directories = directories.into_iter().flatten().filter_map(|it| it.metadata().ok());
    for metadata in directories.chain([metadata]) {
        let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
        // Of a directory like /tmp (sticky), nobody takes out what is another's.
        let is_sticky = metadata.is_dir() && mode & 0o1000 != 0;
        if mode & OTHERS_WRITE != 0 && !is_sticky {
            return Err(Insecure::Open { mode, forbidden: OTHERS_WRITE });
        }
        if owner != 0 && owner != rustix::process::geteuid().as_raw() {
            return Err(Insecure::OtherOwner { owner });
        }
    }
    Ok(resolved)
}

fn check(metadata: &Metadata, forbidden: Option<u32>) -> Result<(), Insecure> {
    if !metadata.is_file() {
        return Err(Insecure::NotRegular);
    }
    let Some(forbidden) = forbidden else { return Ok(()) };
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(Insecure::Open { mode, forbidden });
    }
    let owner = metadata.uid();
    if owner != rustix::process::getuid().as_raw() {
        return Err(Insecure::OtherOwner { owner });
    }
    Ok(())
}

/// What came of reading a file within limits.
pub enum Reading {
    /// All of it.
    Done(Vec<u8>),
    /// It is longer than the limit.
    TooLong,
    /// It took longer than the limit.
    TooSlow,
    /// It could not be read.
    Failed(io::Error),
}

/// Reads `file` to its end, `max_bytes` at most, for `timeout` at most: a file on a
/// network that is gone is given up on.
pub fn read_within(file: File, max_bytes: u64, timeout: Duration) -> Reading {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes);
        // Nobody is waiting any more when this fails.
        let _ = sender.send(read.map(|_| bytes));
    });
    match receiver.recv_timeout(timeout) {
        Ok(Ok(bytes)) if bytes.len() as u64 > max_bytes => Reading::TooLong,
        Ok(Ok(bytes)) => Reading::Done(bytes),
        Ok(Err(error)) => Reading::Failed(error),
        Err(_) => Reading::TooSlow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_private_regular_file_is_opened() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        super::super::file::replace(&path, b"12345").unwrap();
        let check = |path: &Path| open(path, Some(OTHERS_READ_OR_WRITE)).map(|_| ());
        assert_eq!(check(&path), Ok(()));
        for mode in [0o640, 0o604, 0o620, 0o602] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let insecure = check(&path).unwrap_err();
            assert_eq!(insecure, Insecure::Open { mode, forbidden: OTHERS_READ_OR_WRITE });
            assert!(open(&path, None).is_ok());
        }
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(check(&link), Err(Insecure::SymbolicLink));
        assert_eq!(check(root.path()), Err(Insecure::NotRegular));
        assert!(!check(&root.path().join("none")).unwrap_err().is_unsafe());
        let pipe = root.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(check(&pipe), Err(Insecure::NotRegular), "and it does not block");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("f");
        super::super::file::replace(&path, b"12345").unwrap();
        let read = |limit| read_within(open(&path, None).unwrap(), limit, Duration::from_mins(1));
        assert!(matches!(read(5), Reading::Done(bytes) if bytes == b"12345"));
        assert!(matches!(read(4), Reading::TooLong));
    }

    #[test]
    fn a_reading_that_does_not_end_is_given_up() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(reader));
        assert!(matches!(read_within(file, 9, Duration::from_millis(1)), Reading::TooSlow));
    }
}
