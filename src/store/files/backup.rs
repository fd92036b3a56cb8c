//! Earlier versions of a document: what a change replaced stays in a small directory
//! beside it, until enough newer ones are there.
//!
//! Invariant: a backup never keeps a change from being stored. It is the replaced file
//! itself under a second name (link(2)), so it costs no copy and no second fsync; where
//! links are not possible it is a copy. Renewals are counted apart from other changes:
//! otherwise an hourly refresh would push out what a person may want back.

use super::failure::{invalid, read_failed};
use crate::store::kept_backup::KeptBackup;
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

    /// Keeps what stands in the document, which is about to be replaced: `text`. Done before
    /// the last comparison, for it takes time, and before a request whose reply is to be
    /// stored, where there is one. `overwrites` is whether the document keeps its inode.
    pub(in crate::store) fn keep_backup(&self, text: &str, overwrites: bool) -> Option<KeptBackup> {
        self.policy.filter(|policy| policy.count > 0)?;
        let kept = self.keep(text, overwrites);
        kept.map_err(|reason| self.tell_no_backup(reason)).ok()
    }

    fn tell_no_backup(&self, reason: io::Error) {
        let (document, directory) = (self.location.clone(), self.directory.clone().into());
        if let Some(policy) = self.policy {
            policy.notices.add(Notice::NoBackup { document, directory, reason });
        }
    }

    fn keep(&self, text: &str, overwrites: bool) -> io::Result<KeptBackup> {
        file::create_private_directory(&self.directory)?;
        let document = self.document.as_deref().map(file::behind_link);
        // What it is replaced by is not known yet: mostly by a renewal.
        let mut backup = Backup { replaced_at: now(), is_renewal: true };
        loop {
            let path = self.path(&backup);
            let kept = match &document {
                Some(document) if !overwrites => link_or_copy(document, &path, text),
                _ => copy(&path, text),
            };
            match kept {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => backup.replaced_at += 1,
                Err(error) => return Err(error),
                Ok(()) => return Ok(KeptBackup::at(path)),
            }
        }
    }

    /// The change is stored: the backup stays, and older ones than are wanted go.
    pub(in crate::store) fn finish_backup(&self, kept: KeptBackup, is_renewal: bool) {
        let Some(policy) = self.policy else { return };
        let path = kept.stay();
        if !is_renewal && let Err(reason) = self.rename_change(&path) {
            self.tell_no_backup(reason);
        }
        let mut backups = list(&self.directory);
        backups.retain(|backup| backup.is_renewal == is_renewal);
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

    /// Gives a backup that was named as that of a renewal the name of another change.
    fn rename_change(&self, path: &Path) -> io::Result<()> {
        let named = path.file_name().and_then(Backup::of_file).ok_or(ErrorKind::InvalidInput)?;
        let mut backup = Backup { is_renewal: false, ..named };
        loop {
            match std::fs::hard_link(path, self.path(&backup)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => backup.replaced_at += 1,
                Err(_) => return rename(path, &self.path(&backup)),
                Ok(()) => return std::fs::remove_file(path),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "where there are no links; nothing is replaced")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
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
    use crate::store::{BackupPolicy, Notices, Store};
    use serde_json::json;

    fn store(root: &Path, count: usize) -> Store {
        telling_store(root, count, &Notices::default())
    }

    fn telling_store(root: &Path, count: usize, notices: &Notices) -> Store {
        let policy = BackupPolicy { count, notices: notices.clone() };
        Store::new("main".into(), root.to_owned(), root.join("a"), None).with_backups(policy)
    }

    fn put(store: &Store, id: &str, entry: &serde_json::Value) {
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
