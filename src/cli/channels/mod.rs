//! `channels`

pub(super) mod list;
mod status;

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
    /// List the configured channels and the logins of the main store
    List(list::Args),
    /// Show whether each channel account looks configured, from openclaw.json alone
    Status(status::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::List(args)) => list::run(&args, app, output),
        Some(Command::Status(args)) => status::run(&args, app, output),
        None => output.help(&["channels"]),
    }
}
