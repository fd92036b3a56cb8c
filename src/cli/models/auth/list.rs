//! `models auth list`: with `--json`, that of OpenClaw where the profiles are in its databases.

use super::openclaw_list;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::login_state::StateReport;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::ops::list::{Listing, Row, list};
use crate::profile::{AgentId, ProviderId};
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
struct ProfileReport<'l> {
    #[serde(flatten)]
    row: &'l Row,
    #[serde(flatten)]
    state: StateReport<'l>,
}

impl<'l> From<&'l Row> for ProfileReport<'l> {
    fn from(row: &'l Row) -> Self {
        Self { row, state: StateReport::new(&row.state, row.proven_at) }
    }
}

/// `models auth list`, which OpenClaw has as well.
pub(in crate::cli) fn run(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    show(args, agent, true, app, output)
}

/// `list`, which is ours.
pub(in crate::cli) fn run_short(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    show(args, agent, false, app, output)
}

fn show(
    args: &Args,
    agent: Option<&str>,
    is_openclaws: bool,
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
    if let Some(database) = listing.database.as_ref().filter(|_| args.json && is_openclaws) {
        return output.json(&openclaw_list::report(&listing, database, args.provider.as_ref()));
    }
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
