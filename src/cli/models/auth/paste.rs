//! What `paste-token`, `paste-api-key` and `setup-token` share.

use super::login::Event;
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

/// How it is told that a secret is stored.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// To people.
    Text,
    /// As a report in JSON.
    Report,
    /// As the last event of a sign-in.
    Event,
}

impl Shown {
    /// By the option `--json` of the command.
    pub(super) const fn by(json: bool) -> Self {
        if json { Self::Report } else { Self::Text }
    }
}

/// Checks the request, asks for the secret, stores it and reports.
pub(super) fn paste(
    request: Request,
    before: impl FnOnce(&Ready, &mut Output<'_>) -> Result<(), Failure>,
    shown: Shown,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let ready = prepare(app, request)?;
    before(&ready, output)?;
    let secret = zeroize::Zeroizing::new(prompt::secret(output, ready.what())?);
    // Another process may hold the store: whoever does not want to wait may leave.
    let report = prompt::still_interruptible(|| ready.store(app, &secret))??;
    show(&report, shown, app, output)
}

fn show(report: &Report, shown: Shown, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    match shown {
        Shown::Text => output.data(&text(report, app)),
        Shown::Event => output.json_line(&Event::pasted(report)),
        Shown::Report => output.json(&JsonReport {
            schema: 1,
            profile_id: &report.profile_id,
            provider: &report.provider,
            agent_id: &report.agent_id,
            store_path: PathMember::location("storePath", &report.location),
            kind: report.kind.name(),
            expires_at: report.expires,
            renewed: report.renewed,
            config_changed: report.config_changed,
        }),
    }
}

fn text(report: &Report, app: &App) -> String {
    let expiry = match report.expires {
        Some(at) => {
            format!(", valid for {}", duration::show(at.saturating_sub(app.now())))
        }
        None => String::new(),
    };
    format!(
        "Auth profile: {} ({}/{}){expiry}\n  Store: {}\n",
        report.profile_id,
        report.provider,
        report.kind.name(),
        app.shorten(&report.location),
    )
}
