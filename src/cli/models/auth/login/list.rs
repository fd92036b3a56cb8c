//! `models auth login list` and `cancel`: the logins that were started and not finished.

use crate::app::App;
use crate::cli::duration;
use crate::cli::exit::Failure;
use crate::cli::output::Output;
use crate::ops::login::{Unfinished, cancel as give_up, unfinished};
use crate::profile::{AgentId, Millis, ProviderId};
use crate::text::printable;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The login, as `start` and `list` name it
    #[arg(long, value_name = "ID")]
    login: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'r> {
    schema: u32,
    logins: Vec<Row<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'r> {
    login_id: &'r str,
    provider: &'r ProviderId,
    agent_id: &'r AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<&'r str>,
    expires_at: Millis,
}

impl<'r> Row<'r> {
    fn of(login: &'r Unfinished) -> Self {
        Self {
            login_id: &login.id,
            provider: &login.provider,
            agent_id: &login.agent_id,
            user_code: login.user_code.as_deref(),
            expires_at: login.expires,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GivenUp<'r> {
    schema: u32,
    login_id: &'r str,
    cancelled: bool,
}

pub(super) fn run(args: &Args, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    let logins = unfinished(app)?;
    if args.json {
        let logins = logins.iter().map(Row::of).collect();
        return output.json(&Report { schema: 1, logins });
    }
    if logins.is_empty() {
        output.say("No login waits to be finished");
    }
    for login in &logins {
        let code = login.user_code.as_ref().map(|code| format!(", code {}", printable(code, 80)));
        let left = duration::show(login.expires.saturating_sub(app.now()));
        output.data(&format!(
            "{}  {}, agent {}{}, for {left}\n",
            printable(&login.id, 80),
            login.provider,
            login.agent_id,
            code.unwrap_or_default()
        ))?;
    }
    Ok(())
}

pub(super) fn cancel(args: &CancelArgs, app: &App, output: &mut Output<'_>) -> Result<(), Failure> {
    give_up(app, &args.login)?;
    if args.json {
        return output.json(&GivenUp { schema: 1, login_id: &args.login, cancelled: true });
    }
    output.data(&format!("The login {} is cancelled\n", printable(&args.login, 80)))
}
