//! The store from outside: what is stored, and what programs and machines do to it that keep
//! to no rule of ours.

use super::{Engine, Subject};
use crate::support::database::{self, Row};
use openclaw_auth::system::{file, lock};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

impl Subject {
    /// The profiles as they are stored.
    pub(in super::super) fn text(&self) -> Option<String> {
        match self.engine {
            Engine::Files => std::fs::read_to_string(self.profiles_path()).ok(),
            Engine::Sqlite => self.row(Row::Store).read(),
        }
    }

    /// The state as it is stored.
    pub(in super::super) fn state_text(&self) -> Option<String> {
        match self.engine {
            Engine::Files => std::fs::read_to_string(self.state_path()).ok(),
            Engine::Sqlite => self.row(Row::State).read(),
        }
    }

    fn row(&self, row: Row) -> database::Text {
        database::Text::of(&self.root, &self.directory, &self.agent, row)
    }

    fn profiles_path(&self) -> PathBuf {
        self.directory.join("auth-profiles.json")
    }

    fn state_path(&self) -> PathBuf {
        self.directory.join("auth-state.json")
    }

    fn lock_path(&self) -> PathBuf {
        file::with_suffix(&self.profiles_path(), ".lock")
    }

    /// A text in the place of the profiles, without any lock.
    pub(in super::super) fn foreign_write(&self, text: &str) -> bool {
        if self.engine == Engine::Sqlite {
            return self.row(Row::Store).write(text);
        }
        file::create_private_directory(&self.directory).unwrap();
        file::replace(&self.profiles_path(), text.as_bytes()).is_ok()
    }

    /// A text in the profiles as they stand, as an editor without temporary files writes it.
    pub(in super::super) fn foreign_overwrite(&self, text: &str) -> bool {
        if self.engine == Engine::Sqlite {
            return false;
        }
        std::fs::write(self.profiles_path(), text).is_ok()
    }

    /// The profiles under another name, as an editor keeps them while it writes new ones.
    pub(in super::super) fn foreign_rename(&self) -> bool {
        if self.engine == Engine::Sqlite {
            return false;
        }
        let path = self.profiles_path();
        std::fs::rename(&path, file::with_suffix(&path, "~")).is_ok()
    }

    /// A text in the place of the state, without any lock.
    pub(in super::super) fn foreign_write_state(&self, text: &str) -> bool {
        if self.engine == Engine::Sqlite {
            return self.row(Row::State).write(text);
        }
        file::create_private_directory(&self.directory).unwrap();
        file::replace(&self.state_path(), text.as_bytes()).is_ok()
    }

    /// Takes the lock of an update away from who holds it, as if that one were dead.
    pub(in super::super) fn foreign_unlock(&self) -> bool {
        if self.engine == Engine::Sqlite {
            return false;
        }
        std::fs::remove_file(self.lock_path()).is_ok()
    }

    /// Another generation of OpenClaw takes the store over.
    pub(in super::super) fn foreign_takeover(&self) -> bool {
        if self.engine == Engine::Sqlite {
            return self.row(Row::Store).outdate();
        }
        file::create_private_directory(&self.directory).unwrap();
        std::fs::write(self.directory.join("openclaw-agent.sqlite"), b"").is_ok()
    }

    /// Others may read the profiles.
    pub(in super::super) fn foreign_opening(&self) -> bool {
        let path = match self.engine {
            Engine::Files => self.profiles_path(),
            Engine::Sqlite => self.row(Row::Store).database().to_owned(),
        };
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o644)).is_ok()
    }

    /// The profiles cannot be read until the answer is dropped.
    pub(in super::super) fn unreadable(&self) -> impl Drop + use<> {
        let path = match self.engine {
            Engine::Files => self.profiles_path(),
            Engine::Sqlite => self.row(Row::Store).database().to_owned(),
        };
        let aside = file::with_suffix(&path, ".aside");
        std::fs::rename(&path, &aside).unwrap();
        std::fs::create_dir(&path).unwrap();
        Mend(move || {
            std::fs::remove_dir(&path).unwrap();
            std::fs::rename(&aside, &path).unwrap();
        })
    }

    /// The store cannot be written until the answer is dropped.
    pub(in super::super) fn unwritable(&self) -> impl Drop + use<> {
        let path = match self.engine {
            Engine::Files => self.lock_path(),
            // Where the log of what is written would be.
            Engine::Sqlite => file::with_suffix(self.row(Row::Store).database(), "-wal"),
        };
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir_all(&path).unwrap();
        Mend(move || std::fs::remove_dir(&path).unwrap())
    }

    /// Somebody else's change holds the store until the answer is dropped.
    pub(in super::super) fn busy(&self) -> Box<dyn Dropped> {
        if self.engine == Engine::Sqlite {
            return Box::new(self.row(Row::Store).hold());
        }
        match lock::wait(&self.profiles_path(), lock::StaleRule::ByAge, Duration::ZERO).unwrap() {
            lock::Attempt::Acquired(lock) => Box::new(Mend(move || assert!(lock.is_held()))),
            lock::Attempt::Held(holder) => panic!("held by {holder}"),
        }
    }

    /// No backup can be kept.
    pub(in super::super) fn refuse_backups(&self) {
        let place = match self.engine {
            Engine::Files => self.directory.join("backups"),
            Engine::Sqlite => self.root.join("openclaw-auth/backups"),
        };
        file::create_private_directory(place.parent().unwrap()).unwrap();
        file::replace(&place, b"in the way").unwrap();
    }
}

/// What ends when it is dropped.
pub(in super::super) trait Dropped {}

impl<F: FnMut()> Dropped for Mend<F> {}
impl Dropped for rusqlite::Connection {}

struct Mend<F: FnMut()>(F);

impl<F: FnMut()> Drop for Mend<F> {
    fn drop(&mut self) {
        self.0();
    }
}
