//! `models auth`

mod list;
mod login;
mod logout;
mod token;

use crate::app::App;
use crate::cli::output::Output;
use crate::cli::print_help;
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sign in and store the login
    Login(login::Args),
    /// Print a usable access token, refreshing it where needed
    Token(token::Args),
    /// List the profiles with their health
    List(list::Args),
    /// Revoke a login and remove its profile
    Logout(logout::Args),
}

pub(super) fn run(args: Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match args.command {
        Some(Command::Login(args)) => login::run(args, app, output),
        Some(Command::Token(args)) => token::run(args, app, output),
        Some(Command::List(args)) => list::run(&args, app, output),
        Some(Command::Logout(args)) => logout::run(args, app, output),
        None => print_help(output, &["models", "auth"]),
    }
}
