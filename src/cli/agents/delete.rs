//! `agents delete`: the JSON of OpenClaw 2026.4.24, and after it what was moved where.

use crate::admin::agents::{Deleted, Kept, check_deletion, delete};
use crate::app::App;
use crate::cli::exit::{Command, ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::cli::prompt::confirm;
use crate::profile::AgentId;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The agent
    id: String,
    /// Do not ask
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    agent_id: &'a AgentId,
    #[serde(flatten)]
    workspace: PathMember<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_retained: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_retained_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_shared_with: Option<&'a [AgentId]>,
    #[serde(flatten)]
    agent_dir: PathMember<'a>,
    #[serde(flatten)]
    sessions_dir: PathMember<'a>,
    removed_bindings: usize,
    removed_allow: usize,
    #[serde(flatten)]
    trash: PathMember<'a>,
    moved: Vec<Moved<'a>>,
    retained: Vec<Retained<'a>>,
}

#[derive(Serialize)]
struct Moved<'a> {
    #[serde(flatten)]
    from: PathMember<'a>,
    #[serde(flatten)]
    to: PathMember<'a>,
}

impl<'a> Moved<'a> {
    fn of((from, to): &'a (PathBuf, PathBuf)) -> Self {
        Self { from: PathMember::of("from", from), to: PathMember::of("to", to) }
    }
}

#[derive(Serialize)]
struct Retained<'a> {
    #[serde(flatten)]
    path: PathMember<'a>,
    reason: &'static str,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let id = check_deletion(app, &args.id)?;
    if id != args.id.trim() {
        output.say(&format!("note: the id of the agent is `{id}`"));
    }
    if !args.force {
        if !output.streams.stdin_is_terminal {
            return Err(Failure::message(
                ExitStatus::Failure,
                format!("deleting agent `{id}` needs --force where nobody can be asked"),
            )
            .hint(Command::ours("agents delete").operand(id.as_str()).arg("--force")));
        }
        let question = format!("Delete agent {id} and move its directories to the trash?");
        if !confirm(output, &question)? {
            output.say("Nothing was changed");
            return Ok(());
        }
    }
    let deleted = delete(app, &id)?;
    if args.json { output.json(&report(&deleted)) } else { output.data(&text(&deleted, app)) }
}

fn reason(kept: &Kept) -> &'static str {
    match kept {
        Kept::Shared(_) => "shared",
        Kept::Protected => "protected",
        Kept::Copied => "copied",
    }
}

fn report(deleted: &Deleted) -> Report<'_> {
    let workspace = deleted
        .kept
        .iter()
        .find(|(path, kept)| *path == deleted.workspace && !matches!(kept, Kept::Copied));
    Report {
        agent_id: &deleted.id,
        workspace: PathMember::of("workspace", &deleted.workspace),
        workspace_retained: workspace.map(|_| true),
        workspace_retained_reason: workspace.map(|(_, kept)| reason(kept)),
        workspace_shared_with: workspace.and_then(|(_, kept)| match kept {
            Kept::Shared(agents) => Some(&agents[..]),
            _ => None,
        }),
        agent_dir: PathMember::of("agentDir", &deleted.agent_dir),
        sessions_dir: PathMember::of("sessionsDir", &deleted.sessions_dir),
        removed_bindings: deleted.removal.bindings,
        removed_allow: deleted.removal.allowances,
        trash: PathMember::optional("trash", deleted.trash.as_deref()),
        moved: deleted.moved.iter().map(Moved::of).collect(),
        retained: deleted
            .kept
            .iter()
            .map(|(path, kept)| Retained {
                path: PathMember::of("path", path),
                reason: reason(kept),
            })
            .collect(),
    }
}

fn text(deleted: &Deleted, app: &App) -> String {
    let path = |path: &Path| app.paths.shorten(path);
    let mut lines = vec![format!("Deleted agent {}", deleted.id)];
    if let Some(trash) = &deleted.trash {
        lines.push(format!("  Trash:    {}", path(trash)));
    }
    for (from, to) in &deleted.moved {
        lines.push(format!("  Moved:    {} to {}", path(from), path(to)));
    }
    for (directory, kept) in &deleted.kept {
        let why = match kept {
            Kept::Shared(agents) => {
                let agents: Vec<String> = agents.iter().map(AgentId::to_string).collect();
                format!("used by {} as well", agents.join(", "))
            }
            Kept::Protected => "it holds more than what belongs to the agent".to_owned(),
            Kept::Copied => "it is in the trash, but could not be removed wholly here".to_owned(),
        };
        lines.push(format!("  Kept:     {} ({why})", path(directory)));
    }
    lines.push(format!("  Bindings: {} removed", deleted.removal.bindings));
    if deleted.removal.allowances > 0 {
        lines.push("  Removed from tools.agentToAgent.allow".to_owned());
    }
    lines.join("\n") + "\n"
}
