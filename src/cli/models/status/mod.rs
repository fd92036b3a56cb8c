//! `models status`

mod json;
mod text;

use crate::admin::status::{quotas, status};
use crate::app::App;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::quota::{QuotaReport, known, render};
use crate::cli::wait::wait;
use crate::profile::AgentId;
use crate::text::printable;

#[derive(Debug, Default, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(after_help = "\
With --check the exit code is the answer: 0 all is well, 1 a login is expired or missing or
a provider in use has none, 2 a login expires within 24 hours. Nothing is refreshed and
nothing is written. Servers are asked with --usage alone: how much of each subscription is
used up, all at once and for 5 s at most; what they say has no part in the exit code.")]
pub(in crate::cli) struct Args {
    /// The agent [default: main]
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Answer by the exit code as well: 1 expired or missing, 2 expiring
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the default model and nothing else
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// Ask the providers how much of each subscription is used up
    #[arg(long, conflicts_with = "plain")]
    usage: bool,
}

impl Args {
    /// No more than the form of the report.
    pub(super) fn in_form(json: bool, plain: bool) -> Self {
        Self { json, plain, ..Self::default() }
    }
}

pub(in crate::cli) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let agent = AgentId::named(args.agent.as_deref());
    let status = status(app, agent.as_ref())?;
    if !args.check {
        output.warn_of_exposures(&status.exposures);
    }
    output.warn_of_invalid_entries(status.invalid_entries, &status.location);
    if args.json {
        let quotas = args.usage.then(|| known(wait(quotas(app, agent.as_ref())), app, output));
        let usage = quotas.as_ref().map(QuotaReport::from);
        output.json(&json::Report::of(&status, usage, app))?;
    } else if args.plain {
        output.data(&format!("{}\n", status.models.resolved_default))?;
    } else {
        output.data(&text::render(&status, app))?;
        if let Some(storage) = &status.first_storage {
            output.say(&format!("note: {}", printable(&storage.to_string(), 2_000)));
        }
        if args.usage {
            // What is known is shown while the servers are asked.
            output.finish()?;
            let quotas = known(wait(quotas(app, agent.as_ref())), app, output);
            let text = render(&quotas, output.columns());
            output.data(&format!("\n{text}"))?;
        }
    }
    if !args.check {
        return Ok(());
    }
    output.finish()?;
    match (status.is_over(), status.is_expiring()) {
        (true, _) => Err(Failure::answer(ExitStatus::LoginExpired)),
        (_, true) => Err(Failure::answer(ExitStatus::LoginExpiring)),
        _ => Ok(()),
    }
}
