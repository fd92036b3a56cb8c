//! A login as another program keeps it.

use super::Unfit;
use super::time::{NoTime, Time};
use crate::oauth::Claims;
use crate::profile::{Credential, CredentialKind, Identity, Millis, ProviderId};
use crate::secret::Secret;
use crate::system::permissions::Exposure;
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
    /// Whether the program uses another login of the file instead of this one.
    pub is_spare: bool,
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
            is_spare: false,
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

/// The tokens of an OAuth grant; `None` when there is none, so that nobody is signed in. One
/// whose access token is missing has to be refreshed, and so has one whose expiry is no time,
/// unless the token itself tells it.
pub(super) fn grant(
    access: Option<Secret>,
    refresh: Option<Secret>,
    id_token: Option<Secret>,
    expires: Option<Time>,
) -> Option<CredentialKind> {
    let Some(access) = access else {
        let access = Some(Secret::new(""));
        return refresh.is_some().then_some(CredentialKind::OAuth {
            access,
            refresh,
            id_token,
            expires: Some(PASSED),
            issued: None,
        });
    };
    let expires = expires.map(|time| time.unwrap_or_else(|NoTime| claimed_expiry(&access)));
    Some(CredentialKind::OAuth { access: Some(access), refresh, id_token, expires, issued: None })
}

/// A time that has passed.
const PASSED: Millis = 1;

fn claimed_expiry(token: &Secret) -> Millis {
    Claims::of(token.expose()).as_ref().and_then(Claims::expires).unwrap_or(PASSED)
}

impl Parsed {
    /// Notes an entry that is no login for us.
    pub(super) fn skip(&mut self, entry: &str, reason: Unfit) {
        self.skipped.push((entry.to_owned(), reason));
    }

    /// One login, or none.
    pub(super) fn of(login: Option<Login>) -> Self {
        Self { logins: login.into_iter().collect(), skipped: Vec::new() }
    }
}
