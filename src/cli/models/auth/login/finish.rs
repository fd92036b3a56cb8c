//! `models auth login finish`

use super::ended::{set_default, show};
use crate::app::App;
use crate::cli::console::Console;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::failure;
use crate::cli::output::Output;
use crate::cli::prompt;
use crate::cli::wait::wait;
use crate::ops::login::{FinishRequest, finish};
use crate::profile::AgentId;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The login to finish, as `start` named it [default: the only one, or the redirect's]
    #[arg(long, value_name = "ID")]
    login: Option<String>,
    /// The address of the page that the browser ended on, or the code in it; `-` reads it
    /// from standard input. Without it, the code that `start` showed must be approved
    #[arg(long, value_name = "URL")]
    redirect_url: Option<String>,
    /// How long to wait for the approval of a code
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration::parse)]
    timeout: Duration,
    /// Make the provider's usual model the default model
    #[arg(long)]
    set_default: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(
    args: Args,
    agent: Option<&str>,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let redirect = match args.redirect_url.as_deref() {
        Some("-") => Some(prompt::secret(output, "redirect URL")?),
        given => given.map(str::to_owned),
    };
    let request = FinishRequest {
        id: args.login,
        agent: AgentId::named(agent),
        redirect,
        timeout: args.timeout,
    };
    let report = wait(finish(app, &request, &mut Console::new(output, &app.environment)))
        .map_err(|error| failure::finish(error, app))?;
    if args.set_default {
        set_default(&report, app, output)?;
    }
    show(&report, args.json, app, output)
}
