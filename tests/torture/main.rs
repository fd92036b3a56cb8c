//! The torture run: processes sign in, refresh, paste, order, sign out and list on shared
//! stores while others are killed, against an authorization server that rotates refresh
//! tokens, detects their reuse, and is unwell now and then.
//!
//! Afterwards every document parses, every live grant is in a store unless its answer was
//! lost on the way, and no refresh token was posted twice other than after such a loss.
//! A gate before the server notes which process asked for what and what it was told.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here ends the run")]
#![allow(clippy::disallowed_methods, reason = "it prepares and inspects files directly")]

mod check;
mod gate;
mod ledger;
mod loss;
mod operation;
mod process;
mod register;
#[expect(dead_code, unused_imports, reason = "a part of what the tests share")]
#[path = "../it/support/mod.rs"]
mod support;
mod table;
mod world;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// How many run at once
    #[arg(long, default_value_t = 8)]
    workers: usize,
    /// The server and the network have no faults
    #[arg(long)]
    no_faults: bool,
    /// The program under test
    #[arg(long)]
    program: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(rand::random);
    println!(
        "seed {seed}: {} operations, {} kills, {} at once",
        options.operations, options.kills, options.workers
    );
    let root = tempfile::tempdir().unwrap();
    let program = options.program.canonicalize().expect("the program under test");
    let world = World::new(root.path(), program, seed, !options.no_faults);
    world.prepare();
    let plans = operation::plan(seed, options.operations, options.kills);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..options.workers {
            scope.spawn(|| {
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    world.run(plan);
                }
            });
        }
    });
    world.gate.set_faults(false);
    let verdict = check::check(&world);
    table::print(&world, &verdict);
    if verdict.failures.is_empty() {
        return ExitCode::SUCCESS;
    }
    let kept = root.keep();
    eprintln!("kept for inspection: {}; again with --seed {seed}", kept.display());
    ExitCode::FAILURE
}
