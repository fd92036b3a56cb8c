//! The text of `models status`: how each login is doing; then what is missing, with the
//! command that helps.

use crate::admin::status::{Effective, Status, key_variable, stand_ins};
use crate::app::App;
use crate::cli::failure::sign_in_command;
use crate::ops::list::Row as Listed;
use crate::profile::{AgentId, ProviderId};
use crate::provider::auth_provider_id;
use crate::text::printable;
use comfy_table::{Table, presets};

pub(super) fn render(status: &Status, app: &App) -> String {
    let stand_ins = stand_ins(app, status);
    let mut parts = vec![head(status, app), profiles(status, &stand_ins)];
    let beside = beside_profiles(status);
    if !beside.is_empty() {
        parts.push(format!("Beside profiles:\n{beside}"));
    }
    let agent = status.agent_id.clone().unwrap_or(AgentId::main());
    let lacks = |provider: &&ProviderId| {
        let id = auth_provider_id(*provider);
        !stand_ins.iter().any(|row| auth_provider_id(&row.provider) == id)
    };
    let missing =
        status.lacking.iter().filter(lacks).map(|missing| match key_variable(app, missing) {
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
    let default = if !models.is_default_set {
        format!("not set (OpenClaw takes {resolved})")
    } else if resolved == models.default {
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
    let utility = status.of_databases.as_ref().and_then(|it| it.utility.0.clone());
    lines.extend(utility.map(|model| ("Utility model", model)));
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

fn profiles(status: &Status, stand_ins: &[Listed]) -> String {
    if status.profiles.is_empty() && stand_ins.is_empty() {
        return "No profiles\n".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["PROVIDER", "PROFILE", "TYPE", "STATUS"]);
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
            row.state.to_string(),
        ]);
    }
    for row in stand_ins {
        let person = row.email.as_ref().map(|email| format!(" ({})", printable(email, 80)));
        table.add_row([
            format!("{:.60}", row.provider),
            format!("{}{}", row.id, person.unwrap_or_default()),
            row.kind.name().to_owned(),
            row.state.to_string(),
        ]);
    }
    table.lines().map(|line| line.trim().to_owned() + "\n").collect()
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
