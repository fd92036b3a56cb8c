//! `agents bind`: the JSON of OpenClaw 2026.4.24.

use super::bindings_text::{conflict_failure, section};
use crate::admin::agents::bind;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::profile::AgentId;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The agent [default: the default agent]
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The channel, or one account of it; may be repeated
    #[arg(long, value_name = "CHANNEL[:ACCOUNT]")]
    bind: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let agent = AgentId::named(args.agent.as_deref());
    let bound = bind(app, agent.as_ref(), &args.bind)?;
    let outcome = &bound.outcome;
    if args.json {
        output.json(&bound)?;
    } else {
        output.data(&format!(
            "Agent: {}\n{}{}{}",
            bound.agent_id,
            section("Added bindings", &outcome.added),
            section("Updated bindings", &outcome.updated),
            section("Bound already", &outcome.skipped),
        ))?;
    }
    conflict_failure(&outcome.conflicts)
}
