//! `agents set-identity`: the JSON of OpenClaw 2026.4.24.

use crate::admin::agents::{IdentityRequest, IdentitySet, set_identity};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::profile::AgentId;
use crate::text::printable;
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --agent, the agent is the one whose workspace is --workspace, the directory of
--identity-file, or the current directory. Without a text, IDENTITY.md is read there.

  openclaw-auth agents set-identity --agent work --name Ada --emoji 🦞
  openclaw-auth agents set-identity --workspace ~/work --from-identity")]
pub(super) struct Args {
    /// The agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// The workspace of the agent, with its IDENTITY.md
    #[arg(long, value_name = "DIR")]
    workspace: Option<String>,
    /// The identity file
    #[arg(long, value_name = "FILE")]
    identity_file: Option<String>,
    /// Read IDENTITY.md for what is not given here
    #[arg(long)]
    from_identity: bool,
    /// The name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The emoji
    #[arg(long, value_name = "TEXT")]
    emoji: Option<String>,
    /// The theme
    #[arg(long, value_name = "TEXT")]
    theme: Option<String>,
    /// The avatar: a path in the workspace, a URL or a data URI
    #[arg(long, value_name = "TEXT")]
    avatar: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    agent_id: &'a AgentId,
    identity: &'a Value,
    #[serde(flatten)]
    workspace: PathMember<'a>,
    #[serde(flatten)]
    identity_file: PathMember<'a>,
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let request = IdentityRequest {
        agent: AgentId::named(args.agent.as_deref()),
        workspace: args.workspace,
        identity_file: args.identity_file,
        from_identity: args.from_identity,
        name: args.name,
        emoji: args.emoji,
        theme: args.theme,
        avatar: args.avatar,
    };
    let set = set_identity(app, &request)?;
    if args.json {
        return output.json(&Report {
            agent_id: &set.agent_id,
            identity: &set.identity,
            workspace: PathMember::optional("workspace", set.workspace.as_deref()),
            identity_file: PathMember::optional("identityFile", set.identity_file.as_deref()),
        });
    }
    output.data(&text(&set, app))
}

fn text(set: &IdentitySet, app: &App) -> String {
    let mut lines = vec![format!("Agent:     {}", set.agent_id)];
    for (label, key) in
        [("Name:", "name"), ("Emoji:", "emoji"), ("Theme:", "theme"), ("Avatar:", "avatar")]
    {
        let text = set.identity[key].as_str();
        lines.extend(text.map(|text| format!("{label:<10} {}", printable(text, 300))));
    }
    if let Some(workspace) = &set.workspace {
        lines.push(format!("Workspace: {}", app.paths.shorten(workspace)));
    }
    lines.join("\n") + "\n"
}
