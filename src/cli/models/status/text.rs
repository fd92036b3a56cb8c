//! The text of `models status`: what is usable until when, and why a profile is not; then
//! what is missing, with the command that helps.

use crate::admin::status::{Effective, Row, Status, Unusable, key_variable};
use crate::app::App;
use crate::cli::duration;
use crate::cli::failure::sign_in_command;
use crate::profile::{AgentId, Health, Millis};
use crate::text::printable;
use comfy_table::{Table, presets};
use std::collections::HashMap;

pub(super) fn render(status: &Status, app: &App) -> String {
    let mut parts = vec![head(status, app), profiles(status)];
    let beside = beside_profiles(status);
    if !beside.is_empty() {
        parts.push(format!("Beside profiles:\n{beside}"));
    }
    let agent = status.agent_id.clone().unwrap_or(AgentId::main());
    let missing = status.missing_providers.iter().map(|missing| match key_variable(app, missing) {
        Some(name) => format!("  {missing}: set {name}\n"),
        None => format!("  {missing}: {}\n", sign_in_command(app, missing, &agent)),
    });
    let missing = missing.collect::<Vec<_>>().concat();
    if !missing.is_empty() {
        parts.push(format!("In use, with no login and no key:\n{missing}"));
    }
    parts.join("\n")
}

fn head(status: &Status, app: &App) -> String {
    let models = &status.models;
    let resolved = models.resolved_default.to_string();
    let default = if resolved == models.default {
        resolved
    } else {
        format!("{resolved} (written as {})", models.default)
    };
    let mut lines = vec![("Default model", default)];
    let list = |names: &[String]| names.join(", ");
    if !models.fallbacks.is_empty() {
        lines.push(("Fallbacks", list(&models.fallbacks)));
    }
    if let Some(image) = &models.image {
        lines.push(("Image model", image.clone()));
    }
    if !models.image_fallbacks.is_empty() {
        lines.push(("Image fallbacks", list(&models.image_fallbacks)));
    }
    if !models.aliases.is_empty() {
        let aliases = models.aliases.iter().map(|(alias, model)| format!("{alias} = {model}"));
        lines.push(("Aliases", aliases.collect::<Vec<_>>().join(", ")));
    }
    if !models.allowed.is_empty() {
        lines.push(("Allowed", list(&models.allowed)));
    }
    lines.push(("Agent", status.agent_id.clone().unwrap_or(AgentId::main()).to_string()));
    lines.push(("Store", app.shorten(&status.location)));
    lines.push(("Configuration", app.paths.shorten(&status.config_path)));
    let lines = lines.into_iter();
    let lines = lines.map(|(name, value)| format!("{name:<16}{}\n", printable(&value, 2_000)));
    lines.collect::<Vec<_>>().concat()
}

fn profiles(status: &Status) -> String {
    if status.profiles.is_empty() {
        return "No profiles\n".to_owned();
    }
    let unusable: HashMap<&str, &Unusable> =
        status.unusable.iter().map(|profile| (profile.profile_id.as_str(), profile)).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["PROVIDER", "PROFILE", "TYPE", "USABLE"]);
    for row in &status.profiles {
        let from = if row.is_inherited {
            format!(" (from agent {})", AgentId::main())
        } else {
            String::new()
        };
        table.add_row([
            format!("{:.60}", row.provider),
            format!("{}{from}", printable(&row.label, 160)),
            row.kind.name().to_owned(),
            usable(row, unusable.get(row.id.as_str()).copied(), status.at),
        ]);
    }
    table.lines().map(|line| line.trim().to_owned() + "\n").collect()
}

/// Until when a profile is usable, or why it is not.
fn usable(row: &Row, unusable: Option<&Unusable>, now: Millis) -> String {
    let span = |until: Millis| duration::show(until.saturating_sub(now));
    let health = match row.health {
        _ if !row.unsupported.is_empty() => format!(
            "no: OAuth takes no secret reference, and {} is one",
            row.unsupported.join(", ")
        ),
        Health::Valid(until) => format!("for {}", span(until)),
        Health::Refreshable => "yes, refreshed on use".to_owned(),
        Health::Expired => "no: expired, sign in again".to_owned(),
        Health::Refused => format!(
            "no: refused by the server ({}), sign in again",
            printable(row.refusal.as_deref().unwrap_or("unknown"), 80)
        ),
        Health::NoExpiry => "yes, no expiry".to_owned(),
        Health::Missing => match (&row.lost, row.standing.reason) {
            (Some(lost), _) => format!("no: {lost}"),
            (None, Some("invalid_expires")) => "no: its expiry is not a time".to_owned(),
            (None, _) => "no: holds no credential".to_owned(),
        },
    };
    let Some(pause) = unusable.filter(|_| !health.starts_with("no:")) else { return health };
    let why = match (&pause.reason, pause.is_disabled) {
        (Some(reason), true) => format!("disabled ({})", printable(reason, 40)),
        (None, true) => "disabled".to_owned(),
        (_, false) => "cooling down".to_owned(),
    };
    format!("not for {}: {why}", span(pause.until))
}

/// What providers can be used with beside profiles.
fn beside_profiles(status: &Status) -> String {
    let mut lines = Vec::new();
    for overview in &status.providers {
        let mut sources = Vec::new();
        if let Some((value, name)) = &overview.environment {
            sources.push(format!("{name} = {value}"));
        }
        if let Some(value) = &overview.configured {
            let unusable =
                if overview.effective == Effective::Missing { ", not usable" } else { "" };
            sources.push(format!("a key in openclaw.json: {value}{unusable}"));
        }
        if overview.has_own_authentication {
            sources.push("authenticated by OpenClaw itself".to_owned());
        }
        if !sources.is_empty() {
            let provider = &overview.provider;
            lines.push(format!("  {provider}: {}\n", printable(&sources.join("; "), 400)));
        }
    }
    lines.concat()
}
