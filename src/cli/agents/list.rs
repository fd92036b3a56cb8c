//! `agents list`: the JSON of OpenClaw 2026.4.24.

use crate::admin::agents::{IdentitySource, Row, list};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::AgentId;
use crate::text::printable;
use serde::Serialize;

#[derive(Debug, Default, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show each binding
    #[arg(long)]
    bindings: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    id: &'r AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_emoji: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_source: Option<&'static str>,
    #[serde(flatten)]
    workspace: PathMember<'r>,
    #[serde(flatten)]
    agent_dir: PathMember<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'r str>,
    bindings: usize,
    is_default: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    binding_details: &'r [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<&'r str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    providers: &'r [String],
}

/// The route of the default agent when no binding leads to it.
const DEFAULT_ROUTE: &str = "default (no explicit rules)";

fn routes(row: &Row) -> Vec<&str> {
    match &row.routes[..] {
        [] if row.is_default => vec![DEFAULT_ROUTE],
        routes => routes.iter().map(String::as_str).collect(),
    }
}

fn report(row: &Row, with_bindings: bool) -> Report<'_> {
    Report {
        id: &row.id,
        name: row.name.as_deref(),
        identity_name: row.identity_name.as_deref(),
        identity_emoji: row.identity_emoji.as_deref(),
        identity_source: row.identity_source.map(|source| match source {
            IdentitySource::File => "identity",
            IdentitySource::Config => "config",
        }),
        workspace: PathMember::of("workspace", &row.workspace),
        agent_dir: PathMember::of("agentDir", &row.agent_dir),
        model: row.model.as_deref(),
        bindings: row.bindings.len(),
        is_default: row.is_default,
        binding_details: if with_bindings { &row.bindings } else { &[] },
        routes: routes(row),
        providers: &row.providers,
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let rows = list(app)?;
    if args.json {
        let reports = rows.iter().map(|row| report(row, args.bindings));
        return output.json(&reports.collect::<Vec<_>>());
    }
    output.data("Agents:\n")?;
    rows.iter().try_for_each(|row| output.data(&text(row, args.bindings, app)))
}

fn text(row: &Row, with_bindings: bool, app: &App) -> String {
    let shown = |text: &str| printable(text, 300);
    let default = if row.is_default { " (default)" } else { "" };
    let name = row.name.as_deref().filter(|name| row.id != **name);
    let name = name.map(|name| format!(" ({})", shown(name))).unwrap_or_default();
    let mut lines = vec![format!("- {}{default}{name}", row.id)];
    let identity: Vec<_> =
        [&row.identity_emoji, &row.identity_name].into_iter().flatten().map(|t| shown(t)).collect();
    if !identity.is_empty() {
        let source = match row.identity_source {
            Some(IdentitySource::File) => " (IDENTITY.md)",
            _ => " (configuration)",
        };
        lines.push(format!("  Identity:  {}{source}", identity.join(" ")));
    }
    lines.push(format!("  Workspace: {}", app.paths.shorten(&row.workspace)));
    lines.push(format!("  Agent dir: {}", app.paths.shorten(&row.agent_dir)));
    lines.extend(row.model.as_ref().map(|model| format!("  Model:     {}", shown(model))));
    let routes = routes(row);
    if !routes.is_empty() {
        lines.push(format!("  Routes:    {}", shown(&routes.join(", "))));
    }
    lines.push(format!("  Bindings:  {}", row.bindings.len()));
    if with_bindings {
        lines.extend(row.bindings.iter().map(|binding| format!("    - {}", shown(binding))));
    }
    if !row.providers.is_empty() {
        lines.push("  Channel accounts:".to_owned());
        lines.extend(row.providers.iter().map(|provider| format!("    - {}", shown(provider))));
    }
    lines.join("\n") + "\n"
}
