//! `models auth report`

use crate::admin::report::{Report as Outcome, Request, report};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::named;
use crate::cli::output::Output;
use crate::cli::{duration, failure};
use crate::profile::{AgentId, FailureReason, Millis, ProfileId, ProviderId};
use serde::Serialize;

/// What stands for success among the reasons.
const OK: &str = "ok";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reasons: ok, rate_limit, overloaded, auth, auth_permanent, billing, format, model_not_found,
timeout, unknown. billing and auth_permanent disable the profile for hours or minutes that
double; timeout is not held against it; all others cool it down for 30 s, 60 s, then 5 min.
auth on an OAuth login also makes the next `models auth token` refresh.

  openclaw-auth models auth report --profile \"$ID\" --reason rate_limit --model gpt-5.5")]
pub(super) struct Args {
    /// The profile that was used
    #[arg(long, value_name = "ID", value_parser = named::profile)]
    profile: ProfileId,
    /// How it went
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Reason,
    /// The model that was used: a rate limit then counts for it alone
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug)]
struct Reason(Option<FailureReason>);

impl Reason {
    fn name(self) -> &'static str {
        self.0.map_or(OK, FailureReason::name)
    }
}

fn reason(text: &str) -> Result<Reason, String> {
    if text == OK {
        return Ok(Reason(None));
    }
    FailureReason::from_name(text).map(|reason| Reason(Some(reason))).ok_or_else(|| {
        let names = FailureReason::ALL.map(FailureReason::name).join(", ");
        format!("the reasons are {OK}, {names}")
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    agent_id: &'r AgentId,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    reason: &'static str,
    recorded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_recorded_because: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_until: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_until: Option<Millis>,
    refresh_next: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = Request {
        profile_id: args.profile,
        failure: args.reason.0,
        model: args.model,
        agent: AgentId::named(agent),
    };
    let outcome = report(app, &request).map_err(failure::explain(failure::selection, app))?;
    if !args.json {
        return output.data(&text(&outcome, app.now()));
    }
    output.json(&Report {
        schema: 1,
        agent_id: &outcome.agent_id,
        profile_id: &outcome.profile_id,
        provider: &outcome.provider,
        reason: args.reason.name(),
        recorded: outcome.skipped.is_none(),
        not_recorded_because: outcome.skipped,
        error_count: outcome.usage.error_count,
        cooldown_until: outcome.usage.cooldown_until,
        disabled_until: outcome.usage.disabled_until,
        refresh_next: outcome.refresh_next,
    })
}

fn text(outcome: &Outcome, at: Millis) -> String {
    let id = &outcome.profile_id;
    if let Some(because) = outcome.skipped {
        return format!("{id}: not recorded: {because}\n");
    }
    let refresh = if outcome.refresh_next { "; its token is refreshed next" } else { "" };
    match outcome.usage.unusable_until(at) {
        Some(until) => {
            format!("{id}: recorded; not used for {}{refresh}\n", duration::show(until - at))
        }
        None => format!("{id}: recorded; usable{refresh}\n"),
    }
}
