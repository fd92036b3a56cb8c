//! `agents`

mod add;
mod bind;
mod bindings;
mod bindings_text;
mod delete;
mod list;
mod set_identity;
mod unbind;

use super::output::Output;
use crate::app::App;
use crate::cli::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    /// Add an agent with a store of its own
    Add(add::Args),
    /// List the agents
    List(list::Args),
    /// Delete an agent; its directories are kept in the trash
    Delete(delete::Args),
    /// Let an agent answer on channels
    Bind(bind::Args),
    /// Let an agent no longer answer on channels
    Unbind(unbind::Args),
    /// List which agent answers on which channel
    Bindings(bindings::Args),
    /// Set the name, emoji, theme and avatar of an agent
    SetIdentity(set_identity::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Add(args)) => add::run(args, app, output),
        Some(Command::List(args)) => list::run(&args, app, output),
        Some(Command::Delete(args)) => delete::run(&args, app, output),
        Some(Command::Bind(args)) => bind::run(&args, app, output),
        Some(Command::Unbind(args)) => unbind::run(&args, app, output),
        Some(Command::Bindings(args)) => bindings::run(&args, app, output),
        Some(Command::SetIdentity(args)) => set_identity::run(args, app, output),
        None => list::run(&list::Args::default(), app, output),
    }
}

/// Adds an agent, asking for what it needs.
pub(super) fn add_on_terminal(app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    add::run(add::Args::default(), app, output)
}
