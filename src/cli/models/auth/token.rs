//! `models auth token`

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::token::{Found, Request, find};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use serde::Serialize;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Standard output holds the token and nothing else, and only when the exit code is 0.
Several processes may ask at once: one of them refreshes, all get the same token.

Where the API takes a short-lived token that is exchanged for the stored one (GitHub Copilot),
that one is printed, and --stored prints the other:

  COPILOT_GITHUB_TOKEN=\"$(openclaw-auth token copilot --stored)\" copilot

For curl, on its standard input, so that no list of processes shows the token:

  printf 'Authorization: Bearer %s' \"$(openclaw-auth token chatgpt)\" |
    curl -H @- …")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(in crate::cli) struct Args {
    /// An account, a profile or a provider: ada@example.com, chatgpt, codex, claude, copilot,
    /// gemini, minimax, qwen or any other
    #[arg(value_name = "NAME", value_parser = named::name, conflicts_with_all = ["provider", "profile"])]
    name: Option<String>,
    /// The provider; its first usable profile is taken
    #[arg(long, value_name = "ID", value_parser = named::provider)]
    provider: Option<ProviderId>,
    /// The profile
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile: Option<ProfileId>,
    /// How long the token must still be valid [default: 5m, with OpenClaw's databases
    /// 10m, or half the lifetime where that is less]. Where the server grants no more than DURATION, that is said once, and each
    /// token is used for half of its lifetime
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    min_ttl: Option<Duration>,
    /// Exit with 1 rather than print a token that is not valid for --min-ttl
    #[arg(long)]
    strict: bool,
    /// Print what the profile holds, where the provider's API takes a token that is exchanged
    /// for it (GitHub Copilot: the GitHub token)
    #[arg(long)]
    stored: bool,
    /// Refresh even when the token is usable
    #[arg(long)]
    force_refresh: bool,
    /// How long to wait for another process that is refreshing
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration::parse)]
    lock_timeout: Duration,
    /// Print the token with its profile, expiry and lifetime as JSON
    #[arg(long)]
    json: bool,
}

/// The one report with a secret in it: the token is what was asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'t> {
    schema: u32,
    agent_id: &'t AgentId,
    profile_id: &'t ProfileId,
    provider: &'t ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
    token: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    /// What the server granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime_ms: Option<Millis>,
    /// Whether it is valid for `--min-ttl`.
    meets_min_ttl: bool,
}

pub(in crate::cli) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = Request {
        agent: AgentId::named(agent),
        provider: args.provider,
        profile: args.profile,
        name: args.name,
        min_ttl: args.min_ttl.map(|ttl| ttl.as_millis().try_into().unwrap_or(Millis::MAX)),
        strict: args.strict,
        stored: args.stored,
        force_refresh: args.force_refresh,
        lock_timeout: args.lock_timeout,
        tells_lifetime: args.json,
    };
    let mut console = Console::new(output, &app.environment);
    let token = find(app, &request, &mut console).and_then(|found| match found {
        Found::Token(token) => Ok(token),
        Found::Waits(waits) => wait(waits.token(&mut console)),
    });
    drop(console);
    let token = token.map_err(failure::explain(failure::token, app))?;
    if !args.json {
        output.data(token.value.expose())?;
        return output.data("\n");
    }
    output.json(&Report {
        schema: 1,
        agent_id: &token.agent_id,
        profile_id: &token.profile_id,
        provider: &token.provider,
        kind: token.kind.name(),
        token: token.value.expose(),
        expires_at: token.expires,
        lifetime_ms: token.lifetime,
        meets_min_ttl: token.is_long_enough,
    })
}
