//! Answers of success that nobody could read, as they came: kept in the spool for a person, for
//! there may be a refresh token in one that has replaced the one that was posted.
//!
//! Invariant: the file names the grant by the hash of the token that was posted, and what it
//! holds by a hash, so that an answer that comes again takes no more space.

use super::Location;
use super::spool::{Spool, write_first};
use crate::secret::Secret;
use crate::system::file;
use sha2::{Digest, Sha256};
use std::io;
use std::path::PathBuf;

/// So many answers are kept for one refresh token.
const MOST: usize = 8;
const EXTENSION: &str = "reply";

impl Spool {
    /// Saves an answer to the refresh token that was `posted` as it came, durably; where.
    /// `None` when there is nothing in it, or enough of them are there.
    ///
    /// # Errors
    /// It cannot be written anywhere.
    pub fn save_unread(&self, posted: &Secret, raw: &[u8]) -> io::Result<Option<Location>> {
        if raw.is_empty() {
            return Ok(None);
        }
        let digest = format!("{:x}", Sha256::digest(raw));
        let name = format!("{}.{}.{EXTENSION}", stem(posted), &digest[..16]);
        let earlier = self.unread_of(posted);
        if let Some(same) = earlier.iter().find(|path| path.ends_with(&name)) {
            return Ok(Some(same.as_path().into()));
        }
        if earlier.len() >= MOST {
            return Ok(None);
        }
        write_first(self.writable(), &name, raw).map(Some)
    }

    /// Removes the answers to a refresh token that was `posted` again, with success: none of
    /// them had replaced it.
    pub fn forget_unread(&self, posted: &Secret) {
        for path in self.unread_of(posted) {
            let _ = file::remove(&path);
        }
    }

    /// The answers that nobody could read.
    pub fn unread(&self) -> Vec<Location> {
        self.unread_where(|_| true).into_iter().map(Location::from).collect()
    }

    fn unread_of(&self, posted: &Secret) -> Vec<PathBuf> {
        let stem = stem(posted);
        self.unread_where(|name| name.starts_with(&stem))
    }

    fn unread_where(&self, is_meant: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let entries = self.directories.iter().filter_map(|directory| directory.read_dir().ok());
        let paths = entries.flatten().flatten().map(|entry| entry.path());
        let mut found: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|it| it == EXTENSION))
            .filter(|path| path.file_name().and_then(|it| it.to_str()).is_some_and(&is_meant))
            .collect();
        found.sort();
        found
    }
}

/// How the names of the files for a refresh token begin.
fn stem(posted: &Secret) -> String {
    posted.fingerprint().replace(':', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_cannot_be_read_is_kept_as_it_came_and_once() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(["state/recovery", "recovery"].map(|name| root.path().join(name)));
        let [posted, other] = ["fake-posted", "fake-other"].map(Secret::new);
        let location = spool.save_unread(&posted, b"\xFF\0 one").unwrap().unwrap();
        let path = location.path().unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"\xFF\0 one");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(path.to_string_lossy().contains(&stem(&posted)));
        assert_eq!(spool.save_unread(&posted, b"\xFF\0 one").unwrap(), Some(location.clone()));
        assert_eq!(spool.unread(), [location]);
        for number in 1..20 {
            let kept = spool.save_unread(&posted, &[number]).unwrap();
            assert_eq!(kept.is_some(), usize::from(number) < MOST);
        }
        assert!(spool.save_unread(&other, b"").unwrap().is_none());
        spool.save_unread(&other, b"one").unwrap();
        spool.forget_unread(&posted);
        assert_eq!(spool.unread().len(), 1);
        assert!(spool.pending().is_empty() && spool.find_spent(&posted).is_none());
    }
}
