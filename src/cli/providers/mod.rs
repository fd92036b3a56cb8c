//! `providers`

mod list;

use super::output::Output;
use crate::app::App;
use crate::cli::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the providers with the ways to sign in to each
    List(list::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::List(args)) => list::run(&args, app, output),
        None => output.help(&["providers"]),
    }
}
