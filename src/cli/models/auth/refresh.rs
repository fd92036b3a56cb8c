//! `models auth refresh`

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::duration;
use crate::cli::exit::{Command, ExitStatus, Failure, Hint};
use crate::cli::failure::{self, Explain};
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::refresh::due::{Outcome, Report as Done, Request, Row, refresh_due};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::store::Location;
use crate::text::{chain, printable};
use comfy_table::{Table, presets};
use serde::Serialize;
use std::error::Error;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Which logins: those that the agent uses, or with --all those of every agent; --provider and
--profile narrow it down. What is not due costs no request. Each grant is refreshed once,
whichever profiles and agents hold it, and after a failure the others are still refreshed.

Standard output has a line for each login, standard error each problem with the command
against it. So cron mails problems alone:

  17 * * * *  openclaw-auth models auth refresh --all --due 2h >/dev/null

Exit code: 0 all is well, 3 a login is needed, 6 a store is unusable, 1 another failure,
5 a lock was not obtained, 4 a server or the network was unavailable; the first of these
that is true of some login.")]
pub(super) struct Args {
    /// Only the logins of this provider
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: Option<ProviderId>,
    /// Only this profile
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile: Option<ProfileId>,
    /// Refresh what expires within this span [default: what is not usable for another 5m, with
    /// OpenClaw's databases 10m, or for half its lifetime where the server grants less]
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
    #[serde(rename = "stateDir")]
    state_dir: Location,
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

/// What went wrong, with what it means to a user.
struct Explained {
    text: String,
    status: ExitStatus,
    hint: Option<Hint>,
}

impl Explained {
    fn new(error: &dyn Error, (status, hint): (ExitStatus, Option<Hint>)) -> Self {
        Self { text: chain(error), status, hint }
    }

    fn report(&self) -> FailureReport<'_> {
        FailureReport {
            error: printable(&self.text, 2_000),
            hint: self.hint.as_ref().map(Hint::to_string),
            hint_command: self.hint.as_ref().and_then(Hint::command),
        }
    }
}

/// The report, with what each failure in it means to a user.
struct Results {
    rows: Vec<(Row, Option<Explained>)>,
    problems: Vec<(AgentId, Explained)>,
}

impl Results {
    fn new(done: Done, app: &App) -> Self {
        let explained = |row: &Row| {
            let error = row.outcome.as_ref().err()?;
            Some(Explained::new(error, failure::row(error, app)))
        };
        let rows = done.rows.into_iter().map(|row| {
            let explained = explained(&row);
            (row, explained)
        });
        let problems = done.problems.into_iter().map(|(agent_id, error)| {
            let explained = Explained::new(&error, error.advice());
            (agent_id, explained)
        });
        Self { rows: rows.collect(), problems: problems.collect() }
    }

    /// Everything that went wrong.
    fn failures(&self) -> impl Iterator<Item = &Explained> {
        let of_rows = self.rows.iter().filter_map(|(_, explained)| explained.as_ref());
        of_rows.chain(self.problems.iter().map(|(_, explained)| explained))
    }

    /// How the run ends: what needs a person goes before what passes by itself.
    fn status(&self) -> ExitStatus {
        const WORST_FIRST: [ExitStatus; 7] = [
            ExitStatus::Interrupted,
            ExitStatus::LoginRequired,
            ExitStatus::StoreUnusable,
            ExitStatus::Usage,
            ExitStatus::Failure,
            ExitStatus::LockTimeout,
            ExitStatus::Unavailable,
        ];
        let seen: Vec<ExitStatus> = self.failures().map(|explained| explained.status).collect();
        let worst = WORST_FIRST.into_iter().find(|status| seen.contains(status));
        worst.unwrap_or(ExitStatus::Success)
    }

    fn report(&self, state_dir: Location) -> Report<'_> {
        let rows = self.rows.iter().map(|(row, explained)| RowReport {
            agent_id: &row.agent_id,
            profile_id: &row.profile_id,
            provider: &row.provider,
            status: status(row, explained.as_ref()),
            expires_at: row.expires,
            failure: explained.as_ref().map(Explained::report),
        });
        let problems = self.problems.iter();
        let problems = problems
            .map(|(agent_id, explained)| ProblemReport { agent_id, failure: explained.report() });
        Report { schema: 1, state_dir, results: rows.collect(), problems: problems.collect() }
    }
}

/// The status as JSON and text name it.
fn status(row: &Row, explained: Option<&Explained>) -> &'static str {
    if let Some(explained) = explained {
        return match explained.status {
            ExitStatus::LoginRequired => "login-required",
            ExitStatus::Unavailable => "unavailable",
            ExitStatus::LockTimeout => "busy",
            ExitStatus::Interrupted => "interrupted",
            _ => "failed",
        };
    }
    match row.outcome {
        Ok(Outcome::NotDue) => "not-due",
        _ => "refreshed",
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
    let done = wait(refresh_due(app, &request, &mut Console::new(output, &app.environment)));
    let results = Results::new(done.map_err(failure::explain(failure::due, app))?, app);
    if args.json {
        output.json(&results.report(app.paths.state_dir.as_path().into()))?;
    } else {
        show(&results, args.all, app, output)?;
    }
    output.end_with(results.status());
    Ok(())
}

fn show(
    results: &Results,
    with_agents: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if results.rows.is_empty() && results.problems.is_empty() {
        let state_dir = &app.paths.state_dir;
        let nothing = format!("No login in {} can be refreshed", state_dir.display());
        output.say(&nothing);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (row, failed) in &results.rows {
        let mut cells = vec![format!("{:.120}", row.profile_id)];
        cells.extend(with_agents.then(|| format!("agent {}", row.agent_id)));
        cells.push(describe(row, failed.as_ref(), app.now()));
        table.add_row(cells);
    }
    let lines = table.lines().map(|line| line.trim().to_owned() + "\n");
    output.data(&lines.collect::<String>())?;
    output.finish()?;
    for failed in results.failures() {
        output.error(&failed.text, failed.hint.as_ref());
    }
    Ok(())
}

/// What became of a profile, for people.
fn describe(row: &Row, failed: Option<&Explained>, now: Millis) -> String {
    let name = match status(row, failed) {
        "unavailable" => "server unavailable".to_owned(),
        other => other.replace('-', " "),
    };
    let left = row.expires.map(|at| at.saturating_sub(now)).filter(|left| *left > 0);
    match left {
        Some(left) => format!("{name}, token valid for {}", duration::show(left)),
        None => name,
    }
}
