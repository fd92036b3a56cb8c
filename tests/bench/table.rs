//! The tables: Markdown that is as readable on a terminal.

use crate::machine::Machine;
use crate::section::{COMMANDS, Row, Section};
use crate::storm::Storm;
use crate::target::Target;

pub(crate) fn machine(machine: &Machine) -> String {
    let Machine { date, cores, cpu, kernel, rustc, commit, load } = machine;
    format!(
        "# openclaw-auth {commit}\n\n{date}, {cores} cores, {cpu}, Linux {kernel}, {rustc}; \
         load {load} at the start\n\n\
         Wall time is from before the start of a process until after its end; `ratio` is its \
         median over that of the empty Rust program in the same rounds. A peak marked ≤ was \
         hidden by that of the benchmark itself.\n"
    )
}

/// What was left out or went wrong, so that nobody misses it.
pub(crate) fn remarks(lines: &[String]) -> String {
    lines.iter().flat_map(|line| ["**", line, "**\n\n"]).collect()
}

pub(crate) fn section(section: &Section) -> String {
    let header = [
        "command",
        "runs",
        "min ms",
        "median ms",
        "ratio",
        "p99 ms",
        "CPU ms",
        "CPU ratio",
        "peak MiB",
        "output KiB",
    ];
    let rows = section.rows.iter().map(|row| {
        let Row { wall, cpu, .. } = row;
        let hidden =
            if row.peak_bytes <= section.smallest_visible_peak_bytes { "≤ " } else { "" };
        [
            row.name.clone(),
            wall.count.to_string(),
            milliseconds(wall.min_us),
            milliseconds(wall.median_us),
            format!("{:.2}", row.ratio),
            milliseconds(wall.p99_us),
            milliseconds(cpu.median_us),
            format!("{:.2}", row.cpu_ratio),
            format!("{hidden}{:.2}", mebibytes(row.peak_bytes)),
            format!("{:.1}", mebibytes(row.printed_bytes) * 1_024.0),
        ]
        .to_vec()
    });
    format!("## {}\n\n{}", section.title, render(&header, rows))
}

/// What one more profile costs, between two sizes.
pub(crate) fn growth(sections: &[Section]) -> String {
    let plain: Vec<&Section> = sections.iter().filter(|section| section.is_plain()).collect();
    let mut header = vec!["command".to_owned()];
    for pair in plain.windows(2) {
        let span = format!("{} to {}", pair[0].profiles, pair[1].profiles);
        header.extend([format!("µs, {span}"), format!("KiB, {span}")]);
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = COMMANDS.iter().map(|(name, _)| {
        let mut row = vec![(*name).to_owned()];
        for pair in plain.windows(2) {
            let (Some(few), Some(many)) = (pair[0].row(name), pair[1].row(name)) else { continue };
            let more = f64::from(pair[1].profiles - pair[0].profiles);
            let time = (many.wall.median_us - few.wall.median_us) / more;
            let memory = mebibytes(many.peak_bytes) - mebibytes(few.peak_bytes);
            row.extend([format!("{time:.2}"), format!("{:.2}", memory * 1_024.0 / more)]);
        }
        row
    });
    format!("## Growth per profile\n\n{}", render(&header, rows))
}

pub(crate) fn storms(storms: &[Storm]) -> String {
    let header = [
        "processes",
        "delay ms",
        "program",
        "requests",
        "failures",
        "tokens",
        "p50 ms",
        "p99 ms",
        "max ms",
        "p99 ratio",
        "total ms",
        "CPU ms each",
    ];
    let rows = storms.iter().flat_map(|storm| {
        let theirs = storm.openclaw.iter().map(|side| ("OpenClaw", side));
        let ours = [("openclaw-auth", &storm.ours)].into_iter();
        let floors = [("floor", &storm.floor), ("floor with worker", &storm.floor_by_worker)];
        ours.chain(floors).chain(theirs).map(|(name, side)| {
            vec![
                storm.processes.to_string(),
                storm.delay_ms.to_string(),
                name.to_owned(),
                side.most_requests.to_string(),
                side.failures.to_string(),
                side.most_tokens.to_string(),
                milliseconds(side.wall.median_us),
                milliseconds(side.wall.p99_us),
                milliseconds(side.wall.max_us),
                format!("{:.2}", side.wall.p99_us / storm.floor.wall.p99_us),
                milliseconds(side.total.median_us),
                milliseconds(side.cpu.median_us),
            ]
        })
    });
    let complaints: Vec<String> = storms
        .iter()
        .flat_map(|storm| {
            let ours = [&storm.ours, &storm.floor, &storm.floor_by_worker].into_iter();
            ours.chain(&storm.openclaw)
        })
        .filter_map(|side| side.complaint.as_ref())
        .map(|complaint| format!("\nA failure: {}\n", complaint.trim()))
        .collect();
    format!(
        "## Storms on one expired profile\n\n\
         Requests and distinct tokens: the most in one storm, 1 is right. Times are of every \
         process in all storms; the total is the median storm.\n\n{}{}",
        render(&header, rows),
        complaints.concat()
    )
}

pub(crate) fn targets(targets: &[Target]) -> String {
    let lines: Vec<String> = targets
        .iter()
        .map(|Target { met, text, measured }| {
            format!("- {}: {text}; measured {measured}\n", if *met { "met" } else { "MISSED" })
        })
        .collect();
    format!("## Targets\n\n{}", lines.concat())
}

/// A Markdown table whose columns are aligned: the first to the left, the rest to the
/// right.
pub(crate) fn render(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|cell| (*cell).to_owned()).collect()];
    lines.extend(rows);
    let width_of = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width_of).collect();
    let rule = widths.iter().enumerate().map(|(column, width)| {
        let dashes = "-".repeat(*width);
        if column == 0 { format!(" {dashes} |") } else { format!(" {}: |", &dashes[1..]) }
    });
    let rule = format!("|{}\n", rule.collect::<String>());
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push('|');
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count());
            let cell =
                if column == 0 { format!("{cell}{padding}") } else { format!("{padding}{cell}") };
            text.extend([" ", &cell, " |"]);
        }
        text.push('\n');
        if index == 0 {
            text.push_str(&rule);
        }
    }
    text
}

pub(crate) fn milliseconds(microseconds: f64) -> String {
    format!("{:.2}", microseconds / 1_000.0)
}

#[expect(clippy::cast_precision_loss, reason = "nothing is that large")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
