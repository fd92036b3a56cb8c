//! Earlier versions of a document: what a change replaced stays in a small directory
//! beside it, until enough newer ones are there.
//!
//! Invariant: a backup never keeps a change from being stored. It is the replaced file
//! itself under a second name (link(2)), so it costs no copy and no second fsync; where
//! links are not possible it is a copy. Renewals are counted apart from other changes:
//! otherwise an hourly refresh would push out what a person may want back.

use super::failure::{invalid, read_failed};
use crate::store::{Backup, BackupPolicy, Document, Location, Notice, StoreError};
use crate::system::{file, now};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The backups in a directory, the newest first.
pub(in crate::store) fn list(directory: &Path) -> Vec<Backup> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let mut backups: Vec<_> =
        entries.filter_map(|entry| Backup::of_file(&entry.file_name())).collect();
    backups.sort();
    backups.reverse();
    backups
}

/// What a backup holds.
pub(in crate::store) fn read(path: &Path) -> Result<Document, StoreError> {
    let failed = read_failed(path);
    let (text, _) =
        file::read(path).map_err(&failed)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
    Document::parse(text).map_err(|error| invalid(path, &error))
}

/// Where the backups of one document are, and how many are kept.
#[derive(Debug)]
pub(in crate::store) struct Backups<'p> {
    /// Their directory.
    pub(in crate::store) directory: PathBuf,
    /// The file that is replaced, where it is the document itself.
    pub(in crate::store) document: Option<PathBuf>,
    /// What a notice names.
    pub(in crate::store) location: Location,
    /// How many are kept.
    pub(in crate::store) policy: Option<&'p BackupPolicy>,
}

impl Backups<'_> {
    pub(in crate::store) fn path(&self, backup: &Backup) -> PathBuf {
        self.directory.join(backup.file_name())
    }

    /// Keeps the document that `next` was read from, and that it is about to replace: `next`
    /// says what stood there. Done before the last comparison, for it takes time; the caller
    /// holds the lock, and says then what became of it. `overwrites` is whether the
    /// document keeps its inode.
    pub(in crate::store) fn keep(&self, next: &Document, overwrites: bool) -> Option<KeptBackup> {
        let document = self.document.as_deref().filter(|_| !overwrites).map(file::behind_link);
        self.keep_of(next, document.as_deref(), next.original())
    }

    /// As [`Self::keep`], of a document that is no file, and whose text is `text`.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn keep_text(&self, next: &Document, text: &str) -> Option<KeptBackup> {
        self.keep_of(next, None, text)
    }

    fn keep_of(&self, next: &Document, document: Option<&Path>, text: &str) -> Option<KeptBackup> {
        let policy = self.policy.filter(|policy| policy.count > 0)?;
        let kept = self.try_keep(next, document, text);
        kept.map_err(|reason| {
            let (document, directory) = (self.location.clone(), self.directory.clone().into());
            policy.notices.add(Notice::NoBackup { document, directory, reason });
        })
        .ok()
    }

    fn try_keep(
        &self,
        next: &Document,
        document: Option<&Path>,
        text: &str,
    ) -> io::Result<KeptBackup> {
        let is_renewal = next.is_renewal();
        file::create_private_directory(&self.directory)?;
        let mut backup = Backup { replaced_at: now(), is_renewal };
        loop {
            let path = self.path(&backup);
            let kept = match document {
                Some(document) => link_or_copy(document, &path, text),
                None => copy(&path, text),
            };
            match kept {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => backup.replaced_at += 1,
                Err(error) => return Err(error),
                Ok(()) => return Ok(KeptBackup { path, is_renewal }),
            }
        }
    }

    /// The change is stored: older backups than are wanted go.
    pub(in crate::store) fn prune(&self, kept: &KeptBackup) {
        let Some(policy) = self.policy else { return };
        let mut backups = list(&self.directory);
        backups.retain(|backup| backup.is_renewal == kept.is_renewal);
        let old = backups.into_iter().skip(policy.count);
        let pruned = old.map(|backup| std::fs::remove_file(self.path(&backup)));
        for reason in pruned.filter_map(Result::err) {
            // Another command may have done it.
            if reason.kind() != ErrorKind::NotFound {
                let directory = self.directory.clone().into();
                policy.notices.add(Notice::OldBackup { directory, reason });
            }
        }
    }
}

/// A backup of a document that is about to be replaced.
#[derive(Debug)]
pub(in crate::store) struct KeptBackup {
    path: PathBuf,
    is_renewal: bool,
}

impl KeptBackup {
    /// Takes it back: what it holds was not replaced, or not by this change.
    pub(in crate::store) fn discard(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn link_or_copy(document: &Path, backup: &Path, text: &str) -> io::Result<()> {
    match std::fs::hard_link(document, backup) {
        Ok(()) => std::fs::set_permissions(backup, PermissionsExt::from_mode(0o600)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(error),
        // Another file system, or one without links.
        Err(_) => copy(backup, text),
    }
}

fn copy(backup: &Path, text: &str) -> io::Result<()> {
    if backup.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    file::replace(backup, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AgentStore, BackupPolicy, Notices};
    use serde_json::json;

    fn store(root: &Path, count: usize) -> AgentStore {
        telling_store(root, count, &Notices::default())
    }

    fn telling_store(root: &Path, count: usize, notices: &Notices) -> AgentStore {
        let policy = BackupPolicy { count, notices: notices.clone() };
        AgentStore::new("main".into(), root.to_owned(), root.join("a"), None).with_backups(policy)
    }

    fn put(store: &AgentStore, id: &str, entry: &serde_json::Value) {
        let entry = serde_json::value::to_raw_value(entry).unwrap();
        let change = |document: &mut Document| {
            document.set_entry(id, entry.clone());
            Ok((true, ()))
        };
        store.update(change).unwrap();
    }

    #[test]
    fn renewals_do_not_push_out_other_changes() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), 2);
        let login = |n: u32| json!({"type": "oauth", "provider": "p", "access": n.to_string()});
        for id in ["a", "b", "c", "d"] {
            put(&store, id, &login(0));
        }
        for n in 1..5 {
            put(&store, "a", &login(n));
        }
        let backups = store.backups();
        assert_eq!(
            backups.iter().map(|b| b.is_renewal).collect::<Vec<_>>(),
            [true, true, false, false]
        );
        let held: Vec<_> =
            backups.iter().map(|b| store.read_backup(b).unwrap().entry_count()).collect();
        assert_eq!(held, [4, 4, 3, 2]);
        let path = store.backup_location(&backups[0]);
        let path = path.path().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let of_file = |b: &Backup| Backup::of_file(b.file_name().as_ref());
        assert!(backups.iter().all(|b| of_file(b).as_ref() == Some(b)));
    }

    #[test]
    fn a_backup_that_fails_is_told_and_keeps_nothing_from_being_stored() {
        let root = tempfile::tempdir().unwrap();
        let notices = Notices::default();
        let store = telling_store(root.path(), 2, &notices);
        put(&store, "a", &json!({"type": "token", "provider": "p", "token": "fake-1"}));
        file::replace(store.backups_location().path().unwrap(), b"in the way").unwrap();
        put(&store, "a", &json!({"type": "token", "provider": "p", "token": "fake-2"}));
        let credential = store.read().unwrap().document.credential("a").unwrap();
        assert_eq!(credential.bearer().unwrap().expose(), "fake-2");
        let notices = notices.take();
        assert!(matches!(notices[0], Notice::NoBackup { .. }), "{notices:?}");
        assert!(!format!("{notices:?}").contains("fake-"));
    }

    #[test]
    fn no_backup_is_kept_where_none_is_wanted() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), 0);
        for value in ["fake-1", "fake-2"] {
            put(&store, "a", &json!({"type": "token", "provider": "p", "token": value}));
        }
        assert!(!store.backups_location().path().unwrap().exists());
    }
}
