//! `help COMMAND`: the help of a command by its words, long or short.

use super::{mistyped, output::Output};
use crate::cli::exit::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The words of the command: login, models auth token
    #[arg(value_name = "COMMAND")]
    words: Vec<String>,
}

pub(super) fn run(
    args: &Args,
    root: &clap::Command,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    if let Some(failure) = mistyped::unknown(root, &words) {
        return Err(failure);
    }
    output.help(&words)
}
