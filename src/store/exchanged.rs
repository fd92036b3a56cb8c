//! Tokens that were given for stored ones, until they expire: one file each (0600), named
//! by the hash of the stored token. They can be had again at any time.

use crate::oauth::ExchangedToken;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::file;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use url::Url;
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
    endpoint: String,
    token: Secret,
    expires_at: Millis,
    #[serde(default)]
    updated_at: Option<Millis>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'w> {
    endpoint: &'w str,
    token: &'w str,
    expires_at: Millis,
    updated_at: Millis,
}

fn path_of(directory: &Path, stored: &Secret) -> PathBuf {
    directory.join(format!("{}.json", stored.fingerprint().replace(':', "-")))
}

fn read(path: &Path) -> Option<Held> {
    let (text, _) = file::read(path).ok()??;
    serde_json::from_str(&Zeroizing::new(text)).ok()
}

/// What `endpoint` gave for `stored`, whether or not it has expired.
pub fn find(directory: &Path, endpoint: &Url, stored: &Secret) -> Option<ExchangedToken> {
    let held = read(&path_of(directory, stored))?;
    let Held { endpoint: given_by, token, expires_at: expires, updated_at: issued } = held;
    (given_by == endpoint.as_str()).then_some(ExchangedToken { token, expires, issued })
}

/// Keeps what `endpoint` gave for `stored`, and forgets what has expired.
///
/// # Errors
/// The directory cannot be written.
pub fn save(
    directory: &Path,
    endpoint: &Url,
    stored: &Secret,
    given: &ExchangedToken,
    now: Millis,
) -> io::Result<()> {
    file::create_private_directory(directory)?;
    for entry in directory.read_dir()?.flatten() {
        if read(&entry.path()).is_some_and(|held| held.expires_at <= now) {
            file::remove(&entry.path())?;
        }
    }
    let token = given.token.expose();
    let wire =
        Wire { endpoint: endpoint.as_str(), token, expires_at: given.expires, updated_at: now };
    let text = Zeroizing::new(serde_json::to_vec(&wire)?);
    file::replace(&path_of(directory, stored), &text)
}

/// Forgets what was given for `stored`; whether there was something.
pub fn remove(directory: &Path, stored: &Secret) -> bool {
    // One that stays expires by itself.
    std::fs::remove_file(path_of(directory, stored)).is_ok()
}
