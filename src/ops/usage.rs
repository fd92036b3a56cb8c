//! How much of each subscription is used up, asked of the providers.
//!
//! Invariant: asking changes nothing. An expired token is not refreshed on the way, and
//! nothing is written. What goes wrong with one provider is told in its place; the others
//! are asked at the same time, and all of them within one limit.

use super::pool::{Pool, Ranking};
use super::{login_command, refresh_command};
use crate::app::App;
use crate::config::{AgentDir, Config};
use crate::exit::{Failure, Hint};
use crate::profile::{Credential, Kind, Millis, ProviderId};
use crate::provider::{Catalog, Definition, Provider, Usage, UsageError, UsageSource};
use crate::secret::Secret;
use crate::system::http::HttpClient;
use crate::system::{block_on, now};
use crate::text::printable;
use anyhow::Context;
use std::time::Duration;
use tokio::task::JoinSet;

/// All answers together may take this long.
pub const LIMIT: Duration = Duration::from_secs(5);

/// What was learnt of all subscriptions.
#[derive(Debug)]
pub struct Usages {
    /// When they were asked for, in milliseconds since the epoch.
    pub at: Millis,
    /// One entry for each provider that can be asked, in the order of the catalog.
    pub snapshots: Vec<Snapshot>,
}

/// What was learnt of one subscription.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The id of the provider.
    pub provider: ProviderId,
    /// Its name for people.
    pub name: String,
    /// What it says, or why that is not known.
    pub usage: Result<Usage, Problem>,
}

/// Why the usage is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What went wrong, on one line.
    pub message: String,
    /// The command that helps.
    pub hint: Option<Hint>,
}

impl Problem {
    fn new(message: impl AsRef<str>) -> Self {
        Self { message: printable(message.as_ref(), 300), hint: None }
    }
}

/// A login to ask with.
struct Candidate<'c> {
    provider: ProviderId,
    name: String,
    kind: Kind,
    source: &'c UsageSource,
    token: Secret,
    account_id: Option<String>,
    /// Why it is not worth asking.
    problem: Option<Problem>,
    /// What helps when the provider does not accept the token.
    remedy: Option<Hint>,
}

/// Asks the providers for the usage of the first login in the order of each that `agent`
/// uses. Without such a login nothing is asked and no client is built.
///
/// # Errors
/// A store, or the directory of the provider files, cannot be read.
pub fn usages(app: &App, config: &Config, agent: &AgentDir) -> Result<Usages, Failure> {
    let at = now();
    let pool = Pool::open(app, config, agent)?;
    let stored = pool.providers();
    if stored.is_empty() {
        return Ok(Usages { at, snapshots: Vec::new() });
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
    if let Err(exposed) = app.require_private(config, agent) {
        let exposed = Failure::from(exposed);
        let problem = Problem { hint: exposed.hint, ..Problem::new(exposed.cause.to_string()) };
        for candidate in &mut candidates {
            candidate.problem = Some(problem.clone());
        }
    }
    let mut snapshots = ask(candidates)?;
    let broken = stored.iter().filter_map(|id| broken(&catalog, id));
    snapshots.extend(broken);
    Ok(Usages { at, snapshots })
}

/// The login of a provider to ask with; `None` when it has no usage or there is none.
fn candidate<'c>(
    pool: &Pool,
    config: &Config,
    provider: &'c Provider,
    now: Millis,
) -> Result<Option<Candidate<'c>>, Failure> {
    let definition = &provider.definition;
    if !definition.tells_usage() {
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
    let owner = &ranking.owner(entry).agent.id;
    let is_refreshable = credential.refresh_token().is_some() && !ranking.is_refused(entry);
    let is_expired = credential.expires().is_some_and(|at| at <= now);
    let remedy = match (is_refreshable, is_expired) {
        (true, true) => refresh_command(&definition.id, owner),
        (true, false) => refresh_command(&definition.id, owner).arg("--force"),
        (false, _) => login_command(&definition.id, owner),
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
        problem: is_expired.then(|| Problem {
            hint: Some(remedy.clone().into()),
            ..Problem::new(UsageError::TokenExpired.to_string())
        }),
        remedy: Some(remedy.into()),
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
        usage: Err(Problem::new(problem.to_string())),
    })
}

/// Asks all that are worth it at once.
fn ask(candidates: Vec<Candidate<'_>>) -> Result<Vec<Snapshot>, Failure> {
    let mut snapshots = Vec::new();
    let mut requests = Vec::new();
    for (index, candidate) in candidates.into_iter().enumerate() {
        let Candidate { provider, name, source, token, account_id, problem, remedy, .. } =
            candidate;
        let usage = Err(problem
            .clone()
            .unwrap_or_else(|| Problem::new(format!("no answer within {} s", LIMIT.as_secs()))));
        snapshots.push(Snapshot { provider, name, usage });
        if problem.is_none() {
            requests.push((index, request(source.clone(), token, account_id, remedy)));
        }
    }
    if requests.is_empty() {
        return Ok(snapshots);
    }
    block_on(async {
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
        let _ = tokio::time::timeout(LIMIT, all).await;
    })
    .context("could not start the runtime")?;
    Ok(snapshots)
}

async fn request(
    source: UsageSource,
    token: Secret,
    account_id: Option<String>,
    remedy: Option<Hint>,
) -> Result<Usage, Problem> {
    let request = source.request(&token, account_id.as_deref()).map_err(Problem::new)?;
    let http =
        HttpClient::new(&source.endpoint).map_err(|error| Problem::new(error.to_string()))?;
    let answer = http.send(request).await.map_err(|error| Problem::new(error.to_string()))?;
    source.read(answer.status(), answer.body()).map_err(|error| Problem {
        hint: remedy.filter(|_| error == UsageError::TokenExpired),
        ..Problem::new(error.to_string())
    })
}
