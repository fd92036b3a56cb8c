//! `agents bind`: the JSON of OpenClaw 2026.4.24.

use super::bindings_text::{conflict_failure, section, texts};
use crate::admin::agents::bind;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::profile::AgentId;
use serde::Serialize;

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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    agent_id: &'a AgentId,
    added: &'a [String],
    updated: &'a [String],
    skipped: &'a [String],
    conflicts: Vec<String>,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let agent = AgentId::named(args.agent.as_deref());
    let bound = bind(app, agent.as_ref(), &args.bind)?;
    let outcome = &bound.outcome;
    if args.json {
        output.json(&Report {
            agent_id: &bound.agent_id,
            added: &outcome.added,
            updated: &outcome.updated,
            skipped: &outcome.skipped,
            conflicts: texts(&outcome.conflicts),
        })?;
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
