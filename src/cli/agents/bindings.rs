//! `agents bindings`: the JSON of OpenClaw 2026.4.24.

use super::bindings_text::section;
use crate::admin::agents::binding::Route;
use crate::admin::agents::bindings;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::profile::AgentId;
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the bindings of this agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'c> {
    agent_id: AgentId,
    #[serde(rename = "match")]
    matching: &'c Value,
    description: String,
}

impl<'c> From<Route<'c>> for Report<'c> {
    fn from(route: Route<'c>) -> Self {
        Self {
            agent_id: route.agent_id(),
            matching: route.matching(),
            description: route.describe(),
        }
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let (config, agent) = bindings(app, args.agent.as_deref())?;
    let is_wanted = |route: &Route<'_>| agent.as_ref().is_none_or(|id| *id == route.agent_id());
    let routes = config.routes().filter(is_wanted);
    if args.json {
        return output.json(&routes.map(Report::from).collect::<Vec<_>>());
    }
    let lines: Vec<_> =
        routes.map(|route| format!("{} <- {}", route.agent_id(), route.describe())).collect();
    if !lines.is_empty() {
        return output.data(&section("Bindings", &lines));
    }
    output.data(&match agent {
        Some(agent) => format!("Agent {agent} has no bindings\n"),
        None => "No agent has bindings\n".to_owned(),
    })
}
