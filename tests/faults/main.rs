//! System call faults: every call by which a command saves fails in turn, or is the moment
//! at which the process is killed. Afterwards the document is the old one or the new one,
//! the credential that the server issued is in a private file, the message is clear, and
//! the next run works.
//!
//! The calls of a refresh are those of the command and those of its worker, each on its own.
//! `strace` injects the faults; a tmpfs that is full stands for a full disk.

#![expect(clippy::print_stdout, reason = "a program for developers")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here ends the run")]
#![allow(clippy::disallowed_methods, reason = "it prepares and inspects files directly")]

mod disk;
mod judge;
mod names;
mod point;
mod scene;
#[expect(dead_code, unused_imports, reason = "a part of what the tests share")]
#[path = "../it/support/mod.rs"]
mod support;

use clap::Parser;
use openclaw_auth::cli;
use openclaw_auth::ops::refresh::worker::COMMAND;
use openclaw_auth::system::{Environment, Streams};
use point::{Fault, Point, Tracee};
use scene::{Command, Scene};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Makes every system call of a save fail, and sees that nothing is lost
#[derive(Debug, Parser)]
struct Options {
    /// The program under test
    #[arg(long)]
    program: PathBuf,
    /// One fault at each call, in turn, in place of all
    #[arg(long)]
    brief: bool,
    /// Show every run
    #[arg(long)]
    verbose: bool,
}

/// What came of all runs.
#[derive(Default)]
struct Tally {
    passed: usize,
    missed: usize,
    killed_after_rotation: usize,
    recovered: usize,
    failures: Vec<String>,
}

impl Tally {
    fn add(&mut self, what: &str, judged: judge::Judged) {
        self.killed_after_rotation += usize::from(judged.lost_with_the_process);
        self.recovered += usize::from(judged.outside_the_document);
        if judged.wrong.is_empty() {
            self.passed += 1;
        }
        self.failures.extend(judged.wrong.into_iter().map(|wrong| format!("{what}: {wrong}")));
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let first = arguments.get(1).and_then(|first| first.to_str()).unwrap_or_default();
    if first == COMMAND {
        let error = scene::become_worker(&std::env::home_dir().unwrap());
        panic!("{error}");
    }
    // The command that starts such a worker: the program in the process of this one, which
    // takes the program that it is for the one to start.
    if first == "models" {
        let here = std::env::current_dir().unwrap();
        let mut streams = Streams::of_process();
        return cli::main(arguments, Environment::of_process(), &mut streams, &here).into();
    }
    let options = Options::parse();
    let program = options.program.canonicalize().expect("the program under test");
    let mut tally = Mutex::new(Tally::default());
    let mut skipped = 0;
    if let Some(reason) = point::unavailable() {
        skipped += 1;
        println!("SKIPPED system call faults: {reason}");
    } else {
        for command in Command::ALL {
            for tracee in command.tracees() {
                inject_everywhere((command, *tracee), &program, &options, &tally);
            }
        }
    }
    let tally = tally.get_mut().unwrap();
    let checks = [("a full disk", disk::check(&program)), ("names", names::check(&program))];
    for (subject, checked) in checks {
        match checked {
            Ok(results) => results.into_iter().for_each(|(what, judged)| tally.add(&what, judged)),
            Err(reason) => {
                skipped += 1;
                println!("SKIPPED {subject}: {reason}");
            }
        }
    }
    println!("{} runs in which the call did not come at its place", tally.missed);
    println!("{} credentials kept outside of the document", tally.recovered);
    println!("{} lost because the process was killed", tally.killed_after_rotation);
    tally.failures.sort();
    for failure in &tally.failures {
        println!("FAILED {failure}");
    }
    let skips = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    println!("\n{} passed, {} failed{skips}", tally.passed, tally.failures.len());
    if tally.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn inject_everywhere(
    (command, tracee): (Command, Tracee),
    program: &std::path::Path,
    options: &Options,
    tally: &Mutex<Tally>,
) {
    let points = point::points(&Scene::new(command, program), tracee);
    let runs: Vec<(Point, Fault)> = points
        .iter()
        .enumerate()
        .flat_map(|(index, point)| {
            let faults = Fault::ALL.into_iter().enumerate();
            let one = index % Fault::ALL.len();
            let brief = options.brief;
            faults
                .filter(move |(number, _)| !brief || *number == one)
                .map(|(_, fault)| (point.clone(), fault))
        })
        .collect();
    println!("{command:?}, {tracee:?}: {} calls, {} runs", points.len(), runs.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((point, fault)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let scene = Scene::new(command, program);
                    let what = format!("{command:?}, {fault:?} at {point}");
                    let Some(finished) = point::run_with(&scene, point, *fault) else {
                        tally.lock().unwrap().missed += 1;
                        continue;
                    };
                    if options.verbose {
                        println!("{what}: {:?} {}", finished.code, finished.stderr.trim());
                    }
                    let judged = judge::judge(&scene, &finished, fault.text());
                    tally.lock().unwrap().add(&what, judged);
                }
            });
        }
    });
}
