//! Does a person have to act? What is known of the logins answers, and nothing is sent.
//!
//! Invariant: it says what every listing says of a login; on top of that it counts how soon a
//! login ends that cannot be renewed, and how long ago the server last confirmed one that can.

use super::list::{Row, list_of};
use super::name::{Meant, meant_by};
use super::pool::Pool;
use super::renewal::{self, RenewalProblem};
use super::stale_order::StaleOrder;
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::profile::{AgentId, Millis, NeedsPerson, ProviderId};
use crate::provider::auth_provider_id;
use crate::store::Location;

/// Which logins are checked, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// Every agent's logins rather than those that one agent uses.
    pub all_agents: bool,
    /// Only what this name can mean; of one agent.
    pub name: Option<String>,
    /// A login that ends within this span needs a person, in milliseconds.
    pub within: Millis,
    /// A login that was confirmed longer ago cannot be told, in milliseconds.
    pub max_age: Option<Millis>,
}

/// What is known of the logins.
#[derive(Debug)]
pub struct Report {
    /// When it was looked, in milliseconds since the epoch.
    pub at: Millis,
    /// The logins, in the order of the stores.
    pub logins: Vec<Login>,
    /// What else keeps logins from being used, by agent.
    pub problems: Vec<(AgentId, Problem)>,
    /// What is left out, for people.
    pub warnings: Vec<String>,
}

/// What keeps logins from being used, whichever they are.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A store cannot be used.
    #[error(transparent)]
    Store(AppError),
    /// Logins of a provider cannot be renewed.
    #[error(transparent)]
    Renewal(RenewalProblem),
    /// An order keeps every profile of a provider away.
    #[error("{0}")]
    StaleOrder(StaleOrder),
    /// Entries of a store may be logins, and cannot be interpreted.
    #[error("{count} of the entries in {location} cannot be interpreted")]
    Uninterpretable {
        /// How many.
        count: usize,
        /// The store.
        location: Location,
    },
}

impl Problem {
    /// Whether a store, the configuration or a provider file cannot be used: its error says more.
    pub const fn is_of_file(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Renewal(problem) => !matches!(problem, RenewalProblem::UnknownProvider { .. }),
            Self::StaleOrder(_) | Self::Uninterpretable { .. } => false,
        }
    }

    /// Whether a person has to act.
    pub const fn needs_person(&self) -> NeedsPerson {
        match self {
            Self::Store(_) | Self::Renewal(_) | Self::StaleOrder(_) => NeedsPerson::Yes,
            Self::Uninterpretable { .. } => NeedsPerson::CannotTell,
        }
    }
}

/// One login.
#[derive(Debug)]
pub struct Login {
    /// The agent that was asked about.
    pub agent_id: AgentId,
    /// The login as it is listed.
    pub row: Row,
    /// Whether a person has to act.
    pub needs_person: NeedsPerson,
    /// Whether it was confirmed too long ago.
    pub is_too_old: bool,
}

/// Looks at the logins at `now`, in milliseconds since the epoch.
///
/// # Errors
/// The configuration cannot be read, or there is no such agent. What is wrong with a store is in
/// the report.
pub fn check(app: &App, request: &Request, now: Millis) -> Result<Report, AppError> {
    let config = app.config()?;
    let agents = if request.all_agents {
        app.agents_with_directories(&config)
    } else {
        vec![app.agent(&config, request.agent.as_ref())?]
    };
    let mut report =
        Report { at: now, logins: Vec::new(), problems: Vec::new(), warnings: Vec::new() };
    for agent in agents {
        let id = agent.id.clone();
        if let Err(error) = report.add(app, &config, agent, request) {
            report.problems.push((id, Problem::Store(error)));
        }
    }
    report.add_renewal(app, &config);
    if let Some(name) = &request.name {
        report.retain(app, &config, request.agent.as_ref(), name)?;
    }
    Ok(report)
}

impl Report {
    fn add(
        &mut self,
        app: &App,
        config: &Config,
        agent: AgentDir,
        request: &Request,
    ) -> Result<(), AppError> {
        app.require_private(config, &agent)?;
        let listing = list_of(app, config, agent, None, self.at)?;
        let agent_id = listing.agent_id.clone();
        if listing.invalid_entries > 0 {
            let (count, location) = (listing.invalid_entries, listing.location);
            self.problems.push((agent_id.clone(), Problem::Uninterpretable { count, location }));
        }
        let hiding = listing.stale_orders.into_iter().filter(|order| !order.hidden.is_empty());
        let hiding = hiding.map(|order| (agent_id.clone(), Problem::StaleOrder(order)));
        self.problems.extend(hiding);
        for warning in listing.problems {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        for row in listing.rows {
            // With all agents, each login is looked at where it is stored.
            let is_elsewhere = request.all_agents && row.inherited_from.is_some();
            if !is_elsewhere && !self.has_stand_in(&row) {
                let agent_id = listing.agent_id.clone();
                self.logins.push(Login::of(agent_id, row, request, self.at));
            }
        }
        Ok(())
    }

    /// Adds what keeps logins from being renewed, once for each provider.
    fn add_renewal(&mut self, app: &App, config: &Config) {
        let main = app.main_agent(config).id;
        let catalog = match app.catalog() {
            Ok(catalog) => catalog,
            Err(error) => {
                let problem = RenewalProblem::Files(error);
                return self.problems.push((main, Problem::Renewal(problem)));
            }
        };
        let of_files = renewal::of_files(&catalog).map(|problem| (main.clone(), problem));
        let mut found: Vec<(AgentId, RenewalProblem)> = of_files.collect();
        let mut seen: Vec<&ProviderId> = Vec::new();
        for Login { agent_id, row, .. } in self.logins.iter().filter(|it| it.row.is_renewable) {
            if !seen.contains(&&row.provider) {
                seen.push(&row.provider);
                let problem = renewal::of_login(app, &catalog, (&row.id, &row.provider));
                found.extend(problem.map(|problem| (agent_id.clone(), problem)));
            }
        }
        self.problems.extend(found.into_iter().map(|(id, it)| (id, Problem::Renewal(it))));
    }

    /// Leaves what is about a login that `name` can mean.
    fn retain(
        &mut self,
        app: &App,
        config: &Config,
        agent: Option<&AgentId>,
        name: &str,
    ) -> Result<(), AppError> {
        let meant = meant(app, config, agent, name)?;
        self.logins.retain(|login| meant.is(&login.row));
        let of: Vec<_> = self.logins.iter().map(|it| auth_provider_id(&it.row.provider)).collect();
        let is_of = |provider: &ProviderId| of.contains(&auth_provider_id(provider));
        self.problems.retain(|(_, problem)| match problem {
            Problem::Store(_) => true,
            Problem::Renewal(problem) => {
                problem.provider().is_none_or(|it| is_of(it) || it.is_spelt(name))
            }
            Problem::StaleOrder(order) => is_of(&order.provider),
            // The login that is meant was found.
            Problem::Uninterpretable { .. } => of.is_empty(),
        });
        Ok(())
    }

    /// Whether it is the login of another program that an earlier agent has as well.
    fn has_stand_in(&self, row: &Row) -> bool {
        row.managed_by.is_some() && self.logins.iter().any(|login| login.row.id == row.id)
    }
}

impl Login {
    fn of(agent_id: AgentId, row: Row, request: &Request, now: Millis) -> Self {
        let needs = row.state.needs_person_until(row.ends, now.saturating_add(request.within));
        let is_too_old = is_too_old(&row, request, now);
        let needs_person = if is_too_old { needs.max(NeedsPerson::CannotTell) } else { needs };
        Self { agent_id, row, needs_person, is_too_old }
    }
}

/// What a name can mean: nothing where no store can be read.
fn meant(
    app: &App,
    config: &Config,
    agent: Option<&AgentId>,
    name: &str,
) -> Result<Meant, AppError> {
    let agent = app.agent(config, agent)?;
    match Pool::open(app, config, &agent) {
        Ok(pool) => meant_by(app, &pool, name),
        Err(_) => Ok(Meant::default()),
    }
}

/// Whether the server has last confirmed a login that renews itself too long ago.
fn is_too_old(row: &Row, request: &Request, now: Millis) -> bool {
    let Some(max_age) = request.max_age.filter(|_| row.is_renewable) else { return false };
    let oldest = now.saturating_sub(max_age);
    row.managed_by.is_none() && row.proven_at.is_none_or(|at| at < oldest)
}
