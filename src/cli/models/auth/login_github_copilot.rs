//! `models auth login-github-copilot`, as OpenClaw has it: the login of one provider.

use super::login;
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::profile::ProfileId;
use crate::provider::COPILOT_PROVIDER;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The same as `models auth login --provider github-copilot`: a code that is entered on another
device. It works without a terminal, too.")]
pub(super) struct Args {
    /// The profile id [default: github-copilot:github]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
    /// Accepted for compatibility: an existing profile is replaced without asking
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Args { profile_id, yes: _ } = args;
    login::run(login::Args::at(COPILOT_PROVIDER.into(), None, profile_id), agent, app, output)
}
