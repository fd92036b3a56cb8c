//! `models auth list`

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::login_state::StateReport;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::ops::list::{Listing, Row, list};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use crate::text::printable;
use comfy_table::{Table, presets};
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only the profiles of this provider
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: Option<ProviderId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'l> {
    schema: u32,
    agent_id: &'l AgentId,
    #[serde(flatten)]
    store_path: PathMember<'l>,
    profiles: Vec<ProfileReport<'l>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileReport<'l> {
    id: &'l ProfileId,
    provider: &'l ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    label: &'l str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    health: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable_until: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inherited_from: Option<&'l AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imported_from: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_by: Option<&'l str>,
    #[serde(flatten)]
    state: StateReport<'l>,
}

impl<'l> From<&'l Row> for ProfileReport<'l> {
    fn from(row: &'l Row) -> Self {
        Self {
            id: &row.id,
            provider: &row.provider,
            kind: row.kind.name(),
            label: &row.label,
            email: row.email.as_deref(),
            account_id: row.account_id.as_deref(),
            expires_at: row.expires,
            health: row.health.name(),
            problem: row.problem.as_deref(),
            refusal: row.refusal.as_deref(),
            unusable_until: row.unusable_until,
            inherited_from: row.inherited_from.as_ref(),
            imported_from: row.imported_from.as_deref(),
            managed_by: row.managed_by.map(|tool| tool.program().name.as_str()),
            state: StateReport::new(&row.state, row.proven_at),
        }
    }
}

pub(in crate::cli) fn run(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let listing = list(app, AgentId::named(agent).as_ref(), args.provider.as_ref())?;
    output.warn_of_exposures(&listing.exposures);
    for problem in &listing.problems {
        output.warn(problem);
    }
    for order in &listing.stale_orders {
        output.warn(&failure::stale_order(order, &listing.agent_id));
    }
    output.warn_of_invalid_entries(listing.invalid_entries, &listing.location);
    if args.json {
        return output.json(&Report {
            schema: 1,
            agent_id: &listing.agent_id,
            store_path: PathMember::location("storePath", &listing.location),
            profiles: listing.rows.iter().map(ProfileReport::from).collect(),
        });
    }
    if listing.rows.is_empty() {
        let of = args.provider.as_ref().map_or_else(String::new, |id| format!(" of {id}"));
        output.say(&format!(
            "Agent `{}` has no profile{of} in {}; sign in with: openclaw-auth models auth login",
            listing.agent_id, listing.location
        ));
        return Ok(());
    }
    output.data(&table(&listing))
}

fn table(listing: &Listing) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["PROFILE", "PROVIDER", "TYPE", "STATUS"]);
    for row in &listing.rows {
        let from = match &row.inherited_from {
            Some(agent) => format!(" (from agent {agent})"),
            None => String::new(),
        };
        table.add_row([
            format!("{:.120}{from}", row.id),
            format!("{:.60}", row.provider),
            row.kind.name().to_owned(),
            status(row),
        ]);
    }
    let lines = table.lines().map(|line| line.trim().to_owned() + "\n");
    lines.collect()
}

fn status(row: &Row) -> String {
    let state = row.state.to_string();
    match &row.imported_from {
        Some(tool) if row.managed_by.is_none() => {
            format!("{state}; imported from {}", printable(tool, 40))
        }
        _ => state,
    }
}
