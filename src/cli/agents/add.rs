//! `agents add`

use crate::app::App;
use crate::cli::output::Output;
use crate::exit::{ExitStatus, Failure};
use crate::ops::agents::{AddRequest, add};
use crate::text::printable;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of the agent
    name: Option<String>,
    /// The workspace directory [default: workspace-<id> in the state directory]
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
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
    agent_id: &'a str,
    name: &'a str,
    workspace: &'a Path,
    agent_dir: &'a Path,
    bindings: Bindings,
}

#[derive(Default, Serialize)]
struct Bindings {
    added: [&'static str; 0],
    updated: [&'static str; 0],
    skipped: [&'static str; 0],
    conflicts: [&'static str; 0],
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let name = args.name.ok_or_else(|| {
        Failure::message(ExitStatus::Failure, "the agent needs a name")
            .hint("openclaw-auth agents add <name>")
    })?;
    if args.non_interactive && args.workspace.is_none() {
        return Err(Failure::message(
            ExitStatus::Failure,
            "--non-interactive needs --workspace as well",
        ));
    }
    let added = add(app, &AddRequest { name, workspace: args.workspace })?;
    if added.id != added.name {
        output.say(&format!("note: the id of the agent is `{}`", added.id));
    }
    if args.json {
        return output.json(&Report {
            agent_id: &added.id,
            name: &added.name,
            workspace: &added.workspace,
            agent_dir: &added.agent_dir,
            bindings: Bindings::default(),
        });
    }
    let path = |path: &Path| app.paths.shorten(path);
    output.data(&format!(
        "Added agent {} ({})\n  Workspace: {}\n  Agent dir: {}\n  Sessions:  {}\n  Listed in: {}\n",
        added.id,
        printable(&added.name, 120),
        path(&added.workspace),
        path(&added.agent_dir),
        path(&added.sessions_dir),
        path(&added.config_path),
    ))
}
