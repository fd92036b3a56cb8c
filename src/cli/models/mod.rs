//! `models`

pub(super) mod auth;
pub(super) mod status;

use super::output::Output;
use crate::app::App;
use crate::cli::exit::Failure;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// As `models status --json`
    #[arg(long)]
    status_json: bool,
    /// As `models status --plain`
    #[arg(long, conflicts_with = "status_json")]
    status_plain: bool,
}

#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
enum Command {
    /// Sign in, sign out, and hand out tokens
    Auth(Box<auth::Args>),
    /// Show the models in use and what can be used for them, until when
    Status(status::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Auth(args)) => auth::run(*args, app, output),
        Some(Command::Status(args)) => status::run(&args, app, output),
        None if args.status_json || args.status_plain => {
            let form = status::Args::in_form(args.status_json, args.status_plain);
            status::run(&form, app, output)
        }
        None => output.help(&["models"]),
    }
}

/// Shows how each login is doing.
pub(super) fn show_status(app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    status::run(&status::Args::default(), app, output)
}
