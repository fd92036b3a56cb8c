//! `agents`

mod add;
mod list;

use super::output::Output;
use crate::app::App;
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add an agent with a store of its own
    Add(add::Args),
    /// List the agents
    List(list::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Add(args)) => add::run(args, app, output),
        Some(Command::List(args)) => list::run(&args, app, output),
        None => list::run(&list::Args::default(), app, output),
    }
}
