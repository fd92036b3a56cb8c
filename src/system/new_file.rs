//! A file that is new, private and whole: first a part beside it, then its name.
//!
//! Invariant: nothing that is there is replaced and no link is followed; under its own name the
//! file is complete, and the part is gone.

use super::file;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The part of the file `path`.
pub fn part_of(path: &Path) -> PathBuf {
    file::with_suffix(path, ".openclaw-auth-part")
}

/// Fails where something is at `path`, a link that leads nowhere as well.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`], or it cannot be seen.
pub fn check_absent(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes the part of `path`, 0600 and durable.
///
/// # Errors
/// There is such a part, or it cannot be written: then it is removed.
pub fn write_part(path: &Path, contents: &[u8]) -> io::Result<()> {
    let part = part_of(path);
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let written = new.write_all(contents).and_then(|()| new.sync_all());
    let written = written.and_then(|()| file::sync_directory(directory_of(path)));
    written.inspect_err(|_| drop(std::fs::remove_file(&part)))
}

/// Gives the part of `path` its name, durably.
///
/// # Errors
/// Something is at `path`, or it cannot be named; the part stays.
#[expect(clippy::disallowed_methods, reason = "a new name for a file that is complete")]
pub fn name_part(path: &Path) -> io::Result<()> {
    let part = part_of(path);
    match renameat_with(CWD, &part, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            check_absent(path)?;
            std::fs::rename(&part, path)?;
        }
        Err(error) => return Err(error.into()),
    }
    file::sync_directory(directory_of(path))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn it_is_private_whole_and_new() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("login.json");
        write_part(&path, b"fake").unwrap();
        assert!(!path.exists());
        name_part(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"fake");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!part_of(&path).exists());
        write_part(&path, b"other").unwrap();
        assert_eq!(name_part(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"fake");
    }

    #[test]
    fn no_link_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let [path, target] = ["login.json", "target"].map(|name| root.path().join(name));
        symlink(&target, &path).unwrap();
        assert_eq!(check_absent(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        symlink(&target, part_of(&path)).unwrap();
        assert!(write_part(&path, b"fake").is_err());
        assert!(!target.exists());
    }
}
