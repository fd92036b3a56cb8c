//! `agents unbind`: the JSON of OpenClaw 2026.4.24.

use super::bindings_text::{conflict_failure, section};
use crate::admin::agents::{unbind, unbind_wholly};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
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
    /// Remove every binding of the agent
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    if args.all && !args.bind.is_empty() {
        return Err(Failure::message(ExitStatus::Failure, "--all and --bind exclude one another"));
    }
    let agent = AgentId::named(args.agent.as_deref());
    let agent = agent.as_ref();
    let unbound =
        if args.all { unbind_wholly(app, agent)? } else { unbind(app, agent, &args.bind)? };
    let outcome = &unbound.outcome;
    if args.all && outcome.removed.is_empty() {
        // As OpenClaw does it: no JSON when there was nothing to remove.
        output.say(&format!("note: agent {} has no bindings", unbound.agent_id));
        return Ok(());
    }
    if args.json {
        output.json(&unbound)?;
    } else {
        output.data(&format!(
            "Agent: {}\n{}{}",
            unbound.agent_id,
            section("Removed bindings", &outcome.removed),
            section("Nobody has", &outcome.missing),
        ))?;
    }
    conflict_failure(&outcome.conflicts)
}
