//! `models auth resolve`

use crate::admin::resolve::{Resolution, Row, resolve};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::{duration, failure};
use crate::profile::{AgentId, FailureReason, Millis, OrderSource, ProfileId, ProviderId};
use crate::text::printable;
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The reference is <provider>/<model>, with @<profile> behind it to pin a profile. The exit
code is 0 when there is a profile to use, 3 when there is none.

  openclaw-auth models auth resolve openai-codex/gpt-5.5
  openclaw-auth models auth resolve openai-codex/gpt-5.5@openai-codex:me+work@example.org")]
pub(super) struct Args {
    /// The model reference
    #[arg(value_name = "MODEL_REF")]
    model_ref: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'r> {
    schema: u32,
    agent_id: &'r AgentId,
    provider: &'r ProviderId,
    model: &'r str,
    pinned: Option<&'r ProfileId>,
    profile_id: Option<&'r ProfileId>,
    because: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable_because: Option<&'static str>,
    candidates: &'r [Row],
}

pub(super) fn run(
    args: &Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let resolved = resolve(app, AgentId::named(agent).as_ref(), &args.model_ref);
    let mut resolution = resolved.map_err(failure::explain(failure::resolve, app))?;
    let reason = resolution.take_reason();
    if args.json {
        output.json(&report(&resolution))?;
    } else if reason.is_none() {
        output.data(&text(&resolution))?;
    } else {
        for row in &resolution.rows {
            output.say(&passed_over(row, resolution.at));
        }
    }
    let Some(reason) = reason else { return Ok(()) };
    let advice = failure::unresolved(&reason, &resolution.agent_id, app);
    Err(failure::explained(reason, advice))
}

fn report(resolution: &Resolution) -> Report<'_> {
    let chosen = resolution.chosen();
    let because = resolution.source.map_or("pinned", OrderSource::name);
    Report {
        schema: 1,
        agent_id: &resolution.agent_id,
        provider: &resolution.provider,
        model: &resolution.model,
        pinned: resolution.pinned.as_ref(),
        profile_id: chosen.map(|row| &row.profile_id),
        because: chosen.map(|_| because),
        unavailable_because: resolution.unavailable.map(FailureReason::name),
        candidates: &resolution.rows,
    }
}

fn text(resolution: &Resolution) -> String {
    let because = match resolution.source {
        None => "it is pinned",
        Some(OrderSource::Stored) => "it is the first usable one of the stored order",
        Some(OrderSource::Configured) => "it is the first usable one of auth.order",
        Some(OrderSource::Listed) => {
            "of the profiles in auth.profiles, it is the best kind, then the least recently used"
        }
        Some(OrderSource::All) => {
            "of all profiles, it is the best kind, then the least recently used"
        }
    };
    let mut lines = Vec::new();
    if let Some(chosen) = resolution.chosen() {
        lines.push(format!("Profile: {}", chosen.profile_id));
    }
    lines.push(format!("Model: {}/{}", resolution.provider, printable(&resolution.model, 200)));
    lines.push(format!("Because: {because}"));
    let others = resolution.rows.iter().filter(|row| !row.chosen);
    lines.extend(others.map(|row| passed_over(row, resolution.at)));
    lines.join("\n") + "\n"
}

fn passed_over(row: &Row, now: Millis) -> String {
    let window = row.until.map(|until| {
        let because = row.window_reason.as_deref().unwrap_or("unknown");
        let left = duration::show(until.saturating_sub(now));
        format!(" ({}, {left} left)", printable(because, 80))
    });
    let id = &row.profile_id;
    format!("Passed over: {id}: {}{}", row.code, window.unwrap_or_default())
}
