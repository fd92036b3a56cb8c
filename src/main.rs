//! The `openclaw-auth` command.

use openclaw_auth::cli;
use openclaw_auth::system::{Environment, Streams};
use std::process::ExitCode;

fn main() -> ExitCode {
    let current_dir = std::env::current_dir().unwrap_or_default();
    let mut streams = Streams::of_process();
    let args = std::env::args_os().collect();
    cli::main(args, Environment::of_process(), &mut streams, &current_dir).into()
}
