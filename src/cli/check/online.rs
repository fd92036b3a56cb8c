//! `check --online`: refreshes first what is due, or was confirmed too long ago.
//!
//! Invariant: each grant is refreshed at most once, whichever profiles hold it. Why a refresh
//! failed is said beside the login.

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::{ExitStatus, Failure, Hint};
use crate::cli::failure::{self, explain};
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::check::{Login, Report};
use crate::ops::refresh::due::{Request, refresh_due};
use crate::profile::{AgentId, LoginState, ProfileId};
use crate::text::chain;
use std::time::Duration;

/// The refreshes that failed.
#[derive(Debug, Default)]
pub(super) struct Failed(Vec<OneFailed>);

#[derive(Debug)]
struct OneFailed {
    agent_id: AgentId,
    profile_id: ProfileId,
    error: Refused,
}

/// Why one failed, and the next step.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) text: String,
    pub(super) hint: Option<Hint>,
}

impl Failed {
    /// Why the refresh of a login failed, if it did.
    pub(super) fn of(&self, login: &Login) -> Option<&Refused> {
        let is_it =
            |one: &&OneFailed| one.agent_id == login.agent_id && one.profile_id == login.row.id;
        self.0.iter().find(is_it).map(|one| &one.error)
    }
}

/// How long another process is waited for that is refreshing.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

/// Refreshes the logins of `report` that are due. `look` tells how they are doing by then.
///
/// # Errors
/// The configuration cannot be read any more, or the user interrupted it.
pub(super) fn refresh(
    app: &App,
    report: &Report,
    look: &dyn Fn() -> Result<Report, Failure>,
    output: &mut Output<'_>,
) -> Result<Failed, Failure> {
    let mut failed = Failed::default();
    for login in report.logins.iter().filter(|login| may_refresh(login)) {
        let request = Request {
            agent: Some(login.agent_id.clone()),
            all_agents: false,
            provider: None,
            profile: Some(login.row.id.clone()),
            due: None,
            // Another profile may hold the same grant, which is new by now.
            force: login.is_too_old && is_still_too_old(login, look)?,
            lock_timeout: LOCK_TIMEOUT,
        };
        let done = wait(refresh_due(app, &request, &mut Console::new(output, &app.environment)));
        for row in done.map_err(explain(failure::due, app))?.rows {
            let Err(error) = &row.outcome else { continue };
            let (status, hint) = failure::row(error, app);
            if status == ExitStatus::Interrupted {
                return Err(Failure::interrupted());
            }
            let error = Refused { text: chain(error), hint };
            let (agent_id, profile_id) = (login.agent_id.clone(), row.profile_id);
            failed.0.push(OneFailed { agent_id, profile_id, error });
        }
    }
    Ok(failed)
}

/// Whether there is something to refresh, and nothing that keeps it from it.
const fn may_refresh(login: &Login) -> bool {
    let is_over = matches!(login.row.state, LoginState::SignInAgain { .. });
    login.row.is_renewable && login.row.managed_by.is_none() && !is_over
}

fn is_still_too_old(
    login: &Login,
    look: &dyn Fn() -> Result<Report, Failure>,
) -> Result<bool, Failure> {
    let now = look()?;
    let is_it = |other: &&Login| other.agent_id == login.agent_id && other.row.id == login.row.id;
    Ok(now.logins.iter().find(is_it).is_some_and(|login| login.is_too_old))
}
