//! How much of each subscription is used up, asked of the providers.
//!
//! Invariant: asking changes nothing. An expired token is not refreshed on the way, and
//! nothing is written. What goes wrong with one provider is told in its place; the others
//! are asked at the same time, and all of them within one limit.

use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::pool::{Pool, Ranking};
use crate::profile::{AgentId, Credential, Kind, Millis, ProviderId};
use crate::provider::{
    Catalog, CatalogError, Definition, Provider, Quota, QuotaError, QuotaRequestError, QuotaSource,
};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::system::Clients;
use crate::system::http::HttpError;
use std::time::Duration;
use tokio::task::JoinSet;

/// All answers together may take this long.
pub const LIMIT: Duration = Duration::from_secs(5);

/// What was learnt of all subscriptions.
#[derive(Debug)]
pub struct Quotas {
    /// When they were asked for, in milliseconds since the epoch.
    pub at: Millis,
    /// One entry for each provider that can be asked, in the order of the catalog.
    pub snapshots: Vec<Snapshot>,
}

/// What was learnt of one subscription.
#[derive(Debug)]
pub struct Snapshot {
    /// The id of the provider.
    pub provider: ProviderId,
    /// Its name for people.
    pub name: String,
    /// What it says, or why that is not known.
    pub usage: Result<Quota, Problem>,
}

/// Why the usage is not known.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Somebody else could read or change the secrets, so nothing is asked.
    #[error(transparent)]
    Insecure(AppError),
    /// The provider file is not valid.
    #[error(transparent)]
    Definition(CatalogError),
    /// The login does not fit into a request.
    #[error(transparent)]
    Request(QuotaRequestError),
    /// There is no answer.
    #[error(transparent)]
    Http(HttpError),
    /// The answer does not tell the usage.
    #[error(transparent)]
    Answer(QuotaError),
    /// The token has expired, or the provider does not accept it any more.
    #[error("{}", QuotaError::TokenExpired)]
    Expired(Remedy),
    /// The answer takes too long.
    #[error("no answer within {} s", LIMIT.as_secs())]
    NoAnswer,
}

/// What helps when a token is not accepted.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// What is to be done.
    pub step: Step,
    /// The provider.
    pub provider: ProviderId,
    /// The agent whose store holds the login.
    pub agent_id: AgentId,
}

/// What is to be done with a login whose token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Refresh it; it is due.
    Refresh,
    /// Refresh it although it is not due.
    ForceRefresh,
    /// Sign in again: it cannot be refreshed.
    SignIn,
}

/// A login to ask with.
struct Candidate<'c> {
    provider: ProviderId,
    name: String,
    kind: Kind,
    source: &'c QuotaSource,
    token: Secret,
    account_id: Option<String>,
    /// Why it is not worth asking.
    problem: Option<Problem>,
    /// What helps when the provider does not accept the token.
    remedy: Remedy,
}

/// Asks the providers for the usage of the first login in the order of each that `agent`
/// uses. Without such a login nothing is asked and no client is built.
///
/// # Errors
/// A store, or the directory of the provider files, cannot be read.
pub async fn quotas(app: &App, config: &Config, agent: &AgentDir) -> Result<Quotas, AppError> {
    let at = app.now();
    let pool = Pool::open(app, config, agent)?;
    let stored = pool.providers();
    if stored.is_empty() {
        return Ok(Quotas { at, snapshots: Vec::new() });
    }
    let catalog = app.catalog()?;
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for provider in catalog.iter() {
        let Some(candidate) = candidate(&pool, config, provider, at)? else { continue };
        // Providers that share a report: a login goes before a key.
        match candidates.iter_mut().find(|other| is_one_report(other, &candidate)) {
            Some(other) if other.kind == Kind::ApiKey => *other = candidate,
            Some(_) => {}
            None => candidates.push(candidate),
        }
    }
    let exposures = app.exposures(config, agent);
    if !exposures.is_empty() {
        for candidate in &mut candidates {
            let insecure = AppError::Insecure(exposures.clone());
            candidate.problem = Some(Problem::Insecure(insecure));
        }
    }
    let mut snapshots = ask(app, candidates).await;
    let broken = stored.iter().filter_map(|id| broken(&catalog, id));
    snapshots.extend(broken);
    Ok(Quotas { at, snapshots })
}

/// The login of a provider to ask with; `None` when it has no usage or there is none.
fn candidate<'c>(
    pool: &Pool,
    config: &Config,
    provider: &'c Provider,
    now: Millis,
) -> Result<Option<Candidate<'c>>, StoreError> {
    let definition = &provider.definition;
    if !definition.has_quota() {
        return Ok(None);
    }
    let Some(ranking) = pool.rank(config, &definition.id, now)? else { return Ok(None) };
    Ok(chosen(&ranking, definition, now))
}

fn chosen<'c>(
    ranking: &Ranking<'_>,
    definition: &'c Definition,
    now: Millis,
) -> Option<Candidate<'c>> {
    let source = |credential: &Credential| {
        let source = definition.usage_of(credential.login_method.as_deref())?;
        let is_fit = source.format.takes(credential.kind()) && credential.bearer().is_some();
        is_fit.then_some(source)
    };
    let mut fitting = ranking.ranked().filter_map(|entry| {
        let credential = ranking.credential(entry)?;
        source(&credential).map(|source| (entry, credential, source))
    });
    let first = fitting.next()?;
    // A refused login is the answer only when there is no other.
    let is_refused = ranking.is_refused(first.0);
    let (entry, credential, source) = if is_refused {
        fitting.find(|(entry, ..)| !ranking.is_refused(entry)).unwrap_or(first)
    } else {
        first
    };
    let is_refreshable = credential.refresh_token().is_some() && !ranking.is_refused(entry);
    let is_expired = credential.expires().is_some_and(|at| at <= now);
    let remedy = Remedy {
        step: match (is_refreshable, is_expired) {
            (true, true) => Step::Refresh,
            (true, false) => Step::ForceRefresh,
            (false, _) => Step::SignIn,
        },
        provider: definition.id.clone(),
        agent_id: ranking.owner(entry).agent.id.clone(),
    };
    let registration = definition.registration.as_ref();
    let access = credential.bearer()?;
    let claimed = || registration.and_then(|known| known.identity(access, None, None).account_id);
    Some(Candidate {
        provider: source.id.as_deref().map_or_else(|| definition.id.clone(), ProviderId::from),
        name: source.label.clone().unwrap_or_else(|| definition.label.clone()),
        kind: credential.kind(),
        source,
        token: access.clone(),
        account_id: credential.identity.account_id.clone().or_else(claimed),
        problem: is_expired.then(|| Problem::Expired(remedy.clone())),
        remedy,
    })
}

/// Whether both would be one report.
fn is_one_report(a: &Candidate<'_>, b: &Candidate<'_>) -> bool {
    a.provider.spelling() == b.provider.spelling()
}

/// A stored provider whose file is not valid.
fn broken(catalog: &Catalog, id: &ProviderId) -> Option<Snapshot> {
    let problem = catalog.problem(id)?;
    Some(Snapshot {
        provider: id.clone(),
        name: id.as_str().to_owned(),
        usage: Err(Problem::Definition(problem.clone())),
    })
}

/// Asks all that are worth it at once.
async fn ask(app: &App, candidates: Vec<Candidate<'_>>) -> Vec<Snapshot> {
    let mut snapshots = Vec::new();
    let mut requests = Vec::new();
    for (index, candidate) in candidates.into_iter().enumerate() {
        let Candidate { provider, name, source, token, account_id, problem, remedy, .. } =
            candidate;
        if problem.is_none() {
            let asked = request(app.clients().clone(), source.clone(), token, account_id, remedy);
            requests.push((index, asked));
        }
        let usage = Err(problem.unwrap_or(Problem::NoAnswer));
        snapshots.push(Snapshot { provider, name, usage });
    }
    let mut asked = JoinSet::new();
    for (index, request) in requests {
        asked.spawn(async move { (index, request.await) });
    }
    let all = async {
        while let Some(answer) = asked.join_next().await {
            if let Ok((index, usage)) = answer {
                snapshots[index].usage = usage;
            }
        }
    };
    // Who has not answered by then is told so.
    let _ = app.machine.clock.within(LIMIT, all).await;
    snapshots
}

async fn request(
    clients: Clients,
    source: QuotaSource,
    token: Secret,
    account_id: Option<String>,
    remedy: Remedy,
) -> Result<Quota, Problem> {
    let request = source.request(&token, account_id.as_deref()).map_err(Problem::Request)?;
    let http = clients.to(&source.endpoint).map_err(Problem::Http)?;
    let answer = http.send(request).await.map_err(Problem::Http)?;
    source.read(answer.status(), answer.body()).map_err(|error| match error {
        QuotaError::TokenExpired => Problem::Expired(remedy),
        other => Problem::Answer(other),
    })
}
