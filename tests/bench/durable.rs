//! Changes of the store, each on the disk before the next, beside what the disk can do.

use crate::fixture::{self, Plan};
use crate::measure::{Contestant, Summary};
use crate::table::{milliseconds, render};
use anyhow::{Context, Result};
use openclaw_auth::store::{BackupPolicy, DEFAULT_BACKUPS, Notices, Store};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// One way to save, or the disk's own.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Writes {
    pub name: &'static str,
    pub bytes: u64,
    pub each: Summary,
    pub per_second: f64,
    /// The median over that of the disk's own.
    pub ratio: f64,
}

/// How it is called, how many bytes it saves, and how it is done in a turn.
type Way<'w> = (&'static str, usize, &'w dyn Fn(u32) -> Result<()>);

/// All ways take turns, in a directory on the disk that `directory` is on.
pub(crate) fn measure(program: &Path, directory: &Path, rounds: u32) -> Result<Vec<Writes>> {
    eprintln!("Durable changes …");
    let plan = Plan { profiles: 2, configuration: false, statistics: true };
    let root = fixture::lay_out_in(directory, plan)?;
    let agent = root.path().join("agents/main/agent");
    let document = std::fs::read(agent.join("auth-profiles.json"))?;
    let state = std::fs::read(agent.join("auth-state.json"))?;
    let backups = BackupPolicy { count: DEFAULT_BACKUPS, notices: Notices::default() };
    let store =
        Store::new("main".into(), root.path().to_owned(), agent, None).with_backups(backups);
    // The ways that store an order undo each other's: what is not changed is not saved.
    let orders = [[0, 1], [1, 0]].map(|order| order.map(fixture::profile_id));

    let of_disk = |_| save(root.path(), &document);
    let of_profile = |turn: u32| {
        let entry = serde_json::to_string(&fixture::profile(1_000 + turn))?;
        let entry = RawValue::from_string(entry)?;
        Ok(store.update(|document| {
            document.set_entry(&fixture::profile_id(0), entry.clone());
            Ok((true, ()))
        })?)
    };
    let order = orders[0].each_ref().map(|id| id.as_str().into());
    let of_order =
        |_| Ok(store.update_state(|state| state.set_order(&"openai-codex".into(), &order))?);
    let of_process = |_| {
        let [first, second] = &orders[1];
        let arguments =
            ["models", "auth", "order", "set", "--provider", "openai-codex", first, second];
        Contestant::ours("models auth order set", program, &arguments, root.path()).run().map(drop)
    };
    let ways: [Way<'_>; 4] = [
        (DISK, document.len(), &of_disk),
        ("a profile stored, in one process", document.len(), &of_profile),
        ("an order stored, in one process", state.len(), &of_order),
        ("`models auth order set`, a process each", state.len(), &of_process),
    ];
    let mut times: [Vec<Duration>; 4] = Default::default();
    for turn in 0..rounds {
        for ((name, _, way), times) in ways.iter().zip(&mut times) {
            let started = Instant::now();
            way(turn).with_context(|| format!("could not measure: {name}"))?;
            times.push(started.elapsed());
        }
    }
    let summaries = times.map(Summary::of);
    let disk = summaries[0].median_us;
    let writes = ways.iter().zip(summaries).map(|((name, bytes, _), each)| Writes {
        name,
        bytes: *bytes as u64,
        each,
        per_second: 1e6 / each.median_us,
        ratio: each.median_us / disk,
    });
    Ok(writes.collect())
}

const DISK: &str = "the disk: file, fsync, rename, fsync of the directory";

/// The least that a durable replacement takes.
fn save(directory: &Path, contents: &[u8]) -> Result<()> {
    let temporary = directory.join("floor.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(contents)?;
    file.sync_all()?;
    std::fs::rename(&temporary, directory.join("floor.json"))?;
    Ok(File::open(directory)?.sync_all()?)
}

pub(crate) fn markdown(writes: &[Writes]) -> String {
    let header =
        ["what is saved", "bytes", "times", "median ms", "p99 ms", "a second", "× the disk"];
    let rows = writes.iter().map(|writes| {
        vec![
            writes.name.to_owned(),
            writes.bytes.to_string(),
            writes.each.count.to_string(),
            milliseconds(writes.each.median_us),
            milliseconds(writes.each.p99_us),
            format!("{:.0}", writes.per_second),
            format!("{:.2}", writes.ratio),
        ]
    });
    format!(
        "## Durable changes\n\n\
         Each is on the disk before the next begins; all take turns. A profile that is stored \
         keeps the document that it replaces as a backup.\n\n{}",
        render(&header, rows)
    )
}
