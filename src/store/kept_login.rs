//! Logins whose grant could not be stored, each in a file of the spool (0600) until a later
//! command stores it: the user has signed in by then, and the code is spent.
//!
//! A file has all that storing it needs; nobody posts its refresh token before.

use super::spool::{Spool, json, write_first};
use super::{IssuedCredential, Location};
use crate::oauth::{Grant, Members};
use crate::profile::{AgentId, Identity, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::system::file;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const EXTENSION: &str = "login";

/// A login that waits to be stored.
#[derive(Debug)]
pub struct KeptLogin {
    /// The agent, and its directory, that it is for.
    pub agent: (AgentId, PathBuf),
    /// The provider id, and its name for people.
    pub provider: (ProviderId, String),
    /// The method of the provider, where it has a registration of its own.
    pub method: Option<String>,
    /// The profile id that the user wants.
    pub wanted: Option<ProfileId>,
    /// What the server gave.
    pub renewal: IssuedCredential,
}

/// As it is in the file, which is written from `&str` and read into [`Secret`].
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<T> {
    agent: String,
    agent_dir: PathBuf,
    provider: ProviderId,
    label: String,
    method: Option<String>,
    wanted: Option<ProfileId>,
    email: Option<String>,
    account_id: Option<String>,
    subject: Option<String>,
    access: T,
    refresh: Option<T>,
    id_token: Option<T>,
    expires: Option<Millis>,
    #[serde(default)]
    issued: Option<Millis>,
    fields: Map<String, Value>,
}

impl Spool {
    /// Saves a login, durably; where.
    ///
    /// # Errors
    /// It cannot be written anywhere: the last reason.
    pub fn save_login(&self, login: &KeptLogin) -> io::Result<Location> {
        let KeptLogin { agent, provider, method, wanted, renewal } = login;
        let (grant, identity) = (&renewal.grant, &renewal.identity);
        let text = json(&Wire {
            agent: agent.0.as_str().to_owned(),
            agent_dir: agent.1.clone(),
            provider: provider.0.clone(),
            label: provider.1.clone(),
            method: method.clone(),
            wanted: wanted.clone(),
            email: identity.email.clone(),
            account_id: identity.account_id.clone(),
            subject: identity.subject.clone(),
            access: grant.access.expose(),
            refresh: grant.refresh.as_ref().map(Secret::expose),
            id_token: grant.id_token.as_ref().map(Secret::expose),
            expires: renewal.expires,
            issued: renewal.issued,
            fields: renewal.fields.iter().cloned().collect(),
        })?;
        let name = format!("sha256-{:x}.{EXTENSION}", Sha256::digest(&text));
        write_first(self.writable(), &name, &text)
    }

    /// The logins that wait, each with where it is; `None` in place of one that cannot be read.
    pub fn logins(&self) -> Vec<(Location, Option<KeptLogin>)> {
        let entries = self.directories.iter().filter_map(|directory| directory.read_dir().ok());
        let paths = entries.flatten().flatten().map(|entry| entry.path());
        let logins = paths.filter(|path| path.extension().is_some_and(|it| it == EXTENSION));
        logins.map(|path| (path.as_path().into(), read(&path))).collect()
    }
}

fn read(path: &Path) -> Option<KeptLogin> {
    let text = file::read(path).ok()??.0;
    let text = Zeroizing::new(text);
    let wire: Wire<Secret> = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let Wire { email, account_id, subject, expires, issued, .. } = wire;
    let grant = Grant {
        members: Members::default(),
        access: wire.access,
        refresh: wire.refresh,
        id_token: wire.id_token,
        expires,
    };
    let identity = Identity { email, account_id, subject };
    let fields = wire.fields.into_iter().collect();
    Some(KeptLogin {
        agent: (AgentId::of_directory(&wire.agent), wire.agent_dir),
        provider: (wire.provider, wire.label),
        method: wire.method,
        wanted: wire.wanted,
        renewal: IssuedCredential { grant, expires, issued, identity, fields },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_kept_login_is_private_and_read_back_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::new(["state/recovery", "recovery"].map(|name| root.path().join(name)));
        let grant = Grant {
            members: Members::default(),
            access: Secret::new("fake-access"),
            refresh: Some(Secret::new("fake-refresh")),
            id_token: None,
            expires: Some(5),
        };
        let email = Some("ada@example.test".to_owned());
        let identity = Identity { email, account_id: None, subject: Some("s".to_owned()) };
        let fields = vec![("clientId".to_owned(), "c".into())];
        let login = KeptLogin {
            agent: (AgentId::main(), root.path().join("agent")),
            provider: ("acme".into(), "Acme".to_owned()),
            method: Some("m".to_owned()),
            wanted: Some("acme:work".into()),
            renewal: IssuedCredential {
                grant,
                expires: Some(7),
                issued: Some(4),
                identity: identity.clone(),
                fields,
            },
        };
        let location = spool.save_login(&login).unwrap();
        let path = location.path().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let found = spool.logins();
        assert_eq!(found.len(), 1);
        let (at, Some(kept)) = &found[0] else { panic!("unreadable") };
        assert_eq!((at, &kept.agent, &kept.provider), (&location, &login.agent, &login.provider));
        assert_eq!((&kept.method, &kept.wanted), (&login.method, &login.wanted));
        assert_eq!((&kept.renewal.identity, kept.renewal.expires), (&identity, Some(7)));
        assert_eq!(kept.renewal.issued, Some(4));
        assert_eq!(kept.renewal.fields, login.renewal.fields);
        assert_eq!(kept.renewal.grant.refresh.as_ref().unwrap().expose(), "fake-refresh");
        assert!(spool.pending().is_empty(), "it is no reply to a refresh");
        file::replace(path, b"{").unwrap();
        assert!(matches!(&spool.logins()[..], [(_, None)]));
        assert!(spool.remove(&location) && spool.logins().is_empty());
    }
}
