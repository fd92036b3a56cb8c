//! The result, to be read.

use super::check::Verdict;
use super::ledger::{Answer, Asked};
use super::operation::Kind;
use super::world::World;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Prints what was run, what was lost, and what is wrong.
pub(crate) fn print(world: &World, verdict: &Verdict) {
    let done = world.done.lock().unwrap();
    println!();
    println!("| operation | runs | 0 | 1 | 3 | 4 | other | by signal | p50 ms | p99 ms |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let mut total = [0; 7];
    for (kind, name, _) in Kind::ALL {
        let runs: Vec<_> = done.iter().filter(|done| done.plan.kind == kind).collect();
        let ended = |code: i32| runs.iter().filter(|done| done.code == Some(code)).count();
        let killed = runs.iter().filter(|done| done.code.is_none()).count();
        let known = [ended(0), ended(1), ended(3), ended(4)];
        let other = runs.len() - killed - known.iter().sum::<usize>();
        let mut times: Vec<Duration> = runs
            .iter()
            .filter(|done| done.code.is_some())
            .map(|done| done.end.duration_since(done.start))
            .collect();
        times.sort();
        let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_millis);
        let row = [runs.len(), known[0], known[1], known[2], known[3], other, killed];
        total.iter_mut().zip(row).for_each(|(total, cell)| *total += cell);
        println!("| {name} | {} | {} | {} |", cells(&row), at(50), at(99));
    }
    println!("| all | {} | | |", cells(&total));
    println!();

    let book = world.gate.ledger.book();
    let asked = |wanted: fn(&Asked) -> bool| book.all.iter().filter(|e| wanted(&e.asked)).count();
    let faults = book.all.iter().filter(|exchange| matches!(exchange.answer, Answer::Fault(_)));
    println!(
        "requests: {} code exchanges, {} refreshes, {} revocations; {} failed before the server",
        asked(|asked| *asked == Asked::Code),
        asked(|asked| matches!(asked, Asked::Refresh(_))),
        asked(|asked| matches!(asked, Asked::Revoke(_))),
        faults.count()
    );
    println!(
        "{} workers killed, {} signalled",
        world.gate.worker_kills(),
        world.gate.worker_signals.load(Ordering::Relaxed)
    );
    for (what, count) in &verdict.counts {
        println!("{what}: {count}");
    }
    for failure in &verdict.failures {
        println!("FAILED {failure}");
    }
    println!("\n{} passed, {} failed", verdict.passed, verdict.failures.len());
}

fn cells(row: &[usize]) -> String {
    row.iter().map(usize::to_string).collect::<Vec<_>>().join(" | ")
}
