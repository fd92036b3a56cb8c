//! Renewals that could not be stored: kept in a file of their own (0600) until a later
//! command can.
//!
//! The server has rotated the refresh token by then, so the only copy of the new one must
//! not be lost. A file names the grant that it renews by the hash of its spent token.

use super::Renewal;
use crate::oauth::{Grant, Members};
use crate::profile::{Identity, Millis};
use crate::secret::Secret;
use crate::system::file;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A renewal that waits to be stored.
#[derive(Debug)]
pub struct Recovery {
    /// The file that it is in.
    pub path: PathBuf,
    /// The hashes of the refresh tokens that it replaces, the first one first: a store that
    /// cannot be read may hold any of them.
    pub grants: Vec<String>,
    /// What the server gave.
    pub renewal: Renewal,
}

impl Recovery {
    /// Whether the refresh token of the grant is spent: the server gave another one.
    pub fn is_spent(&self) -> bool {
        let given = self.renewal.grant.refresh.as_ref();
        given.is_some_and(|given| !self.grants.contains(&given.fingerprint()))
    }
}

/// As it is in the file, which is written from `&str` and read into [`Secret`].
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<T> {
    grant: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    later_grants: Vec<String>,
    access: T,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    refresh: Option<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    id_token: Option<T>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Millis>,
    /// Further fields of the profile.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// An optional member that is left out.
const fn none<T>() -> Option<T> {
    None
}

/// Keeps a renewal of the grant whose refresh token was `posted` in the first directory
/// that can be written; where.
///
/// # Errors
/// None of them can: the last reason.
pub fn save(directories: &[PathBuf], posted: &Secret, renewal: &Renewal) -> io::Result<PathBuf> {
    save_as(directories, &[posted.fingerprint()], renewal)
}

/// Lets the renewals that wait, and gave the refresh token that was `posted`, give what
/// came of it: it is spent now as well. Whether there were any.
///
/// # Errors
/// A file cannot be replaced.
pub fn follow(directories: &[PathBuf], posted: &Secret, renewal: &Renewal) -> io::Result<bool> {
    let waiting = directories.iter().flat_map(|directory| pending(directory));
    let mut followed = false;
    for mut earlier in waiting.filter(|earlier| {
        earlier.renewal.grant.refresh.as_ref().is_some_and(|given| given.matches(posted))
    }) {
        let directory = earlier.path.parent().map(Path::to_path_buf);
        earlier.grants.push(posted.fingerprint());
        if earlier.grants.len() > MOST_GRANTS {
            earlier.grants.remove(1);
        }
        save_as(directory.as_slice(), &earlier.grants, renewal)?;
        followed = true;
    }
    Ok(followed)
}

/// A renewal remembers so many refresh tokens that it replaces.
const MOST_GRANTS: usize = 1_000;

/// The file in which the renewal of a grant waits, when its refresh token is spent.
pub fn find_spent(directories: &[PathBuf], refresh_token: &Secret) -> Option<PathBuf> {
    let grant = refresh_token.fingerprint();
    let mut waiting = directories.iter().flat_map(|directory| pending(directory));
    let found = waiting.find(|waiting| waiting.grants.contains(&grant) && waiting.is_spent());
    found.map(|waiting| waiting.path)
}

fn save_as(directories: &[PathBuf], grants: &[String], renewal: &Renewal) -> io::Result<PathBuf> {
    let (grant, later) = grants.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let given = &renewal.grant;
    let wire = Wire {
        grant: grant.clone(),
        later_grants: later.to_vec(),
        access: given.access.expose(),
        refresh: given.refresh.as_ref().map(Secret::expose),
        id_token: given.id_token.as_ref().map(Secret::expose),
        expires: renewal.expires,
        fields: renewal.fields.iter().cloned().collect(),
    };
    let mut length = Length(0);
    serde_json::to_writer_pretty(&mut length, &wire)?;
    // Of its final size from the start: growing would leave copies behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer_pretty(&mut *contents, &wire)?;
    let name = format!("{}.json", wire.grant.replace(':', "-"));
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for directory in directories {
        let path = directory.join(&name);
        let saved = file::create_private_directory(directory)
            .and_then(|()| file::replace(&path, &contents));
        match saved {
            Ok(()) => return Ok(path),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// How long what is written would be.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0 += text.len();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The renewals that wait in a directory; none when there is no such directory.
pub fn pending(directory: &Path) -> Vec<Recovery> {
    let entries = directory.read_dir().into_iter().flatten().flatten();
    entries.filter_map(|entry| read(&entry.path())).collect()
}

fn read(path: &Path) -> Option<Recovery> {
    path.extension().filter(|extension| *extension == "json")?;
    let (text, _) = file::read(path).ok()??;
    let text = Zeroizing::new(text);
    let wire: Wire<Secret> = serde_json::from_str(&text).ok()?;
    let grant = Grant {
        members: Members::default(),
        access: wire.access,
        refresh: wire.refresh,
        id_token: wire.id_token,
        expires: wire.expires,
    };
    let fields = wire.fields.into_iter().collect();
    let renewal = Renewal { grant, expires: wire.expires, identity: Identity::default(), fields };
    let grants = std::iter::once(wire.grant).chain(wire.later_grants).collect();
    Some(Recovery { path: path.to_owned(), grants, renewal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_kept_renewal_is_private_and_read_back_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let nowhere = root.path().join("file");
        file::replace(&nowhere, b"in the way").unwrap();
        let directories = [nowhere.join("recovery"), root.path().join("recovery")];
        let grant = Grant {
            members: Members::default(),
            access: Secret::new("fake-access"),
            refresh: Some(Secret::new("fake-refresh")),
            id_token: None,
            expires: Some(5),
        };
        let fields = vec![("region".to_owned(), "eu".into())];
        let identity = Identity::default();
        let renewal = Renewal { expires: Some(7), grant, identity, fields: fields.clone() };
        let posted = Secret::new("fake-posted");
        let path = save(&directories, &posted, &renewal).unwrap();
        assert!(path.starts_with(&directories[1]));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let found = pending(&directories[1]);
        assert_eq!(found[0].grants, [posted.fingerprint()]);
        assert_eq!(found[0].renewal.expires, Some(7));
        assert_eq!(found[0].renewal.fields, fields);
        assert_eq!(found[0].renewal.grant.refresh.as_ref().unwrap().expose(), "fake-refresh");
        assert!(pending(&directories[0]).is_empty());
    }
}
