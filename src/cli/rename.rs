//! `rename NAME NEW-ID`: another id for a profile.

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::rename::{Request, rename};
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The login stays as it is: no request is sent. Orders, cooldowns and the configuration name the new
id then; a session that pins the profile has to pin it again.

  openclaw-auth rename openai-codex:ada@example.com openai-codex:work")]
pub(super) struct Args {
    /// An account, a profile, or a provider with one profile: ada@example.com
    #[arg(value_name = "NAME", value_parser = named::name)]
    name: String,
    /// The new profile id
    #[arg(value_name = "NEW-ID", value_parser = named::profile)]
    new_id: ProfileId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    agent_id: &'r AgentId,
    provider: &'r ProviderId,
    profile_id: &'r ProfileId,
    former_id: &'r ProfileId,
    config_changed: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = Request { name: args.name, agent: AgentId::named(agent), to: args.new_id };
    let done = wait(rename(app, &request))?;
    if args.json {
        return output.json(&Report {
            schema: 1,
            agent_id: &done.agent_id,
            provider: &done.provider,
            profile_id: &done.to,
            former_id: &done.from,
            config_changed: done.config_changed,
        });
    }
    output.data(&format!("{} is named {} now\n", done.from, done.to))
}
