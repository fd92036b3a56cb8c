//! `use NAME`: which profile of a provider goes first.

use crate::admin::order::prefer;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
It stores an order, as `models auth order set` does, with this profile first and the others of
its provider behind it: they are used while it is refused, expired or in a cooldown.")]
pub(super) struct Args {
    /// An account, a profile, or a provider with one profile: ada@example.com
    #[arg(value_name = "NAME", value_parser = named::name)]
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'o> {
    schema: u32,
    agent_id: &'o AgentId,
    provider: &'o ProviderId,
    profile_id: &'o ProfileId,
    order: &'o [ProfileId],
}

pub(super) fn run(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let stored = prefer(app, AgentId::named(agent).as_ref(), &args.name)
        .map_err(failure::explain(failure::order, app))?;
    let order = stored.order.unwrap_or_default();
    let Some(first) = order.first() else { return Ok(()) };
    if args.json {
        return output.json(&Report {
            schema: 1,
            agent_id: &stored.agent_id,
            provider: &stored.provider,
            profile_id: first,
            order: &order,
        });
    }
    let then = match &order[1..] {
        [] => String::new(),
        others => {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            format!(", then {}", others.join(", "))
        }
    };
    output.data(&format!("{first} is used first for {}{then}\n", stored.provider))
}
