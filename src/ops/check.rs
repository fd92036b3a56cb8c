//! Does a person have to act? What is known of the logins answers, and nothing is sent.
//!
//! Invariant: it says what every listing says of a login; on top of that it counts how soon a
//! login ends that cannot be renewed, and how long ago the server last confirmed one that can.

use super::list::{Row, list_of};
use crate::app::{App, AppError};
use crate::config::{AgentDir, Config};
use crate::ops::StaleOrder;
use crate::profile::{AgentId, Millis, NeedsPerson};
use crate::store::Location;

/// Which logins are checked, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// Every agent's logins rather than those that one agent uses.
    pub all_agents: bool,
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
    /// Whether a person has to act; of a store that cannot be used, its error says more.
    pub const fn needs_person(&self) -> NeedsPerson {
        match self {
            Self::Store(_) | Self::StaleOrder(_) => NeedsPerson::Yes,
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

    /// Whether it is the login of another program that an earlier agent has as well.
    fn has_stand_in(&self, row: &Row) -> bool {
        row.managed_by.is_some() && self.logins.iter().any(|login| login.row.id == row.id)
    }
}

impl Login {
    fn of(agent_id: AgentId, row: Row, request: &Request, now: Millis) -> Self {
        let needs = row.state.needs_person();
        let ends_soon = row.ends.is_some_and(|at| at <= now.saturating_add(request.within));
        let is_too_old = is_too_old(&row, request, now);
        let needs_person = match (ends_soon, is_too_old) {
            (true, _) => NeedsPerson::Yes,
            (false, true) => needs.max(NeedsPerson::CannotTell),
            (false, false) => needs,
        };
        Self { agent_id, row, needs_person, is_too_old }
    }
}

/// Whether the server has last confirmed a login that renews itself too long ago.
fn is_too_old(row: &Row, request: &Request, now: Millis) -> bool {
    let Some(max_age) = request.max_age.filter(|_| row.is_renewable) else { return false };
    let oldest = now.saturating_sub(max_age);
    row.managed_by.is_none() && row.proven_at.is_none_or(|at| at < oldest)
}
