//! A file that is open before it is needed, for what must not be lost when nothing more can be
//! opened.

use super::temporary;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// An empty file that is gone when this is dropped.
#[derive(Debug)]
pub struct SpareFile(NamedTempFile);

impl SpareFile {
    /// Makes one beside `path`, private, and removes those of killed processes there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn beside(path: &Path) -> io::Result<Self> {
        temporary::sweep(path.parent().ok_or(ErrorKind::InvalidInput)?);
        temporary::create(path).map(Self)
    }

    /// Makes it the file at `path`, in the same file system, with these `contents`. Nothing is
    /// opened for that, but its directory is made. Without a sync (a disk that fails it) this
    /// is still better than nothing.
    ///
    /// # Errors
    /// It cannot be written, or takes no other name.
    pub fn save(mut self, path: &Path, contents: &[u8]) -> io::Result<()> {
        self.0.write_all(contents)?;
        let _ = self.0.as_file().sync_all();
        let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
        super::file::create_private_directory(directory)?;
        match self.0.persist(path) {
            Ok(_) => Ok(()),
            // Its own name goes, this one stays.
            Err(failed) => std::fs::hard_link(failed.file.path(), path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_spare_file_takes_another_name_or_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("recovery/a.json");
        let spare = SpareFile::beside(&root.path().join("recovery")).unwrap();
        spare.save(&path, b"kept").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"kept");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(SpareFile::beside(&path).unwrap());
        assert_eq!(root.path().read_dir().unwrap().count(), 1);
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 1);
    }
}
