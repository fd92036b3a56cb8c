//! `models auth logout`

mod all;
mod report;

pub(in crate::cli) use all::sign_out;

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::logout::{LogoutError, Request, logout};
use crate::profile::AgentId;
use report::Report;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(in crate::cli) struct Args {
    /// An account, a profile, or a provider with one profile: ada@example.com, chatgpt, claude
    #[arg(value_name = "NAME", value_parser = named::name, required_unless_present = "all")]
    name: Option<String>,
    /// Every profile of the agent
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// Remove the profile here without revoking the login at the server
    #[arg(long)]
    local: bool,
    /// Accepted for compatibility: a logout never asks
    #[arg(long)]
    yes: bool,
    /// Remove it from `main` and every other agent
    #[arg(long)]
    all_agents: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `models auth logout`, which OpenClaw has as well: a name of nothing is a failure there.
pub(in crate::cli) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    log_out(args, agent, app, output).map_err(|ended| match ended {
        Ended::NoProfile(failure) => Failure { status: ExitStatus::Failure, ..failure },
        Ended::Otherwise(failure) => failure,
    })
}

/// `logout`, which is ours: a name of nothing is a login that is missing.
pub(in crate::cli) fn run_short(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    log_out(args, agent, app, output).map_err(|ended| match ended {
        Ended::NoProfile(failure) | Ended::Otherwise(failure) => failure,
    })
}

/// A logout that has failed.
enum Ended {
    /// There is no such profile.
    NoProfile(Failure),
    /// For another reason.
    Otherwise(Failure),
}

impl From<LogoutError> for Ended {
    fn from(error: LogoutError) -> Self {
        let is_missing = matches!(error, LogoutError::NoProfile { .. });
        let failure = error.into();
        if is_missing { Self::NoProfile(failure) } else { Self::Otherwise(failure) }
    }
}

fn log_out(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Ended> {
    let agent = AgentId::named(agent);
    let name = args.name.unwrap_or_default();
    let Args { all, local, all_agents, json, .. } = args;
    let request = Request { name, agent, local, all_agents, only_over: false };
    if all {
        return all::run(&request, json, app, output).map_err(Ended::Otherwise);
    }
    let done = wait(logout(app, &request, &mut Console::new(output, &app.environment)))?;
    if let Some(from) = &done.left_with {
        output.say(&format!("the agent still has `{}` from agent `{from}`", done.profile_id));
    }
    let report = Report::of(&done);
    let shown = if json { output.json(&report) } else { output.data(&report.line()) };
    shown.map_err(Ended::Otherwise)
}
