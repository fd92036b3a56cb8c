//! `store`

mod convert;

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
    /// Move all logins between JSON documents and a SQLite database
    Convert(convert::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Convert(args)) => convert::run(&args, app, output),
        None => output.help(&["store"]),
    }
}
