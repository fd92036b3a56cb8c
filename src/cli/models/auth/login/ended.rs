//! What follows a login that has ended well: it is told, and its model may become the
//! default one.

use super::event::Event;
use crate::admin::default_model;
use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::ops::login::Report;
use crate::text::printable;

/// Makes the provider's default model that of all agents.
pub(super) fn set_default(
    report: &Report,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match &report.default_model {
        Some(model) => {
            default_model::set(app, model)?;
            output.say(&format!("Default model set to {model}"));
        }
        None => output.warn(&format!("{} has no default model to set", report.provider_label)),
    }
    Ok(())
}

/// Tells how a login ended, as one line of JSON or for people.
pub(super) fn show(
    report: &Report,
    json: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if let Some(taken) = &report.taken_id {
        output.say(&format!(
            "note: `{taken}` belongs to another account, so this login is `{}`",
            report.profile_id
        ));
    }
    if !report.refreshable && report.expires.is_some() {
        output.warn("the server gave no refresh token: this login ends with its access token");
    }
    if json {
        return output.json_line(&Event::done(report));
    }
    output.data(&text(report, app))
}

fn text(report: &Report, app: &App) -> String {
    let who = match &report.identity.email {
        Some(email) => format!(" as {}", printable(email, 200)),
        None => String::new(),
    };
    let valid = match report.expires {
        Some(expires) => format!("for {}", duration::show(expires.saturating_sub(app.now()))),
        None => "without an expiry".to_owned(),
    };
    format!(
        "Signed in to {}{who}\n  Profile:      {} ({})\n  Access token: valid {valid}{}\n  Store:        {}\n",
        report.provider_label,
        report.profile_id,
        if report.renewed { "renewed" } else { "new" },
        if report.refreshable { ", refreshed on use" } else { "" },
        app.shorten(&report.location),
    )
}
