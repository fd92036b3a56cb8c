//! The plots, as one SVG without a background, in colours that can be read on a light and
//! on a dark one.

use crate::peer_table::Comparison;
use crate::report::Report;
use crate::rush::Side;
use crate::section::{COMMANDS, Section};
use crate::storm::Storm;
use anyhow::{Context, Result, anyhow};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::prelude::{
    Cartesian2d, Circle, Color, DrawingArea, IntoDrawingArea, IntoFont, IntoLogRange, LineSeries,
    PathElement, RGBColor, Rectangle, SVGBackend, Text, TextStyle,
};
use std::ops::Range;
use std::path::{Path, PathBuf};

type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type LogChart<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<LogCoord<f64>, LogCoord<f64>>>;
type Panel<'r> = Box<dyn Fn(&Area<'_>) -> Result<()> + 'r>;

const WIDTH: u32 = 960;
const PANEL_HEIGHT: u32 = 440;
/// Where the names of the lines begin.
const LEGEND: i32 = 750;
const INK: RGBColor = RGBColor(115, 123, 134);
const PALETTE: [RGBColor; 6] = [
    RGBColor(47, 129, 247),
    RGBColor(219, 109, 40),
    RGBColor(46, 160, 67),
    RGBColor(163, 113, 247),
    RGBColor(191, 135, 0),
    RGBColor(219, 97, 162),
];

/// Writes `report.svg` into `directory`; its path, or `None` when there is nothing to draw.
pub(crate) fn write(report: &Report, directory: &Path) -> Result<Option<PathBuf>> {
    let mut panels: Vec<Panel<'_>> = Vec::new();
    if report.sections.iter().filter(|section| section.is_plain()).count() > 1 {
        panels.push(Box::new(|area| growth(area, &report.sections)));
    }
    if report.storms.len() > 2 {
        panels.push(Box::new(|area| storms(area, &report.storms)));
    }
    if let Some(peers) = &report.peers {
        panels.push(Box::new(|area| bars(area, peers)));
    }
    if panels.is_empty() {
        return Ok(None);
    }
    let mut svg = String::new();
    let height = PANEL_HEIGHT * u32::try_from(panels.len())?;
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    for (area, panel) in root.split_evenly((panels.len(), 1)).iter().zip(&panels) {
        panel(area)?;
    }
    root.present().map_err(|error| anyhow!("could not draw: {error}"))?;
    drop((root, panels));
    let file = directory.join("report.svg");
    std::fs::write(&file, svg).with_context(|| format!("could not write {}", file.display()))?;
    Ok(Some(file))
}

/// A line with its name.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

fn growth(area: &Area<'_>, sections: &[Section]) -> Result<()> {
    let plain: Vec<&Section> = sections.iter().filter(|section| section.is_plain()).collect();
    let names = std::iter::once("--version").chain(COMMANDS.iter().map(|(name, _)| *name));
    let lines = names.map(|name| Line {
        name: name.to_owned(),
        points: plain
            .iter()
            .filter_map(|section| {
                let row = section.row(name)?;
                Some((f64::from(section.profiles), row.wall.median_us / 1_000.0))
            })
            .collect(),
    });
    lines_on_log_axes(area, "Median wall time, ms, by profiles", lines.collect())
}

#[expect(clippy::cast_precision_loss, reason = "no storm is that large")]
fn storms(area: &Area<'_>, storms: &[Storm]) -> Result<()> {
    type Pick = fn(&Storm) -> Option<&Side>;
    let programs: [(&str, Pick); 3] = [
        ("openclaw-auth", |storm| Some(&storm.ours)),
        ("floor", |storm| Some(&storm.floor)),
        ("OpenClaw", |storm| storm.openclaw.as_ref()),
    ];
    let lines = programs.iter().flat_map(|(name, pick)| {
        [0, 300].map(|delay| Line {
            name: format!("{name}, {delay} ms"),
            points: storms
                .iter()
                .filter(|storm| storm.delay_ms == delay)
                .filter_map(|storm| {
                    Some((storm.processes as f64, pick(storm)?.wall.p99_us / 1_000.0))
                })
                .collect(),
        })
    });
    let title = "p99 of storms on one expired profile, ms, by processes and server delay";
    lines_on_log_axes(area, title, lines.filter(|line| !line.points.is_empty()).collect())
}

fn lines_on_log_axes(area: &Area<'_>, title: &str, lines: Vec<Line>) -> Result<()> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (x, y) = (range(points().map(|point| point.0)), range(points().map(|point| point.1)));
    let mut chart = ChartBuilder::on(area)
        .caption(title, style(20))
        .margin(16)
        .margin_right(230)
        .x_label_area_size(34)
        .y_label_area_size(64)
        .build_cartesian_2d(x.log_scale(), y.log_scale())
        .map_err(failed)?;
    mesh(&mut chart)?;
    for (index, line) in lines.into_iter().enumerate() {
        let colour = PALETTE[index % PALETTE.len()];
        let circles = line.points.clone();
        chart.draw_series(LineSeries::new(line.points, colour.stroke_width(2))).map_err(failed)?;
        let circles = circles.into_iter().map(|point| Circle::new(point, 3, colour.filled()));
        chart.draw_series(circles).map_err(failed)?;
        let (x, y) = (LEGEND, 64 + 22 * i32::try_from(index)?);
        let key = PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3));
        area.draw(&key).map_err(failed)?;
        area.draw(&Text::new(line.name, (x + 26, y - 6), style(14))).map_err(failed)?;
    }
    Ok(())
}

fn mesh(chart: &mut LogChart<'_, '_>) -> Result<()> {
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(INK.mix(0.35))
        .light_line_style(INK.mix(0.1))
        .label_style(style(14))
        .x_label_formatter(&|value| plain(*value))
        .y_label_formatter(&|value| plain(*value))
        .draw()
        .map_err(failed)
}

/// Horizontal bars with their text above.
#[expect(clippy::cast_precision_loss, reason = "there are not that many")]
fn bars(area: &Area<'_>, peers: &Comparison) -> Result<()> {
    let x = range(peers.rows.iter().map(|row| row.wall.median_us / 1_000.0));
    let (left, count) = (x.start, peers.rows.len() as f64);
    let mut chart = ChartBuilder::on(area)
        .caption("Median wall time of one call, ms", style(20))
        .margin(16)
        .margin_right(100)
        .x_label_area_size(34)
        .build_cartesian_2d(x.log_scale(), count..0.0)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .axis_style(INK)
        .bold_line_style(INK.mix(0.35))
        .light_line_style(INK.mix(0.1))
        .label_style(style(14))
        .x_label_formatter(&|value| plain(*value))
        .draw()
        .map_err(failed)?;
    let mut programs: Vec<&str> = Vec::new();
    for (index, row) in peers.rows.iter().enumerate() {
        if !programs.contains(&row.program.as_str()) {
            programs.push(&row.program);
        }
        let colour = PALETTE[(programs.len() + PALETTE.len() - 2) % PALETTE.len()];
        let (top, median) = (index as f64, row.wall.median_us / 1_000.0);
        let bar = Rectangle::new([(left, top + 0.62), (median, top + 0.92)], colour.filled());
        chart.draw_series([bar]).map_err(failed)?;
        let text = format!("{} {}: {median:.1} ms", row.program, row.command);
        chart.draw_series([Text::new(text, (left, top + 0.08), style(14))]).map_err(failed)?;
    }
    Ok(())
}

/// From the power of ten at or below the least to that at or above the most.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let from = values.clone().fold(f64::INFINITY, f64::min).max(0.01);
    let to = values.fold(from, f64::max);
    let (first, last) = (from.log10().floor(), to.log10().ceil());
    10f64.powf(first)..10f64.powf(last.max(first + 1.0))
}

fn style(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// 0.5, 20, 3000.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn failed<E: std::error::Error>(error: E) -> anyhow::Error {
    anyhow!("could not draw: {error}")
}
