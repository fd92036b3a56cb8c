//! Documents of 1 and 50 MB.

use crate::contest;
use crate::fixture::{self, Plan};
use crate::machine;
use crate::measure::{Contestant, Summary};
use crate::section::{CHANNELS_LIST, COMMANDS, TOKEN, wall};
use crate::table::{mebibytes, milliseconds, render};
use anyhow::{Context, Result};
use openclaw_auth::store::Store;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What one way to read one document takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reading {
    pub document: &'static str,
    pub bytes: u64,
    pub profiles: u32,
    pub name: String,
    pub wall: Summary,
    /// Unless the benchmark's own was higher.
    pub peak_bytes: Option<u64>,
    /// A million bytes a second, by the median.
    pub megabytes_per_second: f64,
}

/// Names, sizes in bytes, runs of each command.
const DOCUMENTS: [(&str, u64, u32); 2] = [("1 MB", 1_000_000, 20), ("50 MB", 50_000_000, 7)];
pub(crate) const PARSE: &str = "read and parsed, in one process";
const FLOOR: &str = "floor: the same by serde_json, nothing kept";

struct Document {
    name: &'static str,
    runs: u32,
    profiles: u32,
    bytes: u64,
    root: TempDir,
}

pub(crate) fn measure(program: &Path) -> Result<Vec<Reading>> {
    let plan = |profiles| Plan { profiles, configuration: false, statistics: false };
    let hundred = document_in(fixture::lay_out(plan(100))?.path()).metadata()?.len();
    let mut documents = Vec::new();
    for (name, size, runs) in DOCUMENTS {
        let profiles = u32::try_from(size * 100 / hundred)?;
        let root = fixture::lay_out(plan(profiles))?;
        let bytes = document_in(root.path()).metadata()?.len();
        documents.push(Document { name, runs, profiles, bytes, root });
    }
    let mut readings = Vec::new();
    // The processes come first: they inherit the peak memory of this one.
    for document in &documents {
        eprintln!("A document of {} …", document.name);
        let commands = COMMANDS.iter().filter(|(name, _)| *name != "agents list");
        let contestants: Vec<_> = commands
            .map(|(name, arguments)| Contestant {
                runs: Some(document.runs),
                ..Contestant::ours(name, program, arguments, document.root.path())
            })
            .collect();
        let records = contest::hold(&contestants, 1, document.runs)?;
        let hidden = machine::own_peak_bytes();
        for (contestant, record) in contestants.into_iter().zip(records) {
            let peak = record.samples.iter().map(|sample| sample.peak_bytes).max();
            let peak = peak.filter(|peak| *peak > hidden);
            readings.push(document.reading(contestant.name, wall(&record.samples), peak));
        }
    }
    for document in &documents {
        for (name, read) in [(PARSE, read_by_us as fn(&Path) -> Result<()>), (FLOOR, read_by_floor)]
        {
            let times = (0..=document.runs).map(|_| {
                let started = Instant::now();
                read(document.root.path())?;
                Ok(started.elapsed())
            });
            let times: Vec<Duration> = times.collect::<Result<_>>()?;
            readings.push(document.reading(name.to_owned(), Summary::of(times), None));
        }
    }
    readings.sort_by_key(|reading| reading.profiles);
    Ok(readings)
}

impl Document {
    #[expect(clippy::cast_precision_loss, reason = "no document is that large")]
    fn reading(&self, name: String, wall: Summary, peak_bytes: Option<u64>) -> Reading {
        Reading {
            document: self.name,
            bytes: self.bytes,
            profiles: self.profiles,
            name,
            wall,
            peak_bytes,
            // Bytes in a microsecond.
            megabytes_per_second: self.bytes as f64 / wall.median_us,
        }
    }
}

fn document_in(state_dir: &Path) -> PathBuf {
    state_dir.join("agents/main/agent/auth-profiles.json")
}

fn read_by_us(state_dir: &Path) -> Result<()> {
    let agent = state_dir.join("agents/main/agent");
    let store = Store::new("main".into(), state_dir.to_owned(), agent, None);
    let snapshot = store.read()?;
    (snapshot.document.entry_count() > 0).then_some(()).context("the document has no profiles")
}

fn read_by_floor(state_dir: &Path) -> Result<()> {
    skim(&document_in(state_dir))
}

/// Reads a document and keeps nothing: the least that there can be.
pub(crate) fn skim(document: &Path) -> Result<()> {
    let text = std::fs::read_to_string(document)?;
    black_box(serde_json::from_str::<IgnoredAny>(&text)?);
    Ok(())
}

/// Parses a document: its values are there afterwards.
pub(crate) fn parse(document: &Path) -> Result<()> {
    let text = std::fs::read_to_string(document)?;
    let values = black_box(serde_json::from_str::<serde_json::Value>(&text)?);
    // The process ends with them.
    std::mem::forget(values);
    Ok(())
}

pub(crate) fn markdown(readings: &[Reading]) -> String {
    let header =
        ["document", "profiles", "what", "runs", "median ms", "max ms", "MB/s", "peak MiB"];
    let rows = readings.iter().map(|reading| {
        vec![
            reading.document.to_owned(),
            reading.profiles.to_string(),
            reading.name.clone(),
            reading.wall.count.to_string(),
            milliseconds(reading.wall.median_us),
            milliseconds(reading.wall.max_us),
            format!("{:.0}", reading.megabytes_per_second),
            reading.peak_bytes.map_or_else(String::new, |peak| format!("{:.1}", mebibytes(peak))),
        ]
    });
    format!(
        "## Large documents\n\n\
         `{TOKEN}` and `{CHANNELS_LIST}` as whole processes, MB/s of the document; then the \
         document alone.\n\n{}",
        render(&header, rows)
    )
}
