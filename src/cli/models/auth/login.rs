//! `models auth login`

use crate::app::App;
use crate::cli::console::Console;
use crate::cli::duration;
use crate::cli::output::Output;
use crate::exit::Failure;
use crate::ops::login::{Report, Request, login};
use crate::profile::Millis;
use crate::system::now;
use crate::text::printable;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The URL to sign in at is printed first. The browser's redirect ends the login; so does its
address, or the code in it, pasted at the prompt or sent as a line on standard input.

  openclaw-auth models auth login --provider openai-codex --no-browser
  echo \"$REDIRECT_URL\" | openclaw-auth models auth login --provider openai-codex")]
pub(super) struct Args {
    /// The provider to sign in at
    #[arg(long, value_name = "ID")]
    provider: String,
    /// Store the login under this profile id [default: <provider>:<email>]
    #[arg(long, value_name = "ID")]
    profile_id: Option<String>,
    /// Do not start a browser
    #[arg(long)]
    no_browser: bool,
    /// How long to wait for the sign-in
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration::parse)]
    timeout: Duration,
    /// Print the result as one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done<'r> {
    event: &'static str,
    schema: u32,
    profile_id: &'r str,
    provider: &'r str,
    agent_id: &'r str,
    store_path: &'r Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Millis>,
    refreshable: bool,
    renewed: bool,
    config_changed: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let request = Request {
        provider: args.provider,
        agent: agent.map(str::to_owned),
        profile_id: args.profile_id,
        browser: !args.no_browser,
        timeout: args.timeout,
    };
    let report = login(app, &request, &mut Console::new(output))?;
    if let Some(taken) = &report.taken_id {
        output.say(&format!(
            "note: `{}` belongs to another account, so this login is `{}`",
            printable(taken, 200),
            printable(&report.profile_id, 200)
        ));
    }
    if !report.refreshable {
        output.warn("the server gave no refresh token: this login ends with its access token");
    }
    if args.json {
        return output.json_line(&Done {
            event: "done",
            schema: 1,
            profile_id: &report.profile_id,
            provider: &report.provider,
            agent_id: &report.agent_id,
            store_path: &report.store_path,
            email: report.identity.email.as_deref(),
            account_id: report.identity.account_id.as_deref(),
            expires_at: report.expires,
            refreshable: report.refreshable,
            renewed: report.renewed,
            config_changed: report.config_changed,
        });
    }
    output.data(&text(&report, app))
}

fn text(report: &Report, app: &App) -> String {
    let who = match &report.identity.email {
        Some(email) => format!(" as {}", printable(email, 200)),
        None => String::new(),
    };
    let valid = match report.expires {
        Some(expires) => format!("for {}", duration::show(expires.saturating_sub(now()))),
        None => "without an expiry".to_owned(),
    };
    format!(
        "Signed in to {}{who}\n  Profile:      {} ({})\n  Access token: valid {valid}{}\n  Store:        {}\n",
        report.provider_label,
        printable(&report.profile_id, 200),
        if report.renewed { "renewed" } else { "new" },
        if report.refreshable { ", refreshed on use" } else { "" },
        app.paths.shorten(&report.store_path),
    )
}
