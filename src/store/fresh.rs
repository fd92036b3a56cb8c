//! The form in which a state directory without logins gets its first one: that of the OpenClaw
//! which is installed.
//!
//! Invariant: where anything of logins is there already, its form stays.

use super::{Store, StoreError, StoreFormat};
use crate::config::Installation;
use std::fmt;
use std::path::{Path, PathBuf};

/// In which form logins are stored, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// They are in a database.
    Database(PathBuf),
    /// They are in documents.
    Documents(PathBuf),
    /// The first login goes to the form of this installation.
    Installed(Installation),
    /// Nothing says in which form: documents.
    Unsaid,
}

impl Storage {
    /// The form.
    pub fn format(&self) -> StoreFormat {
        match self {
            Self::Database(_) => StoreFormat::Sqlite,
            Self::Installed(installed)
                if installed.has_database() || installed.has_agent_databases() =>
            {
                StoreFormat::Sqlite
            }
            _ => StoreFormat::Json,
        }
    }

    /// Whether nothing is stored yet.
    pub const fn is_fresh(&self) -> bool {
        matches!(self, Self::Installed(_) | Self::Unsaid)
    }
}

/// For people: a sentence.
impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = self.format();
        match self {
            Self::Database(path) | Self::Documents(path) => {
                write!(f, "logins are stored in {format}: {} is there", path.display())
            }
            Self::Installed(installed) if installed.has_agent_databases() => write!(
                f,
                "no login can be stored: OpenClaw {} is installed ({}), which has them in a \
                 database of each agent that it alone makes; update it to 2026.8.1 or later",
                installed.version,
                installed.package.display()
            ),
            Self::Installed(Installation { version, package }) => write!(
                f,
                "the first login goes to {format}: OpenClaw {version} is installed ({})",
                package.display()
            ),
            Self::Unsaid => {
                write!(f, "the first login goes to {format}: no OpenClaw is found on PATH")
            }
        }
    }
}

/// What holds logins in the directory of an agent.
const OF_AGENT: [&str; 4] =
    ["openclaw-agent.sqlite", "auth-profiles.json", "auth.json", "auth-state.json"];

impl Store {
    /// In which form logins are stored, and why.
    pub fn storage(&self) -> Storage {
        let files = &self.engine.files;
        if self.is_in_database() {
            let shared = files.state_dir.join("state/openclaw.sqlite");
            let own = files.agent_dir.join(OF_AGENT[0]);
            return Storage::Database(if shared.exists() { shared } else { own });
        }
        match something_of_logins(&files.state_dir, &files.agent_dir, files.oauth_file.as_deref()) {
            Some(found) if found.ends_with(OF_AGENT[0]) => Storage::Database(found),
            Some(found) => Storage::Documents(found),
            None => self.installed.find().cloned().map_or(Storage::Unsaid, Storage::Installed),
        }
    }

    /// Whether logins are in a database, or the first one will be. It costs a few looks where
    /// nothing is stored yet.
    pub fn will_be_in_database(&self) -> bool {
        self.is_in_database() || self.is_new_in_database()
    }

    /// Whether nothing is stored yet, and the first login goes to a database.
    pub(super) fn is_new_in_database(&self) -> bool {
        if self.engine.files.profiles_path().symlink_metadata().is_ok() {
            return false;
        }
        let storage = self.storage();
        let has_database = |installed: &Installation| installed.has_database();
        cfg!(feature = "sqlite")
            && matches!(storage, Storage::Installed(installed) if has_database(&installed))
    }

    /// Fails where the first login would go where the OpenClaw that is installed does not look.
    pub(super) fn check_first(&self) -> Result<(), StoreError> {
        if self.is_in_database() || self.engine.files.profiles_path().symlink_metadata().is_ok() {
            return Ok(());
        }
        match self.storage() {
            Storage::Installed(installed) if installed.has_agent_databases() => {
                let location = self.engine.files.agent_database().into();
                Err(StoreError::VersionBetween { location, version: installed.version })
            }
            #[cfg(feature = "sqlite")]
            _ if self.is_new_in_database() => self.engine.databases().check_first(),
            _ => Ok(()),
        }
    }

    /// Makes what the first login needs in the form that it gets.
    ///
    /// # Errors
    /// It cannot be made, or the OpenClaw that is installed would not find it.
    pub(super) fn begin_storing(&self) -> Result<(), StoreError> {
        self.check_first()?;
        #[cfg(feature = "sqlite")]
        if !self.is_in_database() && self.is_new_in_database() {
            self.engine.make_first_database()?;
        }
        Ok(())
    }
}

/// Something that says in which form logins are stored.
fn something_of_logins(
    state_dir: &Path,
    agent_dir: &Path,
    oauth_file: Option<&Path>,
) -> Option<PathBuf> {
    let agents = state_dir.join("agents").read_dir().into_iter().flatten().flatten();
    let agents = agents.map(|entry| entry.path().join("agent"));
    let of_agent = |directory: PathBuf| OF_AGENT.map(|name| directory.join(name));
    let mut places: Vec<PathBuf> = of_agent(agent_dir.to_owned()).into();
    places.extend(oauth_file.map(Path::to_owned));
    places.extend(agents.flat_map(of_agent));
    places.into_iter().find(|it| it.symlink_metadata().is_ok())
}
