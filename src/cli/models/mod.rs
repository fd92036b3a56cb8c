//! `models`

pub(super) mod auth;
mod status;

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
    /// Show the models in use and what can be used for them, until when
    Status(status::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Auth(args)) => auth::run(args, app, output),
        Some(Command::Status(args)) => status::run(&args, app, output),
        None => print_help(output, &["models"]),
    }
}

/// Shows what is usable until when.
pub(super) fn show_status(app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    status::run(&status::Args::default(), app, output)
}
