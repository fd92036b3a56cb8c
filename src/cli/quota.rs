//! How the usage of subscriptions is shown: bars for people, exact numbers for programs.

use super::duration;
use super::failure::usage_remedy;
use super::output::Output;
use crate::admin::quota::{Problem, Quotas, Snapshot};
use crate::app::App;
use crate::cli::exit::{Command, Hint};
use crate::profile::{Millis, ProviderId};
use crate::provider::Window;
use crate::text::{chain, printable};
use serde::Serialize;

/// The `usage` of `channels list --json` and `models status --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuotaReport<'u> {
    updated_at: Millis,
    providers: Vec<ProviderReport<'u>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProviderReport<'u> {
    provider: &'u ProviderId,
    display_name: &'u str,
    windows: &'u [Window],
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'u str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<Command>,
}

impl<'u> From<&'u Quotas> for QuotaReport<'u> {
    fn from(quotas: &'u Quotas) -> Self {
        let providers = quotas.snapshots.iter().map(ProviderReport::from).collect();
        Self { updated_at: quotas.at, providers }
    }
}

impl<'u> From<&'u Snapshot> for ProviderReport<'u> {
    fn from(snapshot: &'u Snapshot) -> Self {
        let Snapshot { provider, name, usage } = snapshot;
        let (usage, problem) = (usage.as_ref().ok(), usage.as_ref().err());
        let hint = problem.and_then(usage_remedy);
        Self {
            provider,
            display_name: name,
            windows: usage.map_or(&[], |usage| &usage.windows),
            plan: usage.and_then(|usage| usage.plan.as_deref()),
            error: problem.map(message),
            hint: hint.as_ref().map(Hint::to_string),
            hint_command: hint.as_ref().and_then(Hint::command).cloned(),
        }
    }
}

/// What went wrong, on one line.
fn message(problem: &Problem) -> String {
    printable(&problem.to_string(), 300)
}

/// What the providers say. A listing does not fail for what it asks of others.
pub(super) fn known<E: std::error::Error>(
    quotas: Result<Quotas, E>,
    app: &App,
    output: &mut Output<'_>,
) -> Quotas {
    quotas.unwrap_or_else(|error| {
        output.warn(&format!("the usage is not known: {}", chain(&error)));
        Quotas { at: app.now(), snapshots: Vec::new() }
    })
}

/// A bar is no longer than this, and none is drawn that would be shorter than the other.
const LONGEST_BAR: usize = 30;
const SHORTEST_BAR: usize = 5;
/// Longer labels are cut.
const LONGEST_LABEL: usize = 24;
/// What a line is indented by, and what stands between its parts.
const INDENT: &str = "    ";
const GAP: &str = "  ";

/// The usage for people, on lines of `columns` where that is possible: a bar for each
/// window, filled as far as it is used.
pub(super) fn render(quotas: &Quotas, columns: usize) -> String {
    if quotas.snapshots.is_empty() {
        return "Usage: no provider usage available.\n".to_owned();
    }
    let all = quotas.snapshots.iter().flat_map(windows);
    let texts_of_all: Vec<[String; 2]> = all.map(|window| texts(window, quotas.at)).collect();
    let widest = |at: usize| {
        let lengths = texts_of_all.iter().map(|texts| texts[at].chars().count());
        lengths.max().unwrap_or(0)
    };
    let (label, text) = (widest(0), widest(1));
    // `[` and `]` stand around the bar.
    let taken = INDENT.len() + label + GAP.len() + GAP.len() + 2 + text;
    let bar = columns.saturating_sub(taken).min(LONGEST_BAR);
    let line = |window: &Window| {
        let [name, text] = texts(window, quotas.at);
        let drawn =
            if bar < SHORTEST_BAR { String::new() } else { draw(window.used_percent, bar) + GAP };
        format!("{INDENT}{name:<label$}{GAP}{drawn}{text}\n")
    };
    let parts = quotas.snapshots.iter().flat_map(|snapshot| {
        std::iter::once(heading(snapshot)).chain(windows(snapshot).iter().map(line))
    });
    std::iter::once("Usage:\n".to_owned()).chain(parts).collect()
}

fn windows(snapshot: &Snapshot) -> &[Window] {
    snapshot.usage.as_ref().map_or(&[], |usage| &usage.windows)
}

fn heading(snapshot: &Snapshot) -> String {
    let name = printable(&snapshot.name, 60);
    match &snapshot.usage {
        Ok(usage) => {
            let plan = usage.plan.as_ref().map(|plan| format!(", {plan}")).unwrap_or_default();
            let none = if usage.windows.is_empty() { ": no data" } else { "" };
            format!("  {name}{plan}{none}\n")
        }
        Err(problem) => {
            let hint = usage_remedy(problem).map(|hint| format!("{INDENT}{hint}\n"));
            let hint = printable_lines(hint.as_deref().unwrap_or_default());
            format!("  {name}: {}\n{hint}", message(problem))
        }
    }
}

fn printable_lines(text: &str) -> String {
    text.lines().map(|line| printable(line, 400) + "\n").collect()
}

/// What stands before and behind the bar of a window.
fn texts(window: &Window, now: Millis) -> [String; 2] {
    let used = format!("{:>3}% used", whole_percent(window.used_percent));
    let resets = window.reset_at.map(|at| match at.saturating_sub(now) {
        ..=0 => ", resets now".to_owned(),
        left => format!(", resets in {}", until(left)),
    });
    [printable(&window.label, LONGEST_LABEL), used + &resets.unwrap_or_default()]
}

/// A span of milliseconds with its minutes, or with its hours where it is days.
fn until(left: Millis) -> String {
    let minutes = left / 60_000;
    let (large, small, units) = match minutes {
        ..120 => return duration::show(left),
        120..2_880 => (minutes / 60, minutes % 60, ["h", "min"]),
        _ => (minutes / 1_440, minutes / 60 % 24, ["days", "h"]),
    };
    let rest = if small > 0 { format!(" {small} {}", units[1]) } else { String::new() };
    format!("{large} {}{rest}", units[0])
}

/// A whole percentage; 0 and 100 mean nothing and everything.
fn whole_percent(percent: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
    match percent {
        0.0 => 0,
        100.0 => 100,
        part => (part.round() as i64).clamp(1, 99),
    }
}

/// A bar of `width` characters (more than one), filled as far as `percent` says: all of it,
/// or nothing, only for 100 and 0.
fn draw(percent: f64, width: usize) -> String {
    let width_in_percent = u32::try_from(width).map_or(0.0, f64::from) / 100.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a short bar")]
    let filled = match percent {
        0.0 => 0,
        100.0 => width,
        part => ((part * width_in_percent).round() as usize).clamp(1, width - 1),
    };
    format!("[{}{}]", "#".repeat(filled), "-".repeat(width - filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::quota::{Remedy, Step};
    use crate::profile::AgentId;
    use crate::provider::Quota;

    fn quotas() -> Quotas {
        let window = |label: &str, used_percent: f64, reset_at: Option<Millis>| Window {
            label: label.to_owned(),
            used_percent,
            reset_at,
        };
        let snapshot = |name: &str, usage: Result<Quota, Problem>| Snapshot {
            provider: name.to_lowercase().into(),
            name: name.to_owned(),
            usage,
        };
        let codex = Quota {
            windows: vec![
                window("5h", 41.0, Some(7_600_000)),
                window("Week", 99.7, None),
                window("Day", 100.0, Some(5)),
            ],
            plan: Some("plus".to_owned()),
        };
        let expired = Problem::Expired(Remedy {
            step: Step::SignIn,
            provider: "claude".into(),
            agent_id: AgentId::main(),
        });
        Quotas {
            at: 10,
            snapshots: vec![
                snapshot("Codex", Ok(codex)),
                snapshot("Claude", Err(expired)),
                snapshot("Copilot", Ok(Quota::default())),
            ],
        }
    }

    #[test]
    fn bars_fit_the_terminal_and_vanish_on_a_narrow_one() {
        let wide = render(&quotas(), 200);
        assert_eq!(
            wide,
            "\
Usage:
  Codex, plus
    5h    [############------------------]   41% used, resets in 2 h 6 min
    Week  [#############################-]   99% used
    Day   [##############################]  100% used, resets now
  Claude: Token expired
    openclaw-auth models auth login --provider claude
  Copilot: no data
"
        );
        let sixty = render(&quotas(), 60);
        assert!(sixty.lines().all(|line| line.chars().count() <= 60), "{sixty}");
        assert!(sixty.contains("    5h    [#######---------]   41% used"), "{sixty}");
        let narrow = render(&quotas(), 20);
        assert!(narrow.contains("    5h     41% used, resets in 2 h 6 min\n"), "{narrow}");
        assert!(wide.is_ascii());
    }

    #[test]
    fn numbers_in_json_are_exact_and_without_a_needless_fraction() {
        let quotas = quotas();
        let json = serde_json::to_value(QuotaReport::from(&quotas)).unwrap();
        assert_eq!(json["providers"][0]["windows"][0]["usedPercent"].to_string(), "41");
        assert_eq!(json["providers"][0]["windows"][1]["usedPercent"].to_string(), "99.7");
        assert_eq!(json["providers"][0]["windows"][0]["resetAt"], 7_600_000);
        assert_eq!(json["providers"][1]["error"], "Token expired");
        assert_eq!(json["providers"][1]["windows"], serde_json::json!([]));
    }

    #[test]
    fn little_is_not_nothing_and_much_is_not_all() {
        let shown = [0.0, 0.2, 50.4, 99.9, 100.0].map(whole_percent);
        assert_eq!(shown, [0, 1, 50, 99, 100]);
        let drawn = [0.0, 0.2, 50.0, 99.9, 100.0].map(|percent| draw(percent, 6));
        assert_eq!(drawn, ["[------]", "[#-----]", "[###---]", "[#####-]", "[######]"]);
        assert_eq!(
            [90, 7_200, 180_060, 200_000].map(|s| until(s * 1_000)),
            ["1 min", "2 h", "2 days 2 h", "2 days 7 h"]
        );
    }
}
