//! What the worker of a refresh costs: the same command, with the same program, where a worker
//! can be started, and where none can (without `/proc`) and it refreshes in its own process.
//!
//! Both run below a root directory of their own (chroot), so that they differ in nothing else.

use crate::contest::{self, Record};
use crate::fixture;
use crate::floor::Floors;
use crate::measure::{Contestant, Summary};
use crate::section::{EMPTY_RUST, TOKEN_ARGUMENTS, cpu, wall};
use crate::table::{milliseconds, render};
use crate::token_server::TokenServer;
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The refreshes of one run.
#[derive(Debug, Serialize)]
pub(crate) struct Refreshes {
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    wall: Summary,
    /// Without that of a worker.
    cpu: Summary,
}

const IN_PROCESS: &str = "refresh in process";
const BY_WORKER: &str = "refresh by a worker";

/// A root directory with the program, a state directory, and what of the system it needs.
struct Root {
    directory: TempDir,
    state: TempDir,
    /// Where the process table is.
    mounted: Option<PathBuf>,
}

impl Root {
    fn new(program: &Path, server: &TokenServer, has_proc: bool) -> Result<Self> {
        let directory = fixture::fresh_directory()?;
        std::fs::copy(program, directory.path().join("openclaw-auth"))?;
        let state = fixture::lay_out_expired_in(directory.path(), server.address())?;
        let mut root = Self { directory, state, mounted: None };
        let dev = root.folder("dev")?;
        run(Command::new("mknod").args(["-m", "666"]).arg(dev.join("null")).args(["c", "1", "3"]))?;
        let proc = root.folder("proc")?;
        if has_proc {
            run(Command::new("mount").args(["-t", "proc", "proc"]).arg(&proc))?;
            root.mounted = Some(proc);
        }
        Ok(root)
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.directory.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    fn contestant(&self, name: &str) -> Result<Contestant> {
        let root = self.directory.path();
        let state = Path::new("/").join(self.state.path().strip_prefix(root)?);
        let mut contestant = Contestant::new(name, "/usr/sbin/chroot")
            .arguments(&[&root.to_string_lossy(), "/openclaw-auth"])
            .arguments(TOKEN_ARGUMENTS)
            .arguments(&["--force-refresh"])
            .variable("HOME", state.join("home"))
            .variable("OPENCLAW_STATE_DIR", state);
        // That there is no worker is what is measured.
        contestant.quiet = true;
        Ok(contestant)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if let Some(mounted) = &self.mounted {
            let unmounted = run(Command::new("umount").arg(mounted));
            self.directory.disable_cleanup(unmounted.is_err());
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let ended = command.output().with_context(|| format!("could not run {command:?}"))?;
    ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr).trim());
    Ok(())
}

pub(crate) fn measure(
    program: &Path,
    floors: &Floors,
    warm_up: u32,
    runs: u32,
) -> Result<Refreshes> {
    eprintln!("What the worker of a refresh costs …");
    let servers = [TokenServer::start(Duration::ZERO)?, TokenServer::start(Duration::ZERO)?];
    let roots = [Root::new(program, &servers[0], true)?, Root::new(program, &servers[1], false)?];
    let contestants = [
        Contestant::new(EMPTY_RUST, &floors.empty_rust),
        roots[0].contestant(BY_WORKER)?,
        roots[1].contestant(IN_PROCESS)?,
    ];
    let records = contest::hold(&contestants, warm_up, runs)?;
    let made = servers.iter().map(TokenServer::requests);
    ensure!(made.clone().all(|requests| requests == warm_up + runs + 1), "not every run refreshed");
    let rows = contestants.into_iter().zip(records).map(|(contestant, record)| {
        let Record { samples, .. } = record;
        Row { name: contestant.name, wall: wall(&samples), cpu: cpu(&samples) }
    });
    Ok(Refreshes { rows: rows.collect() })
}

impl Refreshes {
    fn median_us(&self, name: &str) -> f64 {
        let row = self.rows.iter().find(|row| row.name == name);
        row.map_or(f64::NAN, |row| row.wall.median_us)
    }

    /// What the worker takes, in starts of the empty program.
    pub(crate) fn worker_in_starts(&self) -> f64 {
        (self.median_us(BY_WORKER) - self.median_us(IN_PROCESS)) / self.median_us(EMPTY_RUST)
    }

    pub(crate) fn markdown(&self) -> String {
        let header = ["", "p50 ms", "p99 ms", "min ms", "CPU ms"];
        let rows = self.rows.iter().map(|row| {
            vec![
                row.name.clone(),
                milliseconds(row.wall.median_us),
                milliseconds(row.wall.p99_us),
                milliseconds(row.wall.min_us),
                milliseconds(row.cpu.median_us),
            ]
        });
        format!(
            "## What the worker of a refresh costs\n\n\
             `--force-refresh` against a server that answers at once; both below a root directory \
             of their own, one of which has no `/proc`, so that no worker can be started. The \
             worker takes {:.2} starts of the empty program.\n\n{}",
            self.worker_in_starts(),
            render(&header, rows)
        )
    }
}
