//! `models auth add`: choose a provider and a way to sign in on a terminal.

use super::sign_in::{nothing_chosen, pick};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::prompt::require_terminal;

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// What a script types in place of answering questions.
const WITHOUT_QUESTIONS: &str =
    "openclaw-auth models auth login --provider <id>, or paste-api-key, paste-token, import";

pub(super) fn run(
    _: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    require_terminal(output, WITHOUT_QUESTIONS)?;
    let catalog = app.catalog()?;
    pick(app, &catalog)?.ok_or_else(nothing_chosen)?.go(agent, app, output)
}
