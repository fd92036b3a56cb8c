//! The store from outside: what is stored, and what programs and machines do to it that keep
//! to no rule of ours.

use super::Subject;
use openclaw_auth::system::{file, lock};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

impl Subject {
    /// The profiles as they are stored.
    pub(in super::super) fn text(&self) -> Option<String> {
        std::fs::read_to_string(self.profiles_path()).ok()
    }

    /// The state as it is stored.
    pub(in super::super) fn state_text(&self) -> Option<String> {
        std::fs::read_to_string(self.state_path()).ok()
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
        file::create_private_directory(&self.directory).unwrap();
        file::replace(&self.profiles_path(), text.as_bytes()).is_ok()
    }

    /// A text in the profiles as they stand, as an editor without temporary files writes it.
    pub(in super::super) fn foreign_overwrite(&self, text: &str) -> bool {
        std::fs::write(self.profiles_path(), text).is_ok()
    }

    /// The profiles under another name, as an editor keeps them while it writes new ones.
    pub(in super::super) fn foreign_rename(&self) -> bool {
        let path = self.profiles_path();
        std::fs::rename(&path, file::with_suffix(&path, "~")).is_ok()
    }

    /// A text in the place of the state, without any lock.
    pub(in super::super) fn foreign_write_state(&self, text: &str) -> bool {
        file::create_private_directory(&self.directory).unwrap();
        file::replace(&self.state_path(), text.as_bytes()).is_ok()
    }

    /// Takes the lock of an update away from who holds it, as if that one were dead.
    pub(in super::super) fn foreign_unlock(&self) -> bool {
        std::fs::remove_file(self.lock_path()).is_ok()
    }

    /// Another generation of OpenClaw takes the store over.
    pub(in super::super) fn foreign_takeover(&self) -> bool {
        file::create_private_directory(&self.directory).unwrap();
        std::fs::write(self.directory.join("openclaw-agent.sqlite"), b"").is_ok()
    }

    /// Others may read the profiles.
    pub(in super::super) fn foreign_opening(&self) -> bool {
        std::fs::set_permissions(self.profiles_path(), PermissionsExt::from_mode(0o644)).is_ok()
    }

    /// The profiles cannot be read until the answer is dropped.
    pub(in super::super) fn unreadable(&self) -> impl Drop + use<> {
        let (path, aside) = (self.profiles_path(), self.directory.join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        std::fs::create_dir(&path).unwrap();
        Mend(move || {
            std::fs::remove_dir(&path).unwrap();
            std::fs::rename(&aside, &path).unwrap();
        })
    }

    /// The store cannot be written until the answer is dropped.
    pub(in super::super) fn unwritable(&self) -> impl Drop + use<> {
        let path = self.lock_path();
        std::fs::create_dir_all(&path).unwrap();
        Mend(move || std::fs::remove_dir(&path).unwrap())
    }

    /// Somebody else's change holds the store until the answer is dropped.
    pub(in super::super) fn busy(&self) -> impl Drop + use<> {
        match lock::wait(&self.profiles_path(), Duration::ZERO).unwrap() {
            lock::Attempt::Acquired(lock) => Mend(move || assert!(lock.is_held())),
            lock::Attempt::Held(holder) => panic!("held by {holder}"),
        }
    }

    /// No backup can be kept.
    pub(in super::super) fn refuse_backups(&self) {
        file::replace(&self.directory.join("backups"), b"in the way").unwrap();
    }
}

struct Mend<F: FnMut()>(F);

impl<F: FnMut()> Drop for Mend<F> {
    fn drop(&mut self) {
        self.0();
    }
}
