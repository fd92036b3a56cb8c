//! Signing out: revoke at the server (RFC 7009), then remove the profile and every
//! mention of it.

use super::Interaction;
use super::refresh::no_client_secret;
use crate::app::App;
use crate::config::{ConfigEdit, remove_profile};
use crate::exit::{ExitStatus, Failure};
use crate::oauth::{self, TokenError};
use crate::profile::Credential;
use crate::secret::Secret;
use crate::store::AgentStore;
use crate::system::block_on;
use crate::system::http::HttpClient;
use crate::text::printable;
use anyhow::Context;
use std::path::PathBuf;

/// What to sign out of.
#[derive(Clone, Debug)]
pub struct Request {
    /// The profile id.
    pub profile_id: String,
    /// The agent; the default one when `None`.
    pub agent: Option<String>,
    /// Remove the profile here without telling the server.
    pub local: bool,
}

/// What a logout did.
#[derive(Debug)]
pub struct Report {
    /// The profile id.
    pub profile_id: String,
    /// The provider as the profile spelled it.
    pub provider: String,
    /// The agent.
    pub agent_id: String,
    /// Whether the server was told.
    pub revocation: Revocation,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}

/// Whether the login still works elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The server has revoked it.
    Revoked,
    /// Nothing was asked of the server, and why.
    Skipped(String),
}

/// Revokes a login and removes its profile.
///
/// # Errors
/// There is no such profile, the server cannot be reached, or the store cannot be written.
pub fn logout(
    app: &App,
    request: &Request,
    interaction: &mut dyn Interaction,
) -> Result<Report, Failure> {
    let config = app.config()?;
    let agent = app.agent(&config, request.agent.as_deref())?;
    let store = app.store(&agent);
    store.check_generation()?;
    let id = &request.profile_id;
    let Some(credential) = store.read()?.document.credential(id) else {
        let shown = printable(id, 200);
        return Err(Failure::message(
            ExitStatus::Failure,
            format!("agent `{}` has no profile `{shown}`", agent.id),
        )
        .hint(format!("openclaw-auth models auth list --agent {}", agent.id)));
    };
    let revocation = if request.local {
        Revocation::Skipped("--local".to_owned())
    } else {
        revoke(app, &store, &credential, interaction)?
    };
    store.update(|document| {
        let removed = document.remove_entry(id);
        Ok((removed, ()))
    })?;
    store.update_state(|state| state.forget(id))?;
    // Another agent may have a profile of this name, which the configuration then means.
    let edit = if named_elsewhere(app, &store, id) {
        ConfigEdit::Unchanged
    } else {
        remove_profile(&app.paths.config, id)?
    };
    Ok(Report {
        profile_id: id.clone(),
        provider: credential.provider,
        agent_id: agent.id,
        revocation,
        config_changed: edit == ConfigEdit::Written,
    })
}

fn revoke(
    app: &App,
    store: &AgentStore,
    credential: &Credential,
    interaction: &mut dyn Interaction,
) -> Result<Revocation, Failure> {
    let (token, hint) = match (credential.refresh_token(), credential.kind()) {
        (Some(token), _) => (token, "refresh_token"),
        (None, crate::profile::Kind::OAuth) => match credential.bearer() {
            Some(token) => (token, "access_token"),
            None => return Ok(Revocation::Skipped("the profile holds no token".to_owned())),
        },
        _ => return Ok(Revocation::Skipped("only OAuth logins are revoked".to_owned())),
    };
    if let Some(path) = shared_with(app, store, token) {
        return Ok(Revocation::Skipped(format!("{} holds the same login", path.display())));
    }
    let catalog = app.catalog()?;
    let registration = catalog
        .find(&credential.provider)
        .and_then(|provider| provider.definition.registration.as_ref());
    let endpoint = registration.and_then(|known| known.endpoints.revocation.as_ref());
    let (Some(registration), Some(endpoint)) = (registration, endpoint) else {
        return Ok(Revocation::Skipped("the provider has no revocation endpoint".to_owned()));
    };
    let client =
        registration.client(&app.environment).map_err(|variable| no_client_secret(&variable))?;
    let http =
        HttpClient::new(endpoint).map_err(|error| Failure::message(ExitStatus::Failure, error))?;
    let revoked = block_on(oauth::revoke(&http, &client, endpoint, token, hint))
        .context("could not start the runtime")?;
    match revoked {
        Ok(()) => Ok(Revocation::Revoked),
        Err(error @ TokenError::Refused { .. }) => {
            interaction.note(&format!("the login could not be revoked: {error}"));
            Ok(Revocation::Skipped("the server refused".to_owned()))
        }
        Err(error) => Err(Failure::message(
            ExitStatus::Unavailable,
            format!("could not revoke the login, so it was kept: {error}"),
        )
        .hint("try again, or remove it here alone with --local")),
    }
}

/// The stores of the other agents.
fn other_stores(app: &App, store: &AgentStore) -> Vec<AgentStore> {
    let agents = app.paths.state_dir.join("agents").read_dir().into_iter().flatten().flatten();
    agents
        .map(|entry| entry.path().join("agent"))
        .filter(|path| path != store.agent_dir() && path.is_dir())
        .map(|path| AgentStore::new(app.paths.state_dir.clone(), path))
        .collect()
}

/// Another document that holds the same token.
fn shared_with(app: &App, store: &AgentStore, token: &Secret) -> Option<PathBuf> {
    let holds = |other: &AgentStore| {
        other.read().is_ok_and(|snapshot| {
            snapshot.document.profiles().any(|profile| {
                let held = [profile.credential.refresh_token(), profile.credential.bearer()];
                held.into_iter().flatten().any(|held| held.matches(token))
            })
        })
    };
    other_stores(app, store).into_iter().find(holds).map(|other| other.profiles_path())
}

fn named_elsewhere(app: &App, store: &AgentStore, id: &str) -> bool {
    other_stores(app, store)
        .iter()
        .any(|other| other.read().is_ok_and(|snapshot| snapshot.document.has_entry(id)))
}
