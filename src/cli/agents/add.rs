//! `agents add`: the JSON of OpenClaw 2026.4.24.

use super::bindings_text::{section, texts};
use crate::admin::agents::binding::BindOutcome;
use crate::admin::agents::{AddError, AddRequest, Added, add, check_name, default_workspace};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::cli::prompt::ask;
use crate::profile::AgentId;
use crate::text::{chain, printable};
use serde::Serialize;
use std::path::Path;

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Without options, a terminal is asked for what is missing; elsewhere the default workspace is
taken. With any of the options but --json, --workspace is needed.

  openclaw-auth agents add work
  openclaw-auth agents add work --workspace ~/work --bind telegram:work --json")]
pub(super) struct Args {
    /// The name of the agent
    name: Option<String>,
    /// The workspace directory [default: workspace-<id> in the state directory]
    #[arg(long, value_name = "DIR")]
    workspace: Option<String>,
    /// The model of the agent [default: the model of all agents]
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// The directory of its store [default: agents/<id>/agent in the state directory]
    #[arg(long, value_name = "DIR")]
    agent_dir: Option<String>,
    /// Let it answer on a channel, or on one account of it; may be repeated
    #[arg(long, value_name = "CHANNEL[:ACCOUNT]")]
    bind: Vec<String>,
    /// Ask nothing; needs --workspace
    #[arg(long)]
    non_interactive: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    agent_id: &'a AgentId,
    name: &'a str,
    #[serde(flatten)]
    workspace: PathMember<'a>,
    #[serde(flatten)]
    agent_dir: PathMember<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    bindings: &'a BindOutcome,
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let json = args.json;
    let request = request(args, app, output)?;
    let added = add(app, &request)?;
    if added.id != *added.name {
        output.say(&format!("note: the id of the agent is `{}`", added.id));
    }
    if !added.bindings.conflicts.is_empty() && !json {
        let conflicts = texts(&added.bindings.conflicts);
        output.warn(&format!("another agent has: {}", printable(&conflicts.join("; "), 2_000)));
    }
    if json {
        return output.json(&Report {
            agent_id: &added.id,
            name: &added.name,
            workspace: PathMember::of("workspace", &added.workspace),
            agent_dir: PathMember::of("agentDir", &added.agent_dir),
            model: added.model.as_deref(),
            bindings: &added.bindings,
        });
    }
    output.data(&text(&added, app))
}

/// What the options say, or what the user answers when there are none.
fn request(args: Args, app: &App, output: &mut Output<'_>) -> Result<AddRequest, Failure> {
    let has_workspace = args.workspace.as_ref().is_some_and(|text| !text.trim().is_empty());
    let has_options = args.non_interactive
        || args.workspace.is_some()
        || args.model.is_some()
        || args.agent_dir.is_some()
        || !args.bind.is_empty();
    if has_options && !has_workspace {
        return Err(Failure::message(
            ExitStatus::Failure,
            "these options need --workspace as well",
        )
        .hint("openclaw-auth agents add <name> --workspace <dir>"));
    }
    let mut request = AddRequest {
        name: args.name.unwrap_or_default(),
        workspace: args.workspace,
        agent_dir: args.agent_dir,
        model: args.model,
        bindings: args.bind,
    };
    if has_options || !output.streams.stdin_is_terminal {
        return Ok(request);
    }
    let mut id = None;
    if !request.name.trim().is_empty() {
        id = Some(check_name(app, &request.name)?);
    }
    let id = loop {
        if let Some(id) = id {
            break id;
        }
        request.name = ask(output, "Name of the agent", None)?;
        match check_name(app, &request.name) {
            Ok(checked) => id = Some(checked),
            Err(AddError::App(error)) => return Err(error.into()),
            Err(error) => output.say(&format!("That name cannot be taken: {}", chain(&error))),
        }
    };
    let default = default_workspace(app, &id)?;
    request.workspace = Some(ask(output, "Workspace directory", default.to_str())?);
    request.model = Some(ask(output, "Model (empty for the model of all agents)", None)?);
    Ok(request)
}

fn text(added: &Added, app: &App) -> String {
    let path = |path: &Path| app.paths.shorten(path);
    let model =
        added.model.as_ref().map(|model| format!("  Model:     {}\n", printable(model, 120)));
    [
        format!("Added agent {} ({})\n", added.id, printable(&added.name, 120)),
        format!("  Workspace: {}\n", path(&added.workspace)),
        format!("  Agent dir: {}\n", path(&added.agent_dir)),
        format!("  Sessions:  {}\n", path(&added.sessions_dir)),
        model.unwrap_or_default(),
        format!("  Listed in: {}\n", path(&added.config_path)),
        section("Added bindings", &added.bindings.added),
        section("Updated bindings", &added.bindings.updated),
    ]
    .concat()
}
