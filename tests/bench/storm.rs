//! Many processes that want one expired profile at once, beside a floor program that does
//! the same with nothing to spare. The token server is in this process.

use crate::fixture;
use crate::floor::Floors;
use crate::measure::{Contestant, Summary};
use crate::section::{COMMANDS, TOKEN};
use crate::token_server::TokenServer;
use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

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
}

/// How one program came through.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Side {
    /// The most refresh requests that the server saw in one storm.
    pub most_requests: u32,
    /// The processes that failed or printed nothing.
    pub failures: usize,
    /// What the first of them said.
    pub complaint: Option<String>,
    /// The most different tokens that were printed in one storm.
    pub most_tokens: usize,
    /// Of every process.
    pub wall: Summary,
    /// Of every process.
    pub cpu: Summary,
    /// From the first start to the last end, of every storm.
    pub total: Summary,
}

pub(crate) fn plans() -> Vec<Plan> {
    let delays = [0, 300];
    let sizes = [1, 10, 50, 200];
    sizes
        .into_iter()
        .flat_map(|processes| delays.map(|delay_ms| Plan { processes, delay_ms }))
        .collect()
}

/// Lets `storms` storms of ours and of the floor alternate, after one of each that does
/// not count.
pub(crate) fn measure(plan: &Plan, program: &Path, floors: &Floors, storms: u32) -> Result<Storm> {
    let mut ours = Tally::default();
    let mut floor = Tally::default();
    for round in 0..=storms {
        let ours_first = round % 2 == 0;
        for is_ours in [ours_first, !ours_first] {
            let (outcome, tally) = if is_ours {
                (storm_of_ours(plan, program)?, &mut ours)
            } else {
                (storm_of_floor(plan, &floors.refresh)?, &mut floor)
            };
            if round > 0 {
                tally.add(outcome);
            }
        }
    }
    let Plan { processes, delay_ms } = *plan;
    Ok(Storm { processes, delay_ms, storms, ours: ours.side(), floor: floor.side() })
}

fn storm_of_ours(plan: &Plan, program: &Path) -> Result<Outcome> {
    let server = TokenServer::start(Duration::from_millis(plan.delay_ms))?;
    let root = fixture::lay_out_expired(server.address())?;
    let arguments = COMMANDS.iter().find(|(name, _)| *name == TOKEN).map_or(&[][..], |(_, a)| *a);
    let contestant = Contestant {
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        state_dir: Some(root.path().to_owned()),
        ..Contestant::new(TOKEN, program)
    };
    rush(&contestant, plan.processes, &server)
}

fn storm_of_floor(plan: &Plan, program: &Path) -> Result<Outcome> {
    let server = TokenServer::start(Duration::from_millis(plan.delay_ms))?;
    let root = fixture::lay_out_expired_for_floor()?;
    let directory = root.path().to_string_lossy().into_owned();
    let contestant = Contestant {
        arguments: vec![directory, server.address().to_string()],
        ..Contestant::new("floor", program)
    };
    rush(&contestant, plan.processes, &server)
}

/// What came of one storm.
struct Outcome {
    requests: u32,
    total: Duration,
    attempts: Vec<Attempt>,
}

/// What came of one process.
struct Attempt {
    wall: Duration,
    cpu: Duration,
    success: bool,
    stdout: String,
    stderr: String,
}

/// Starts that many processes one after the other, as fast as it goes, and waits for all;
/// a thread waits for each, so that every end is seen when it comes.
fn rush(contestant: &Contestant, processes: usize, server: &TokenServer) -> Result<Outcome> {
    let mut command = contestant.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let attempts: Vec<Result<Attempt>> = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..processes)
            .map(|_| {
                let started = Instant::now();
                let child = command.spawn();
                scope.spawn(move || wait(child.context("could not start a process")?, started))
            })
            .collect();
        waiting
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a waiting thread panicked")))
            })
            .collect()
    });
    let total = begun.elapsed();
    let attempts = attempts.into_iter().collect::<Result<_>>()?;
    Ok(Outcome { requests: server.requests(), total, attempts })
}

fn wait(mut child: Child, started: Instant) -> Result<Attempt> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // What it prints fits in the pipes.
    let used = child.wait4().context("could not wait for a process")?;
    let wall = started.elapsed();
    let mut attempt = Attempt {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        success: used.status.success(),
        stdout: String::new(),
        stderr: String::new(),
    };
    if let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) {
        stdout.read_to_string(&mut attempt.stdout)?;
        stderr.read_to_string(&mut attempt.stderr)?;
    }
    Ok(attempt)
}

/// The storms of one program so far.
#[derive(Default)]
struct Tally {
    side: Side,
    walls: Vec<Duration>,
    cpus: Vec<Duration>,
    totals: Vec<Duration>,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        let Self { side, .. } = self;
        side.most_requests = side.most_requests.max(outcome.requests);
        self.totals.push(outcome.total);
        let mut tokens = HashSet::new();
        for Attempt { wall, cpu, success, stdout, stderr } in outcome.attempts {
            self.walls.push(wall);
            self.cpus.push(cpu);
            if success && !stdout.is_empty() {
                tokens.insert(stdout);
            } else {
                side.failures += 1;
                side.complaint.get_or_insert(stderr);
            }
        }
        side.most_tokens = side.most_tokens.max(tokens.len());
    }

    fn side(self) -> Side {
        Side {
            wall: Summary::of(self.walls),
            cpu: Summary::of(self.cpus),
            total: Summary::of(self.totals),
            ..self.side
        }
    }
}
