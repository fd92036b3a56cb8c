//! `models auth order get|set|clear`: the JSON of OpenClaw 2026.4.24.

use crate::admin::order::{StoredOrder, clear, get, set};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    /// Show the stored order
    Get(Options),
    /// Store an order
    Set {
        /// The profiles, first the one to try first
        #[arg(required = true, value_name = "PROFILE")]
        profiles: Vec<ProfileId>,
        #[command(flatten)]
        options: Options,
    },
    /// Remove the stored order
    Clear(Options),
}

#[derive(Debug, clap::Args)]
struct Options {
    /// The provider [default: that of the profiles, where they are of one provider]
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: Option<ProviderId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'o> {
    agent_id: &'o AgentId,
    #[serde(flatten)]
    agent_dir: PathMember<'o>,
    provider: &'o ProviderId,
    #[serde(flatten)]
    auth_state_path: PathMember<'o>,
    order: Option<&'o [ProfileId]>,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Some(command) = args.command else {
        return output.help(&["models", "auth", "order"]);
    };
    let agent = AgentId::named(agent);
    let agent = agent.as_ref();
    let is_get = matches!(command, Command::Get(_));
    let (stored, json) = match command {
        Command::Get(options) => (get(app, agent, options.provider.as_ref()), options.json),
        Command::Clear(options) => (clear(app, agent, options.provider.as_ref()), options.json),
        Command::Set { profiles, options } => {
            (set(app, agent, options.provider.as_ref(), &profiles), options.json)
        }
    };
    let stored = stored.map_err(failure::explain(failure::order, app))?;
    let auth_state_path = app.shorten(&stored.state_location);
    if !json {
        return output.data(&text(&stored, is_get.then_some(auth_state_path.as_str())));
    }
    output.json(&Report {
        agent_id: &stored.agent_id,
        agent_dir: PathMember::of("agentDir", &stored.agent_dir),
        provider: &stored.provider,
        auth_state_path: PathMember::location("authStatePath", &stored.state_location)
            .shown_as(auth_state_path),
        order: stored.order.as_deref(),
    })
}

fn text(stored: &StoredOrder, state_path: Option<&str>) -> String {
    let order = match &stored.order {
        Some(order) => order.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        None => "(none)".to_owned(),
    };
    let state_file = state_path.map(|path| format!("Auth state file: {path}\n"));
    format!(
        "Agent: {}\nProvider: {}\n{}Order override: {order}\n",
        stored.agent_id,
        stored.provider,
        state_file.unwrap_or_default()
    )
}
