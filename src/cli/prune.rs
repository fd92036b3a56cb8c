//! `prune`: removes the profiles of logins that are over.

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::models::auth::logout::sign_out;
use crate::cli::output::Output;
use crate::ops::list::{Row, list};
use crate::ops::logout::Request;
use crate::profile::{AgentId, LoginState, Over, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Over is a login that `list` says to sign in to again: its refresh token was refused for good,
or it is expired and cannot be renewed, or it holds nothing that can be used. Nothing is asked
of a server. `doctor --restore` brings back what was removed.")]
pub(super) struct Args {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    dry_run: bool,
    agent_id: &'r AgentId,
    profiles: Vec<RowReport<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowReport<'r> {
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    health: &'static str,
}

pub(super) fn run(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let agent = AgentId::named(agent);
    let listing = list(app, agent.as_ref(), None)?;
    output.warn_of_exposures(&listing.exposures);
    let over: Vec<&Row> = listing.rows.iter().filter(|row| is_over(row)).collect();
    if !args.dry_run {
        let ids = over.iter().map(|row| row.id.clone()).collect();
        let name = String::new();
        let request = Request { name, agent, local: true, all_agents: false, only_over: true };
        return sign_out(ids, &request, args.json, app, output);
    }
    if args.json {
        let profiles = over.iter().map(|row| RowReport {
            profile_id: &row.id,
            provider: &row.provider,
            health: row.health.name(),
        });
        return output.json(&Report {
            schema: 1,
            dry_run: true,
            agent_id: &listing.agent_id,
            profiles: profiles.collect(),
        });
    }
    if over.is_empty() {
        output.say("No login is over; nothing would be removed");
    }
    let lines = over.iter().map(|row| format!("{}: {}\n", row.id, reason(row)));
    output.data(&lines.collect::<String>())
}

/// Whether nothing but another login helps, and the profile is the agent's own.
fn is_over(row: &Row) -> bool {
    row.inherited_from.is_none() && row.managed_by.is_none() && row.state.is_over()
}

const fn reason(row: &Row) -> &'static str {
    let LoginState::SignInAgain { why, .. } = &row.state else { return "" };
    match why {
        Over::Refused(_) => "refused by the server",
        Over::Revoked => "signed out at the server",
        Over::Moved => "moved away",
        Over::MoveInterrupted => "",
        Over::Expired => "expired, and nothing renews it",
        Over::Rejected => "rejected by the server, and nothing renews it",
        Over::Replaced => "its refresh token was replaced",
        Over::Lost(_) => "another program took its tokens away",
        Over::Empty => "it holds no credential",
        Over::Unusable(_) => "it cannot be used as it is written",
    }
}
