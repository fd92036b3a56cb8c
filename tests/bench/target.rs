//! What we aim at. A missed target is reported; it fails nothing.

use crate::budget::ratio;
use crate::report::Report;
use crate::section::{
    CHANNELS_LIST, CHECK, DOCTOR, EMPTY_RUST, LIST, STATUS, Section, TOKEN, TOKEN_BY_NAME,
};
use crate::sqlite::Databases;
use crate::table::mebibytes;
use crate::{handover, large};
use serde::Serialize;

/// A target and what came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub met: bool,
    pub text: String,
    pub measured: String,
}

/// The median wall time with one profile, over that of the empty Rust program.
const RATIO: f64 = 1.2;
/// The same of the commands that say whether somebody is signed in.
const ANSWER_RATIOS: [(&str, f64); 3] = [(CHECK, 1.2), (LIST, 1.2), (TOKEN_BY_NAME, 1.0)];
/// The median of `doctor` with 1,000 profiles over that of `models status`.
const DOCTOR_RATIO: f64 = 10.0;
/// The instructions over those of the empty Rust program, after what the parse of the
/// document takes.
const INSTRUCTION_RATIO: f64 = 1.5;
const PEAK_MEBIBYTES: f64 = 8.0;
/// The median of `channels list` with 10,000 profiles.
const MANY_PROFILES_MS: f64 = 60.0;
/// The p99 of a storm over that of its floor, when the server takes its time.
const STORM_RATIO: f64 = 1.15;
/// The p99 of a storm over that of the floor that starts a worker, when the server answers at
/// once.
const INSTANT_STORM_RATIO: f64 = 1.5;
/// What a refresh may take more than one that is made in process, in starts of the empty Rust
/// program.
const WORKER_STARTS: f64 = 1.5;
/// The p99 of the time between a release of the document lock and the next holder.
const HANDOVER_MS: f64 = 5.0;
/// A million bytes a second.
const PARSE_RATE: f64 = 200.0;

/// Compares what was measured with what we aim at.
pub(crate) fn judge(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    let plain = |profiles| {
        let mut sections = report.sections.iter();
        sections.find(|section: &&Section| section.is_plain() && section.profiles == profiles)
    };
    for name in [TOKEN, CHANNELS_LIST] {
        let Some(section) = plain(1) else { continue };
        let (Some(floor), Some(row)) = (section.row(EMPTY_RUST), section.row(name)) else {
            continue;
        };
        targets.push(Target {
            met: row.ratio <= RATIO,
            text: format!("`{name}`, 1 profile: at most {RATIO} times the empty Rust program"),
            measured: format!(
                "{:.2} times, {:.2} the fastest runs, {:.2} in CPU time",
                row.ratio,
                row.wall.min_us / floor.wall.min_us,
                row.cpu_ratio
            ),
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
    judge_answers((plain(1), plain(1_000)), &mut targets);
    targets.extend(report.databases.iter().map(Databases::target));
    judge_instructions(report, &mut targets);
    judge_storms(report, &mut targets);
    if let Some(refreshes) = &report.refreshes {
        let starts = refreshes.worker_in_starts();
        targets.push(Target {
            met: starts <= WORKER_STARTS,
            text: format!(
                "a refresh by a worker: at most that in process and {WORKER_STARTS} starts of an \
                 empty program"
            ),
            measured: format!("{starts:.2} starts"),
        });
    }
    for handover in report.handovers.iter().filter(|handover| handover.name == handover::OURS) {
        let p99 = handover.latency.p99_us / 1_000.0;
        targets.push(Target {
            met: p99 <= HANDOVER_MS,
            text: format!(
                "lock hand-over, {} waiting: p99 at most {HANDOVER_MS} ms",
                handover.waiters
            ),
            measured: format!("{p99:.2} ms"),
        });
    }
    for reading in report.readings.iter().filter(|reading| reading.name == large::PARSE) {
        let rate = reading.megabytes_per_second;
        targets.push(Target {
            met: rate >= PARSE_RATE,
            text: format!("document of {}: at least {PARSE_RATE} MB/s", reading.document),
            measured: format!("{rate:.0} MB/s"),
        });
    }
    targets
}

/// The answers to "am I signed in?", with one profile and with a thousand.
fn judge_answers((one, many): (Option<&Section>, Option<&Section>), targets: &mut Vec<Target>) {
    for (name, most) in ANSWER_RATIOS {
        let Some(row) = one.and_then(|section| section.row(name)) else { continue };
        targets.push(Target {
            met: row.ratio <= most,
            text: format!("`{name}`, 1 profile: at most {most} times the empty Rust program"),
            measured: format!("{:.2} times, {:.2} in CPU time", row.ratio, row.cpu_ratio),
        });
    }
    let row = |name| many.and_then(|section| section.row(name));
    let (Some(doctor), Some(status)) = (row(DOCTOR), row(STATUS)) else { return };
    let ratio = doctor.wall.median_us / status.wall.median_us;
    targets.push(Target {
        met: ratio <= DOCTOR_RATIO,
        text: format!("`{DOCTOR}`, 1,000 profiles: at most {DOCTOR_RATIO} times `{STATUS}`"),
        measured: format!("{ratio:.2} times"),
    });
}

fn judge_instructions(report: &Report, targets: &mut Vec<Target>) {
    let floor = report.instructions.iter().find(|count| count.name == EMPTY_RUST);
    for count in report.instructions.iter().filter(|count| count.parse > 0) {
        let Some(floor) = floor else { continue };
        let beyond =
            |document| ratio(count.instructions.saturating_sub(document), floor.instructions);
        let over = beyond(count.parse);
        targets.push(Target {
            met: over <= INSTRUCTION_RATIO,
            text: format!(
                "`{}` profiles: at most {INSTRUCTION_RATIO} times the instructions of the empty \
                 Rust program, and the parse",
                count.name
            ),
            measured: format!(
                "{over:.2} times; {:.2} beyond reading it through alone",
                beyond(count.skim)
            ),
        });
    }
}

fn judge_storms(report: &Report, targets: &mut Vec<Target>) {
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
        let (floor, name, most) = match storm.delay_ms {
            // What one refresh may cost is judged where its worker is.
            0 if storm.processes == 1 => continue,
            0 => (&storm.floor_by_worker, "floor with worker", INSTANT_STORM_RATIO),
            _ => (&storm.floor, "floor", STORM_RATIO),
        };
        let ratio = side.wall.p99_us / floor.wall.p99_us;
        targets.push(Target {
            met: ratio <= most,
            text: format!("{which}: p99 at most {most} times the {name}"),
            measured: format!("{ratio:.2} times"),
        });
    }
}
