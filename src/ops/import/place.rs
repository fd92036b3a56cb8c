//! Which profile a login goes to.

use super::known::{Known, Profile};
use crate::external::{Login, Tool};
use crate::oauth::{Grant, Members};
use crate::profile::{
    AgentId, CredentialKind, Kind, Millis, ProfileId, ProviderId, choose_profile_id,
};
use crate::provider::auth_provider_id;
use crate::secret::Secret;
use crate::store::{
    IssuedCredential, Pasted, Provenance, StateDocument, login_entry, pasted_entry,
};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Where a login goes.
#[derive(Debug)]
pub(super) struct Placed {
    /// The profile.
    pub(super) profile_id: ProfileId,
    /// The agent that has it, when that is another one.
    pub(super) agent_id: Option<AgentId>,
    /// The profile of another account whose id it would have had.
    pub(super) taken_id: Option<ProfileId>,
    /// What to do.
    pub(super) placement: Placement,
}

/// What becomes of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// It is stored in the profile.
    Stored {
        /// Whether there is no such profile yet.
        is_new: bool,
    },
    /// The profile holds it already, or what became of it.
    Held,
    /// The server has refused it.
    Refused,
}

/// Finds the profile of a login, and notes that it is going to be there.
pub(super) fn place(
    login: &Login,
    tool: Tool,
    wanted: Option<&ProfileId>,
    known: &mut Known,
    others: &HashMap<String, (AgentId, ProfileId)>,
    state: &StateDocument,
) -> Placed {
    let credential = &login.credential;
    let held = |id: &ProfileId, agent_id: Option<AgentId>| Placed {
        profile_id: id.clone(),
        agent_id,
        taken_id: None,
        placement: Placement::Held,
    };
    let refresh = credential.refresh_token().map(Secret::fingerprint);
    let secret = refresh.clone().or_else(|| credential.bearer().map(Secret::fingerprint));
    let program = tool.program();
    if let Some(secret) = &secret {
        // One that was imported before, and refreshed here since, is spent.
        let own = known.holding(secret).or_else(|| known.imported(&program.name, secret));
        if let Some(own) = own.filter(|own| is_same_provider(&own.provider, &credential.provider)) {
            return held(&own.id, None);
        }
        if let Some((agent, id)) = others.get(secret) {
            return held(id, Some(agent.clone()));
        }
    }
    let provider = &credential.provider;
    let name =
        login.name.as_deref().map(|name| ProfileId::from(format!("{}:{name}", provider.as_str())));
    let (profile_id, taken_id) = if credential.kind() == Kind::OAuth {
        // A login that tells whose it is needs no other name.
        let name = name.filter(|_| credential.identity.is_unknown());
        let wanted = wanted.or(name.as_ref());
        let grants = known.grants(provider);
        choose_profile_id(provider, None, &credential.identity, wanted, grants, |id| known.has(id))
    } else {
        let before = known.of_entry(&program.name, &login.entry, credential.kind());
        let before = before.filter(|before| before.provider == *provider);
        match (wanted, before) {
            (Some(wanted), _) => (wanted.clone(), None),
            (None, Some(before)) => (before.id.clone(), None),
            (None, None) => free_id(
                name.unwrap_or_else(|| format!("{}:default", provider.as_str()).into()),
                known,
            ),
        }
    };
    if let Some(token) = credential.refresh_token()
        && state.refusal(profile_id.as_str(), token).is_some()
    {
        return Placed {
            profile_id,
            agent_id: None,
            taken_id: None,
            placement: Placement::Refused,
        };
    }
    let is_new = !known.has(&profile_id);
    let provenance = Some(provenance(login, tool, 0));
    let kind = credential.kind();
    let profile = Profile { id: profile_id.clone(), provider: provider.clone(), kind, provenance };
    known.add(profile, secret, credential.identity.clone());
    Placed { profile_id, agent_id: None, taken_id, placement: Placement::Stored { is_new } }
}

/// `natural`, or the first id after it that is free, with the one that is not.
fn free_id(natural: ProfileId, known: &Known) -> (ProfileId, Option<ProfileId>) {
    if !known.has(&natural) {
        return (natural, None);
    }
    let mut number = 2_u64;
    let numbered = |number| ProfileId::from(format!("{}-{number}", natural.as_str()));
    while known.has(&numbered(number)) {
        number += 1;
    }
    (numbered(number), Some(natural))
}

fn provenance(login: &Login, tool: Tool, at: Millis) -> Provenance {
    Provenance {
        tool: tool.program().name.clone(),
        entry: login.entry.clone(),
        grant: login.credential.refresh_token().map(Secret::fingerprint),
        at,
    }
}

/// The entry of a login: a new one, or `present` with its other fields as they are.
///
/// # Errors
/// `present` is not an object.
pub(super) fn entry(
    login: &Login,
    tool: Tool,
    present: Option<&str>,
    at: Millis,
) -> serde_json::Result<Box<RawValue>> {
    let credential = &login.credential;
    let provider = &credential.provider;
    let entry = match &credential.kind {
        CredentialKind::OAuth { access, refresh, id_token, expires, .. } => {
            let access = access.clone().unwrap_or_else(|| Secret::new(""));
            let (refresh, id_token, expires) = (refresh.clone(), id_token.clone(), *expires);
            let members = Members::default();
            let grant = Grant { access, refresh, id_token, expires, members };
            let identity = credential.identity.clone();
            let fields = Vec::new();
            let renewal = IssuedCredential { grant, expires, issued: None, identity, fields };
            login_entry(present, provider, &renewal)?
        }
        CredentialKind::Token { token, expires, .. } => {
            let token = token.clone().unwrap_or_else(|| Secret::new(""));
            let expires = expires.and_then(Result::ok);
            pasted_entry(present, provider, &Pasted::Token(token, expires))?
        }
        CredentialKind::ApiKey { key, .. } => {
            let key = key.clone().unwrap_or_else(|| Secret::new(""));
            pasted_entry(present, provider, &Pasted::Key(key))?
        }
    };
    provenance(login, tool, at).record(entry.get(), &login.fields)
}

/// Whether both ids are of one provider.
fn is_same_provider(a: &ProviderId, b: &ProviderId) -> bool {
    a == b || auth_provider_id(a) == auth_provider_id(b)
}
