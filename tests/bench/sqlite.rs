//! The databases of OpenClaw 2026.9.6 beside its JSON documents of before, and beside a C program
//! that opens the same databases and reads the two rows.

use crate::Options;
use crate::contest;
use crate::fixture::{self, Plan};
use crate::floor;
use crate::measure::{Contestant, Summary};
use crate::place::Places;
use crate::section::{TOKEN_ARGUMENTS, wall};
use crate::table::{milliseconds, render};
use crate::target::Target;
use anyhow::{Context, Result};
use rusqlite::Connection;
use serde::Serialize;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The time over that of the C program, beyond that of the documents.
const OVER_FLOOR: f64 = 1.2;
/// The time over that of the documents, where there are many profiles.
const OVER_FILES: f64 = 3.0;
/// Many profiles.
const MANY: u32 = 10_000;
/// OpenClaw has so many other tables in the shared database, and in that of an agent.
const TABLES: [u32; 2] = [100, 50];

const SHARED: &str = include_str!("../it/support/shared.sql");
const OWN: &str = include_str!("../it/support/agent.sql");
/// What is in the database of `main` once OpenClaw has made it.
const OF_MAIN: &str = "
    INSERT INTO schema_meta VALUES ('primary', 'agent', 'main');
    INSERT INTO auth_profile_store VALUES ('primary', '{\"version\":1,\"profiles\":{}}', 1);";

/// What a usable token costs on databases.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Databases {
    pub profiles: u32,
    /// On JSON documents with the same profiles.
    pub files: Summary,
    pub rows: Summary,
    /// The C program.
    pub floor: Summary,
}

/// Measures `models auth token` with one profile and with many.
pub(crate) fn measure(
    program: &Path,
    places: &Places,
    options: &Options,
) -> Result<Vec<Databases>> {
    let release = program.parent().and_then(Path::parent).context("no target directory")?;
    let floor = floor::build_sqlite(&places.output, &release.join("release"))?;
    let fewer = (options.runs / 4).max(20);
    [(1, options.runs), (MANY, fewer)]
        .into_iter()
        .map(|(profiles, runs)| {
            let plan = Plan { profiles, configuration: false, statistics: false };
            let files = fixture::lay_out(plan)?;
            let databases = fixture::fresh_directory()?;
            let [shared, own] = lay_out(files.path(), databases.path())?;
            let ours = |name, root| Contestant::ours(name, program, TOKEN_ARGUMENTS, root);
            let texts = [shared, own].map(|path| path.display().to_string());
            let contestants = [
                ours("JSON documents", files.path()),
                ours("databases", databases.path()),
                Contestant::new("C program", &floor)
                    .arguments(&texts.each_ref().map(String::as_str)),
            ];
            let records = contest::hold(&contestants, options.warm_up, runs)?;
            let mut walls = records.iter().map(|record| wall(&record.samples));
            let mut next = || walls.next().context("a contestant is missing");
            Ok(Databases { profiles, files: next()?, rows: next()?, floor: next()? })
        })
        .collect()
}

/// Lays out the profiles of the documents in `from` as databases in `to`, as OpenClaw leaves them
/// when it ends; where both are.
fn lay_out(from: &Path, to: &Path) -> Result<[PathBuf; 2]> {
    let document = std::fs::read_to_string(from.join("agents/main/agent/auth-profiles.json"))?;
    let document: serde_json::Value = serde_json::from_str(&document)?;
    let paths = ["state/openclaw.sqlite", "agents/main/agent/openclaw-agent.sqlite"];
    let paths = paths.map(|path| to.join(path));
    for ((path, tables), others) in paths.iter().zip([SHARED, OWN]).zip(TABLES) {
        fixture::create_private_directory(path.parent().context("no directory")?)?;
        let database = Connection::open(path)?;
        database.execute_batch(tables)?;
        for number in 0..others {
            let table =
                format!("CREATE TABLE t{number} (a TEXT PRIMARY KEY, b INTEGER NOT NULL, c TEXT)");
            database.execute_batch(&table)?;
        }
        if tables == OWN {
            database.execute_batch(OF_MAIN)?;
        } else {
            let insert = "INSERT INTO config_machine_state VALUES ('authProfiles.store', ?1, 1)";
            database.execute(insert, [document.to_string()])?;
        }
        drop(database);
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        File::open(path)?.set_modified(SystemTime::now() - Duration::from_hours(1))?;
    }
    Ok(paths)
}

impl Databases {
    /// What we aim at. The fastest runs tell more than the median while something else runs.
    pub(crate) fn target(&self) -> Target {
        let limit = |of: fn(&Summary) -> f64| match self.profiles {
            MANY => OVER_FILES * of(&self.files),
            _ => of(&self.files) + OVER_FLOOR * of(&self.floor),
        };
        let (median, min) = (limit(|it| it.median_us), limit(|it| it.min_us));
        let text = match self.profiles {
            MANY => format!("token on databases, {MANY} profiles: at most {OVER_FILES} times JSON"),
            _ => format!("token on databases: at most JSON and {OVER_FLOOR} times the C program"),
        };
        let measured = format!(
            "{} of {} ms; {} of {} ms the fastest runs",
            milliseconds(self.rows.median_us),
            milliseconds(median),
            milliseconds(self.rows.min_us),
            milliseconds(min)
        );
        Target { met: self.rows.median_us <= median, text, measured }
    }
}

pub(crate) fn markdown(databases: &[Databases]) -> String {
    let header = ["profiles", "what", "runs", "min ms", "median ms", "p99 ms"];
    let rows = databases.iter().flat_map(|it| {
        let parts = [("JSON documents", it.files), ("databases", it.rows), ("C program", it.floor)];
        parts.map(|(name, wall)| {
            vec![
                it.profiles.to_string(),
                name.to_owned(),
                wall.count.to_string(),
                milliseconds(wall.min_us),
                milliseconds(wall.median_us),
                milliseconds(wall.p99_us),
            ]
        })
    });
    format!(
        "## Databases\n\n`models auth token` with a usable token: on JSON documents, on the databases \
         of OpenClaw 2026.9.6, and a C program that opens the same databases and reads the two \
         rows.\n\n{}",
        render(&header, rows)
    )
}
