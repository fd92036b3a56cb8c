//! `models auth logout`

mod all;
mod report;

pub(in crate::cli) use all::sign_out;

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::logout::{Request, logout};
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

pub(in crate::cli) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let agent = AgentId::named(agent);
    let name = args.name.unwrap_or_default();
    let Args { all, local, all_agents, json, .. } = args;
    let request = Request { name, agent, local, all_agents, only_over: false };
    if all {
        return all::run(&request, json, app, output);
    }
    let done = wait(logout(app, &request, &mut Console::new(output, &app.environment)))?;
    if let Some(from) = &done.left_with {
        output.say(&format!("the agent still has `{}` from agent `{from}`", done.profile_id));
    }
    let report = Report::of(&done);
    if json {
        return output.json(&report);
    }
    output.data(&report.line())
}
