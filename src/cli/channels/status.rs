//! `channels status`: what the configuration says of each channel account.

use super::list::line;
use crate::admin::channels::account::ActiveChannel;
use crate::admin::channels::account::ChannelAccount;
use crate::admin::channels::{Row, list};
use crate::app::App;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
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
    auth: &'l [Row],
}

#[derive(Serialize)]
struct ChannelReport<'l> {
    id: &'l str,
    accounts: &'l [ChannelAccount],
}

impl<'l> From<&'l ActiveChannel> for ChannelReport<'l> {
    fn from(active: &'l ActiveChannel) -> Self {
        Self { id: &active.channel.id, accounts: &active.accounts }
    }
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let listing = list(app)?;
    output.warn_of_invalid_entries(listing.invalid_entries, &listing.location);
    if args.json {
        return output.json(&Report {
            schema: 1,
            channels: listing.channels.iter().map(ChannelReport::from).collect(),
            auth: &listing.auth,
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
