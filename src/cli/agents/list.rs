//! `agents list`: the JSON of OpenClaw 2026.4.24.

use crate::app::App;
use crate::cli::output::Output;
use crate::exit::Failure;
use crate::ops::agents::{Row, list};
use crate::text::printable;
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    id: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_emoji: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_source: Option<&'static str>,
    workspace: &'r Path,
    agent_dir: &'r Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'r str>,
    bindings: usize,
    is_default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    routes: Option<[&'static str; 1]>,
}

/// What OpenClaw says of the default agent when nothing is bound to it.
const DEFAULT_ROUTE: &str = "default (no explicit rules)";

impl<'r> From<&'r Row> for Report<'r> {
    fn from(row: &'r Row) -> Self {
        let (name, emoji) = &row.identity;
        Self {
            id: &row.id,
            name: row.name.as_deref(),
            identity_name: name.as_deref(),
            identity_emoji: emoji.as_deref(),
            identity_source: (name.is_some() || emoji.is_some()).then_some("config"),
            workspace: &row.workspace,
            agent_dir: &row.agent_dir,
            model: row.model.as_deref(),
            bindings: row.bindings,
            is_default: row.is_default,
            routes: (row.is_default && row.bindings == 0).then_some([DEFAULT_ROUTE]),
        }
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let rows = list(app)?;
    if args.json {
        return output.json(&rows.iter().map(Report::from).collect::<Vec<_>>());
    }
    output.data("Agents:\n")?;
    rows.iter().try_for_each(|row| output.data(&text(row, app)))
}

fn text(row: &Row, app: &App) -> String {
    let default = if row.is_default { " (default)" } else { "" };
    let name = row.name.as_deref().filter(|name| *name != row.id);
    let name = name.map(|name| format!(" ({})", printable(name, 120))).unwrap_or_default();
    let mut lines = vec![
        format!("- {}{default}{name}", row.id),
        format!("  Workspace: {}", app.paths.shorten(&row.workspace)),
        format!("  Agent dir: {}", app.paths.shorten(&row.agent_dir)),
    ];
    lines.extend(row.model.as_ref().map(|model| format!("  Model: {}", printable(model, 120))));
    lines.push(format!("  Routing rules: {}", row.bindings));
    if row.is_default && row.bindings == 0 {
        lines.push(format!("  Routing: {DEFAULT_ROUTE}"));
    }
    lines.join("\n") + "\n"
}
