//! `models auth logout`

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::logout::{Request, Revocation, logout};
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Args {
    /// The profile to sign out of
    profile: ProfileId,
    /// Remove the profile here without revoking the login at the server
    #[arg(long)]
    local: bool,
    /// Accepted as OpenClaw has it: nothing is asked in any case
    #[arg(long)]
    yes: bool,
    /// Remove it from all agents, `main` included, whose profiles every agent has
    #[arg(long)]
    all_agents: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    agent_id: Option<&'r AgentId>,
    agent_ids: &'r [AgentId],
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_revoked_because: Option<&'r str>,
    config_changed: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = Request {
        profile_id: args.profile,
        agent: AgentId::named(agent),
        local: args.local,
        all_agents: args.all_agents,
    };
    let report = wait(logout(app, &request, &mut Console::new(output, &app.environment)))?;
    let reason = match &report.revocation {
        Revocation::Revoked => None,
        Revocation::Skipped(reason) => Some(reason.as_str()),
    };
    if let Some(from) = &report.left_with {
        output.say(&format!("the agent still has `{}` from agent `{from}`", report.profile_id));
    }
    if args.json {
        return output.json(&Report {
            schema: 1,
            agent_id: report.agent_ids.first(),
            agent_ids: &report.agent_ids,
            profile_id: &report.profile_id,
            provider: &report.provider,
            revoked: reason.is_none(),
            not_revoked_because: reason,
            config_changed: report.config_changed,
        });
    }
    let revoked = match reason {
        None => "revoked at the server and removed here".to_owned(),
        Some(reason) => format!("removed here; not revoked: {reason}"),
    };
    output.data(&format!("{}: {revoked}\n", report.profile_id))
}
