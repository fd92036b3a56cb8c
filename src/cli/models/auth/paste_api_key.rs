//! `models auth paste-api-key`

use super::paste::{Shown, paste};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::ops::paste::Request;
use crate::profile::{AgentId, Kind, ProfileId, ProviderId};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The key is typed without an echo, or read as a line from standard input; it is never an
argument. `${NAME}` stores a reference to that environment variable in place of a key.")]
pub(super) struct Args {
    /// The provider of the key
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: ProviderId,
    /// The profile id [default: <provider>:manual]
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile_id: Option<ProfileId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    /// A key of `provider`, stored as `profile_id`.
    pub(super) const fn of(provider: ProviderId, profile_id: ProfileId) -> Self {
        Self { provider, profile_id: Some(profile_id), json: false }
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
        kind: Kind::ApiKey,
        agent: AgentId::named(agent),
        profile_id: args.profile_id,
        expires_in: None,
    };
    paste(request, |_, _| Ok(()), shown, app, output)
}
