//! `models auth logout --all`: every profile of an agent, one that fails does not end the others.

use super::report::Report;
use crate::app::App;
use crate::cli::console::Console;
use crate::cli::exit::{ExitStatus, Failure};
use crate::cli::output::Output;
use crate::cli::wait::wait;
use crate::ops::logout::{Report as Done, Request, logout, profiles};
use crate::profile::ProfileId;
use crate::text::chain;
use serde::Serialize;

#[derive(Serialize)]
struct All<'r> {
    schema: u32,
    profiles: Vec<Report<'r>>,
    failed: Vec<Failed<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed<'r> {
    profile_id: &'r ProfileId,
    code: &'static str,
    message: String,
}

/// Signs out of every profile of the agent.
pub(super) fn run(
    request: &Request,
    json: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let ids = profiles(app, request.agent.as_ref())?;
    sign_out(ids, request, json, app, output)
}

/// Signs out of these profiles, as `request` says of each.
pub(in crate::cli) fn sign_out(
    ids: Vec<ProfileId>,
    request: &Request,
    json: bool,
    app: &App,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut done: Vec<Done> = Vec::new();
    let mut failed: Vec<(ProfileId, Failure)> = Vec::new();
    for id in ids {
        let request = Request { name: id.as_str().to_owned(), ..request.clone() };
        let ended = wait(logout(app, &request, &mut Console::new(output, &app.environment)));
        match ended.map_err(Failure::from) {
            Ok(report) => done.push(report),
            Err(failure) => failed.push((id, failure)),
        }
    }
    report(&done, &failed, json, output)?;
    for (id, failure) in &failed {
        output.error(&format!("{id}: {}", chain(&*failure.cause)), failure.hint.as_ref());
    }
    output.end_with(worst(&failed));
    Ok(())
}

fn report(
    done: &[Done],
    failed: &[(ProfileId, Failure)],
    json: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if json {
        let failed = failed.iter().map(|(profile_id, failure)| Failed {
            profile_id,
            code: failure.status.name(),
            message: chain(&*failure.cause),
        });
        let profiles = done.iter().map(Report::of).collect();
        return output.json(&All { schema: 1, profiles, failed: failed.collect() });
    }
    let lines: String = done.iter().map(|done| Report::of(done).line()).collect();
    output.data(&lines)?;
    output.finish()
}

/// The status of the most urgent failure, in the order of `models auth refresh`.
fn worst(failed: &[(ProfileId, Failure)]) -> ExitStatus {
    const URGENT: [ExitStatus; 6] = [
        ExitStatus::Interrupted,
        ExitStatus::LoginRequired,
        ExitStatus::StoreUnusable,
        ExitStatus::Failure,
        ExitStatus::LockTimeout,
        ExitStatus::Unavailable,
    ];
    let has = |status: &ExitStatus| failed.iter().any(|(_, failure)| failure.status == *status);
    let other = || failed.first().map_or(ExitStatus::Success, |(_, failure)| failure.status);
    URGENT.into_iter().find(has).unwrap_or_else(other)
}
