//! What `paste-token`, `paste-api-key` and `setup-token` share.

use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::path_member::PathMember;
use crate::cli::{duration, prompt};
use crate::ops::paste::{Ready, Report, Request, prepare};
use crate::profile::{AgentId, Millis, ProfileId, ProviderId};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport<'r> {
    schema: u32,
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    agent_id: &'r AgentId,
    #[serde(flatten)]
    store_path: PathMember<'r>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    renewed: bool,
    config_changed: bool,
}

/// Checks the request, asks for the secret, stores it and reports.
pub(super) fn paste(
    request: Request,
    before: impl FnOnce(&Ready, &mut Output<'_>) -> Result<(), Failure>,
    json: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let ready = prepare(app, request)?;
    before(&ready, output)?;
    let secret = zeroize::Zeroizing::new(prompt::secret(output, ready.what())?);
    // Another process may hold the store: whoever does not want to wait may leave.
    let report = prompt::still_interruptible(|| ready.store(app, &secret))??;
    show(&report, json, app, output)
}

fn show(report: &Report, json: bool, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    if json {
        return output.json(&JsonReport {
            schema: 1,
            profile_id: &report.profile_id,
            provider: &report.provider,
            agent_id: &report.agent_id,
            store_path: PathMember::location("storePath", &report.location),
            kind: report.kind.name(),
            expires_at: report.expires,
            renewed: report.renewed,
            config_changed: report.config_changed,
        });
    }
    let expiry = match report.expires {
        Some(at) => {
            format!(", valid for {}", duration::show(at.saturating_sub(crate::system::now())))
        }
        None => String::new(),
    };
    output.data(&format!(
        "Auth profile: {} ({}/{}){expiry}\n  Store: {}\n",
        report.profile_id,
        report.provider,
        report.kind.name(),
        app.shorten(&report.location),
    ))
}
