//! What a call of `openclaw-auth` costs, beside the cheapest processes that there can be.
//!
//! Whole processes are measured, side by side in the same run: wall time, CPU time and
//! peak memory of each command with 1 to 10,000 profiles, and a storm of processes that
//! all want one expired profile. The results are printed, and written to `bench/` in the
//! target directory. A missed target is a line of the report, never a failure.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers")]
#![expect(clippy::disallowed_methods, reason = "it writes reports, not credentials")]

mod contest;
mod fixture;
mod floor;
mod machine;
mod measure;
mod report;
mod section;
mod storm;
mod table;
mod target;
mod token_server;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use report::Report;
use std::path::{Path, PathBuf};

/// Measures the released program beside the cheapest processes that there can be
#[derive(Debug, Parser)]
struct Options {
    /// Measured runs of each command, 20 or more
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(20..))]
    runs: u32,
    /// Runs before those, which are not counted
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    warm_up: u32,
    /// Storms of each size and server delay
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    storms: u32,
    /// Measure only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Commands,
    Storms,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let wants = |part| options.only.is_none_or(|only| only == part);
    let places = Places::find()?;

    let mut report = Report::new(machine::describe());
    println!("{}", table::machine(&report.machine));
    let floors = floor::build(&places.output)?;
    if let Some(reason) = &floors.no_c {
        println!("The empty C program is left out: {reason}\n");
    }
    // The commands come first: a child inherits the peak memory of its parent, which is
    // smallest now.
    if wants(Part::Commands) {
        for plan in section::plans() {
            let section = section::measure(plan, &places.program, &floors, &options)?;
            println!("{}", table::section(&section));
            report.sections.push(section);
        }
        println!("{}", table::growth(&report.sections));
    }
    if wants(Part::Storms) {
        for plan in storm::plans() {
            eprintln!("Storm of {}, server delay {} ms …", plan.processes, plan.delay_ms);
            report.storms.push(storm::measure(&plan, &places.program, &floors, options.storms)?);
        }
        println!("{}", table::storms(&report.storms));
    }
    report.targets = target::judge(&report);
    println!("{}", table::targets(&report.targets));
    for file in report.write(&places.output)? {
        println!("Written: {}", file.display());
    }
    Ok(())
}

/// Where the program under measurement is, and where the results go.
struct Places {
    program: PathBuf,
    output: PathBuf,
}

impl Places {
    /// Beside this program, which is `<target>/release/examples/bench`. The program is
    /// copied: how a file was written decides how its pages lie in memory, and the linker
    /// does not write as an installation does.
    fn find() -> Result<Self> {
        let this = std::env::current_exe().context("could not find this program")?;
        let profile_dir = this.ancestors().nth(2).unwrap_or(Path::new("."));
        let built = profile_dir.join("openclaw-auth");
        ensure!(
            built.is_file() && profile_dir.ends_with("release"),
            "there is no release build at {}; start the benchmark as tests/bench/run",
            built.display()
        );
        let output = profile_dir.with_file_name("bench");
        std::fs::create_dir_all(&output)
            .with_context(|| format!("could not create {}", output.display()))?;
        let program = floor::copy(&built, &output.join("openclaw-auth"))?;
        Ok(Self { program, output })
    }
}
