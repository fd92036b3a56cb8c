//! `check`: does a person have to act?
//!
//! Invariant: the report is whole on standard output, whatever the exit code says. Nothing is
//! sent without `--online`.

mod online;
mod report;

use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::failure::login_template;
use crate::cli::named;
use crate::cli::output::Output;
use crate::ops::check::{Request, check};
use crate::profile::{AgentId, Millis, SOON};
use crate::text::{chain, printable};
use report::Told;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads the stores, refusals, the journal of refreshes and expiry, and sends nothing. Each line
says how a login is doing, and as of when the server last confirmed it; where a person has to
act, the next line is the command.

Exit codes: 0 nobody has to act; 3 a person has to (which login, and the command, is printed);
4 unknown; 6 a store is unreadable or unsafe. The first of 3, 6 and 4 that is true.

  openclaw-auth check --all >/dev/null || page \"$(openclaw-auth check --all)\"")]
pub(in crate::cli) struct Args {
    /// Only the logins with this profile id, e-mail or provider
    #[arg(value_name = "NAME", value_parser = named::name, conflicts_with = "all")]
    name: Option<String>,
    /// The logins of every agent
    #[arg(long)]
    all: bool,
    /// The agent whose logins are checked [default: the default agent]
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    agent: Option<String>,
    /// What expires within this span, and cannot be renewed, needs a person [default: 24h]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    within: Option<Duration>,
    /// Report a login as unknown if the server confirmed it longer ago [default: any age]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    max_age: Option<Duration>,
    /// First refresh what is due, and what is older than --max-age
    #[arg(long)]
    online: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let done = checked(args, app, output);
    if let Err(failure) = &done
        && !args.json
        && !output.has_data()
        && failure.status != ExitStatus::Interrupted
    {
        output.data(&report::line(&chain(&*failure.cause), failure.hint.as_ref()))?;
    }
    done
}

fn checked(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let request = Request {
        agent: AgentId::named(args.agent.as_deref()),
        all_agents: args.all,
        name: args.name.clone(),
        within: args.within.map_or(SOON, millis),
        max_age: args.max_age.map(millis),
    };
    let look = || check(app, &request, app.now()).map_err(Failure::from);
    let mut report = look()?;
    let mut failed = online::Failed::default();
    if args.online {
        failed = online::refresh(app, &report, &look, output)?;
        report = look()?;
    }
    for warning in &report.warnings {
        output.warn(warning);
    }
    let told = Told::of(&report, &failed, app);
    if args.json {
        output.json(&told.json(report.at))?;
    } else {
        output.data(&told.text(args.all))?;
    }
    let is_nobody = report.logins.is_empty() && report.problems.is_empty();
    if is_nobody {
        say_nobody(args, app, output)?;
    }
    output.end_with(if is_nobody { ExitStatus::LoginRequired } else { told.status() });
    Ok(())
}

fn millis(span: Duration) -> Millis {
    span.as_millis().try_into().unwrap_or(Millis::MAX)
}

fn say_nobody(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let what = match &args.name {
        Some(name) => format!("there is no login called `{}`", printable(name, 80)),
        None => format!("there is no login in {}", app.paths.shorten(&app.paths.state_dir)),
    };
    let agent = AgentId::named(args.agent.as_deref());
    let agent = app.named_agent(agent.as_ref()).cloned().unwrap_or_else(AgentId::main);
    let login = login_template(&agent);
    if !args.json {
        output.data(&report::line(&what, Some(&login)))?;
    }
    output.error(&what, Some(&login));
    Ok(())
}
