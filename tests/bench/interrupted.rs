//! Storms in which the process that refreshes is killed: what the others get, and when.

use crate::fixture;
use crate::floor::Floors;
use crate::measure::{Contestant, Summary};
use crate::rush::rush;
use crate::section::{TOKEN, TOKEN_ARGUMENTS};
use crate::storm::floor;
use crate::table::{milliseconds, render};
use crate::token_server::TokenServer;
use crate::trap::{Moment, Trap};
use anyhow::{Result, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The storms of one size with a kill at one moment.
#[derive(Debug, Serialize)]
pub(crate) struct Interrupted {
    pub processes: usize,
    pub moment: Moment,
    pub program: &'static str,
    pub storms: u32,
    /// The requests of all storms.
    pub requests: u32,
    /// How many of the others got a token.
    pub tokens: usize,
    /// How many ended with each other exit code.
    pub codes: BTreeMap<i32, usize>,
    /// From the kill until the end of each of the others.
    pub after: Summary,
}

/// How long the process that refreshes is left alive, so that all others wait for it.
const BEFORE_THE_KILL: Duration = Duration::from_millis(300);
const OURS: &str = "openclaw-auth";

pub(crate) fn measure(program: &Path, floors: &Floors, storms: u32) -> Result<Vec<Interrupted>> {
    let mut measured = Vec::new();
    for moment in [Moment::Connected, Moment::InFlight, Moment::Rotated] {
        for processes in [10, 50] {
            for name in [OURS, "floor"] {
                eprintln!("Storm of {processes}, {name} killed: {} …", moment.text());
                measured.push(of_one(name, processes, moment, storms, (program, &floors.refresh))?);
            }
        }
    }
    Ok(measured)
}

fn of_one(
    program: &'static str,
    processes: usize,
    moment: Moment,
    storms: u32,
    (ours, floor_program): (&Path, &Path),
) -> Result<Interrupted> {
    let (mut requests, mut tokens) = (0, 0);
    let mut codes = BTreeMap::new();
    let mut after = Vec::new();
    for _ in 0..storms {
        let trap = Trap::new(moment, BEFORE_THE_KILL);
        let server = TokenServer::with_trap(Duration::ZERO, trap)?;
        let (root, contestant) = if program == OURS {
            let root = fixture::lay_out_expired(server.address())?;
            let contestant = Contestant::ours(TOKEN, ours, TOKEN_ARGUMENTS, root.path());
            (root, contestant)
        } else {
            let root = fixture::lay_out_expired_for_floor()?;
            let contestant = floor(floor_program, root.path(), &server);
            (root, contestant)
        };
        let outcome = rush(&contestant, processes, &server)?;
        drop(root);
        let killed = server.killed();
        ensure!(killed.is_some(), "nobody was killed in the storm of {processes} ({program})");
        requests += outcome.requests;
        for attempt in outcome.attempts {
            let Some((_, killed_at)) = killed.filter(|(pid, _)| *pid != attempt.pid) else {
                continue;
            };
            after.push(attempt.ended.saturating_duration_since(killed_at));
            match attempt.token() {
                Some(_) => tokens += 1,
                None => *codes.entry(attempt.code.unwrap_or(-1)).or_default() += 1,
            }
        }
    }
    let after = Summary::of(after);
    Ok(Interrupted { processes, moment, program, storms, requests, tokens, codes, after })
}

impl Moment {
    const fn text(self) -> &'static str {
        match self {
            Self::Connected => "before the request",
            Self::InFlight => "in flight",
            Self::Rotated => "after the rotation",
        }
    }
}

pub(crate) fn markdown(storms: &[Interrupted]) -> String {
    let header = [
        "killed",
        "processes",
        "program",
        "storms",
        "requests",
        "got a token",
        "failed (exit code)",
        "p50 ms",
        "p99 ms",
        "max ms",
    ];
    let rows = storms.iter().map(|storm| {
        let codes = storm.codes.iter().map(|(code, count)| format!("{count} ({code})"));
        let codes = codes.collect::<Vec<_>>().join(", ");
        vec![
            storm.moment.text().to_owned(),
            storm.processes.to_string(),
            storm.program.to_owned(),
            storm.storms.to_string(),
            storm.requests.to_string(),
            storm.tokens.to_string(),
            if codes.is_empty() { "0".to_owned() } else { codes },
            milliseconds(storm.after.median_us),
            milliseconds(storm.after.p99_us),
            milliseconds(storm.after.max_us),
        ]
    });
    format!(
        "## Storms whose refreshing process is killed\n\n\
         SIGKILL {} ms after the process got so far: it has connected and the server reads \
         nothing; the server has the request and gives it up; the server has rotated the token \
         and the answer is lost, so that nobody can get one without a new login. Requests, tokens \
         and failures are of all storms, without the killed process; times are from the kill to \
         the end of each process.\n\n{}",
        BEFORE_THE_KILL.as_millis(),
        render(&header, rows)
    )
}
