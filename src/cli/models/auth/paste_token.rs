//! `models auth paste-token`

use super::paste::{Shown, paste};
use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::ops::paste::Request;
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The token is typed without an echo, or read as a line from standard input; it is never an
argument.

  printf '%s\\n' \"$TOKEN\" | openclaw-auth models auth paste-token --provider anthropic")]
pub(super) struct Args {
    /// The provider of the token
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: ProviderId,
    /// The profile id [default: <provider>:manual]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
    /// How long the token is valid from now on; a bare number counts days
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_days)]
    expires_in: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// A token of `provider`; all else as it is without options.
    pub(super) const fn of(provider: ProviderId, profile_id: Option<ProfileId>) -> Self {
        Self { provider, profile_id, expires_in: None, json: false }
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
    let request = Request {
        provider: args.provider,
        kind: Kind::Token,
        agent: AgentId::named(agent),
        profile_id: args.profile_id,
        expires_in: args.expires_in,
    };
    paste(request, |_, _| Ok(()), shown, app, output)
}
