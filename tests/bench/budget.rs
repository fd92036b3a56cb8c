//! The instructions that the hot paths may take: `budget.json`, renewed by
//! `tests/bench/run --budget --write`.

use crate::callgrind::{Callgrind, Count};
use crate::machine::Machine;
use crate::section::EMPTY_RUST;
use crate::table::render;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What may be exceeded by so much, for other versions of the C library and the linker.
const TOLERANCE: f64 = 1.03;

/// The budget, and what it was counted with.
#[derive(Debug, Serialize, Deserialize)]
struct Budget {
    cpu: String,
    rustc: String,
    valgrind: String,
    instructions: BTreeMap<String, u64>,
}

/// Whether every command keeps to its budget; prints how it does.
#[expect(clippy::print_stdout, reason = "a program for developers")]
pub(crate) fn check(counts: &[Count], callgrind: &Callgrind, machine: &Machine) -> Result<bool> {
    let path = path();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("could not read {}", path.display()))?;
    let budget: Budget = serde_json::from_str(&text)?;
    let now = Budget::of(counts, callgrind, machine);
    for (what, then, now) in [
        ("processor", &budget.cpu, &now.cpu),
        ("compiler", &budget.rustc, &now.rustc),
        ("valgrind", &budget.valgrind, &now.valgrind),
    ] {
        if then != now {
            println!("The budget was counted with another {what}: {then}, now {now}");
        }
    }
    let mut failed = 0;
    let rows = now.instructions.iter().map(|(name, count)| {
        let allowed = budget.instructions.get(name).copied();
        let verdict = match allowed.map(|allowed| ratio(*count, allowed)) {
            None => "EXCEEDED: no budget",
            Some(ratio) if ratio > TOLERANCE => "EXCEEDED",
            Some(ratio) if ratio < 1.0 / TOLERANCE => "kept: lower it",
            Some(_) => "kept",
        };
        failed += usize::from(verdict.starts_with("EXCEEDED"));
        vec![
            name.clone(),
            allowed.map_or_else(String::new, |allowed| allowed.to_string()),
            count.to_string(),
            allowed.map_or_else(String::new, |allowed| {
                format!("{:+.2} %", (ratio(*count, allowed) - 1.0) * 100.0)
            }),
            verdict.to_owned(),
        ]
    });
    println!("{}", render(&["command, profiles", "budget", "now", "change", ""], rows));
    if failed > 0 {
        println!(
            "More instructions than {} allows. If they are worth it: \
             tests/bench/run --budget --write",
            path.display()
        );
    }
    println!("{} passed, {failed} failed", now.instructions.len() - failed);
    Ok(failed == 0)
}

/// Makes these counts the budget; where that is.
pub(crate) fn write(counts: &[Count], callgrind: &Callgrind, machine: &Machine) -> Result<PathBuf> {
    let path = path();
    let text = serde_json::to_string_pretty(&Budget::of(counts, callgrind, machine))? + "\n";
    std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

impl Budget {
    fn of(counts: &[Count], callgrind: &Callgrind, machine: &Machine) -> Self {
        // The floor is not ours to keep low.
        let ours = counts.iter().filter(|count| count.name != EMPTY_RUST);
        Self {
            cpu: machine.cpu.clone(),
            rustc: machine.rustc.clone(),
            valgrind: callgrind.version(),
            instructions: ours.map(|count| (count.name.clone(), count.instructions)).collect(),
        }
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/budget.json")
}

/// How often `part` is in `whole`.
#[expect(clippy::cast_precision_loss, reason = "nothing is that large")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

pub(crate) fn markdown(counts: &[Count]) -> String {
    let floor = counts.iter().find(|count| count.name == EMPTY_RUST);
    let floor = floor.map_or(0, |count| count.instructions);
    let rows = counts.iter().map(|count| {
        vec![
            count.name.clone(),
            count.instructions.to_string(),
            count.parse.to_string(),
            count.skim.to_string(),
            format!("{:.2}", ratio(count.instructions, floor)),
            format!("{:.2}", ratio(count.instructions.saturating_sub(count.parse), floor)),
            format!("{:.2}", ratio(count.instructions.saturating_sub(count.skim), floor)),
        ]
    });
    let header = [
        "command, profiles",
        "instructions",
        "parse",
        "skim",
        "× empty",
        "without parse",
        "without skim",
    ];
    format!(
        "## Instructions\n\n\
         Counted by callgrind. `parse` is what serde_json takes to parse the document of that many \
         profiles into values, `skim` what it takes to read it through and keep nothing. 0.00 is \
         said of a command that takes less than the parse alone.\n\n{}",
        render(&header, rows)
    )
}
