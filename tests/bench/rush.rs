//! Many processes of one command at once, and how they came through.

use crate::measure::{Contestant, Summary};
use crate::token_server::TokenServer;
use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use std::collections::HashSet;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

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

/// What came of one storm.
pub(crate) struct Outcome {
    pub requests: u32,
    pub total: Duration,
    pub attempts: Vec<Attempt>,
}

/// What came of one process.
pub(crate) struct Attempt {
    pub pid: u32,
    pub wall: Duration,
    pub cpu: Duration,
    pub ended: Instant,
    /// Its exit code; `None` when it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Attempt {
    pub(crate) fn token(&self) -> Option<&str> {
        (self.code == Some(0) && !self.stdout.is_empty()).then_some(&self.stdout)
    }
}

/// Starts that many processes one after the other, as fast as it goes, and waits for all;
/// a thread waits for each, so that every end is seen when it comes.
pub(crate) fn rush(
    contestant: &Contestant,
    processes: usize,
    server: &TokenServer,
) -> Result<Outcome> {
    allow_open_files();
    let mut command = contestant.command();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let attempts: Vec<Result<Attempt>> = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..processes)
            .map(|_| {
                let started = Instant::now();
                let child = command.spawn();
                if let Ok(child) = &child {
                    server.expect(child.id());
                }
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

/// Two pipes for each process are more than what is allowed at first.
fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where this is refused, starting processes says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

fn wait(mut child: Child, started: Instant) -> Result<Attempt> {
    let pid = child.id();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // What it prints fits in the pipes.
    let used = child.wait4().context("could not wait for a process")?;
    let ended = Instant::now();
    let mut attempt = Attempt {
        pid,
        wall: ended - started,
        cpu: used.rusage.utime + used.rusage.stime,
        ended,
        code: used.status.code(),
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
pub(crate) struct Tally {
    side: Side,
    walls: Vec<Duration>,
    cpus: Vec<Duration>,
    totals: Vec<Duration>,
}

impl Tally {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        let Self { side, .. } = self;
        side.most_requests = side.most_requests.max(outcome.requests);
        self.totals.push(outcome.total);
        let mut tokens = HashSet::new();
        for attempt in outcome.attempts {
            self.walls.push(attempt.wall);
            self.cpus.push(attempt.cpu);
            if let Some(token) = attempt.token() {
                tokens.insert(token.to_owned());
            } else {
                side.failures += 1;
                side.complaint.get_or_insert(attempt.stderr);
            }
        }
        side.most_tokens = side.most_tokens.max(tokens.len());
    }

    pub(crate) fn side(self) -> Side {
        Side {
            wall: Summary::of(self.walls),
            cpu: Summary::of(self.cpus),
            total: Summary::of(self.totals),
            ..self.side
        }
    }
}
