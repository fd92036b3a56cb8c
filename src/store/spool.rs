//! The spool: replies of a token endpoint that could not be stored yet, each in a file of
//! its own (0600) until a later command stores it.
//!
//! The server has rotated the refresh token by then, so the only copy of the new one must
//! not be lost. A file names the grant that it renews by the hash of its spent token.

use super::{IssuedCredential, Location};
use crate::oauth::{Grant, Members};
use crate::profile::{Identity, Millis};
use crate::secret::Secret;
use crate::system::file::{self, SpareFile};
use crate::system::permissions::{Exposure, Kind, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A reply that waits to be stored.
#[derive(Debug)]
pub struct SpooledReply {
    path: PathBuf,
    /// The hashes of the refresh tokens that it replaces, the first one first: a store that
    /// cannot be read may hold any of them.
    pub grants: Vec<String>,
    /// What the server gave.
    pub renewal: IssuedCredential,
}

impl SpooledReply {
    /// Where it is.
    pub fn location(&self) -> Location {
        self.path.clone().into()
    }

    /// Whether the refresh token of the grant is spent: the server gave another one.
    pub fn is_spent(&self) -> bool {
        let given = self.renewal.grant.refresh.as_ref();
        given.is_some_and(|given| !self.grants.contains(&given.fingerprint()))
    }
}

/// What tells that a refresh token must not be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The reply that waits here replaced it.
    Replaced(Location),
    /// The file here may hold what replaced it, and cannot be read.
    Unreadable(Location),
}

impl Spent {
    /// Where that is.
    pub const fn location(&self) -> &Location {
        match self {
            Self::Replaced(location) | Self::Unreadable(location) => location,
        }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issued: Option<Millis>,
    /// Further fields of the profile.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// An optional member that is left out.
const fn none<T>() -> Option<T> {
    None
}

/// A reply remembers so many refresh tokens that it replaces.
const MOST_GRANTS: usize = 1_000;

/// Where replies wait that could not be stored yet.
#[derive(Clone, Debug)]
pub struct Spool {
    /// In the order in which they are tried: in the state directory, in the home directory.
    pub(super) directories: [PathBuf; 2],
    /// The state directory as it was when this was bound to it: device and inode.
    bound_to: Option<(u64, u64)>,
}

impl Spool {
    /// The spool in two directories; the second is for when the first cannot be written.
    pub const fn new(directories: [PathBuf; 2]) -> Self {
        Self { directories, bound_to: None }
    }

    /// The spool, which saves nothing in the state directory any more once another directory
    /// is in its place (a mount that went): what is written there is hidden when it is back.
    #[must_use]
    pub fn bound(self) -> Self {
        Self { bound_to: self.state_dir(), ..self }
    }

    /// The state directory that is there now.
    fn state_dir(&self) -> Option<(u64, u64)> {
        let metadata = self.directories[0].parent()?.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    }

    fn is_state_dir_away(&self) -> bool {
        self.bound_to.is_some() && self.bound_to != self.state_dir()
    }

    /// Where something can be saved now.
    pub(super) fn writable(&self) -> &[PathBuf] {
        &self.directories[usize::from(self.is_state_dir_away())..]
    }

    /// Saves the reply for the refresh token that was `posted`, durably; where.
    ///
    /// # Errors
    /// It cannot be written anywhere: the last reason.
    pub fn save(&self, posted: &Secret, renewal: &IssuedCredential) -> io::Result<Location> {
        save(self.writable(), &[posted.fingerprint()], renewal)
    }

    /// As [`Self::save`], where nothing may be left to open or to sync: at last in the `spare`
    /// file, which may not survive a power loss.
    ///
    /// # Errors
    /// It cannot be written anywhere: the first reason.
    pub fn save_at_last(
        &self,
        posted: &Secret,
        renewal: &IssuedCredential,
        spare: Option<SpareFile>,
    ) -> io::Result<Location> {
        let grants = [posted.fingerprint()];
        save(self.writable(), &grants, renewal).or_else(|error| {
            let Some(spare) = spare.filter(|_| !self.is_state_dir_away()) else {
                return Err(error);
            };
            let [directory, _] = &self.directories;
            let path = directory.join(file_name(&grants[0]));
            let saved = text_of(&grants, renewal).and_then(|text| spare.save(&path, &text));
            saved.map(|()| path.into()).map_err(|_| error)
        })
    }

    /// A file for [`Self::save_at_last`], where one can be had.
    pub fn reserve(&self) -> Option<SpareFile> {
        let [directory, _] = &self.directories;
        SpareFile::beside(directory).ok()
    }

    /// Whether a location is in the state directory, where every process that uses it looks;
    /// else it is in the home directory, and another process may have another.
    pub fn is_in_state_dir(&self, location: &Location) -> bool {
        let [in_state_dir, _] = &self.directories;
        location.path().is_some_and(|path| path.starts_with(in_state_dir))
    }

    /// Replaces the replies that gave the refresh token that was `posted` by `renewal`, for
    /// that token is spent now as well. Whether there were any.
    ///
    /// # Errors
    /// A file cannot be replaced.
    pub fn follow(&self, posted: &Secret, renewal: &IssuedCredential) -> io::Result<bool> {
        let gave = |reply: &SpooledReply| {
            reply.renewal.grant.refresh.as_ref().is_some_and(|given| given.matches(posted))
        };
        let mut followed = false;
        for mut earlier in self.pending().into_iter().filter(gave) {
            let directory = earlier.path.parent().map(Path::to_path_buf);
            earlier.grants.push(posted.fingerprint());
            if earlier.grants.len() > MOST_GRANTS {
                earlier.grants.remove(1);
            }
            save(directory.as_slice(), &earlier.grants, renewal)?;
            followed = true;
        }
        Ok(followed)
    }

    /// What tells that `refresh_token` is spent: a reply that replaced it, or a file that is
    /// named after it, or names it, and cannot be read. `None` when nothing does.
    pub fn find_spent(&self, refresh_token: &Secret) -> Option<Spent> {
        let grant = refresh_token.fingerprint();
        let mut unreadable = None;
        for directory in &self.directories {
            // Its file is looked for by name where the directory cannot be listed.
            let named = directory.join(file_name(&grant));
            let listed = match directory.read_dir() {
                Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
                Err(error) if is_nothing(&error) => continue,
                Err(_) => Vec::new(),
            };
            let is_listed = listed.contains(&named);
            for path in listed.into_iter().chain((!is_listed).then(|| named.clone())) {
                match look(&path) {
                    Look::Reply(waiting) if !waiting.grants.contains(&grant) => {}
                    Look::Reply(waiting) if waiting.is_spent() => {
                        return Some(Spent::Replaced(waiting.location()));
                    }
                    Look::Unreadable(text) if path == named || text.contains(&grant) => {
                        unreadable = Some(Spent::Unreadable(path.into()));
                    }
                    _ => {}
                }
            }
        }
        unreadable
    }

    /// Whether nothing was ever kept, as mostly.
    pub fn is_absent(&self) -> bool {
        self.directories.iter().all(|directory| directory.symlink_metadata().is_err())
    }

    /// The replies that wait, as far as they can be read.
    pub fn pending(&self) -> Vec<SpooledReply> {
        let entries = self.directories.iter().filter_map(|directory| directory.read_dir().ok());
        let looks = entries.flatten().flatten().map(|entry| look(&entry.path()));
        let replies = looks.filter_map(|found| match found {
            Look::Reply(reply) => Some(*reply),
            Look::Unreadable(_) | Look::Nothing => None,
        });
        replies.collect()
    }

    /// Removes the reply at a location that [`Self::save`] or a [`SpooledReply`] gave: it is
    /// stored. Whether it is gone.
    pub fn remove(&self, location: &Location) -> bool {
        location.path().is_some_and(|path| std::fs::remove_file(path).is_ok())
    }

    /// What somebody else could read or change of it. `permissions` is that of the state
    /// directory, which the first directory is in.
    pub fn exposures(&self, permissions: &Permissions) -> Vec<Exposure> {
        let [in_state_dir, in_home] = &self.directories;
        let mut found = permissions.exposures_in(in_state_dir, Kind::Secrets);
        if in_home.exists() {
            found.extend(Permissions::of(in_home).exposures_in(in_home, Kind::Secrets));
        }
        found
    }
}

/// Writes a reply to the first of the directories that can be written.
fn save(
    directories: &[PathBuf],
    grants: &[String],
    renewal: &IssuedCredential,
) -> io::Result<Location> {
    let grant = grants.first().ok_or(io::ErrorKind::InvalidInput)?;
    write_first(directories, &file_name(grant), &text_of(grants, renewal)?)
}

/// Writes a file of that name to the first of the directories that can be written, durably.
pub(super) fn write_first(
    directories: &[PathBuf],
    name: &str,
    contents: &[u8],
) -> io::Result<Location> {
    let mut failure = io::Error::from(io::ErrorKind::NotFound);
    for directory in directories {
        // A state directory that is away for a moment (a mount) is not made anew: what is
        // written there would be hidden once it is back.
        if !directory.parent().is_some_and(Path::is_dir) {
            continue;
        }
        let path = directory.join(name);
        let saved =
            file::create_private_directory(directory).and_then(|()| file::replace(&path, contents));
        match saved {
            Ok(()) => return Ok(path.into()),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// A reply as it is in its file.
fn text_of(grants: &[String], renewal: &IssuedCredential) -> io::Result<Zeroizing<Vec<u8>>> {
    let (grant, later) = grants.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let given = &renewal.grant;
    json(&Wire {
        grant: grant.clone(),
        later_grants: later.to_vec(),
        access: given.access.expose(),
        refresh: given.refresh.as_ref().map(Secret::expose),
        id_token: given.id_token.as_ref().map(Secret::expose),
        expires: renewal.expires,
        issued: renewal.issued,
        fields: renewal.fields.iter().cloned().collect(),
    })
}

/// A value that holds secrets, as JSON.
pub(super) fn json(value: &impl Serialize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = Length(0);
    serde_json::to_writer_pretty(&mut length, value)?;
    // Of its final size from the start: growing would leave copies behind.
    let mut contents = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer_pretty(&mut *contents, value)?;
    Ok(contents)
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

/// The name of the file of a reply: the hash of the first refresh token that it replaces.
fn file_name(grant: &str) -> String {
    format!("{}.json", grant.replace(':', "-"))
}

/// Whether a failure says that there is no such file or directory.
fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// What a file of the spool is.
enum Look {
    /// It is not there, or is no file of a reply.
    Nothing,
    /// A reply.
    Reply(Box<SpooledReply>),
    /// It cannot be read as one; its text, as far as it can be.
    Unreadable(Zeroizing<String>),
}

fn look(path: &Path) -> Look {
    if path.extension().is_none_or(|extension| extension != "json") {
        return Look::Nothing;
    }
    match file::read(path) {
        Ok(None) => Look::Nothing,
        Ok(Some((text, _))) => {
            let text = Zeroizing::new(text);
            // A person's editor may have put a mark in front.
            match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
                Ok(wire) => Look::Reply(Box::new(reply(path, wire))),
                Err(_) => Look::Unreadable(text),
            }
        }
        Err(error) if is_nothing(&error) => Look::Nothing,
        Err(_) => {
            let bytes = file::read_bytes(path).map(Zeroizing::new).unwrap_or_default();
            Look::Unreadable(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
        }
    }
}

fn reply(path: &Path, wire: Wire<Secret>) -> SpooledReply {
    let grant = Grant {
        members: Members::default(),
        access: wire.access,
        refresh: wire.refresh,
        id_token: wire.id_token,
        expires: wire.expires,
    };
    let fields = wire.fields.into_iter().collect();
    let (expires, issued, identity) = (wire.expires, wire.issued, Identity::default());
    let renewal = IssuedCredential { grant, expires, issued, identity, fields };
    let grants = std::iter::once(wire.grant).chain(wire.later_grants).collect();
    SpooledReply { path: path.to_owned(), grants, renewal }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn renewal(refresh: &str) -> IssuedCredential {
        let grant = Grant {
            members: Members::default(),
            access: Secret::new("fake-access"),
            refresh: Some(Secret::new(refresh)),
            id_token: None,
            expires: Some(5),
        };
        let fields = vec![("region".to_owned(), "eu".into())];
        IssuedCredential {
            expires: Some(7),
            issued: Some(4),
            grant,
            identity: Identity::default(),
            fields,
        }
    }

    #[test]
    fn a_kept_renewal_is_private_and_read_back_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let nowhere = root.path().join("file");
        file::replace(&nowhere, b"in the way").unwrap();
        let spool = Spool::new([nowhere.join("recovery"), root.path().join("recovery")]);
        let renewal = renewal("fake-refresh");
        let posted = Secret::new("fake-posted");
        let location = spool.save(&posted, &renewal).unwrap();
        let path = location.path().unwrap();
        assert!(path.starts_with(root.path().join("recovery")));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let found = spool.pending();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].grants, [posted.fingerprint()]);
        assert_eq!(found[0].renewal.expires, Some(7));
        assert_eq!(found[0].renewal.fields, renewal.fields);
        assert_eq!(found[0].renewal.grant.refresh.as_ref().unwrap().expose(), "fake-refresh");
        assert!(spool.remove(&found[0].location()) && spool.pending().is_empty());
        assert!(!spool.is_in_state_dir(&location));
    }

    #[test]
    fn a_directory_that_is_away_is_not_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let [state, home] = ["state", "home"].map(|name| root.path().join(name));
        let spool = Spool::new([state.join("recovery"), home.join("recovery")]);
        let posted = Secret::new("fake-posted");
        assert!(spool.save(&posted, &renewal("fake-refresh")).is_err());
        std::fs::create_dir(&home).unwrap();
        let location = spool.save(&posted, &renewal("fake-refresh")).unwrap();
        assert!(!spool.is_in_state_dir(&location) && !state.exists());
    }
}
