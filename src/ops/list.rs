//! Listing the profiles of an agent with their health.

use super::login_state::{Judge, Judged, of_held};
use super::managed::Managed;
use super::stale_order::{Known, StaleOrder};
use super::stored_as::is_stored_as;
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::external::Tool;
use crate::profile::{
    AgentId, Credential, Health, Kind, LoginState, Millis, ProfileId, ProviderId, UsageStats,
    health,
};
use crate::provider::{auth_provider_id, cools_down};
use crate::store::{Document, Inspection, Location, StateDocument, Store};
use crate::system::permissions::Exposure;
use crate::text::chain;
use serde::Serialize;
use std::collections::HashSet;
use std::path::PathBuf;

/// The profiles of an agent.
#[derive(Debug)]
pub struct Listing {
    /// The agent.
    pub agent_id: AgentId,
    /// Its store.
    pub location: Location,
    /// What OpenClaw's listing names as well, where the profiles are in its databases.
    pub database: Option<Database>,
    /// The profiles in document order, the inherited ones last.
    pub rows: Vec<Row>,
    /// How many entries of the store cannot be interpreted.
    pub invalid_entries: usize,
    /// What somebody else could read or change.
    pub exposures: Vec<Exposure>,
    /// Logins of other programs that would be listed and cannot be read.
    pub problems: Vec<String>,
    /// Orders that name profiles which are not there.
    pub stale_orders: Vec<StaleOrder>,
    /// When the listing was made, in milliseconds since the epoch.
    pub at: Millis,
}

/// The places of an agent whose profiles are in databases.
#[derive(Debug)]
pub struct Database {
    /// The directory of the agent.
    pub agent_dir: PathBuf,
    /// The database that OpenClaw names as that of order and usage.
    pub state_location: Location,
}

/// One profile, as reports show it. It holds no secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The profile id.
    pub id: ProfileId,
    /// The provider as the profile spells it.
    pub provider: ProviderId,
    /// The credential kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The name for people: display name, else e-mail, else the id.
    pub label: String,
    /// The e-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name of the account.
    #[serde(skip)]
    pub display_name: Option<String>,
    /// The account id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// When the credential expires, in milliseconds since the epoch.
    #[serde(rename = "expiresAt", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Millis>,
    /// How it is doing.
    #[serde(skip)]
    pub state: LoginState,
    /// When the server last gave a token for it, in milliseconds since the epoch, where that is
    /// known.
    #[serde(skip)]
    pub proven_at: Option<Millis>,
    /// When it ends by itself because it cannot be renewed, in milliseconds since the epoch.
    #[serde(skip)]
    pub ends: Option<Millis>,
    /// Whether a refresh renews it.
    #[serde(skip)]
    pub is_renewable: bool,
    /// What can be said of its credential alone.
    pub health: Health,
    /// Why the profile cannot be used, where its health does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The server's error code, when it has refused the refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Until when the profile should not be used, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable_until: Option<Millis>,
    /// How its uses went, where it is in a database.
    #[serde(skip)]
    pub usage: Option<UsageStats>,
    /// The agent whose profile this is, when it is not the agent's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_from: Option<AgentId>,
    /// The program that it was imported from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
    /// The program whose own login it is: only that one refreshes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<Tool>,
    /// Whether it is an entry of a store.
    #[serde(skip)]
    pub is_stored: bool,
}

/// Lists the profiles that an agent can use: its own, and those of `main` for providers
/// that it has no profile of; in databases, for ids that it has no profile of.
///
/// # Errors
/// The configuration or a store cannot be read, or there is no such agent.
pub fn list(
    app: &App,
    agent: Option<&AgentId>,
    provider: Option<&ProviderId>,
) -> Result<Listing, AppError> {
    let config = app.config()?;
    let agent = app.agent(&config, agent)?;
    let wanted = provider.map(|provider| app.provider_id(provider)).transpose()?;
    list_of(app, &config, agent, wanted.as_ref(), app.now())
}

/// As [`list`], of that agent at `now`; `wanted` is a normalised id.
pub(super) fn list_of(
    app: &App,
    config: &Config,
    agent: AgentDir,
    wanted: Option<&ProviderId>,
    now: Millis,
) -> Result<Listing, AppError> {
    let mut listing = Listing {
        agent_id: agent.id.clone(),
        location: app.store(&agent).location(),
        rows: Vec::new(),
        invalid_entries: 0,
        database: None,
        exposures: app.exposures(config, &agent),
        problems: Vec::new(),
        stale_orders: Vec::new(),
        at: now,
    };
    let [mut own_providers, mut others] = [HashSet::new(), HashSet::new()];
    let store = app.store(&agent);
    let is_merged = store.is_in_database();
    let mut own_ids = HashSet::new();
    let state_location = store.state_location();
    let owners = read(app, config, &agent)?;
    let is_fresh = || owners.iter().all(|owner| owner.document.is_new());
    if is_merged || is_fresh() && store.will_be_in_database() {
        let (agent_dir, state_location) = (agent.path, store.openclaw_location());
        listing.database = Some(Database { agent_dir, state_location });
    }
    listing.stale_orders = stale_orders(app, config, &owners, &state_location);
    listing.stale_orders.retain(|order| wanted.is_none_or(|it| *it == order.provider));
    let merged = (&owners[0].state, &owners[owners.len() - 1].state);
    for (owner, inherited) in owners.iter().zip([false, true]) {
        let Owner { agent: owner, store: owner_store, document, state } = owner;
        let (own, all) = if is_merged { merged } else { (state, state) };
        let judge = Judge::new((app, config), owner_store, (document, state), listing.at);
        let judge = judge.with_usage(own, all);
        for (id, found) in document.inspections() {
            let Some(found) = found else {
                listing.invalid_entries += usize::from(!inherited);
                continue;
            };
            let of = &found.provider;
            let is_hidden = if is_merged {
                !inherited && !own_ids.insert(id.to_owned()) || inherited && own_ids.contains(id)
            } else {
                inherited && own_providers.contains(of)
            };
            if is_hidden {
                continue;
            }
            let seen = if inherited { &mut others } else { &mut own_providers };
            if !seen.contains(of) {
                seen.insert(of.clone());
            }
            if wanted.is_some_and(|wanted| !is_stored_as(&store, of, wanted, found.facts.kind)) {
                continue;
            }
            listing.rows.push(Row {
                unusable_until: own
                    .usage_before(all, id)
                    .unusable_until(listing.at)
                    .filter(|_| cools_down(of)),
                usage: is_merged.then(|| own.usage_before(all, id)),
                inherited_from: inherited.then(|| owner.id.clone()),
                ..row(&judge, id.into(), found, listing.at)
            });
        }
    }
    let is_missing = |provider: &ProviderId| {
        let id = auth_provider_id(provider);
        !own_providers.iter().chain(&others).any(|it| auth_provider_id(it) == id)
    };
    let (rows, problems) = stand_ins(app, config, is_missing, listing.at);
    let is_wanted = |row: &Row| wanted.is_none_or(|wanted| *wanted == row.provider);
    listing.rows.extend(rows.into_iter().filter(is_wanted));
    listing.problems = problems;
    Ok(listing)
}

/// The documents of a store with the agent that it is of.
struct Owner {
    agent: AgentDir,
    store: Store,
    document: Document,
    state: StateDocument,
}

/// Reads the store of an agent, then that of the one whose profiles it uses as well.
fn read(app: &App, config: &Config, agent: &AgentDir) -> Result<Vec<Owner>, AppError> {
    let owners = app.readable(config, agent).into_iter().map(|(agent, store)| {
        let (document, state) = store.read()?.into_documents()?;
        Ok(Owner { agent, store, document, state })
    });
    owners.collect()
}

/// The stale orders that are the agent's own, and those of the configuration that keep every
/// profile of a provider away from it.
fn stale_orders(
    app: &App,
    config: &Config,
    owners: &[Owner],
    state_location: &Location,
) -> Vec<StaleOrder> {
    let documents: Vec<&Document> = owners.iter().map(|owner| &owner.document).collect();
    let states: Vec<&StateDocument> = owners.iter().map(|owner| &owner.state).collect();
    let known = Known { config, documents: &documents };
    let own = owners.first().map(|own| known.stored(&own.state, state_location));
    let configured = known.configured(&app.paths.config, &states).into_iter();
    let configured = configured.filter(|order| !order.hidden.is_empty());
    own.into_iter().flatten().chain(configured).collect()
}

/// What an entry says of its profile.
fn row(judge: &Judge<'_>, id: ProfileId, found: Inspection, now: Millis) -> Row {
    let Judged { state, problem, refusal, ends } = judge.judge(&id, &found);
    let label = found.display_name.as_deref().or(found.email.as_deref()).unwrap_or(id.as_str());
    Row {
        state,
        proven_at: found.issued,
        ends,
        is_renewable: found.facts.has_refresh,
        kind: found.facts.kind,
        label: label.to_owned(),
        email: found.email,
        display_name: found.display_name,
        account_id: found.account_id,
        expires: found.facts.expiry(),
        health: match &problem {
            Some(_) => Health::Missing,
            None => health(&found.facts, refusal.is_some(), now),
        },
        problem,
        refusal: refusal.map(|refusal| refusal.code),
        unusable_until: None,
        usage: None,
        inherited_from: None,
        imported_from: found.provenance.map(|provenance| provenance.tool),
        managed_by: Tool::managing_stored(&id),
        is_stored: true,
        provider: found.provider,
        id,
    }
}

/// The logins of other programs that stand in for a provider that `is_missing`, as those
/// programs have them now; and why others cannot be read.
pub fn stand_ins(
    app: &App,
    config: &Config,
    is_missing: impl Fn(&ProviderId) -> bool,
    now: Millis,
) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for managed in Managed::standing_in_where(config, is_missing) {
        match managed.read(app) {
            Ok(Some(credential)) => rows.push(of_managed(&managed, &credential, now)),
            Ok(None) => {}
            Err(error) => problems.push(chain(&error)),
        }
    }
    (rows, problems)
}

fn of_managed(managed: &Managed, credential: &Credential, now: Millis) -> Row {
    let identity = &credential.identity;
    Row {
        state: of_held(credential, managed.tool, now),
        proven_at: None,
        ends: None,
        is_renewable: false,
        id: managed.id.clone(),
        provider: managed.provider(),
        kind: credential.kind(),
        label: identity.email.clone().unwrap_or_else(|| managed.id.as_str().to_owned()),
        email: identity.email.clone(),
        display_name: None,
        account_id: identity.account_id.clone(),
        expires: credential.expires(),
        health: health(&credential.facts(), false, now),
        problem: None,
        refusal: None,
        unusable_until: None,
        usage: None,
        inherited_from: None,
        imported_from: None,
        managed_by: Some(managed.tool),
        is_stored: false,
    }
}
