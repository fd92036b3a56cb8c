//! A login as another program keeps it.

use super::Unfit;
use super::json::{Malformed, secret};
use crate::profile::{Credential, CredentialKind, Identity, Millis, ProviderId};
use crate::secret::Secret;
use crate::system::custody::Exposure;
use std::path::PathBuf;

/// What a program keeps.
#[derive(Debug, Default)]
pub struct Contents {
    /// The logins, in the order of its files.
    pub logins: Vec<Login>,
    /// Entries that are no logins for us, each with the reason.
    pub skipped: Vec<(String, Unfit)>,
    /// What others can read or change.
    pub exposures: Vec<Exposure>,
}

/// What one file holds.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The logins.
    pub logins: Vec<Login>,
    /// Entries that are no logins for us, each with the reason.
    pub skipped: Vec<(String, Unfit)>,
}

/// One login.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its name in the file.
    pub entry: String,
    /// The file.
    pub path: PathBuf,
    /// The credential, its provider normalised.
    pub credential: Credential,
    /// What the profile is called when nothing tells whose login it is.
    pub name: Option<String>,
    /// Further fields that the provider's requests need, by their names in our store.
    pub fields: Vec<(&'static str, String)>,
}

impl Login {
    /// A login in the entry `entry`, of `provider`.
    pub(super) fn new(entry: &str, provider: &ProviderId, kind: CredentialKind) -> Self {
        Self {
            entry: entry.to_owned(),
            path: PathBuf::new(),
            credential: Credential {
                provider: provider.clone().normalized(),
                identity: Identity::default(),
                display_name: None,
                client_id: None,
                login_method: None,
                kind,
            },
            name: None,
            fields: Vec::new(),
        }
    }

    /// Whether both hold the same tokens or key.
    pub fn holds_same(&self, other: &Self) -> bool {
        same(self.credential.bearer(), other.credential.bearer())
            && same(self.credential.refresh_token(), other.credential.refresh_token())
    }

    /// Whether two owners of it would log each other out: a refresh spends it.
    pub fn is_exclusive(&self) -> bool {
        self.credential.refresh_token().is_some()
    }
}

/// Whether both are the same secret, or both are none.
fn same(a: Option<&Secret>, b: Option<&Secret>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.matches(b),
        (None, None) => true,
        _ => false,
    }
}

/// The tokens of an OAuth grant; `None` when there is no access token, so that nobody is
/// signed in.
pub(super) fn grant(
    access: Option<Secret>,
    refresh: Option<Secret>,
    id_token: Option<Secret>,
    expires: Option<Millis>,
) -> Result<Option<CredentialKind>, Malformed> {
    let (access, refresh, id_token) = (secret(access)?, secret(refresh)?, secret(id_token)?);
    Ok(access.map(|access| CredentialKind::OAuth {
        access: Some(access),
        refresh,
        id_token,
        expires,
        issued: None,
    }))
}

impl Parsed {
    /// One login, or none.
    pub(super) fn of(login: Option<Login>) -> Self {
        Self { logins: login.into_iter().collect(), skipped: Vec::new() }
    }
}
