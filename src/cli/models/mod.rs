//! `models`

mod auth;

use super::output::Output;
use super::print_help;
use crate::app::App;
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sign in, sign out, and hand out tokens
    Auth(auth::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Auth(args)) => auth::run(args, app, output),
        None => print_help(output, &["models"]),
    }
}
