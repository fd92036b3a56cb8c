//! What `models status` reports: the models in use, and what their providers can be used
//! with, until when.
//!
//! Invariant: it reads and writes nothing but its report, and the report holds no secret.
//! Every profile is looked at once; lookups are by hash.

mod database;
mod expiry;
mod model;
mod provider;
mod view;

pub use database::{OfDatabases, Route};
pub use expiry::{Expiry, Standing, WARN_AFTER};
pub use model::Models;
pub use provider::{Effective, Overview};

use super::agents::UnknownAgent;
use super::quota::{self, Quotas};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::list::{self, Row as Listed};
use crate::ops::pool::Pool;
use crate::profile::{AgentId, Kind, LoginState, Millis, ProfileId, ProviderId, compare};
use crate::provider::{Conventions, auth_provider_id, cools_down};
use crate::store::{Location, Storage, Store};
use crate::system::permissions::Exposure;
use provider::Sources;
use serde_json::{Number, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use view::{Documents, Entry, View};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The configuration, a provider file or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no such agent.
    #[error(transparent)]
    Agent(#[from] UnknownAgent),
}

impl<E: Into<AppError>> From<E> for StatusError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The report.
#[derive(Debug)]
pub struct Status {
    /// When it was made, in milliseconds since the epoch.
    pub at: Millis,
    /// The configuration file.
    pub config_path: PathBuf,
    /// The agent that was asked for.
    pub agent_id: Option<AgentId>,
    /// The directory of its store.
    pub agent_dir: PathBuf,
    /// The document of its profiles.
    pub location: Location,
    /// Where the first login goes, where nothing is stored and an OpenClaw is installed.
    pub first_storage: Option<Storage>,
    /// What somebody else could read or change.
    pub exposures: Vec<Exposure>,
    /// The document of the profiles of `main`.
    pub main_location: Location,
    /// The models in use.
    pub models: Models,
    /// Whether the variables of a login shell are to be used as well.
    pub shell_environment: bool,
    /// What each provider can be used with.
    pub providers: Vec<Overview>,
    /// The providers in use, spelt as they are normalised, that cannot be used with anything.
    pub missing_providers: Vec<ProviderId>,
    /// Those of them whose models somebody has chosen: OpenClaw's default model is in use there
    /// without being set.
    pub lacking: Vec<ProviderId>,
    /// The profiles that are not to be used for a while, the shortest first.
    pub unusable: Vec<Unusable>,
    /// Every profile, sorted by provider and id.
    pub profiles: Vec<Row>,
    /// How the profiles of each provider stand together, with their range in `profiles`.
    pub groups: Vec<Group>,
    /// How many entries of the stores cannot be interpreted.
    pub invalid_entries: usize,
    /// What is reported besides where logins are in databases.
    pub of_databases: Option<OfDatabases>,
}

/// A profile that is not to be used for a while.
#[derive(Clone, Debug)]
pub struct Unusable {
    /// The profile id.
    pub profile_id: ProfileId,
    /// Its provider as it spells it; `None` when there is no such profile.
    pub provider: Option<ProviderId>,
    /// Whether it is disabled rather than cooling down.
    pub is_disabled: bool,
    /// Why it is disabled.
    pub reason: Option<String>,
    /// Why it cools down.
    pub cooldown_reason: Option<String>,
    /// Until when, in milliseconds since the epoch.
    pub until: Millis,
}

/// One profile.
#[derive(Clone, Debug)]
pub struct Row {
    /// The profile id.
    pub id: ProfileId,
    /// The normalised provider id.
    pub provider: ProviderId,
    /// The credential kind.
    pub kind: Kind,
    /// How it stands with its expiry.
    pub standing: Standing,
    /// The id, and who it belongs to.
    pub label: String,
    /// How the login is doing.
    pub state: LoginState,
    /// The fields that hold a reference where OAuth supports none.
    pub unsupported: Vec<&'static str>,
    /// Whether it is a profile of `main` that the agent reads through to.
    pub is_inherited: bool,
}

/// The profiles of one provider together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The normalised provider id.
    pub provider: ProviderId,
    /// Their rows.
    pub rows: std::ops::Range<usize>,
    /// Those that OpenClaw takes, in its order; only where logins are in databases.
    pub effective: Vec<usize>,
    /// Whether one of those can be used.
    pub is_usable: bool,
    /// The status.
    pub expiry: Expiry,
    /// The first expiry.
    pub expires_at: Option<Value>,
    /// The time until then, in milliseconds.
    pub remaining: Option<Number>,
}

fn first_storage(main: &Store) -> Option<Storage> {
    if main.has_document() {
        return None;
    }
    Some(main.storage()).filter(|storage| matches!(storage, Storage::Installed(_)))
}

impl Status {
    /// Whether a user has to do something now.
    pub fn is_over(&self) -> bool {
        let has_unclear = self.of_databases.as_ref().is_some_and(|it| !it.unclear.is_empty());
        has_unclear
            || !self.missing_providers.is_empty()
            || self.logins().any(|row| row.standing.expiry.is_over())
    }

    /// Whether a user has to do something soon.
    pub fn is_expiring(&self) -> bool {
        self.logins().any(|row| row.standing.expiry == Expiry::Expiring)
    }

    fn logins(&self) -> impl Iterator<Item = &Row> {
        self.profiles.iter().filter(|row| row.kind != Kind::ApiKey || !row.unsupported.is_empty())
    }
}

/// The agent whose store is reported: the one that is named, or else `main`.
fn agent(
    app: &App,
    config: &Config,
    main: &AgentDir,
    named: Option<&AgentId>,
) -> Result<AgentDir, UnknownAgent> {
    let Some(id) = named else { return Ok(main.clone()) };
    let mut listed = config.agents().map(|agent| agent.id()).peekable();
    let is_known = if listed.peek().is_none() {
        *id == config.default_agent()
    } else {
        listed.any(|other| other == *id)
    };
    if is_known {
        return Ok(config.agent_dir(&app.paths, id));
    }
    Err(UnknownAgent(id.clone()))
}

/// Reports on the models and logins of an agent, `main` unless one is named.
///
/// # Errors
/// The configuration, a provider file or a store cannot be read, or there is no such
/// agent.
pub fn status(app: &App, named: Option<&AgentId>) -> Result<Status, StatusError> {
    let at = app.now();
    let config = app.config()?;
    let named = app.named_agent(named);
    // Where the environment has moved it to.
    let main = app.paths.main_without_config();
    let agent = agent(app, &config, &main, named)?;
    let documents = Documents::read(app, &main, &agent)?;
    let store = app.store(&agent);
    let in_database = store.is_in_database() || documents.is_fresh() && store.will_be_in_database();
    let conventions = Conventions::of(app.environment.has_bundled_plugins());
    let conventions = conventions.in_databases(in_database);
    let view = View::of(&documents, (app, &config), at);
    let models = Models::of(&config, &conventions, named.map(|_| &agent.id));
    let catalog = app.catalog()?;
    let variables = config.variables(&app.environment, &app.paths);
    let sources = Sources {
        config: &config,
        profiles: config.auth_profiles(),
        catalog: &catalog,
        conventions: &conventions,
        variables: &variables,
        in_database,
        now: at,
    };
    let in_models: Vec<ProviderId> = models.providers(&conventions, true).into_iter().collect();
    let providers = sources.overviews(&view, &in_models);
    let backends = config.models().command_line_backends().map(ProviderId::from);
    let backends: Vec<ProviderId> = backends.collect();
    let is_missing = |id: &ProviderId| {
        !providers.iter().any(|overview| overview.provider == *id)
            && !conventions.has_own_authentication(id)
            && !conventions.is_command_line_backend(id)
            && !backends.contains(id)
    };
    let in_use = models.providers(&conventions, false).into_iter();
    let mut missing: Vec<ProviderId> = in_use.filter(is_missing).collect();
    missing.sort_by(|a, b| compare(a.as_str(), b.as_str()));
    let chosen = missing.iter().filter(|id| models.is_chosen(&conventions, id));
    let lacking = chosen.cloned().collect();
    let profiles = rows(&view, &sources);
    let mut groups = groups(&profiles, at);
    let of_databases = if in_database {
        let pool = Pool::open(app, &config, &agent)?;
        database::rank(&pool, &config, (&profiles, &mut groups), at)?;
        let of = (&config, &agent.id, &conventions);
        Some(OfDatabases::of(of, &models, &providers, &groups))
    } else {
        None
    };
    if let Some(of_databases) = &of_databases {
        missing.clone_from(&of_databases.missing);
    }
    Ok(Status {
        at,
        config_path: app.paths.config.clone(),
        first_storage: first_storage(&app.store(&main)),
        location: if in_database { store.openclaw_location() } else { store.location() },
        exposures: app.exposures(&config, &agent),
        main_location: app.store(&main).location(),
        agent_id: named.map(|_| agent.id),
        agent_dir: agent.path,
        models,
        shell_environment: app.environment.is_on("OPENCLAW_LOAD_SHELL_ENV")
            || config.loads_shell_environment(),
        unusable: unusable(&view, at),
        groups,
        invalid_entries: view.invalid_entries,
        providers,
        lacking,
        missing_providers: missing,
        of_databases,
        profiles,
    })
}

/// The logins of other programs that stand in for a provider of which no profile is reported.
pub fn stand_ins(app: &App, status: &Status) -> Vec<Listed> {
    let is_missing = |provider: &ProviderId| {
        let id = auth_provider_id(provider);
        !status.profiles.iter().any(|row| auth_provider_id(&row.provider) == id)
    };
    list::stand_ins(app, &app.config().unwrap_or_default(), is_missing, status.at).0
}

/// The variable that takes the key of a provider, when it cannot be signed in to.
pub fn key_variable(app: &App, provider: &ProviderId) -> Option<String> {
    let catalog = app.catalog().ok()?;
    let definition = &catalog.find(provider)?.definition;
    if definition.has_login() {
        return None;
    }
    definition.env.first().cloned()
}

/// How much of the subscriptions is used up whose logins are reported. Asks their
/// providers.
///
/// # Errors
/// The configuration, a store or the directory of the provider files cannot be read, or
/// there is no such agent.
pub async fn quotas(app: &App, named: Option<&AgentId>) -> Result<Quotas, StatusError> {
    let config = app.config()?;
    let main = app.paths.main_without_config();
    let agent = agent(app, &config, &main, app.named_agent(named))?;
    Ok(quota::quotas(app, &config, &agent).await?)
}

fn rows(view: &View<'_>, sources: &Sources<'_>) -> Vec<Row> {
    let mut rows: Vec<Row> = view.entries.iter().map(|entry| row(entry, sources)).collect();
    rows.sort_by(|a, b| {
        let providers = || {
            compare(a.provider.as_str(), b.provider.as_str())
                .then_with(|| a.provider.cmp(&b.provider))
        };
        let is_same = a.provider == b.provider;
        if is_same { compare(a.id.as_str(), b.id.as_str()) } else { providers() }
    });
    rows
}

fn row(entry: &Entry<'_>, sources: &Sources<'_>) -> Row {
    let Entry { id, inspection, state, is_inherited, .. } = entry;
    let profile_id = ProfileId::from(*id);
    let kind = inspection.facts.kind;
    let oauth_configured = sources.config.auth_mode(&profile_id) == Some(Kind::OAuth);
    let mut unsupported = inspection.oauth_references.clone();
    if unsupported.is_empty() && oauth_configured && inspection.reference.is_some() {
        unsupported.push(if kind == Kind::ApiKey { "keyRef" } else { "tokenRef" });
    }
    Row {
        provider: sources.shown_id(&inspection.provider),
        kind,
        standing: Standing::of(entry, oauth_configured, sources.in_database, sources.now),
        label: match sources.person(entry) {
            Some(name) => format!("{id} ({name})"),
            None => (*id).to_owned(),
        },
        state: state.clone(),
        unsupported,
        is_inherited: *is_inherited,
        id: profile_id,
    }
}

/// The groups of rows of one provider; the rows are sorted by provider.
fn groups(rows: &[Row], now: Millis) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut start = 0;
    for chunk in rows.chunk_by(|a, b| a.provider == b.provider) {
        let standings = chunk.iter().map(|row| (row.kind, &row.standing));
        let (expiry, expires_at, remaining) = expiry::together(standings, now);
        let rows = start..start + chunk.len();
        start = rows.end;
        let provider = chunk[0].provider.clone();
        let effective = Vec::new();
        let is_usable = false;
        groups.push(Group { provider, rows, effective, is_usable, expiry, expires_at, remaining });
    }
    groups
}

fn unusable(view: &View<'_>, now: Millis) -> Vec<Unusable> {
    let usages = view.usages.iter();
    let mut usages =
        usages.filter_map(|(id, it)| Some((id, it, it.unusable_until(now)?))).peekable();
    if usages.peek().is_none() {
        return Vec::new();
    }
    let entries = view.entries.iter();
    let by_id: HashMap<&str, &ProviderId> =
        entries.map(|entry| (entry.id, &entry.inspection.provider)).collect();
    let mut unusable: Vec<Unusable> = usages
        .filter_map(|(id, usage, until)| {
            let provider = by_id.get(id).copied();
            provider.is_none_or(cools_down).then(|| Unusable {
                profile_id: (*id).into(),
                provider: provider.map(|provider| provider.spelling().trim().into()),
                is_disabled: usage.is_disabled(now),
                reason: usage.disabled_reason.clone(),
                cooldown_reason: usage.cooldown_reason.clone(),
                until,
            })
        })
        .collect();
    unusable.sort_by_key(|profile| profile.until);
    unusable
}
