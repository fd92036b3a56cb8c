//! `models auth refresh`

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::duration;
use crate::cli::output::Output;
use crate::exit::{Command, ExitStatus, Failure, Hint};
use crate::ops::refresh_due::{Outcome, Report as Done, Request, Row, refresh_due};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::system::now;
use crate::text::printable;
use comfy_table::{Table, presets};
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Which logins: those that the agent uses, or with --all those of every agent; --provider and
--profile narrow it down. What is not due costs no request. Each grant is refreshed once,
whichever profiles and agents hold it, and a failure keeps no other login from its turn.

Standard output has a line for each login, standard error each problem with the command
against it. So cron mails problems alone:

  17 * * * *  openclaw-auth models auth refresh --all --due 2h >/dev/null

Exit code: 0 all is well, 3 a login is needed, 6 a store is unusable, 1 another failure,
5 a lock was not obtained, 4 a server or the network was unavailable; the first of these
that is true of some login.")]
pub(super) struct Args {
    /// Only the logins of this provider
    #[arg(long, value_name = "ID")]
    provider: Option<ProviderId>,
    /// Only this profile
    #[arg(long, value_name = "ID")]
    profile: Option<ProfileId>,
    /// Refresh what expires within this span [default: what is not usable for another 5m, or
    /// for half its lifetime where the server grants less]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    due: Option<Duration>,
    /// The logins of every agent
    #[arg(long)]
    all: bool,
    /// Refresh what is not due as well
    #[arg(long, conflicts_with = "due")]
    force: bool,
    /// How long to wait for another process that is refreshing
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration::parse)]
    lock_timeout: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    schema: u32,
    results: Vec<RowReport<'r>>,
    problems: Vec<ProblemReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowReport<'r> {
    agent_id: &'r AgentId,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    #[serde(flatten)]
    failure: Option<FailureReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemReport<'r> {
    agent_id: &'r AgentId,
    #[serde(flatten)]
    failure: FailureReport<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureReport<'r> {
    error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'r Command>,
}

impl<'r> From<&'r Failure> for FailureReport<'r> {
    fn from(failure: &'r Failure) -> Self {
        let error = printable(&format!("{:#}", failure.cause), 2_000);
        let hint = failure.hint.as_ref();
        Self { error, hint: hint.map(Hint::to_string), hint_command: hint.and_then(Hint::command) }
    }
}

impl<'r> From<&'r Row> for RowReport<'r> {
    fn from(row: &'r Row) -> Self {
        Self {
            agent_id: &row.agent_id,
            profile_id: &row.profile_id,
            provider: &row.provider,
            status: status(row),
            expires_at: row.expires,
            failure: row.outcome.as_ref().err().map(FailureReport::from),
        }
    }
}

/// The status as JSON and text name it.
fn status(row: &Row) -> &'static str {
    match &row.outcome {
        Ok(Outcome::Refreshed) => "refreshed",
        Ok(Outcome::NotDue) => "not-due",
        Err(failure) => match failure.status {
            ExitStatus::LoginRequired => "login-required",
            ExitStatus::Unavailable => "unavailable",
            ExitStatus::LockTimeout => "busy",
            ExitStatus::Interrupted => "interrupted",
            _ => "failed",
        },
    }
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if args.all && agent.is_some() {
        return Err(Failure::usage("--all means every agent, so that --agent cannot name one"));
    }
    let request = Request {
        agent: app.named_agent(AgentId::named(agent).as_ref()).cloned(),
        all_agents: args.all,
        provider: args.provider,
        profile: args.profile,
        due: args.due.map(|due| due.as_millis().try_into().unwrap_or(Millis::MAX)),
        force: args.force,
        lock_timeout: args.lock_timeout,
    };
    let done = refresh_due(app, &request, &mut Console::new(output, &app.environment))?;
    if args.json {
        let problems = done
            .problems
            .iter()
            .map(|(agent_id, failure)| ProblemReport { agent_id, failure: failure.into() });
        output.json(&Report {
            schema: 1,
            results: done.rows.iter().map(RowReport::from).collect(),
            problems: problems.collect(),
        })?;
    } else {
        show(&done, args.all, output)?;
    }
    output.end_with(done.status());
    Ok(())
}

fn show(done: &Done, with_agents: bool, output: &mut Output<'_>) -> Result<(), Failure> {
    if done.rows.is_empty() && done.problems.is_empty() {
        output.say("There is no login that could be refreshed");
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in &done.rows {
        let mut cells = vec![format!("{:.120}", row.profile_id)];
        cells.extend(with_agents.then(|| format!("agent {}", row.agent_id)));
        cells.push(told(row));
        table.add_row(cells);
    }
    let lines = table.lines().map(|line| line.trim().to_owned() + "\n");
    output.data(&lines.collect::<String>())?;
    output.finish()?;
    for failure in done.failures() {
        output.failure(failure);
    }
    Ok(())
}

/// What became of a profile, for people.
fn told(row: &Row) -> String {
    let name = match status(row) {
        "unavailable" => "server unavailable".to_owned(),
        other => other.replace('-', " "),
    };
    let left = row.expires.map(|at| at.saturating_sub(now())).filter(|left| *left > 0);
    match left {
        Some(left) => format!("{name}, token valid for {}", duration::show(left)),
        None => name,
    }
}
