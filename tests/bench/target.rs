//! What we aim at. A missed target is reported; it fails nothing.

use crate::report::Report;
use crate::section::{CHANNELS_LIST, Section, TOKEN};
use crate::table::mebibytes;
use serde::Serialize;

/// A target and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub met: bool,
    pub text: String,
    pub measured: String,
}

/// The median wall time with one profile, over that of the empty Rust program.
const RATIO: f64 = 1.5;
const PEAK_MEBIBYTES: f64 = 8.0;
/// The median of `channels list` with 10,000 profiles.
const MANY_PROFILES_MS: f64 = 60.0;
/// The p99 of a storm over that of its floor.
const STORM_RATIO: f64 = 1.3;

/// Compares what was measured with what we aim at.
pub(crate) fn judge(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    let plain = |profiles| {
        let mut sections = report.sections.iter();
        sections.find(|section: &&Section| section.is_plain() && section.profiles == profiles)
    };
    for name in [TOKEN, CHANNELS_LIST] {
        let Some(row) = plain(1).and_then(|section| section.row(name)) else { continue };
        targets.push(Target {
            met: row.ratio <= RATIO,
            text: format!("`{name}`, 1 profile: at most {RATIO} times the empty Rust program"),
            measured: format!("{:.2} times, {:.2} in CPU time", row.ratio, row.cpu_ratio),
        });
        let peak = mebibytes(row.peak_bytes);
        targets.push(Target {
            met: peak < PEAK_MEBIBYTES,
            text: format!("`{name}`, 1 profile: peak memory below {PEAK_MEBIBYTES} MiB"),
            measured: format!("{peak:.2} MiB"),
        });
    }
    if let Some(row) = plain(10_000).and_then(|section| section.row(CHANNELS_LIST)) {
        let median = row.wall.median_us / 1_000.0;
        targets.push(Target {
            met: median < MANY_PROFILES_MS,
            text: format!("`{CHANNELS_LIST}`, 10,000 profiles: below {MANY_PROFILES_MS} ms"),
            measured: format!("{median:.1} ms"),
        });
    }
    for storm in &report.storms {
        let which = format!("storm of {}, server delay {} ms", storm.processes, storm.delay_ms);
        let side = &storm.ours;
        targets.push(Target {
            met: side.most_requests == 1 && side.failures == 0 && side.most_tokens == 1,
            text: format!("{which}: 1 refresh request, no failure, 1 token"),
            measured: format!(
                "{} requests, {} failures, {} tokens",
                side.most_requests, side.failures, side.most_tokens
            ),
        });
        let ratio = side.wall.p99_us / storm.floor.wall.p99_us;
        targets.push(Target {
            met: ratio <= STORM_RATIO,
            text: format!("{which}: p99 at most {STORM_RATIO} times the floor"),
            measured: format!("{ratio:.2} times"),
        });
    }
    targets
}
