//! Listing the profiles of an agent with their health.

use super::managed::Managed;
use super::pool::Pool;
use super::reference::problem_of;
use crate::app::App;
use crate::exit::Failure;
use crate::external::Tool;
use crate::profile::{Credential, Health, Kind, Millis, health, normalize_provider_id};
use crate::provider::cools_down;
use crate::store::{Provenance, is_refused};
use crate::system::custody::Exposure;
use crate::system::now;
use std::collections::HashSet;
use std::path::PathBuf;

/// The profiles of an agent.
#[derive(Debug)]
pub struct Listing {
    /// The agent.
    pub agent_id: String,
    /// Its store.
    pub store_path: PathBuf,
    /// The profiles in document order, the inherited ones last.
    pub rows: Vec<Row>,
    /// How many entries of the store cannot be interpreted.
    pub invalid_entries: usize,
    /// What somebody else could read or change.
    pub exposures: Vec<Exposure>,
    /// Logins of other programs that would be listed and cannot be read.
    pub problems: Vec<String>,
    /// When the listing was made, in milliseconds since the epoch.
    pub at: Millis,
}

/// One profile. It holds no secret.
#[derive(Debug)]
pub struct Row {
    /// The profile id.
    pub id: String,
    /// The provider as the profile spells it.
    pub provider: String,
    /// The credential kind.
    pub kind: Kind,
    /// The name for people: display name, else e-mail, else the id.
    pub label: String,
    /// The e-mail.
    pub email: Option<String>,
    /// The account id.
    pub account_id: Option<String>,
    /// When the credential expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// What can be said of it.
    pub health: Health,
    /// Why the profile cannot be used, where its health does not say it.
    pub problem: Option<String>,
    /// The server's error code, when it has refused the refresh token.
    pub refusal: Option<String>,
    /// Until when the profile should not be used, in milliseconds since the epoch.
    pub unusable_until: Option<Millis>,
    /// The agent whose profile this is, when it is not the agent's own.
    pub inherited_from: Option<String>,
    /// The program that it was imported from.
    pub imported_from: Option<String>,
    /// The program whose own login it is: only that one refreshes it.
    pub managed_by: Option<Tool>,
}

/// Lists the profiles that an agent can use: its own, and those of `main` for providers
/// that it has no profile of.
///
/// # Errors
/// The configuration or a store cannot be read, or there is no such agent.
pub fn list(app: &App, agent: Option<&str>, provider: Option<&str>) -> Result<Listing, Failure> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let wanted = provider.map(|provider| app.provider_id(provider)).transpose()?;
    let store = app.store(&agent);
    let mut listing = Listing {
        agent_id: agent.id.clone(),
        store_path: store.profiles_path(),
        rows: Vec::new(),
        invalid_entries: 0,
        exposures: app.exposures(&config, &agent),
        problems: Vec::new(),
        at: now(),
    };
    let mut own_providers = HashSet::new();
    let fallback = app.fallback_agent(&config, &agent);
    let managed = Managed::standing_in(&config, &Pool::open(app, &config, &agent)?);
    for (owner, inherited) in [(Some(agent), false), (fallback, true)] {
        let Some(owner) = owner else { continue };
        let store = app.store(&owner);
        let snapshot = store.read()?;
        if snapshot.fingerprint.is_none() {
            // Nothing is there because it has moved on.
            store.check_generation()?;
        }
        let state = store.read_state(&snapshot.document)?;
        if !inherited {
            listing.invalid_entries = snapshot.document.entry_count();
        }
        for profile in snapshot.document.profiles() {
            let credential = profile.credential;
            let of = normalize_provider_id(&credential.provider);
            if inherited && own_providers.contains(&of) {
                continue;
            }
            if !inherited {
                listing.invalid_entries -= 1;
                own_providers.insert(of.clone());
            }
            if wanted.as_ref().is_some_and(|wanted| *wanted != of) {
                continue;
            }
            let refused = is_refused(&state, profile.id, &credential);
            let refusal =
                credential.refresh_token().and_then(|token| state.refusal(profile.id, token));
            let problem = problem_of(&config, &snapshot.document, profile.id, &credential);
            let names = [&credential.display_name, &credential.identity.email];
            let label = names.into_iter().flatten().next().map_or(profile.id, String::as_str);
            listing.rows.push(Row {
                id: profile.id.to_owned(),
                kind: credential.kind(),
                label: label.to_owned(),
                expires: credential.expires(),
                health: match &problem {
                    Some(_) => Health::Missing,
                    None => health(&credential, refused, listing.at),
                },
                problem,
                refusal,
                unusable_until: state
                    .usage(profile.id)
                    .unusable_until(listing.at)
                    .filter(|_| cools_down(&of)),
                inherited_from: inherited.then(|| owner.id.clone()),
                imported_from: snapshot
                    .document
                    .entry(profile.id)
                    .and_then(Provenance::of)
                    .map(|provenance| provenance.tool),
                managed_by: Tool::managing_stored(profile.id),
                provider: credential.provider,
                email: credential.identity.email,
                account_id: credential.identity.account_id,
            });
        }
    }
    for managed in managed {
        let of = normalize_provider_id(managed.provider());
        if wanted.as_ref().is_none_or(|wanted| *wanted == of) {
            add_managed(app, &managed, &mut listing);
        }
    }
    Ok(listing)
}

/// Adds a profile that stays another program's own, as that one has it now.
fn add_managed(app: &App, managed: &Managed, listing: &mut Listing) {
    let credential = match managed.read(app) {
        Ok(Some(credential)) => credential,
        Ok(None) => return,
        Err(error) => return listing.problems.push(format!("{:#}", anyhow::Error::new(error))),
    };
    let Credential { identity, .. } = &credential;
    listing.rows.push(Row {
        id: managed.id.to_owned(),
        provider: managed.provider().to_owned(),
        kind: credential.kind(),
        label: identity.email.clone().unwrap_or_else(|| managed.id.to_owned()),
        email: identity.email.clone(),
        account_id: identity.account_id.clone(),
        expires: credential.expires(),
        health: health(&credential, false, listing.at),
        problem: None,
        refusal: None,
        unusable_until: None,
        inherited_from: None,
        imported_from: None,
        managed_by: Some(managed.tool),
    });
}
