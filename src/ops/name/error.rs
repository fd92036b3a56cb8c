//! Why a name does not lead to one profile or provider.

use crate::app::AppError;
use crate::profile::{ProfileId, ProviderId};
use crate::text::printable;

/// A profile that a name can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
}

/// Why a name does not lead to one profile or provider.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// A provider file cannot be used.
    #[error(transparent)]
    App(AppError),
    /// It means several profiles.
    #[error("`{}` can mean several profiles: {}", printable(name, 80), ids(candidates))]
    Ambiguous {
        /// The name.
        name: String,
        /// The profiles.
        candidates: Vec<Candidate>,
    },
    /// It means a provider, of which there is no profile.
    #[error("nothing is signed in to `{}`", printable(name, 80))]
    NoLogin {
        /// The name.
        name: String,
    },
    /// Nothing has this name.
    #[error("there is no account, profile or provider `{}`", printable(name, 80))]
    Unknown {
        /// The name.
        name: String,
        /// What is there and looks like it.
        similar: Vec<String>,
    },
}

impl<E: Into<AppError>> From<E> for NameError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

fn ids(candidates: &[Candidate]) -> String {
    const MOST: usize = 10;
    let shown: Vec<_> =
        candidates.iter().take(MOST).map(|it| format!("`{}`", it.profile_id)).collect();
    let more = if candidates.len() > MOST { " and others" } else { "" };
    shown.join(", ") + more
}
