//! `secrets`

mod audit;

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
    /// Find secrets in plain text and references that do not resolve
    Audit(audit::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Audit(args)) => audit::run(&args, app, output),
        None => output.help(&["secrets"]),
    }
}
