//! The torture run: processes sign in, refresh, paste, order, sign out and list on stores
//! that two state directories share, while callers, their process groups and workers are
//! killed and signalled, and a foreign program edits the documents without a lock. The
//! authorization server rotates refresh tokens, detects their reuse, and is slow, odd or
//! unwell now and then.
//!
//! Afterwards every document parses, every grant that the server honours is in a store or a
//! spool, no spent refresh token was posted, and nothing is left behind. What a SIGKILL of the
//! worker between the rotation and the save has cost is counted, as is what the network has
//! dropped; everything else that is lost fails the run. A gate before the server notes which
//! process asked for what and what it was told.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here ends the run")]
#![allow(clippy::disallowed_methods, reason = "it prepares and inspects files directly")]

mod check;
mod foreign;
mod gate;
mod ledger;
mod leftover;
mod loss;
mod odd;
mod operation;
mod process;
mod register;
mod store;
#[expect(dead_code, unused_imports, reason = "a part of what the tests share")]
#[path = "../it/support/mod.rs"]
mod support;
mod table;
mod world;

use clap::Parser;
use gate::Temper;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::StoreKind;
use world::World;

/// Kills processes that share logins, and counts what is lost
#[derive(Debug, Parser)]
struct Options {
    /// The seed of every random choice [default: a new one, which is printed]
    #[arg(long)]
    seed: Option<u64>,
    /// How many processes are run
    #[arg(long, default_value_t = 500)]
    operations: usize,
    /// How many of them are to be killed
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// How many of them get a signal that can be caught [default: as many]
    #[arg(long)]
    signals: Option<usize>,
    /// How many workers are to be killed [default: a tenth of the kills]
    #[arg(long)]
    worker_kills: Option<usize>,
    /// The longest that the server takes for an answer, in seconds
    #[arg(long, default_value_t = 4.0)]
    longest_answer: f64,
    /// How many run at once
    #[arg(long, default_value_t = 8)]
    at_once: usize,
    /// No foreign program edits the documents
    #[arg(long)]
    no_foreign: bool,
    /// The server and the network have no faults
    #[arg(long)]
    no_faults: bool,
    /// Where the credentials are
    #[arg(long, default_value = "files")]
    store: StoreKind,
    /// The program under test
    #[arg(long)]
    program: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(rand::random);
    let worker_kills = options.worker_kills.unwrap_or(options.kills.div_ceil(10));
    let kills = options.kills.saturating_sub(worker_kills);
    let signals = options.signals.unwrap_or(options.kills);
    println!(
        "seed {seed}: {} operations, {} at once; {kills} callers and {worker_kills} workers \
         killed, {signals} callers signalled, answers of up to {} s",
        options.operations, options.at_once, options.longest_answer
    );
    let root = tempfile::tempdir().unwrap();
    let program = options.program.canonicalize().expect("the program under test");
    let temper = Temper {
        seed,
        faults: !options.no_faults,
        worker_kills,
        longest_answer: Duration::from_secs_f64(options.longest_answer),
    };
    let world = World::new(root.path(), program, temper, options.store);
    world.prepare();
    let plans = operation::plan(seed, options.operations, kills, signals);
    let next = AtomicUsize::new(0);
    let goes_on = || next.load(Ordering::Relaxed) < plans.len();
    world.gate.set_unwell(true);
    std::thread::scope(|scope| {
        for _ in 0..options.at_once {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    world.run(plan);
                }
            });
        }
        scope.spawn(|| world.gate.hunt(goes_on));
        if !options.no_foreign {
            scope.spawn(|| world.foreign.work(&world.credentials, seed, goes_on));
        }
    });
    world.gate.set_unwell(false);
    let verdict = check::check(&world);
    table::print(&world, &verdict);
    if verdict.failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    let kept = root.keep();
    eprintln!("kept for inspection: {}; again with --seed {seed}", kept.display());
    ExitCode::FAILURE
}
