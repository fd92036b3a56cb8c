//! Many runs of several commands, interleaved so that noise hits all of them alike.

use crate::measure::{Contestant, Sample};
use anyhow::Result;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use std::time::Duration;

/// A command that takes longer than this is run once and not again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The samples of each contestant. Every round runs each of them once, in a new order.
pub(crate) fn hold(
    contestants: &[Contestant],
    warm_up: u32,
    runs: u32,
) -> Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); contestants.len()];
    let mut running: Vec<usize> = Vec::new();
    for (index, contestant) in contestants.iter().enumerate() {
        let first = contestant.run()?;
        if first.wall > PATIENCE {
            samples[index].push(first);
        } else {
            running.push(index);
        }
    }
    let mut random = StdRng::seed_from_u64(0);
    for round in 1..warm_up + runs {
        running.shuffle(&mut random);
        for index in &running {
            let sample = contestants[*index].run()?;
            if round >= warm_up {
                samples[*index].push(sample);
            }
        }
    }
    Ok(samples)
}
