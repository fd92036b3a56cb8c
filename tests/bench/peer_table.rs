//! Our commands beside those of others, in the same rounds.

use crate::contest;
use crate::fixture::{self, Plan};
use crate::floor::Floors;
use crate::measure::{Contestant, Summary};
use crate::peer::{self, Peers};
use crate::section::{CHANNELS_LIST, COMMANDS, EMPTY_RUST, STATUS, TOKEN, cpu, wall};
use crate::table::{mebibytes, milliseconds, remarks, render};
use anyhow::Result;
use serde::Serialize;
use std::path::Path;

/// What was measured of ours and of the peers.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What could not be measured, and why.
    pub missing: Vec<String>,
    pub rows: Vec<Row>,
}

/// What was measured of one command of one program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub program: String,
    pub command: String,
    pub wall: Summary,
    pub cpu: Summary,
    pub peak_bytes: u64,
    /// The median wall time over that of the command of ours that does the same.
    pub times_ours: Option<f64>,
}

/// A contestant, and which command of ours does the same.
struct Entrant {
    program: String,
    contestant: Contestant,
    like: Option<&'static str>,
}

const VERSION: &str = "--version";
const OURS: &str = "openclaw-auth";
/// Runs of the peers that take milliseconds.
const QUICK_RUNS: u32 = 20;

/// Measures with one profile and no configuration, `peer_runs` times what takes seconds.
pub(crate) fn measure(
    program: &Path,
    floors: &Floors,
    peers: &Peers,
    (warm_up, runs, peer_runs): (u32, u32, u32),
) -> Result<Comparison> {
    let plan = Plan { profiles: 1, configuration: false, statistics: false };
    let (root, for_openclaw) = (fixture::lay_out(plan)?, fixture::lay_out(plan)?);
    let home = peer::lay_out_home()?;
    let mut entrants = vec![Entrant {
        program: "floor".to_owned(),
        contestant: Contestant::new(EMPTY_RUST, &floors.empty_rust),
        like: None,
    }];
    entrants.extend([VERSION, TOKEN, CHANNELS_LIST, STATUS, "models auth list"].map(|name| {
        let contestant = Contestant::ours(name, program, arguments(name), root.path());
        Entrant { program: OURS.to_owned(), contestant, like: Some(name) }
    }));
    let mut missing = peers.missing.clone();
    let openclaw = of_openclaw(peers, peer_runs, home.path(), for_openclaw.path());
    for entrant in openclaw.chain(of_others(peers, home.path())) {
        match peer::works(&entrant.contestant) {
            Ok(()) => entrants.push(entrant),
            Err(error) => missing.push(format!("MISSING: {}: {error:#}", entrant.program)),
        }
    }
    let contestants: Vec<Contestant> =
        entrants.iter().map(|entrant| entrant.contestant.clone()).collect();
    let records = contest::hold(&contestants, warm_up, runs)?;
    let medians: Vec<f64> = records.iter().map(|record| wall(&record.samples).median_us).collect();
    let median_of_ours = |like: &str| {
        let ours = entrants.iter().zip(&medians);
        let mut ours = ours.filter(|(entrant, _)| entrant.program == OURS);
        ours.find(|(entrant, _)| entrant.like == Some(like)).map(|(_, median)| *median)
    };
    let rows = entrants.iter().zip(&records).map(|(entrant, record)| {
        let median = wall(&record.samples).median_us;
        Row {
            program: entrant.program.clone(),
            command: entrant.contestant.name.clone(),
            wall: wall(&record.samples),
            cpu: cpu(&record.samples),
            peak_bytes: record.samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0),
            times_ours: entrant.like.and_then(median_of_ours).map(|ours| median / ours),
        }
    });
    Ok(Comparison { missing, rows: rows.collect() })
}

fn of_openclaw(
    peers: &Peers,
    runs: u32,
    home: &Path,
    state_dir: &Path,
) -> impl Iterator<Item = Entrant> {
    peers.openclaw.iter().flat_map(move |openclaw| {
        [VERSION, CHANNELS_LIST, STATUS].map(|like| {
            let contestant = openclaw.contestant(like, arguments(like), home, state_dir);
            let contestant = Contestant { runs: Some(runs), ..contestant };
            let program = format!("OpenClaw {}", peer::OPENCLAW_VERSION);
            Entrant { program, contestant, like: Some(like) }
        })
    })
}

fn of_others(peers: &Peers, home: &Path) -> impl Iterator<Item = Entrant> {
    let others = [(&peers.codex, "login status"), (&peers.gh, "auth token")];
    others.into_iter().filter_map(move |(other, command)| {
        let other = other.as_ref()?;
        let arguments: Vec<&str> = command.split(' ').collect();
        let contestant = other.contestant(command, &arguments, home);
        let contestant = Contestant { runs: Some(QUICK_RUNS), ..contestant };
        Some(Entrant { program: other.version.clone(), contestant, like: Some(TOKEN) })
    })
}

/// The arguments of a command that we and OpenClaw have.
fn arguments(name: &str) -> &'static [&'static str] {
    let command = COMMANDS.iter().find(|(command, _)| *command == name);
    command.map_or(&[VERSION], |(_, arguments)| arguments)
}

impl Comparison {
    pub(crate) fn markdown(&self) -> String {
        let header =
            ["program", "command", "runs", "median ms", "p99 ms", "CPU ms", "peak MiB", "× ours"];
        let rows = self.rows.iter().map(|row| {
            vec![
                row.program.clone(),
                row.command.clone(),
                row.wall.count.to_string(),
                milliseconds(row.wall.median_us),
                milliseconds(row.wall.p99_us),
                milliseconds(row.cpu.median_us),
                format!("{:.1}", mebibytes(row.peak_bytes)),
                row.times_ours.map_or_else(|| "–".to_owned(), |times| format!("{times:.1}")),
            ]
        });
        format!(
            "## Beside other programs\n\n\
             One profile, a fresh home for each program, the same rounds. `× ours` is the median \
             over that of the command of ours that answers the same question; what prints a login \
             is compared with `{TOKEN}`. OpenClaw runs without its plugins, Codex as its native \
             binary.\n\n{}{}",
            remarks(&self.missing),
            render(&header, rows)
        )
    }
}
