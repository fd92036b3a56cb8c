//! Logins that were begun and wait to be finished, perhaps by another process: one file
//! each (0600), which holds the secrets that belong to the request.
//!
//! A file goes away when its login is finished or has expired. It is locked while somebody
//! finishes it: a code must not be posted twice.

use super::StoreError;
use crate::oauth::{DeviceAuthorization, DeviceFlow};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::secret::Secret;
use crate::system::file;
use crate::system::lock::{self, Attempt, SidecarLock, StaleRule};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use zeroize::Zeroizing;

/// A login that waits to be finished.
#[derive(Clone, Debug)]
pub struct PendingLogin {
    /// What names it to the user.
    pub id: String,
    /// The provider id.
    pub provider: ProviderId,
    /// The `--method` that it was begun with.
    pub method: Option<String>,
    /// The client that made the request.
    pub client_id: String,
    /// The agent.
    pub agent: AgentId,
    /// The profile id that the user asked for.
    pub profile_id: Option<ProfileId>,
    /// When it can no longer be finished, in milliseconds since the epoch.
    pub expires: Millis,
    /// The authorization request, where a redirect can finish it.
    pub authorization: Option<PendingAuthorization>,
    /// The device authorization, where an approval can finish it.
    pub device: Option<DeviceAuthorization>,
}

/// An authorization request with what proves that it is ours.
#[derive(Clone, Debug)]
pub struct PendingAuthorization {
    /// Where the user signs in.
    pub url: Url,
    /// Where the browser ends.
    pub redirect_uri: Url,
    /// What ties the response to the request.
    pub state: Secret,
    /// The PKCE verifier (RFC 7636).
    pub code_verifier: Secret,
}

/// The file of a login that this process finishes.
#[derive(Debug)]
pub struct PendingLoginLock {
    path: PathBuf,
    _lock: SidecarLock,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    version: u32,
    provider: ProviderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    client_id: String,
    agent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile_id: Option<ProfileId>,
    expires: Millis,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    authorization: Option<WireAuthorization<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    device: Option<WireDevice<'a>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAuthorization<'a> {
    url: Url,
    redirect_uri: Url,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow)]
    code_verifier: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireDevice<'a> {
    flow: DeviceFlow,
    #[serde(borrow)]
    device_code: Cow<'a, str>,
    user_code: String,
    verification_uri: Url,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verification_uri_complete: Option<Url>,
    interval_ms: u64,
    #[serde(default)]
    asked: Millis,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    code_verifier: Option<Cow<'a, str>>,
}

const VERSION: u32 = 1;
/// No file is larger, in bytes: a URL and a few codes.
const LARGEST: usize = 64 * 1024;

impl PendingLogin {
    /// Stores the login in `directory`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<PathBuf, StoreError> {
        let path = directory.join(format!("{}.json", self.id));
        let failed =
            |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
        let authorization = self.authorization.as_ref().map(|authorization| WireAuthorization {
            url: authorization.url.clone(),
            redirect_uri: authorization.redirect_uri.clone(),
            state: authorization.state.expose().into(),
            code_verifier: authorization.code_verifier.expose().into(),
        });
        let device = self.device.as_ref().map(|device| WireDevice {
            flow: device.flow,
            device_code: device.device_code.expose().into(),
            user_code: device.user_code.clone(),
            verification_uri: device.verification_uri.clone(),
            verification_uri_complete: device.verification_uri_complete.clone(),
            interval_ms: u64::try_from(device.interval.as_millis()).unwrap_or(u64::MAX),
            asked: device.asked,
            code_verifier: device.code_verifier.as_ref().map(|verifier| verifier.expose().into()),
        });
        let wire = Wire {
            version: VERSION,
            provider: self.provider.clone(),
            method: self.method.clone(),
            client_id: self.client_id.clone(),
            agent: self.agent.as_str().to_owned(),
            profile_id: self.profile_id.clone(),
            expires: self.expires,
            authorization,
            device,
        };
        // A buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(LARGEST));
        serde_json::to_writer_pretty(&mut *text, &wire).map_err(|error| failed(error.into()))?;
        file::create_private_directory(directory).map_err(failed)?;
        file::replace(&path, &text).map_err(failed)?;
        Ok(path)
    }

    /// The logins of `directory` that can still be finished at `now`, the oldest first. A
    /// file whose time is over is removed.
    ///
    /// # Errors
    /// A file cannot be read, or is none of ours.
    pub fn all(directory: &Path, now: Millis) -> Result<Vec<Self>, StoreError> {
        let entries = match directory.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(StoreError::Read {
                    location: directory.to_owned().into(),
                    source: Arc::new(source),
                });
            }
        };
        let is_login =
            |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        let mut logins = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()).filter(is_login) {
            // One that is finished meanwhile is gone.
            let Some(login) = Self::load(&path, now)? else { continue };
            if login.expires > now {
                logins.push(login);
            } else {
                let _ = std::fs::remove_file(&path);
            }
        }
        logins.sort_by_key(|login| login.expires);
        Ok(logins)
    }

    fn load(path: &Path, now: Millis) -> Result<Option<Self>, StoreError> {
        let read = file::read(path);
        let Some((text, _)) = read.map_err(|source| StoreError::Read {
            location: path.to_owned().into(),
            source: Arc::new(source),
        })?
        else {
            return Ok(None);
        };
        let text = Zeroizing::new(text);
        let invalid = |reason: &str| StoreError::Invalid {
            location: path.to_owned().into(),
            reason: reason.to_owned(),
        };
        // The text of the error can quote a secret.
        let wire: Wire<'_> = serde_json::from_str(&text)
            .map_err(|_| invalid("it is not a login that waits to be finished"))?;
        if wire.version != VERSION {
            return Err(invalid("it is of another version of this program"));
        }
        let left = u64::try_from(wire.expires.saturating_sub(now)).unwrap_or(0);
        let device = wire.device.map(|device| DeviceAuthorization {
            flow: device.flow,
            device_code: Secret::new(device.device_code),
            user_code: device.user_code,
            verification_uri: device.verification_uri,
            verification_uri_complete: device.verification_uri_complete,
            lifetime: Duration::from_millis(left),
            interval: Duration::from_millis(device.interval_ms),
            asked: device.asked,
            code_verifier: device.code_verifier.map(Secret::new),
        });
        let authorization = wire.authorization.map(|authorization| PendingAuthorization {
            url: authorization.url,
            redirect_uri: authorization.redirect_uri,
            state: Secret::new(authorization.state),
            code_verifier: Secret::new(authorization.code_verifier),
        });
        Ok(Some(Self {
            id: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            provider: wire.provider,
            method: wire.method,
            client_id: wire.client_id,
            agent: wire.agent.as_str().into(),
            profile_id: wire.profile_id,
            expires: wire.expires,
            authorization,
            device,
        }))
    }

    /// Takes the login for this process; `None` when somebody else has it, or has finished
    /// it.
    ///
    /// # Errors
    /// The lock cannot be made.
    pub fn lock(
        &self,
        directory: &Path,
        now: Millis,
    ) -> Result<Option<PendingLoginLock>, StoreError> {
        let path = directory.join(format!("{}.json", self.id));
        let failed =
            |source| StoreError::Write { location: path.clone().into(), source: Arc::new(source) };
        let beside = file::with_suffix(&path, ".lock");
        match lock::try_acquire(&beside, StaleRule::ByAge, now).map_err(failed)? {
            Attempt::Acquired(lock) if path.exists() => {
                Ok(Some(PendingLoginLock { path, _lock: lock }))
            }
            _ => Ok(None),
        }
    }
}

impl PendingLoginLock {
    /// The login is finished: nobody can finish it again.
    pub fn finish(&self) {
        // One that stays is refused by the server, and expires.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn login(id: &str, expires: Millis) -> PendingLogin {
        PendingLogin {
            id: id.into(),
            provider: "p".into(),
            method: Some("paste".into()),
            client_id: "fake-client".into(),
            agent: "main".into(),
            profile_id: None,
            expires,
            authorization: Some(PendingAuthorization {
                url: Url::parse("https://as.example.test/authorize").unwrap(),
                redirect_uri: Url::parse("http://localhost:1455/cb").unwrap(),
                state: Secret::new("fake-state"),
                code_verifier: Secret::new("fake-verifier"),
            }),
            device: Some(DeviceAuthorization {
                flow: DeviceFlow::Standard,
                device_code: Secret::new("fake-device-code"),
                user_code: "ABCD-EFGH".into(),
                verification_uri: Url::parse("https://as.example.test/device").unwrap(),
                verification_uri_complete: None,
                lifetime: Duration::from_mins(15),
                interval: Duration::from_secs(5),
                asked: 3_000,
                code_verifier: None,
            }),
        }
    }

    #[test]
    fn a_login_comes_back_as_it_was_and_is_private() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("pending");
        let path = login("a", 10_000).save(&directory).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let all = PendingLogin::all(&directory, 4_000).unwrap();
        let [back] = all.as_slice() else { panic!("{all:?}") };
        let authorization = back.authorization.as_ref().unwrap();
        assert_eq!(authorization.code_verifier.expose(), "fake-verifier");
        let device = back.device.as_ref().unwrap();
        assert_eq!(device.device_code.expose(), "fake-device-code");
        assert_eq!(device.lifetime, Duration::from_secs(6), "what is left of it");
        assert_eq!((device.interval, device.asked), (Duration::from_secs(5), 3_000));
        assert!(PendingLogin::all(&directory, 10_000).unwrap().is_empty());
        assert!(!path.exists(), "what has expired is removed");
    }

    #[test]
    fn a_file_of_another_version_is_refused_and_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = login("a", 10_000).save(root.path()).unwrap();
        let later =
            std::fs::read_to_string(&path).unwrap().replace("\"version\": 1", "\"version\": 2");
        file::replace(&path, later.as_bytes()).unwrap();
        let error = PendingLogin::all(root.path(), 4_000).unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_login_is_finished_by_one_process_once() {
        let root = tempfile::tempdir().unwrap();
        let pending = login("a", 10_000);
        pending.save(root.path()).unwrap();
        let now = crate::system::now();
        let lock = pending.lock(root.path(), now).unwrap().unwrap();
        assert!(pending.lock(root.path(), now).unwrap().is_none());
        drop(lock);
        pending.lock(root.path(), now).unwrap().unwrap().finish();
        assert!(pending.lock(root.path(), now).unwrap().is_none());
    }
}
