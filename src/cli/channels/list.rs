//! `channels list`: the fields, order and texts of OpenClaw 2026.4.24.

use crate::admin::channels::account::ActiveChannel;
use crate::admin::channels::account::ChannelAccount;
use crate::admin::channels::{Row, list, quotas};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::cli::quota::{QuotaReport, known, render};
use crate::cli::wait::wait;
use crate::text::printable;
use indexmap::IndexMap;
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The providers of the logins are asked how much of each subscription is used up, all at once
and for 5 s at most. Nothing is refreshed and nothing is written; with --no-usage no server
is asked.")]
pub(in crate::cli) struct Args {
    /// Leave the usage out, and ask no server
    #[arg(long)]
    no_usage: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'l> {
    chat: IndexMap<&'l str, Vec<&'l str>>,
    auth: Vec<AuthReport<'l>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<QuotaReport<'l>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthReport<'l> {
    #[serde(flatten)]
    row: &'l Row,
    is_external: bool,
}

pub(in crate::cli) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let listing = list(app)?;
    output.warn_of_exposures(&listing.exposures);
    output.warn_of_invalid_entries(listing.invalid_entries, &listing.location);
    if args.json {
        let quotas = (!args.no_usage).then(|| known(wait(quotas(app)), app, output));
        let usage = quotas.as_ref().map(QuotaReport::from);
        let chat = listing.channels.iter().map(|active| {
            let accounts = active.accounts.iter().map(|account| account.id.as_str());
            (active.channel.id.as_str(), accounts.collect())
        });
        let chat = chat.collect();
        let auth = listing.auth.iter().map(|row| AuthReport { row, is_external: false }).collect();
        return output.json(&Report { chat, auth, usage });
    }
    output.data("Chat channels:\n")?;
    for active in &listing.channels {
        for account in &active.accounts {
            output.data(&line(active, account))?;
        }
    }
    output.data("\nAuth providers (OAuth + API keys):\n")?;
    for row in &listing.auth {
        output.data(&format!("- {} ({})\n", row.id, row.kind.name()))?;
    }
    if listing.auth.is_empty() {
        output.data("- none\n")?;
    }
    if !args.no_usage {
        // What is known is shown while the servers are asked.
        output.finish()?;
        let quotas = known(wait(quotas(app)), app, output);
        let text = render(&quotas, output.columns());
        output.data(&format!("\n{text}"))?;
    }
    output.data("\nDocs: https://docs.openclaw.ai/gateway/configuration\n")
}

/// One account of a channel, as both text forms show it.
pub(super) fn line(active: &ActiveChannel, account: &ChannelAccount) -> String {
    let state = match account.configured {
        _ if !account.enabled => "switched off".to_owned(),
        Some(true) => "configured".to_owned(),
        Some(false) => format!("not configured: {} missing", account.missing.join(", ")),
        None => "its login is not in the configuration".to_owned(),
    };
    format!("- {} {}: {state}\n", printable(&active.channel.id, 60), printable(&account.id, 120))
}
