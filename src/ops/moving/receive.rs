//! Taking a login that was moved here.

use super::document::{self, Carried};
use super::error::MoveError;
use super::settle::held;
use crate::app::App;
use crate::ops::record::{Commit, Recorded, Wait, check_profile_id, record};
use crate::profile::{AgentId, Credential, Kind, ProfileId, ProviderId, SameAccount};
use crate::secret::Secret;
use crate::store::{Document, Location, Store};
use serde_json::value::RawValue;
use std::io::Read;

/// Where a login goes that was moved here.
#[derive(Clone, Debug)]
pub struct ReceiveRequest {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The profile id, in place of the one that it had.
    pub profile_id: Option<ProfileId>,
}

/// A login that was taken. It holds no secret.
#[derive(Debug)]
pub struct Received {
    /// The profile id.
    pub profile_id: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The kind.
    pub kind: Kind,
    /// The agent.
    pub agent_id: AgentId,
    /// The document.
    pub location: Location,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Stores the login in `input`.
///
/// # Errors
/// It holds none, or the store cannot be written. Nothing has changed then.
pub fn receive(
    app: &App,
    request: &ReceiveRequest,
    input: &mut dyn Read,
) -> Result<Received, MoveError> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_ref())?;
    app.require_private(&config, &agent)?;
    let store = app.store(&agent);
    store.check_generation()?;
    store.check_writable()?;
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = input.take(document::LARGEST).read_to_string(&mut text);
    read.map_err(|_| MoveError::NoLogin)?;
    let Carried { profile_id, entry, credential } =
        document::read(&text).ok_or(MoveError::NoLogin)?;
    let id = request.profile_id.clone().unwrap_or(profile_id);
    check_profile_id(&id)?;
    check_newest(&store, &id, &credential)?;
    let config_changed = self::store(app, &store, (&id, &entry, &credential))?;
    // It is ours again, where it was moved away from here.
    if let Some(grant) = held(&credential) {
        app.moves().forget(grant).map_err(MoveError::NotNoted)?;
    }
    let (provider, kind) = (credential.provider.clone(), credential.kind());
    let location = store.location();
    Ok(Received { profile_id: id, provider, kind, agent_id: agent.id, location, config_changed })
}

/// Fails where this store knows that the grant is over: it was here before, and was replaced or
/// refused since.
fn check_newest(store: &Store, id: &ProfileId, credential: &Credential) -> Result<(), MoveError> {
    let Some(grant) = credential.refresh_token() else { return Ok(()) };
    let refused = store.read()?.state()?.refusal_by_any(grant);
    if refused.is_none() && !store.is_replaced(grant) && !store.has_noted_refusal(grant) {
        return Ok(());
    }
    let reason = "its refresh token was replaced or refused since it was moved".to_owned();
    Err(MoveError::Over { profile_id: id.clone(), reason })
}

/// Stores the entry of a login, unless another account has its id; whether the configuration
/// was changed.
pub(super) fn store(
    app: &App,
    store: &Store,
    (id, entry, credential): (&ProfileId, &Secret, &Credential),
) -> Result<bool, MoveError> {
    let snapshot = store.read()?;
    let state = snapshot.state()?;
    let is_over = |present: &Credential| {
        let refused = present.refresh_token().map(|token| state.refusal_by_any(token));
        refused.is_none_or(|code| code.is_some())
    };
    let commit = |document: &mut Document| {
        let present = document.credential(id.as_str());
        let may_replace = |present: Credential| {
            is_same_grant(&present, credential)
                || is_same_account(&present, credential) && is_over(&present)
        };
        let is_free = !document.has_entry(id.as_str()) || present.is_some_and(may_replace);
        if is_free {
            let raw: Box<RawValue> = serde_json::from_str(entry.expose())?;
            document.set_entry(id.as_str(), raw);
        }
        let provider = credential.provider.clone();
        let recorded =
            Recorded { id: id.clone(), provider, kind: credential.kind(), goes_first: true };
        let profiles = if is_free { vec![recorded] } else { Vec::new() };
        Ok(Commit { is_changed: is_free, profiles, result: is_free })
    };
    let (is_stored, config_changed) = record(app, store, Wait::Usual, commit).map_err(|error| {
        error.into_error(|profile_id, source| MoveError::NotRecorded { profile_id, source })
    })?;
    if is_stored {
        return Ok(config_changed);
    }
    Err(MoveError::Taken { profile_id: id.clone(), location: store.location() })
}

fn is_same_grant(present: &Credential, new: &Credential) -> bool {
    present.provider == new.provider
        && held(present).zip(held(new)).is_some_and(|(a, b)| a.matches(b))
}

/// Whether both are of one account: then the new one may take the place of one that is over.
fn is_same_account(present: &Credential, new: &Credential) -> bool {
    present.provider == new.provider
        && present.identity.same_account(&new.identity) == SameAccount::Yes
}
