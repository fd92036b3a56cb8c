//! `models auth setup-token`

use super::paste::{Shown, paste};
use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::prompt::{dialogue, still_interruptible};
use crate::ops::paste::{Ready, Request};
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};
use crate::provider::SETUP_TOKEN_PROVIDER;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
On a terminal, the provider's own command makes the token first, where it is installed
(`claude setup-token`); then the token is pasted. Without a terminal, it is a line of
standard input.")]
pub(super) struct Args {
    /// The provider of the token
    #[arg(long, value_name = "ID", default_value = SETUP_TOKEN_PROVIDER, value_parser = named::provider)]
    provider: ProviderId,
    /// The profile id [default: <provider>:default]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
    /// How long the token is valid from now on; a bare number counts days
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_days)]
    expires_in: Option<Duration>,
    /// Do not ask whether to run the provider's command
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// A token of `provider`; all else as it is without options.
    pub(super) const fn of(provider: ProviderId, profile_id: Option<ProfileId>) -> Self {
        Self { provider, profile_id, expires_in: None, yes: false, json: false }
    }
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let shown = Shown::by(args.json);
    store(args, shown, agent, app, output)
}

/// As [`run`], told in this way.
pub(super) fn store(
    args: Args,
    shown: Shown,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let profile_id =
        args.profile_id.unwrap_or_else(|| format!("{}:default", args.provider.spelling()).into());
    let request = Request {
        provider: args.provider,
        kind: Kind::Token,
        agent: AgentId::named(agent),
        profile_id: Some(profile_id),
        expires_in: args.expires_in,
    };
    paste(request, |ready, output| make_token(ready, args.yes, app, output), shown, app, output)
}

/// Lets the provider's command make a token, on a terminal and where it is installed.
fn make_token(ready: &Ready, yes: bool, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let [program, arguments @ ..] = ready.command() else { return Ok(()) };
    if !output.streams.stdin_is_terminal {
        return Ok(());
    }
    let line = ready.command().join(" ");
    if !app.machine.programs.is_installed(program, &app.environment) {
        output.say(&format!("Make a token with `{line}` where it is installed, and paste it here"));
        return Ok(());
    }
    let question = format!("Run `{line}` now to make a token?");
    let confirm = dialoguer::Confirm::new().with_prompt(question).default(true);
    let run = yes || dialogue(|| confirm.interact())?;
    let make = || app.machine.programs.run_on_terminal(program, arguments, &app.environment);
    if run && !still_interruptible(make)? {
        output.warn(&format!("`{line}` did not succeed"));
    }
    Ok(())
}
