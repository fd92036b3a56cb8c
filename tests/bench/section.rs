//! The commands beside the floors, in one state directory.

use crate::contest::{self, Record};
use crate::fixture::{self, Plan};
use crate::floor::Floors;
use crate::measure::{Contestant, Sample, Summary};
use crate::{Options, machine};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::path::Path;

/// What was measured in one state directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Section {
    pub title: String,
    pub profiles: u32,
    pub configuration: bool,
    pub statistics: bool,
    /// A peak that is not above this one was the benchmark's own.
    pub smallest_visible_peak_bytes: u64,
    pub rows: Vec<Row>,
}

/// What was measured of one command.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub name: String,
    pub wall: Summary,
    pub cpu: Summary,
    pub peak_bytes: u64,
    /// The median wall time over that of the empty Rust program.
    pub ratio: f64,
    /// The same of the CPU time, which depends less on what else runs.
    pub cpu_ratio: f64,
    pub printed_bytes: u64,
}

pub(crate) const EMPTY_RUST: &str = "empty Rust program";
pub(crate) const TOKEN: &str = "models auth token";
pub(crate) const CHANNELS_LIST: &str = "channels list";

pub(crate) const TOKEN_ARGUMENTS: &[&str] =
    &["models", "auth", "token", "--provider", "openai-codex"];

/// The commands that read the store, with their arguments.
pub(crate) const COMMANDS: [(&str, &[&str]); 5] = [
    (TOKEN, TOKEN_ARGUMENTS),
    (CHANNELS_LIST, &["channels", "list", "--json", "--no-usage"]),
    (STATUS, &["models", "status", "--json"]),
    ("models auth list", &["models", "auth", "list", "--json"]),
    ("agents list", &["agents", "list", "--json"]),
];

pub(crate) const STATUS: &str = "models status";
pub(crate) const CHECK: &str = "check";
pub(crate) const LIST: &str = "list";
pub(crate) const TOKEN_BY_NAME: &str = "token NAME";
pub(crate) const DOCTOR: &str = "doctor";

/// The commands of our own that say whether somebody is signed in, with their arguments.
const ANSWERS: [(&str, &[&str]); 4] = [
    (CHECK, &["check"]),
    (LIST, &["list"]),
    (TOKEN_BY_NAME, &["token", "chatgpt"]),
    (DOCTOR, &["doctor"]),
];

/// The largest document whose answers are measured: `doctor` looks at every login.
const MOST_ANSWERED: u32 = 1_000;

/// The state directories: sizes, then one with a configuration, then with statistics.
pub(crate) fn plans() -> Vec<Plan> {
    let plain = |profiles| Plan { profiles, configuration: false, statistics: false };
    let statistics = |profiles| Plan { statistics: true, ..plain(profiles) };
    vec![
        plain(1),
        Plan { configuration: true, ..plain(1) },
        plain(100),
        plain(1_000),
        plain(10_000),
        statistics(1_000),
        statistics(10_000),
    ]
}

/// Measures everything in the state directory that `plan` describes.
pub(crate) fn measure(
    plan: Plan,
    program: &Path,
    floors: &Floors,
    options: &Options,
) -> Result<Section> {
    let root = fixture::lay_out(plan)?;
    let mut contestants = vec![Contestant::new(EMPTY_RUST, &floors.empty_rust)];
    contestants.extend(floors.empty_c.iter().map(|c| Contestant::new("empty static C program", c)));
    let ours =
        |name: &str, arguments: &[&str]| Contestant::ours(name, program, arguments, root.path());
    contestants.push(ours("--version", &["--version"]));
    contestants.extend(COMMANDS.map(|(name, arguments)| ours(name, arguments)));
    if plan.is_plain() && plan.profiles <= MOST_ANSWERED {
        contestants.extend(ANSWERS.map(|(name, arguments)| ours(name, arguments)));
    }

    let title = title(plan);
    eprintln!("{title} …");
    let records = contest::hold(&contestants, options.warm_up, options.runs)
        .with_context(|| format!("could not measure {title}"))?;
    let floor = wall(&records[0].samples).median_us;
    let cpu_floor = cpu(&records[0].samples).median_us;
    let rows = contestants.into_iter().zip(records).map(|(contestant, record)| {
        let Record { printed, samples } = record;
        let is_floor = contestant.environment.is_empty();
        ensure!(is_floor || printed > 0, "`{}` prints nothing", contestant.name);
        Ok(Row {
            name: contestant.name,
            wall: wall(&samples),
            cpu: cpu(&samples),
            peak_bytes: samples.iter().map(|sample| sample.peak_bytes).max().unwrap_or(0),
            ratio: wall(&samples).median_us / floor,
            cpu_ratio: cpu(&samples).median_us / cpu_floor,
            printed_bytes: printed,
        })
    });
    let rows = rows.collect::<Result<_>>()?;
    Ok(Section {
        title,
        profiles: plan.profiles,
        configuration: plan.configuration,
        statistics: plan.statistics,
        smallest_visible_peak_bytes: machine::own_peak_bytes(),
        rows,
    })
}

pub(crate) fn wall(samples: &[Sample]) -> Summary {
    Summary::of(samples.iter().map(|sample| sample.wall))
}

pub(crate) fn cpu(samples: &[Sample]) -> Summary {
    Summary::of(samples.iter().map(|sample| sample.cpu))
}

fn title(plan: Plan) -> String {
    let profiles = match plan.profiles {
        1 => "1 profile".to_owned(),
        few @ ..1_000 => format!("{few} profiles"),
        many => format!("{},{:03} profiles", many / 1_000, many % 1_000),
    };
    let configuration = if plan.configuration { ", with openclaw.json" } else { "" };
    let statistics = if plan.statistics { ", with statistics in auth-state.json" } else { "" };
    profiles + configuration + statistics
}

impl Section {
    /// What was measured of the command of that name.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Whether there is nothing but profiles.
    pub(crate) fn is_plain(&self) -> bool {
        !self.configuration && !self.statistics
    }
}
