//! Earlier versions of a document: what a change replaced stays in a small directory
//! beside it, until enough newer ones are there.
//!
//! Invariant: a backup never keeps a change from being stored. It is the replaced file
//! itself under a second name (link(2)), so it costs no copy and no second fsync; where
//! links are not possible it is a copy. Renewals are counted apart from other changes:
//! otherwise an hourly refresh would push out what a person may want back.

use super::file::invalid;
use super::{AgentStore, Document, Location, StoreError};
use crate::profile::{Kind, Millis};
use crate::system::custody::Exposure;
use crate::system::{file, now};
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// How many backups of either sort are kept where the user says nothing.
pub const USUAL_BACKUPS: usize = 5;

/// What went less well than it could while something else succeeded, for the end of a run.
#[derive(Clone, Debug, Default)]
pub struct Notices(Arc<Mutex<Vec<Notice>>>);

/// One of them.
#[derive(Debug, thiserror::Error)]
pub enum Notice {
    /// The change is stored, and what it replaced is not kept.
    #[error("no backup was kept of what {document} held before: {reason}")]
    NoBackup {
        /// The changed document.
        document: Location,
        /// Where the backup should be.
        directory: Location,
        /// Why it is not there.
        reason: io::Error,
    },
    /// Somebody else can read or change a file, which did not matter to the command.
    #[error("{0}")]
    Exposed(Exposure),
}

impl Notices {
    /// Keeps something to say.
    pub fn add(&self, notice: Notice) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    /// What there is to say, once.
    pub fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How an agent's store keeps backups.
#[derive(Clone, Debug)]
pub struct BackupPolicy {
    /// How many of either sort are kept; none when it is 0.
    pub count: usize,
    /// Where a backup that failed is told.
    pub notices: Notices,
}

/// An earlier version of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backup {
    /// When it was replaced, in milliseconds since the epoch.
    pub replaced_at: Millis,
    /// Whether it was replaced by renewed tokens of the same logins.
    pub is_renewal: bool,
}

const PREFIX: &str = "auth-profiles.";
const SUFFIX: &str = ".json";
const RENEWAL: &str = ".renewal";
/// ISO 8601 in its basic form, which sorts by time and is a file name everywhere.
const TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

impl Backup {
    /// Its name: its time, and `.renewal` where it is one.
    pub fn name(&self) -> String {
        let time = jiff::Timestamp::from_millisecond(self.replaced_at);
        let time =
            time.map_or_else(|_| self.replaced_at.to_string(), |at| at.strftime(TIME).to_string());
        format!("{time}{}", if self.is_renewal { RENEWAL } else { "" })
    }

    fn file_name(&self) -> String {
        format!("{PREFIX}{}{SUFFIX}", self.name())
    }

    /// Whether `name` means it: its name, or that of its file.
    pub fn is_named(&self, name: &str) -> bool {
        name == self.name() || name == self.file_name()
    }

    fn of_file(name: &OsStr) -> Option<Self> {
        let name = name.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (time, is_renewal) = match name.strip_suffix(RENEWAL) {
            Some(time) => (time, true),
            None => (name, false),
        };
        let time = jiff::civil::DateTime::strptime(TIME, time).ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self { replaced_at: time.timestamp().as_millisecond(), is_renewal })
    }
}

impl AgentStore {
    /// Where the backups are. OpenClaw looks at no such directory; it goes where its agent
    /// goes.
    pub(super) fn backup_dir(&self) -> PathBuf {
        self.profiles_path().with_file_name("backups")
    }

    /// Where the backups are, for people.
    pub fn backups_location(&self) -> Location {
        self.backup_dir().into()
    }

    /// The backups, the newest first.
    pub fn backups(&self) -> Vec<Backup> {
        let entries = self.backup_dir().read_dir().into_iter().flatten().flatten();
        let mut backups: Vec<_> =
            entries.filter_map(|entry| Backup::of_file(&entry.file_name())).collect();
        backups.sort();
        backups.reverse();
        backups
    }

    /// Where a backup is.
    pub fn backup_location(&self, backup: &Backup) -> Location {
        self.backup_path(backup).into()
    }

    fn backup_path(&self, backup: &Backup) -> PathBuf {
        self.backup_dir().join(backup.file_name())
    }

    /// What a backup holds.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_backup(&self, backup: &Backup) -> Result<Document, StoreError> {
        let path = &self.backup_path(backup);
        let failed =
            |source| StoreError::Read { location: path.clone().into(), source: Arc::new(source) };
        let (text, _) =
            file::read(path).map_err(failed)?.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
        Document::parse(text).map_err(|error| invalid(path, &error))
    }

    /// Keeps the present document, which `next` is about to replace. The caller holds the
    /// lock.
    pub(super) fn keep_backup(&self, next: &Document) {
        let Some(policy) = self.backup_policy().filter(|policy| policy.count > 0) else { return };
        if let Err(reason) = self.keep(next, policy.count) {
            let (document, directory) = (self.location(), self.backups_location());
            policy.notices.add(Notice::NoBackup { document, directory, reason });
        }
    }

    fn keep(&self, next: &Document, count: usize) -> io::Result<()> {
        let Some((text, _)) = file::read(&self.profiles_path())? else { return Ok(()) };
        let text = Zeroizing::new(text);
        let is_renewal =
            Document::parse(text.as_str()).is_ok_and(|present| is_renewal_of(&present, next));
        let directory = self.backup_dir();
        file::create_private_directory(&directory)?;
        let mut backup = Backup { replaced_at: now(), is_renewal };
        loop {
            let path = self.backup_path(&backup);
            match link_or_copy(&file::behind_link(&self.profiles_path()), &path, &text) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => backup.replaced_at += 1,
                kept => break kept?,
            }
        }
        self.prune(is_renewal, count)
    }

    fn prune(&self, renewals: bool, count: usize) -> io::Result<()> {
        let of_sort = self.backups().into_iter().filter(|backup| backup.is_renewal == renewals);
        of_sort.skip(count).try_for_each(|backup| std::fs::remove_file(self.backup_path(&backup)))
    }
}

fn link_or_copy(document: &Path, backup: &Path, text: &str) -> io::Result<()> {
    match std::fs::hard_link(document, backup) {
        Ok(()) => std::fs::set_permissions(backup, PermissionsExt::from_mode(0o600)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(error) if error.kind() == ErrorKind::StorageFull => Err(error),
        // Another file system, or one without links.
        Err(_) if backup.exists() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => file::replace(backup, text.as_bytes()),
    }
}

/// Whether both hold the same profiles, and only OAuth logins differ.
fn is_renewal_of(present: &Document, next: &Document) -> bool {
    let is_login = |document: &Document, id: &str| {
        document.credential(id).is_some_and(|credential| credential.kind() == Kind::OAuth)
    };
    present.entry_count() == next.entry_count()
        && present.entries().all(|(id, entry)| match next.entry(id) {
            None => false,
            Some(same) if same == entry => true,
            Some(_) => is_login(present, id) && is_login(next, id),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn store(root: &Path, count: usize) -> AgentStore {
        let policy = BackupPolicy { count, notices: Notices::default() };
        AgentStore::new("main".to_owned(), root.to_owned(), root.join("a"), None)
            .with_backups(policy)
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
        let path = store.backup_path(&backups[0]);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let of_file = |b: &Backup| Backup::of_file(b.file_name().as_ref());
        assert!(backups.iter().all(|b| of_file(b).as_ref() == Some(b)));
    }

    #[test]
    fn a_backup_that_fails_is_told_and_keeps_nothing_from_being_stored() {
        let root = tempfile::tempdir().unwrap();
        let store = store(root.path(), 2);
        put(&store, "a", &json!({"type": "token", "provider": "p", "token": "fake-1"}));
        file::replace(&store.backup_dir(), b"in the way").unwrap();
        put(&store, "a", &json!({"type": "token", "provider": "p", "token": "fake-2"}));
        let credential = store.read().unwrap().document.credential("a").unwrap();
        assert_eq!(credential.bearer().unwrap().expose(), "fake-2");
        let notices = store.backup_policy().unwrap().notices.take();
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
        assert!(!store.backup_dir().exists());
    }
}
