//! Fuzz targets for every parser of foreign input: each input of the corpus, and changed
//! ones, must be read or refused without a panic, and keep the promises of the target.
//!
//! With the stable toolchain: no coverage guides the changes, the corpus does. A seed
//! makes a run repeatable; an input that fails is written to the target directory.

#![expect(clippy::print_stdout, reason = "a program for developers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure is what is looked for")]
#![allow(clippy::disallowed_methods, reason = "it writes inputs, not credentials")]

mod document;
mod external;
mod mutation;
mod outside;
mod protocol;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Feeds changed inputs to every parser of foreign input
#[derive(Debug, Parser)]
struct Options {
    /// Only this target
    #[arg(long)]
    target: Option<String>,
    /// The seed of the changes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many inputs a fast target gets; one that writes files or starts a process gets
    /// a fiftieth
    #[arg(long, default_value_t = 20_000)]
    iterations: usize,
    /// Only this input, as it is
    #[arg(long)]
    input: Option<PathBuf>,
}

/// One parser with what it must keep to.
struct Target {
    /// Also the folder of its corpus.
    name: &'static str,
    /// Whether an input costs files or a process.
    is_slow: bool,
    /// Panics when a promise is broken.
    run: fn(&[u8]),
}

const TARGETS: [Target; 14] = [
    Target { name: "store-document", is_slow: false, run: document::profiles },
    Target { name: "state-document", is_slow: false, run: document::state },
    Target { name: "redirect-query", is_slow: false, run: protocol::redirect },
    Target { name: "pasted-line", is_slow: false, run: protocol::pasted },
    Target { name: "pasted-secret", is_slow: false, run: protocol::pasted_secret },
    Target { name: "jwt", is_slow: false, run: protocol::claims },
    Target { name: "secret-reference", is_slow: false, run: document::reference },
    Target { name: "usage", is_slow: false, run: protocol::usage },
    Target { name: "external", is_slow: false, run: external::logins },
    Target { name: "token-response", is_slow: true, run: protocol::token_response },
    Target { name: "config", is_slow: true, run: outside::config },
    Target { name: "lock-payload", is_slow: true, run: outside::lock },
    Target { name: "provider-definition", is_slow: true, run: outside::provider },
    Target { name: "secrets-reply", is_slow: true, run: outside::secrets },
];

fn main() -> ExitCode {
    let options = Options::parse();
    let (mut passed, mut failed) = (0, 0);
    println!("seed {}", options.seed);
    println!("| target | corpus | inputs | failures | ms |");
    println!("|---|---:|---:|---:|---:|");
    let chosen = |target: &&Target| options.target.as_ref().is_none_or(|name| name == target.name);
    for target in TARGETS.iter().filter(chosen) {
        let started = Instant::now();
        let (corpus, inputs, failures) = fuzz(target, &options);
        let took = started.elapsed().as_millis();
        println!("| {} | {corpus} | {inputs} | {} | {took} |", target.name, failures.len());
        for failure in &failures {
            println!(
                "FAILED {}: --target {} --input {}",
                target.name,
                target.name,
                failure.display()
            );
        }
        if failures.is_empty() { passed += 1 } else { failed += 1 }
    }
    println!("\n{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The size of the corpus, how many inputs were tried, and those that failed.
fn fuzz(target: &Target, options: &Options) -> (usize, usize, Vec<PathBuf>) {
    let corpus = match &options.input {
        Some(path) => vec![std::fs::read(path).unwrap()],
        None => mutation::corpus(target.name),
    };
    assert!(!corpus.is_empty(), "there is no corpus for {}", target.name);
    let share = if target.is_slow { 50 } else { 1 };
    let count = if options.input.is_some() { 0 } else { options.iterations / share };
    let mut random = StdRng::seed_from_u64(options.seed);
    let mut failures = Vec::new();
    let changed = (0..count).map(|_| mutation::change(&corpus, &mut random));
    for (number, input) in corpus.iter().cloned().chain(changed).enumerate() {
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            failures.push(keep(target.name, number, &input));
            if failures.len() >= 5 {
                break;
            }
        }
    }
    (corpus.len(), corpus.len() + count, failures)
}

fn keep(target: &str, number: usize, input: &[u8]) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join(format!("{target}-{number}"));
    std::fs::write(&path, input).unwrap();
    path
}
