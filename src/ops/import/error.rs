//! Why a login of another program is not imported.

use crate::app::AppError;
use crate::external::{self, ExternalError, Tool};
use crate::ops::ProfileIdError;
use crate::profile::{Kind, ProfileId};
use crate::text::printable;
use std::path::PathBuf;

/// Why an entry of another program is not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is no login that can be used elsewhere.
    #[error(transparent)]
    Entry(#[from] external::Unfit),
    /// It would only be refused again.
    #[error("the server has refused this login before")]
    Refused,
}

/// Why a login of another program is not imported, or not in full. The other program stays
/// signed in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The logins of the other program cannot be read.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// A login cannot go to the profile that the user names.
    #[error(transparent)]
    ProfileId(#[from] ProfileIdError),
    /// The program has no login in an entry that the user names.
    #[error("{} has no login `{}`", tool.program().label, printable(entry, 80))]
    NoSuchEntry {
        /// The program.
        tool: Tool,
        /// The entry that the user names.
        entry: String,
        /// The entries that can be imported.
        known: Vec<String>,
    },
    /// An entry that the user names cannot be imported.
    #[error("`{}` cannot be imported: {reason}", printable(entry, 80))]
    UnfitEntry {
        /// The entry.
        entry: String,
        /// Why not.
        reason: external::Unfit,
        /// The entries that can be imported.
        known: Vec<String>,
    },
    /// None of the entries can be imported.
    #[error(
        "nothing of {} in {} can be imported: {}",
        tool.program().label, files(paths), reasons(skipped, 10)
    )]
    NothingFit {
        /// The program.
        tool: Tool,
        /// Its files.
        paths: Vec<PathBuf>,
        /// Its entries, each with the reason.
        skipped: Vec<(String, external::Unfit)>,
    },
    /// The user has to say which login is meant.
    #[error("{} has {} logins: {}", tool.program().label, entries.len(), shown(entries, 20))]
    SeveralLogins {
        /// The program.
        tool: Tool,
        /// The entries of its logins.
        entries: Vec<String>,
    },
    /// Several logins cannot go to one profile.
    #[error("--profile-id is for one login, and these are several")]
    OneProfile,
    /// The profile is another program's own.
    #[error("the profile `{profile_id}` stays the login of {}", tool.program().label)]
    StaysThere {
        /// The profile.
        profile_id: ProfileId,
        /// The program.
        tool: Tool,
    },
    /// The profile holds another kind of credential.
    #[error("the profile `{profile_id}` is of the type {}", kind.name())]
    OtherKind {
        /// The profile.
        profile_id: ProfileId,
        /// What it holds.
        kind: Kind,
    },
    /// The program has changed its file, and what it holds now cannot be imported.
    #[error("{} changed while it was imported", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Why what it holds now cannot be imported.
        source: Box<ImportError>,
    },
    /// The program changed its file each time.
    #[error(
        "{} changed its login again and again while it was imported, and is still signed in",
        tool.program().label
    )]
    KeepsChanging {
        /// The program.
        tool: Tool,
    },
    /// The logins are stored, and the program still has them.
    #[error(
        "the login is stored as `{}`, but {} is still signed in",
        first_five(stored), tool.program().label
    )]
    StillSignedIn {
        /// The program.
        tool: Tool,
        /// The profiles that hold the logins.
        stored: Vec<ProfileId>,
        /// Why it could not be logged out.
        source: ExternalError,
    },
    /// The logins are stored; the order or the configuration is not changed for them.
    #[error("the login is stored, but not recorded")]
    NotRecorded(#[source] Box<AppError>),
    /// All of the entries turned out to be unfit.
    #[error("nothing of {} was imported: {}", tool.program().label, text(*reason))]
    NothingImported {
        /// The program.
        tool: Tool,
        /// Why the first of them is unfit.
        reason: Option<Unfit>,
    },
}

impl<E: Into<AppError>> From<E> for ImportError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The first `most` names of entries.
fn shown(entries: &[String], most: usize) -> String {
    let names = entries.iter().take(most).map(|name| printable(name, 80));
    names.collect::<Vec<_>>().join(", ")
}

/// The first `most` entries, each with the reason.
fn reasons(skipped: &[(String, external::Unfit)], most: usize) -> String {
    let each = skipped.iter().take(most);
    let each = each.map(|(entry, reason)| format!("`{}`: {reason}", printable(entry, 80)));
    each.collect::<Vec<_>>().join("; ")
}

fn files(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ")
}

fn first_five(ids: &[ProfileId]) -> String {
    ids.iter().take(5).map(ToString::to_string).collect::<Vec<_>>().join("`, `")
}

fn text(reason: Option<Unfit>) -> String {
    reason.map_or_else(String::new, |reason| reason.to_string())
}
