//! What a call of `openclaw-auth` costs, beside the cheapest processes that there can be
//! and beside programs of others.
//!
//! Whole processes are measured, side by side in the same run. The results are printed, and
//! written to `bench/` in the target directory. A missed target and a missing peer are lines
//! of the report, never failures; only an exceeded budget of instructions is one.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]
#![expect(clippy::disallowed_methods, reason = "it writes reports, not credentials")]

mod budget;
mod callgrind;
mod contest;
mod durable;
mod fixture;
mod floor;
mod handover;
mod interrupted;
mod large;
mod login;
mod machine;
mod measure;
mod peer;
mod peer_table;
mod place;
mod plot;
mod refresh;
mod report;
mod rush;
mod section;
mod storm;
mod table;
mod target;
mod token_server;
mod trap;

use anyhow::{Context, Result};
use callgrind::Callgrind;
use clap::Parser;
use floor::Floors;
use peer::Peers;
use place::Places;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures the released program beside the cheapest processes that there can be
#[derive(Debug, Parser)]
struct Options {
    /// Measured runs of each command, 20 or more
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(20..))]
    runs: u32,
    /// Runs before those, which are not counted
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    warm_up: u32,
    /// Measured runs of each command of OpenClaw, which takes seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    peer_runs: u32,
    /// Storms of each size and server delay
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    storms: u32,
    /// Leave out storms of more processes
    #[arg(long, value_name = "PROCESSES", default_value_t = 1_000)]
    up_to: usize,
    /// Leave out storms of OpenClaw of more processes; 50 take minutes
    #[arg(long, value_name = "PROCESSES", default_value_t = 10)]
    openclaw_up_to: usize,
    /// Measure only this part; may be given several times
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Where npm has installed the peers [default: interop/ in the target directory]
    #[arg(long, value_name = "DIRECTORY")]
    interop: Vec<PathBuf>,
    /// Another build of the program
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Only count instructions, and fail when one of tests/bench/budget.json is exceeded
    #[arg(long)]
    budget: bool,
    /// Make the counts the budget
    #[arg(long, requires = "budget")]
    write: bool,
    /// Only parse a document: callgrind counts what that takes
    #[arg(long, hide = true)]
    parse: Option<PathBuf>,
    /// Only read a document through, and keep nothing
    #[arg(long, hide = true)]
    skim: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Commands,
    Peers,
    Instructions,
    Storms,
    Refresh,
    Killed,
    Handover,
    Writes,
    Login,
    Large,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(document) = &options.parse {
        return large::parse(document).map(|()| ExitCode::SUCCESS);
    }
    if let Some(document) = &options.skim {
        return large::skim(document).map(|()| ExitCode::SUCCESS);
    }
    let places = Places::find(options.program.as_deref())?;
    if options.budget {
        return check_budget(&options, &places);
    }
    let report = measure(&options, &places)?;
    println!("{}{}", table::remarks(&report.remarks), table::targets(&report.targets));
    let mut written = report.write(&places.output)?.to_vec();
    written.extend(plot::write(&report, &places.output)?);
    for file in written {
        println!("Written: {}", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn check_budget(options: &Options, places: &Places) -> Result<ExitCode> {
    let Some(callgrind) = Callgrind::find() else {
        println!("SKIPPED: valgrind is not installed (apt-get install valgrind)");
        return Ok(ExitCode::SUCCESS);
    };
    let machine = machine::describe();
    let floors = floor::build(&places.output)?;
    let counts = callgrind.count_all(&places.program, &floors.empty_rust, &places.this)?;
    println!("{}", budget::markdown(&counts));
    if options.write {
        println!("Written: {}", budget::write(&counts, &callgrind, &machine)?.display());
        return Ok(ExitCode::SUCCESS);
    }
    let kept = budget::check(&counts, &callgrind, &machine)?;
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures what was asked for and prints each part as it comes.
fn measure(options: &Options, places: &Places) -> Result<Report> {
    let wants = |part| options.only.is_empty() || options.only.contains(&part);
    let mut report = Report { machine: machine::describe(), ..Report::default() };
    println!("{}", table::machine(&report.machine));
    report.remarks.extend(report.machine.noise());
    let floors = floor::build(&places.output)?;
    if let Some(reason) = &floors.no_c {
        report.remarks.push(format!("MISSING: the empty C program is left out: {reason}"));
    }
    let default = [places.output.with_file_name("interop")];
    let peers =
        Peers::find(if options.interop.is_empty() { &default } else { &options.interop[..] });
    let Places { program, output, .. } = places;

    // The commands come first and the large documents last: a child inherits the peak
    // memory of its parent, which is smallest now.
    if wants(Part::Commands) {
        for plan in section::plans() {
            let section = section::measure(plan, program, &floors, options)?;
            println!("{}", table::section(&section));
            report.sections.push(section);
        }
        println!("{}", table::growth(&report.sections));
    }
    if wants(Part::Peers) {
        eprintln!("Peers …");
        let runs = (options.warm_up, options.runs, options.peer_runs);
        match peer_table::measure(program, &floors, &peers, runs) {
            Ok(peers) => {
                println!("{}", peers.markdown());
                report.peers = Some(peers);
            }
            Err(error) => report.remarks.push(format!("MISSING: the peers: {error:#}")),
        }
    }
    if wants(Part::Instructions) {
        match Callgrind::find() {
            Some(callgrind) => {
                report.instructions =
                    callgrind.count_all(program, &floors.empty_rust, &places.this)?;
                println!("{}", budget::markdown(&report.instructions));
            }
            None => report.remarks.push("MISSING: valgrind, so instructions".to_owned()),
        }
    }
    measure_storms(options, places, &floors, &peers, &mut report)?;
    if wants(Part::Handover) {
        report.handovers = handover::measure(output, options.runs * 3)?;
        println!("{}", handover::markdown(&report.handovers));
    }
    if wants(Part::Writes) {
        report.writes = durable::measure(program, output, options.runs)?;
        println!("{}", durable::markdown(&report.writes));
    }
    if wants(Part::Login) {
        let logins = login::measure(program, options.runs.min(50)).context("logins")?;
        println!("{}", logins.markdown());
        report.logins = Some(logins);
    }
    if wants(Part::Large) {
        report.readings = large::measure(program)?;
        println!("{}", large::markdown(&report.readings));
    }
    report.targets = target::judge(&report);
    Ok(report)
}

fn measure_storms(
    options: &Options,
    places: &Places,
    floors: &Floors,
    peers: &Peers,
    report: &mut Report,
) -> Result<()> {
    let wants = |part| options.only.is_empty() || options.only.contains(&part);
    if wants(Part::Storms) {
        for plan in storm::plans(options.up_to) {
            eprintln!("Storm of {}, server delay {} ms …", plan.processes, plan.delay_ms);
            let openclaw = peers.openclaw.as_ref();
            let openclaw = openclaw.filter(|_| plan.processes <= options.openclaw_up_to);
            let program = &places.program;
            report.storms.push(storm::measure(&plan, program, floors, openclaw, options.storms)?);
        }
        println!("{}", table::storms(&report.storms));
    }
    if wants(Part::Refresh) {
        match refresh::measure(&places.program, floors, options.warm_up, options.runs) {
            Ok(refreshes) => {
                println!("{}", refreshes.markdown());
                report.refreshes = Some(refreshes);
            }
            Err(error) => report.remarks.push(format!("MISSING: what a worker costs: {error:#}")),
        }
    }
    if wants(Part::Killed) {
        report.interrupted = interrupted::measure(&places.program, floors, options.storms)?;
        println!("{}", interrupted::markdown(&report.interrupted));
    }
    Ok(())
}
