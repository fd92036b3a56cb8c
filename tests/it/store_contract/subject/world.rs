//! A world: where the stores of one installation are, and what is found there.

use super::spool::Spool;
use super::{Engine, Subject, engines};
use crate::support::database;
use openclaw_auth::store::{BackupPolicy, Notices, Store};
use openclaw_auth::system::file;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The state directory, schema or database that the agents of one installation share.
pub(in super::super) struct World {
    pub(in super::super) engine: Engine,
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl World {
    /// A new one, empty.
    pub(in super::super) fn new(engine: Engine) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().to_owned();
        std::fs::set_permissions(&root, PermissionsExt::from_mode(0o700)).unwrap();
        if engine == Engine::Sqlite {
            database::make_shared(&root);
        }
        Self { engine, root, _temporary: Some(temporary) }
    }

    /// Another installation whose agent `main` has the store of this one: by a link to its
    /// directory, or to its document. `None` where installations share nothing.
    pub(in super::super) fn neighbour(&self, name: &str, by_document: bool) -> Option<Self> {
        if self.engine == Engine::Sqlite {
            return None;
        }
        let root = self.root.join(name);
        let (agent, target) = (root.join("agents/main/agent"), self.root.join("agents/main/agent"));
        let (link, target) = if by_document {
            (agent.join("auth-profiles.json"), target.join("auth-profiles.json"))
        } else {
            (agent, target)
        };
        file::create_private_directory(link.parent()?).unwrap();
        std::os::unix::fs::symlink(target, link).unwrap();
        Some(Self { engine: self.engine, root, _temporary: None })
    }

    /// Takes all locks and leases away from who holds them, as if those were dead.
    pub(in super::super) fn foreign_unlock(&self) {
        self.files(&[".lock"]).iter().for_each(|lock| std::fs::remove_file(lock).unwrap());
    }

    /// What leads a child process here: the engine and the place.
    pub(in super::super) fn address(&self) -> String {
        format!("{:?} {}", self.engine, self.root.display())
    }

    /// The world of a parent process.
    pub(in super::super) fn at(address: &str) -> Self {
        let (name, root) = address.split_once(' ').unwrap();
        let engine = engines().find(|engine| format!("{engine:?}") == name).unwrap();
        Self { engine, root: root.into(), _temporary: None }
    }

    /// Where its files are, for those who trace a process.
    pub(in super::super) fn root(&self) -> &Path {
        &self.root
    }

    /// A new handle on the store of an agent.
    pub(in super::super) fn store(&self, agent: &str) -> Subject {
        self.store_with_backups(agent, 5)
    }

    /// As [`Self::store`], with so many backups of either sort.
    pub(in super::super) fn store_with_backups(&self, agent: &str, count: usize) -> Subject {
        let directory = self.root.join("agents").join(agent).join("agent");
        if self.engine == Engine::Sqlite && agent != "main" {
            database::make_own(&directory, agent);
        }
        let notices = Notices::default();
        let store = Store::new(agent.into(), self.root.clone(), directory.clone(), None)
            .with_backups(BackupPolicy { count, notices: notices.clone() });
        let (engine, agent) = (self.engine, agent.to_owned());
        Subject { engine, agent, store, directory, root: self.root.clone(), notices }
    }

    /// The replies that could not be stored.
    pub(in super::super) fn spool(&self) -> Spool {
        Spool::new(["spool", "home"].map(|name| self.root.join(name)))
    }

    /// What is left behind of locks, leases and notes.
    pub(in super::super) fn left_locks(&self) -> Vec<PathBuf> {
        self.files(&[".lock", ".intent", ".refused"])
    }

    /// What is left behind of writes that did not end.
    pub(in super::super) fn left_drafts(&self) -> Vec<PathBuf> {
        self.files(&[".tmp"])
    }

    /// What others could read or change, whoever left it.
    pub(in super::super) fn open_to_others(&self) -> Vec<PathBuf> {
        let files = all_files(&self.root);
        let directories = files.iter().flat_map(|file| file.ancestors());
        let inside = directories.filter(|path| path.starts_with(&self.root));
        let is_open = |path: &&Path| path.metadata().unwrap().permissions().mode() & 0o077 != 0;
        inside.filter(is_open).map(Path::to_path_buf).collect()
    }

    fn files(&self, endings: &[&str]) -> Vec<PathBuf> {
        let is_wanted = |path: &PathBuf| {
            let name = path.to_string_lossy().into_owned();
            endings.iter().any(|ending| name.ends_with(ending))
        };
        all_files(&self.root).into_iter().filter(is_wanted).collect()
    }

    /// Whether a text stands anywhere but where credentials are kept.
    pub(in super::super) fn tells(&self, text: &str) -> bool {
        let is_credentials = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_draft = name.starts_with("auth-profiles.json") && name.ends_with(".tmp");
            name == "auth-profiles.json"
                || name.contains(".sqlite")
                || is_draft
                || ["backups", "spool", "home"].iter().any(|name| path.iter().any(|it| it == *name))
        };
        all_files(&self.root).iter().filter(|path| !is_credentials(path)).any(|path| {
            let held = std::fs::read(path).unwrap_or_default();
            path.to_string_lossy().contains(text) || String::from_utf8_lossy(&held).contains(text)
        })
    }
}

/// Whether a file is the lock of an update or a lease, or is going to be one.
pub(in super::super) fn is_lock(path: &str) -> bool {
    // The index of a log is made anew from it.
    path.contains(".lock") || path.ends_with("-shm")
}

fn all_files(directory: &Path) -> Vec<PathBuf> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}
