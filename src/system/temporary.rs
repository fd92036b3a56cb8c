//! Temporary files beside what they are going to replace, and those of killed processes.
//!
//! Invariant: the process that made one holds its flock until the file is in place or gone.
//! So one that can be locked belongs to nobody, whatever pid namespace its maker was in.

use super::now;
use fs2::FileExt;
use rustix::fs::{Mode, OFlags};
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tempfile::NamedTempFile;

/// The end of the names of our temporary files, and of nobody else's.
const SUFFIX: &str = ".openclaw-auth.tmp";

/// One that was made a moment ago may not have its flock yet, in milliseconds.
const YOUNG: u64 = 60_000;

/// Makes an empty temporary file (0600) beside `path`, for the owner of the directory.
///
/// # Errors
/// The directory cannot be written.
pub(super) fn create(path: &Path) -> io::Result<NamedTempFile> {
    super::signal::outlive_size_limit();
    let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let private = Permissions::from_mode(0o600);
    let temporary = tempfile::Builder::new()
        .prefix(&format!("{name}."))
        .suffix(SUFFIX)
        .rand_bytes(12)
        .permissions(private.clone())
        .tempfile_in(directory)?;
    // Without file locks nobody can tell whose it is, and it is left alone.
    let _ = temporary.as_file().try_lock_exclusive();
    temporary.as_file().set_permissions(private)?;
    super::file::give_to_owner_of(directory, temporary.path())?;
    Ok(temporary)
}

/// Removes the temporary files of ours in `directory` whose makers are dead: they can hold
/// secrets. What fails is left for the next time.
pub(super) fn sweep(directory: &Path) {
    for entry in directory.read_dir().into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().ends_with(SUFFIX.as_bytes()) {
            let _ = remove_abandoned(&entry.path());
        }
    }
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    // For writing, because NFS grants an exclusive lock to no other.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    let modified = metadata.mtime().saturating_mul(1_000);
    // A time far ahead tells of a clock that jumped back, not of youth.
    if !metadata.is_file() || now().abs_diff(modified) < YOUNG {
        return Ok(());
    }
    file.try_lock_exclusive()?;
    // Its maker is done with it: it is abandoned, or has been put in place.
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::{Duration, UNIX_EPOCH};

    /// So many hours from now, as far as the clock knows.
    fn set_modified(file: &File, hours: i64) {
        let time = u64::try_from(now() + hours * 3_600_000).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(time)).unwrap();
    }

    /// A file as a process that is dead left it.
    fn abandoned(directory: &Path, name: &str, hours: i64) -> PathBuf {
        let path = directory.join(name);
        set_modified(&File::create(&path).unwrap(), hours);
        path
    }

    #[test]
    fn temporary_files_of_the_dead_are_removed_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let ours = abandoned(root.path(), "d.json.abcdefghijkl.openclaw-auth.tmp", -2);
        let young = abandoned(root.path(), "d.json.mnopqrstuvwx.openclaw-auth.tmp", 0);
        let uuid = "d.json.0d5f1c7e-8a55-4a3e-9a51-3f0a2b1c4d5e.tmp";
        let theirs = abandoned(root.path(), uuid, -2);
        let held = create(&root.path().join("d.json")).unwrap();
        set_modified(held.as_file(), -2);
        let target = abandoned(root.path(), "target", -2);
        let link = root.path().join("x.openclaw-auth.tmp");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        sweep(root.path());
        assert!(!ours.exists());
        for kept in [&young, &theirs, held.path(), &target, &link] {
            assert!(kept.exists(), "{}", kept.display());
        }
    }

    #[test]
    fn one_from_a_time_to_come_is_not_kept_for_ever() {
        let root = tempfile::tempdir().unwrap();
        let path = abandoned(root.path(), "d.a.openclaw-auth.tmp", 48);
        sweep(root.path());
        assert!(!path.exists());
    }
}
