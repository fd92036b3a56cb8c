//! What servers refused, in `usageStats` of the state document: which grant, and which
//! access token a caller reported as rejected, each by its hash.
//!
//! OpenClaw keeps fields there that it does not know, and a new credential has another
//! hash, so nothing has to be taken back after a login.

use super::usage::insert;
use super::{Document, StateDocument};
use crate::profile::{Credential, Kind, Millis, Refusal};
use crate::secret::Secret;
use crate::store::json_text::RawObject;
use serde::{Deserialize, Serialize};

const REFUSED_GRANT: &str = "refusedGrant";
const REJECTED_ACCESS: &str = "rejectedAccess";

/// A grant that the server has refused.
#[derive(Debug, Deserialize, Serialize)]
struct RefusedGrant {
    /// The hash of its refresh token.
    hash: String,
    /// The server's error code.
    reason: String,
    /// When, in milliseconds since the epoch.
    at: Millis,
}

/// An access token that a caller has reported as rejected.
#[derive(Debug, Deserialize, Serialize)]
struct RejectedAccess {
    /// The hash of the access token.
    hash: String,
    /// When, in milliseconds since the epoch.
    at: Millis,
}

impl StateDocument {
    /// Why the server refused this refresh token of a profile, if it did: the error code.
    pub fn refusal(&self, profile_id: &str, refresh_token: &Secret) -> Option<String> {
        let refused: RefusedGrant = field(self.entry(profile_id)?, REFUSED_GRANT)?;
        (refused.hash == refresh_token.fingerprint()).then_some(refused.reason)
    }

    /// As [`Self::refusal`], of the refresh token that the profile has in `profiles`, with the
    /// time. It is looked at where something is remembered of it alone.
    pub fn refused_when(&self, profiles: &Document, profile_id: &str) -> Option<Refusal> {
        let entry = self.entry(profile_id).filter(|entry| entry.contains(REFUSED_GRANT))?;
        let RefusedGrant { hash, reason: code, at } = field(entry, REFUSED_GRANT)?;
        let credential = profiles.credential(profile_id)?;
        let is_it = credential.refresh_token().is_some_and(|token| hash == token.fingerprint());
        is_it.then_some(Refusal { code, at: Some(at).filter(|at| *at > 0) })
    }

    /// When the access token that the profile has in `profiles` was seen rejected, if it was.
    pub fn rejected_when(&self, profiles: &Document, profile_id: &str) -> Option<Millis> {
        let entry = self.entry(profile_id).filter(|entry| entry.contains(REJECTED_ACCESS))?;
        let RejectedAccess { at, .. } = field(entry, REJECTED_ACCESS)?;
        self.rejects(profiles, profile_id).then_some(at)
    }

    /// As [`Self::refusal`], whichever profile it was refused to.
    pub fn refusal_by_any(&self, refresh_token: &Secret) -> Option<String> {
        let mut suspects = self.entries().filter(|(_, entry)| entry.contains(REFUSED_GRANT));
        suspects.find_map(|(id, _)| self.refusal(id, refresh_token))
    }

    /// As [`Self::refusal`], of the refresh token that the profile has in `profiles`. It is
    /// looked at where something is remembered of it alone.
    pub fn refusal_of(&self, profiles: &Document, profile_id: &str) -> Option<String> {
        self.entry(profile_id).filter(|entry| entry.contains(REFUSED_GRANT))?;
        let credential = profiles.credential(profile_id)?;
        self.refusal(profile_id, credential.refresh_token()?)
    }

    /// Whether the access token that the profile has in `profiles` was seen rejected. It is
    /// looked at where something is remembered of it alone.
    pub fn rejects(&self, profiles: &Document, profile_id: &str) -> bool {
        self.entry(profile_id).is_some_and(|entry| entry.contains(REJECTED_ACCESS))
            && profiles.credential(profile_id).is_some_and(|it| is_rejected(self, profile_id, &it))
    }

    /// Remembers that the server refused this refresh token of a profile.
    pub fn set_refused(&mut self, profile_id: &str, token: &Secret, reason: &str, now: Millis) {
        let hash = token.fingerprint();
        let refused = RefusedGrant { hash, reason: reason.to_owned(), at: now };
        self.change_entry(profile_id, |entry| insert(entry, REFUSED_GRANT, &refused));
    }

    /// Remembers that a caller saw this access token of a profile rejected.
    pub fn set_rejected(&mut self, profile_id: &str, access_token: &Secret, now: Millis) {
        let rejected = RejectedAccess { hash: access_token.fingerprint(), at: now };
        self.change_entry(profile_id, |entry| insert(entry, REJECTED_ACCESS, &rejected));
    }

    /// Forgets that an access token of a profile was rejected.
    pub fn clear_rejected(&mut self, profile_id: &str) {
        if self.entry(profile_id).is_some() {
            self.change_entry(profile_id, |entry| {
                entry.shift_remove(REJECTED_ACCESS);
            });
        }
    }
}

#[cfg(feature = "sqlite")]
impl StateDocument {
    /// Takes all of it out, by profile.
    pub(in crate::store) fn take_refusals(&mut self) -> indexmap::IndexMap<String, RawObject> {
        let is_ours =
            |entry: &str| [REFUSED_GRANT, REJECTED_ACCESS].iter().any(|it| entry.contains(it));
        let ids: Vec<String> =
            self.entries().filter(|(_, it)| is_ours(it)).map(|(id, _)| id.to_owned()).collect();
        let mut taken = indexmap::IndexMap::new();
        for id in ids {
            let mut ours = RawObject::new();
            self.change_entry(&id, |entry| {
                for name in [REFUSED_GRANT, REJECTED_ACCESS] {
                    if let Some(value) = entry.shift_remove(name) {
                        ours.insert(name.to_owned(), value);
                    }
                }
            });
            if self.entry(&id) == Some("{}") {
                self.drop_entry(&id);
            }
            if !ours.is_empty() {
                taken.insert(id, ours);
            }
        }
        taken
    }
}

/// Whether the server has refused the refresh token that the credential holds.
pub fn is_refused(state: &StateDocument, profile_id: &str, credential: &Credential) -> bool {
    credential.refresh_token().is_some_and(|token| state.refusal(profile_id, token).is_some())
}

/// Whether a caller saw the access token rejected that the grant holds.
pub fn is_rejected(state: &StateDocument, profile_id: &str, credential: &Credential) -> bool {
    let is_grant = credential.kind() == Kind::OAuth;
    let Some(entry) = state.entry(profile_id).filter(|_| is_grant) else { return false };
    let Some(rejected) = field::<RejectedAccess>(entry, REJECTED_ACCESS) else { return false };
    credential.bearer().is_some_and(|token| rejected.hash == token.fingerprint())
}

/// A field of an entry, where it is what it should be.
fn field<T: for<'de> Deserialize<'de>>(entry: &str, field: &str) -> Option<T> {
    let entry: RawObject = serde_json::from_str(entry).ok()?;
    serde_json::from_str(entry.get(field)?.get()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_remembered_for_that_grant_only() {
        let text = r#"{"usageStats":{"p:1":{"lastUsed":5,"cooldownUntil":9,"odd":1}}}"#;
        let mut state = StateDocument::parse(text).unwrap();
        let token = Secret::new("fake-refresh");
        state.set_refused("p:1", &token, "invalid_grant", 7);
        assert_eq!(state.refusal("p:1", &token).as_deref(), Some("invalid_grant"));
        assert!(state.refusal("p:1", &Secret::new("fake-other")).is_none());
        assert!(state.refusal("p:2", &token).is_none());
        let text = state.to_text().unwrap();
        assert!(!text.contains("fake-refresh"));
        assert!(text.contains("\"odd\": 1,") && text.contains("\"lastUsed\": 5"));
        assert_eq!(state.usage("p:1").cooldown_until, Some(9));
    }
}
