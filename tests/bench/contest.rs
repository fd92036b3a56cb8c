//! Many runs of several commands, interleaved so that noise hits all of them alike.

use crate::measure::{Contestant, Sample};
use anyhow::Result;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::time::Duration;

/// A command that takes longer than this is run once and not again, unless its number of
/// runs is its own.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was measured of one contestant.
pub(crate) struct Record {
    /// How many bytes it prints.
    pub printed: u64,
    /// Its runs that count.
    pub samples: Vec<Sample>,
}

/// The records of the contestants. Every round runs each of them once, in a new order; one
/// with fewer runs of its own is left out of the rounds between.
pub(crate) fn hold(contestants: &[Contestant], warm_up: u32, runs: u32) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let mut running: Vec<usize> = Vec::new();
    for (index, contestant) in contestants.iter().enumerate() {
        let (first, printed) = contestant.rehearse()?;
        let mut samples = Vec::with_capacity(runs as usize);
        if first.wall > PATIENCE && contestant.runs.is_none() {
            samples.push(first);
        } else {
            running.push(index);
        }
        records.push(Record { printed, samples });
    }
    let mut random = StdRng::seed_from_u64(0);
    for round in 0..warm_up + runs {
        running.shuffle(&mut random);
        for index in &running {
            let fewer = contestants[*index].runs.unwrap_or(runs).min(runs);
            if fewer < runs && (round < warm_up || !has_turn(round - warm_up, fewer, runs)) {
                continue;
            }
            let sample = contestants[*index].run()?;
            if round >= warm_up {
                records[*index].samples.push(sample);
            }
        }
    }
    Ok(records)
}

/// Whether one of the `fewer` runs, spread over all `rounds`, falls into this round.
fn has_turn(round: u32, fewer: u32, rounds: u32) -> bool {
    (round + 1) * fewer / rounds > round * fewer / rounds
}
