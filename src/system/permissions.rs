//! Whether what a path leads to is in this user's hands alone: directories that nobody
//! else can write, documents that nobody else can read.
//!
//! Whoever can write a directory can replace every file in it, so a private document in an
//! open directory is not private. Root may work on the store of another user: what is in
//! it belongs to root or to that user, what a symbolic link leads to outside, to that user.

use super::trust::{Insecure, OTHERS_READ_OR_WRITE, OTHERS_WRITE};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::fmt;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory: nobody else may write it.
    Directory,
    /// A document with secrets: nobody else may read or write it.
    Secrets,
    /// A document without secrets that decides where they go: nobody else may write it. It
    /// may be root's.
    Settings,
}

/// Something that somebody else can read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Where it is.
    pub path: PathBuf,
    reason: Insecure,
    /// Whose it should be.
    owner: u32,
}

/// What sets an exposure right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// Give the file these permission bits.
    Mode(u32),
    /// This user, who is root, gives it to this user id.
    OwnerByRoot(u32),
    /// This user needs root to get it.
    Owner,
}

impl Exposure {
    /// What sets it right.
    pub fn correction(&self) -> Correction {
        match &self.reason {
            Insecure::Open { mode, forbidden } => Correction::Mode(mode & !forbidden & 0o777),
            _ if effective_user() == 0 => Correction::OwnerByRoot(self.owner),
            _ => Correction::Owner,
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// Looks at paths in one state directory.
#[derive(Debug)]
pub struct Permissions {
    /// The state directory, as it was named.
    named: PathBuf,
    state_dir: PathBuf,
    user: u32,
    /// Whose store this is.
    owner: u32,
    /// The directories that were looked into.
    visited: RefCell<Vec<Rc<Visited>>>,
}

/// A directory that was looked into, so that links on the way to it are followed once.
#[derive(Debug)]
struct Visited {
    named: PathBuf,
    target: PathBuf,
    is_inside: bool,
}

impl Permissions {
    /// For the state directory `state_dir`, which need not exist.
    pub fn of(state_dir: &Path) -> Self {
        let user = effective_user();
        let owner = match state_dir.metadata() {
            Ok(metadata) if user == 0 => metadata.uid(),
            _ => user,
        };
        let named = state_dir.to_owned();
        let state_dir = state_dir.canonicalize().unwrap_or_else(|_| named.clone());
        Self { named, state_dir, user, owner, visited: RefCell::default() }
    }

    fn visit(&self, directory: &Path) -> Rc<Visited> {
        if let Some(known) = self.known(directory) {
            return known;
        }
        let (target, is_inside) = if let Some(target) = self.target_without_links(directory) {
            (target, true)
        } else {
            let target = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
            let is_inside = target.starts_with(&self.state_dir);
            (target, is_inside)
        };
        let new = Rc::new(Visited { named: directory.to_owned(), target, is_inside });
        self.visited.borrow_mut().push(Rc::clone(&new));
        new
    }

    fn known(&self, directory: &Path) -> Option<Rc<Visited>> {
        let visited = self.visited.borrow();
        let is_it = |it: &&Rc<Visited>| it.named.as_os_str() == directory.as_os_str();
        visited.iter().find(is_it).map(Rc::clone)
    }

    /// Where a directory in the state directory is, if no link is on the way.
    fn target_without_links(&self, directory: &Path) -> Option<PathBuf> {
        let below =
            directory.as_os_str().as_bytes().strip_prefix(self.named.as_os_str().as_bytes());
        let below = match below? {
            [] => return Some(self.state_dir.clone()),
            [b'/', below @ ..] => below,
            _ => return None,
        };
        if below.split(|byte| *byte == b'/').any(|name| name == b"..") {
            return None;
        }
        let is_below = |path: &&Path| path.as_os_str().len() > self.named.as_os_str().len();
        let is_directory =
            |path: &Path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let mut way = directory.ancestors().take_while(is_below);
        way.all(is_directory).then(|| self.state_dir.join(OsStr::from_bytes(below)))
    }

    /// What is wrong with `path`, if anything; nothing where there is nothing. Symbolic
    /// links are followed.
    pub fn exposure(&self, path: &Path, kind: Kind) -> Option<Exposure> {
        let mut metadata = path.symlink_metadata().ok()?;
        let mut target = None;
        if metadata.is_symlink() {
            metadata = path.metadata().ok()?;
            target = Some(path.canonicalize().ok()?);
        }
        // What is no file is refused by whoever reads it.
        if kind != Kind::Directory && !metadata.is_file() {
            return None;
        }
        let owner = metadata.uid();
        let forbidden = match kind {
            Kind::Secrets => OTHERS_READ_OR_WRITE,
            Kind::Directory | Kind::Settings => OTHERS_WRITE,
        };
        let mode = metadata.mode() & 0o7777;
        let is_private = owner == self.owner && mode & forbidden == 0;
        if is_private && kind == Kind::Directory {
            return None;
        }
        let itself = target.as_deref().unwrap_or(path);
        let directory = itself.parent().unwrap_or(itself);
        let Visited { target, is_inside, .. } = &*self.visit(directory);
        if !is_inside
            && kind != Kind::Directory
            && path.parent() != Some(target)
            && let Some(exposure) = self.exposure(target, Kind::Directory)
        {
            return Some(exposure);
        }
        let is_roots = owner == 0 && (kind == Kind::Settings || self.user == 0 && *is_inside);
        let reason = if owner != self.owner && !is_roots {
            Insecure::OtherOwner { owner }
        } else if mode & forbidden != 0 {
            Insecure::Open { mode, forbidden }
        } else {
            return None;
        };
        Some(Exposure { path: path.to_owned(), reason, owner: self.owner })
    }

    /// What is wrong with `directory` and the files in it, which are of this kind.
    pub fn exposures_in(&self, directory: &Path, kind: Kind) -> Vec<Exposure> {
        let files = match directory.read_dir() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            files => files.into_iter().flatten().flatten(),
        };
        let of_files = files.filter_map(|file| self.exposure(&file.path(), kind));
        self.exposure(directory, Kind::Directory).into_iter().chain(of_files).collect()
    }

    /// Whether others can enter the state directory: only then do the directories in it matter,
    /// which OpenClaw makes with the umask.
    pub fn is_entered_by_others(&self, state_dir: &Path) -> bool {
        const OTHERS_ENTER: u32 = 0o011;
        state_dir.metadata().is_ok_and(|metadata| metadata.mode() & OTHERS_ENTER != 0)
    }

    /// What is wrong with the directories between the state directory and `directory`.
    pub fn exposures_between(&self, state_dir: &Path, directory: &Path) -> Vec<Exposure> {
        if !directory.starts_with(state_dir) {
            return Vec::new();
        }
        let between = directory.ancestors().skip(1).take_while(|path| *path != state_dir);
        between.filter_map(|path| self.exposure(path, Kind::Directory)).collect()
    }

    /// The directories above the state directory in which everybody can rename it, and put
    /// another one in its place: they are not sticky, as /tmp is.
    ///
    /// For a report alone. A volume of a pod is such a directory (0777, of root), the pod
    /// cannot change that, and has mostly no other users: to refuse it would keep the state
    /// from every volume.
    pub fn exposures_above(&self) -> Vec<Exposure> {
        const EVERYBODY_WRITES: u32 = 0o002;
        const STICKY: u32 = 0o1000;
        let exposed = |path: &Path| {
            let mode = path.metadata().ok()?.mode() & 0o7777;
            let reason = Insecure::Open { mode, forbidden: EVERYBODY_WRITES };
            let is_exposed = mode & EVERYBODY_WRITES != 0 && mode & STICKY == 0;
            is_exposed.then(|| Exposure { path: path.to_owned(), reason, owner: self.owner })
        };
        self.state_dir.ancestors().skip(1).filter_map(exposed).collect()
    }
}

fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::file::{create_private_directory, replace};
    use std::fs::set_permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_others_can_read_or_write_is_named_with_its_correction() {
        let root = tempfile::tempdir().unwrap();
        let state_dir = root.path().join("state");
        create_private_directory(&state_dir).unwrap();
        let document = state_dir.join("it's.json");
        replace(&document, b"{}").unwrap();
        let permissions = Permissions::of(&state_dir);
        let mode = |path: &Path, mode| {
            set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert_eq!(permissions.exposure(&document, Kind::Secrets), None);
        mode(&document, 0o644);
        let exposure = permissions.exposure(&document, Kind::Secrets).unwrap();
        assert_eq!(exposure.correction(), Correction::Mode(0o600));
        assert!(exposure.to_string().ends_with("is open to other users (mode 0644)"));
        assert_eq!(permissions.exposure(&document, Kind::Settings), None);
        mode(&state_dir, 0o755);
        assert_eq!(permissions.exposure(&state_dir, Kind::Directory), None);
        mode(&state_dir, 0o775);
        let exposure = permissions.exposure(&state_dir, Kind::Directory).unwrap();
        assert_eq!(exposure.correction(), Correction::Mode(0o755));
    }

    #[test]
    fn a_link_into_an_open_directory_is_an_exposure() {
        let root = tempfile::tempdir().unwrap();
        let [state_dir, outside] = ["state", "outside"].map(|name| root.path().join(name));
        create_private_directory(&state_dir).unwrap();
        create_private_directory(&outside).unwrap();
        replace(&outside.join("d"), b"{}").unwrap();
        let link = state_dir.join("d");
        std::os::unix::fs::symlink(outside.join("d"), &link).unwrap();
        let permissions = Permissions::of(&state_dir);
        assert_eq!(permissions.exposure(&link, Kind::Secrets), None, "it is this user's");
        set_permissions(&outside, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(permissions.exposure(&link, Kind::Secrets).unwrap().path, outside);
    }

    #[test]
    fn directories_on_the_way_matter_where_others_get_there() {
        let root = tempfile::tempdir().unwrap();
        let state_dir = root.path().join("state");
        let agent = state_dir.join("agents/a/agent");
        create_private_directory(&agent).unwrap();
        set_permissions(state_dir.join("agents"), std::fs::Permissions::from_mode(0o775)).unwrap();
        let permissions = Permissions::of(&state_dir);
        assert!(!permissions.is_entered_by_others(&state_dir));
        set_permissions(&state_dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(permissions.is_entered_by_others(&state_dir));
        let found = permissions.exposures_between(&state_dir, &agent);
        assert_eq!(
            found.iter().map(|found| &found.path).collect::<Vec<_>>(),
            [&state_dir.join("agents")]
        );
    }

    #[test]
    fn a_directory_above_that_everybody_can_write_is_told_unless_it_is_sticky() {
        let root = tempfile::tempdir().unwrap();
        let [above, state_dir] = ["above", "above/state"].map(|name| root.path().join(name));
        create_private_directory(&state_dir).unwrap();
        let permissions = Permissions::of(&state_dir);
        for (mode, is_told) in [(0o777, true), (0o1777, false), (0o775, false), (0o703, true)] {
            set_permissions(&above, std::fs::Permissions::from_mode(mode)).unwrap();
            let told = permissions.exposures_above();
            let told = told.iter().any(|told| told.path == above.canonicalize().unwrap());
            assert_eq!(told, is_told, "{mode:o}");
        }
    }
}
