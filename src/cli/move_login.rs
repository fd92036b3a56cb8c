//! `move NAME`: a login goes to a file, to standard output or to another agent.

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::moving::{Request, Shared, move_login, share, take_back};
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::store::MovedTo;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A refresh token has one owner, so a login is moved and never copied: it is written there, then
removed here, in one step. The other machine takes it from its standard input:

  openclaw-auth move chatgpt --to - | ssh server openclaw-auth import -

A FILE is new and private (0600): nothing is replaced, no link is followed. Delete it once it is
imported. --access-only writes a token that ends by itself, and the login stays here:

  openclaw-auth move chatgpt --access-only --to token.json")]
pub(super) struct Args {
    /// An account, a profile, or a provider with one profile: ada@example.com, chatgpt
    #[arg(value_name = "NAME", value_parser = named::name)]
    name: String,
    /// Write it to this new file, or to standard output (-)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["to_agent", "undo"])]
    to: Option<PathBuf>,
    /// Move it to this agent
    #[arg(long, value_name = "ID", conflicts_with = "to", value_parser = named::name)]
    to_agent: Option<String>,
    /// Write a usable access token with its expiry, and leave the login here
    #[arg(long, conflicts_with = "to_agent")]
    access_only: bool,
    /// Use the login here again after a move was interrupted and nobody has what it wrote
    #[arg(long, conflicts_with_all = ["to", "to_agent", "access_only"])]
    undo: bool,
    /// Print JSON; with `--to -`, standard output holds the login alone
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    agent_id: &'r AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_agent: Option<&'r AgentId>,
    access_only: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let agent = AgentId::named(agent);
    if args.undo {
        let id = wait(take_back(app, &args.name, agent.as_ref()))?;
        return output.data(&format!("{id} is used here again\n"));
    }
    let to = match (&args.to, args.to_agent.as_deref()) {
        (_, Some(id)) => MovedTo::Agent(AgentId::named(Some(id)).unwrap_or_else(AgentId::main)),
        (Some(file), _) if file.as_os_str() != "-" => {
            MovedTo::File(app.paths.current_dir.join(file))
        }
        _ => MovedTo::Output,
    };
    if to == MovedTo::Output && output.streams.stdout_is_terminal {
        return Err(Failure::usage("a login is not shown on a terminal")
            .hint("pipe it to `openclaw-auth import -`, or name a file: --to FILE"));
    }
    let request = Request { name: args.name, agent, to };
    let done = if args.access_only {
        let shared = wait_shared(app, &request, output)?;
        if request.to == MovedTo::Output {
            return output.data(shared.text.expose());
        }
        shared.report
    } else {
        wait(move_login(app, &request, &mut *output.streams.stdout))?
    };
    let report = Report {
        schema: 1,
        profile_id: &done.profile_id,
        provider: &done.provider,
        agent_id: &done.agent_id,
        file: match &done.to {
            MovedTo::File(file) => Some(file.to_string_lossy().into_owned()),
            _ => None,
        },
        to_agent: match &done.to {
            MovedTo::Agent(id) => Some(id),
            _ => None,
        },
        access_only: args.access_only,
    };
    if request.to == MovedTo::Output {
        output.say(&format!("{} is moved; it is not used here any more", done.profile_id));
        return Ok(());
    }
    if args.json {
        return output.json(&report);
    }
    output.data(&line(&report))
}

fn wait_shared(app: &App, request: &Request, output: &mut Output<'_>) -> Result<Shared, Failure> {
    let mut console = Console::new(output, &app.environment);
    let shared = wait(share(app, request, &mut console));
    shared.map_err(|error| failure::shared(error, app))
}

fn line(report: &Report<'_>) -> String {
    let id = report.profile_id;
    match (&report.file, report.to_agent) {
        (_, Some(agent)) => format!("{id} is moved to agent {agent}\n"),
        (Some(file), _) if report.access_only => {
            format!("a token of {id} is in {}; the login stays here\n", shown(file))
        }
        (Some(file), _) => {
            format!("{id} is moved to {}; it is not used here any more\n", shown(file))
        }
        _ => String::new(),
    }
}

fn shown(file: &str) -> String {
    crate::text::printable(file, 4_096)
}
