//! What `check` prints, as text and as JSON, and the exit code that goes with it.

use super::online::Failed;
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Hint};
use crate::cli::failure::{self, LoginAt, refresh_now, state_remedy};
use crate::cli::login_state::StateReport;
use crate::ops::check::{Login, Problem, Report};
use crate::profile::{AgentId, Millis, NeedsPerson, ProfileId, ProviderId};
use crate::text::{chain, date, printable};
use serde::Serialize;

/// The report with what each line means to a person.
pub(super) struct Told<'r> {
    logins: Vec<ToldLogin<'r>>,
    problems: Vec<ToldProblem<'r>>,
}

struct ToldLogin<'r> {
    login: &'r Login,
    needs_person: NeedsPerson,
    error: Option<String>,
    next: Option<Hint>,
}

struct ToldProblem<'r> {
    agent_id: &'r AgentId,
    problem: &'r Problem,
    error: String,
    next: Option<Hint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckReport<'r> {
    schema: u32,
    needs_person: &'static str,
    exit_code: u8,
    at: Millis,
    logins: Vec<LoginReport<'r>>,
    problems: Vec<ProblemReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginReport<'r> {
    agent_id: &'r AgentId,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inherited_from: Option<&'r AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<&'r str>,
    needs_person: &'static str,
    #[serde(flatten)]
    state: StateReport<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'r str>,
    #[serde(flatten)]
    next: NextReport<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemReport<'r> {
    agent_id: &'r AgentId,
    error: &'r str,
    #[serde(flatten)]
    next: NextReport<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextReport<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'r Command>,
}

impl<'r> NextReport<'r> {
    fn of(next: Option<&'r Hint>) -> Self {
        Self { next: next.map(Hint::to_string), hint_command: next.and_then(Hint::command) }
    }
}

impl<'r> Told<'r> {
    pub(super) fn of(report: &'r Report, failed: &Failed, app: &App) -> Self {
        let problems = report.problems.iter().map(|(agent_id, problem)| ToldProblem {
            agent_id,
            problem,
            error: printable(&chain(problem), 2_000),
            next: failure::check_problem(problem, agent_id),
        });
        Self {
            logins: report.logins.iter().map(|login| ToldLogin::of(login, failed, app)).collect(),
            problems: problems.collect(),
        }
    }

    /// Whether a person has to act on a login.
    fn needs_person(&self) -> NeedsPerson {
        let of_logins = self.logins.iter().map(|it| it.needs_person);
        let others = self.problems.iter().filter(|it| !it.problem.is_of_file());
        of_logins.chain(others.map(|it| it.problem.needs_person())).max().unwrap_or(NeedsPerson::No)
    }

    /// How the run ends.
    pub(super) fn status(&self) -> ExitStatus {
        match self.needs_person() {
            NeedsPerson::Yes => ExitStatus::LoginRequired,
            _ if self.problems.iter().any(|it| it.problem.is_of_file()) => {
                ExitStatus::StoreUnusable
            }
            NeedsPerson::CannotTell => ExitStatus::Unavailable,
            NeedsPerson::No => ExitStatus::Success,
        }
    }

    pub(super) fn json(&self, at: Millis) -> CheckReport<'_> {
        let is_none = self.logins.is_empty() && self.problems.is_empty();
        let status = if is_none { ExitStatus::LoginRequired } else { self.status() };
        let needs_person = match status {
            ExitStatus::Success => NeedsPerson::No,
            ExitStatus::Unavailable => NeedsPerson::CannotTell,
            _ => NeedsPerson::Yes,
        };
        CheckReport {
            schema: 1,
            needs_person: needs_person.name(),
            exit_code: status.code(),
            at,
            logins: self.logins.iter().map(ToldLogin::json).collect(),
            problems: self.problems.iter().map(ToldProblem::json).collect(),
        }
    }

    /// A line for each login and each store that cannot be used, with the next command.
    pub(super) fn text(&self, with_agents: bool) -> String {
        let logins = self.logins.iter().map(|told| {
            let Login { agent_id, row, .. } = told.login;
            let agent = if with_agents { format!(" of agent {agent_id}") } else { String::new() };
            format!("{:.120}{agent}: {}\n{}", row.id, told.state(), next_line(told.next.as_ref()))
        });
        let problems = self.problems.iter().map(|ToldProblem { agent_id, error, next, .. }| {
            format!("agent {agent_id}: {error}\n{}", next_line(next.as_ref()))
        });
        logins.chain(problems).collect()
    }
}

/// The report of what is about no login: why, and the next command.
pub(super) fn line(why: &str, next: Option<&Hint>) -> String {
    format!("{}\n{}", printable(why, 2_000), next_line(next))
}

fn next_line(next: Option<&Hint>) -> String {
    next.map_or_else(String::new, |next| {
        format!("  next: {}\n", printable(&next.to_string(), 2_000))
    })
}

impl<'r> ToldLogin<'r> {
    fn of(login: &'r Login, failed: &Failed, app: &App) -> Self {
        let refused = failed.of(login);
        let needs_person = match refused {
            Some(_) => login.needs_person.max(NeedsPerson::CannotTell),
            None => login.needs_person,
        };
        let row = &login.row;
        let at = LoginAt {
            profile_id: &row.id,
            provider: &row.provider,
            agent_id: row.inherited_from.as_ref().unwrap_or(&login.agent_id),
        };
        let next = match (needs_person, refused) {
            (NeedsPerson::No, _) => None,
            (NeedsPerson::CannotTell, Some(refused)) => refused.hint.clone(),
            (NeedsPerson::CannotTell, None) if login.is_too_old => Some(refresh_now(&at)),
            _ => Some(state_remedy(app, &at, &row.state)),
        };
        let error = refused.map(|refused| printable(&refused.text, 2_000));
        Self { login, needs_person, error, next }
    }

    /// How it is doing, and as of when that is known.
    fn state(&self) -> String {
        let row = &self.login.row;
        let as_of = match row.proven_at {
            Some(at) => format!(", as of {}", date(at)),
            None if row.is_renewable => ", last refresh unknown".to_owned(),
            None => String::new(),
        };
        let too_old = if self.login.is_too_old { ", older than --max-age" } else { "" };
        let error = self.error.as_ref().map(|error| format!("; {error}"));
        format!("{}{as_of}{too_old}{}", row.state, error.unwrap_or_default())
    }

    fn json(&self) -> LoginReport<'_> {
        let Login { agent_id, row, .. } = self.login;
        LoginReport {
            agent_id,
            profile_id: &row.id,
            provider: &row.provider,
            kind: row.kind.name(),
            email: row.email.as_deref(),
            expires_at: row.expires,
            inherited_from: row.inherited_from.as_ref(),
            managed_by: row.managed_by.map(|tool| tool.program().name.as_str()),
            needs_person: self.needs_person.name(),
            state: StateReport::new(&row.state, row.proven_at),
            error: self.error.as_deref(),
            next: NextReport::of(self.next.as_ref()),
        }
    }
}

impl ToldProblem<'_> {
    fn json(&self) -> ProblemReport<'_> {
        ProblemReport {
            agent_id: self.agent_id,
            error: &self.error,
            next: NextReport::of(self.next.as_ref()),
        }
    }
}
