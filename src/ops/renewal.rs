//! What keeps the logins of a provider from being renewed: its file, or that nobody issues them.
//!
//! Invariant: `check` and `doctor` ask here, so that they cannot differ. No program is started.

use super::issuer::program_of;
use crate::app::App;
use crate::profile::{ProfileId, ProviderId};
use crate::provider::{Catalog, CatalogError, InsecureProgram};
use std::path::PathBuf;

/// Why the logins of a provider cannot be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewalProblem {
    /// No provider file can be read.
    #[error(transparent)]
    Files(CatalogError),
    /// Its file is not valid.
    #[error("{error}")]
    File {
        /// The provider.
        provider: ProviderId,
        /// What is wrong.
        error: CatalogError,
    },
    /// The program that serves it is not to be trusted.
    #[error("{error}")]
    Distrusted {
        /// The provider.
        provider: ProviderId,
        /// Why.
        error: InsecureProgram,
    },
    /// Nothing is known of it.
    #[error("nothing can refresh `{profile_id}`: {provider} is not known")]
    UnknownProvider {
        /// A profile of it.
        profile_id: ProfileId,
        /// The provider.
        provider: ProviderId,
        /// Where provider files are.
        directory: PathBuf,
    },
}

impl RenewalProblem {
    /// The provider; `None` where it is every one that a file describes.
    pub fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Files(_) => None,
            Self::File { provider, .. }
            | Self::Distrusted { provider, .. }
            | Self::UnknownProvider { provider, .. } => Some(provider),
        }
    }
}

/// The provider files that cannot be used.
pub(crate) fn of_files(catalog: &Catalog) -> impl Iterator<Item = RenewalProblem> {
    catalog.problems().map(|(provider, error)| RenewalProblem::File {
        provider: provider.clone(),
        error: error.clone(),
    })
}

/// Why the login `profile_id` of `provider` cannot be renewed, where that is not a file's fault.
pub(crate) fn of_login(
    app: &App,
    catalog: &Catalog,
    (profile_id, provider): (&ProfileId, &ProviderId),
) -> Option<RenewalProblem> {
    // Its names alone: reading the row of a provider takes time.
    if catalog.names_of(provider).is_some() || catalog.problem(provider).is_some() {
        return None;
    }
    match program_of(app, catalog, provider) {
        Ok(Some(_)) => None,
        Ok(None) => Some(RenewalProblem::UnknownProvider {
            profile_id: profile_id.clone(),
            provider: provider.clone(),
            directory: app.paths.providers(),
        }),
        Err(error) => Some(RenewalProblem::Distrusted { provider: provider.clone(), error }),
    }
}
