//! Many processes that want one expired profile at once, beside a floor program that does
//! the same with nothing to spare, and beside OpenClaw. The token server is in this process.

use crate::fixture;
use crate::floor::Floors;
use crate::measure::Contestant;
use crate::peer::{self, OpenClaw};
use crate::rush::{Outcome, Side, Tally, rush};
use crate::section::{TOKEN, TOKEN_ARGUMENTS};
use crate::token_server::TokenServer;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// How many processes there are, and how long the server takes to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub processes: usize,
    pub delay_ms: u64,
}

/// The storms of one size and delay.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Storm {
    pub processes: usize,
    pub delay_ms: u64,
    pub storms: u32,
    pub ours: Side,
    pub floor: Side,
    /// The floor that starts a worker as well.
    pub floor_by_worker: Side,
    /// One storm: it takes seconds a process.
    pub openclaw: Option<Side>,
}

/// The storms of at most that many processes.
pub(crate) fn plans(most: usize) -> impl Iterator<Item = Plan> {
    let sizes = [1, 10, 50, 200, 1_000].into_iter().filter(move |size| *size <= most);
    sizes.flat_map(|processes| [0, 300].map(|delay_ms| Plan { processes, delay_ms }))
}

/// Lets `storms` storms of ours and of both floors alternate, after one of each that does
/// not count; then one of OpenClaw, if there is one to take part.
pub(crate) fn measure(
    plan: &Plan,
    program: &Path,
    floors: &Floors,
    openclaw: Option<&OpenClaw>,
    storms: u32,
) -> Result<Storm> {
    let mut ours = Tally::default();
    let (mut floor, mut floor_by_worker) = (Tally::default(), Tally::default());
    for round in 0..=storms {
        let mut turns = [0, 1, 2];
        turns.rotate_left(round as usize % 3);
        for turn in turns {
            let (outcome, tally) = match turn {
                0 => (storm_of_ours(plan, program)?, &mut ours),
                1 => (storm_of_floor(plan, &floors.refresh, &[])?, &mut floor),
                _ => {
                    let outcome = storm_of_floor(plan, &floors.refresh, &["by-worker"])?;
                    (outcome, &mut floor_by_worker)
                }
            };
            if round > 0 {
                tally.add(outcome);
            }
        }
    }
    let mut theirs = None;
    if let Some(openclaw) = openclaw {
        let mut tally = Tally::default();
        tally.add(storm_of_openclaw(plan, openclaw)?);
        theirs = Some(tally.side());
    }
    let Plan { processes, delay_ms } = *plan;
    let [ours, floor, floor_by_worker] = [ours, floor, floor_by_worker].map(Tally::side);
    Ok(Storm { processes, delay_ms, storms, ours, floor, floor_by_worker, openclaw: theirs })
}

fn storm_of_ours(plan: &Plan, program: &Path) -> Result<Outcome> {
    let server = TokenServer::start(Duration::from_millis(plan.delay_ms))?;
    let root = fixture::lay_out_expired(server.address())?;
    let contestant = Contestant::ours(TOKEN, program, TOKEN_ARGUMENTS, root.path());
    rush(&contestant, plan.processes, &server)
}

fn storm_of_floor(plan: &Plan, program: &Path, how: &[&str]) -> Result<Outcome> {
    let server = TokenServer::start(Duration::from_millis(plan.delay_ms))?;
    let root = fixture::lay_out_expired_for_floor()?;
    rush(&floor(program, root.path(), &server).arguments(how), plan.processes, &server)
}

/// The floor program on its grant in `directory`.
pub(crate) fn floor(program: &Path, directory: &Path, server: &TokenServer) -> Contestant {
    let directory = directory.to_string_lossy();
    Contestant::new("floor", program).arguments(&[&directory, &server.address().to_string()])
}

/// OpenClaw has no command that prints a token: a script of ours calls its own refresh, with
/// the authorization server's address replaced by that of ours.
const OPENCLAW_REFRESH: &str = include_str!("openclaw_refresh.mjs");

fn storm_of_openclaw(plan: &Plan, openclaw: &OpenClaw) -> Result<Outcome> {
    let server = TokenServer::start(Duration::from_millis(plan.delay_ms))?;
    let root = fixture::lay_out_expired(server.address())?;
    let home = peer::lay_out_home()?;
    let script = home.path().join("refresh.mjs");
    fixture::write(&script, OPENCLAW_REFRESH)?;
    let contestant = openclaw.script(
        "OpenClaw",
        &script.to_string_lossy(),
        &[
            &openclaw.package.to_string_lossy(),
            &format!("http://{}/token", server.address()),
            &fixture::profile_id(0),
        ],
        home.path(),
        root.path(),
    );
    rush(&contestant, plan.processes, &server)
}
