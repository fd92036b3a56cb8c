//! `channels status`: what the configuration says of each channel account.

use super::list::line;
use crate::admin::channels::account::ActiveChannel;
use crate::admin::channels::account::ChannelAccount;
use crate::admin::channels::{Row, list};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::profile::{ProfileId, ProviderId};
use crate::text::printable;
use serde::Serialize;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
No channel is contacted and no plugin is loaded: `configured` means that openclaw.json names
the credentials, not that they work. Logins that a channel keeps elsewhere (WhatsApp, Zalo
personal) are not looked for.")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'l> {
    schema: u32,
    channels: Vec<ChannelReport<'l>>,
    auth: Vec<AuthReport<'l>>,
}

#[derive(Serialize)]
struct ChannelReport<'l> {
    id: &'l str,
    accounts: Vec<AccountReport<'l>>,
}

#[derive(Serialize)]
struct AccountReport<'l> {
    id: &'l str,
    enabled: bool,
    configured: Option<bool>,
    missing: &'l [String],
}

#[derive(Serialize)]
struct AuthReport<'l> {
    id: &'l ProfileId,
    provider: &'l ProviderId,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl<'l> From<&'l ActiveChannel> for ChannelReport<'l> {
    fn from(active: &'l ActiveChannel) -> Self {
        let accounts = active.accounts.iter().map(AccountReport::from).collect();
        Self { id: &active.channel.id, accounts }
    }
}

impl<'l> From<&'l ChannelAccount> for AccountReport<'l> {
    fn from(account: &'l ChannelAccount) -> Self {
        let ChannelAccount { id, enabled, configured, missing, .. } = account;
        Self { id, enabled: *enabled, configured: *configured, missing }
    }
}

impl<'l> From<&'l Row> for AuthReport<'l> {
    fn from(row: &'l Row) -> Self {
        Self { id: &row.id, provider: &row.provider, kind: row.kind.name() }
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let listing = list(app)?;
    output.warn_of_invalid_entries(listing.invalid_entries, &listing.location);
    if args.json {
        return output.json(&Report {
            schema: 1,
            channels: listing.channels.iter().map(ChannelReport::from).collect(),
            auth: listing.auth.iter().map(AuthReport::from).collect(),
        });
    }
    output.data("Channels, from the configuration alone:\n")?;
    for active in &listing.channels {
        for account in &active.accounts {
            output.data(&line(active, account))?;
        }
        if active.accounts.is_empty() {
            output.data(&format!("- {}: no account\n", printable(&active.channel.id, 60)))?;
        }
    }
    if listing.channels.is_empty() {
        output.data("- none\n")?;
    }
    output.data("\nLogins of the main store:\n")?;
    for row in &listing.auth {
        output.data(&format!("- {} ({})\n", row.id, row.kind.name()))?;
    }
    if listing.auth.is_empty() {
        output.data("- none\n")?;
    }
    Ok(())
}
