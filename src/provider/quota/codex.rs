//! `ChatGPT` subscriptions: a short window, a long one, and a balance of credits.

use super::answer::{Quota, Window};
use super::value::{name, number, percent, span_label, time};
use serde_json::Value;

/// Names the account (workspace) that is asked for.
pub(super) const ACCOUNT_HEADER: &str = "chatgpt-account-id";

const HOUR: f64 = 3_600.0;
/// What the windows are taken to be where they do not say it, in seconds.
const DEFAULT_PRIMARY: f64 = 3.0 * HOUR;
const DEFAULT_SECONDARY: f64 = 24.0 * HOUR;
const WEEK_HOURS: f64 = 168.0;
/// A second window that resets this much later than the first is a weekly one, whatever
/// it says, in seconds.
const WEEKLY_GAP: f64 = 3.0 * 24.0 * HOUR;

pub(super) fn parse(body: &Value) -> Quota {
    let limits = &body["rate_limit"];
    let (primary, secondary) = (&limits["primary_window"], &limits["secondary_window"]);
    let mut windows = Vec::new();
    if primary.is_object() {
        windows.push(window(span_label(seconds(primary, DEFAULT_PRIMARY)), primary));
    }
    if secondary.is_object() {
        windows.push(window(secondary_label(primary, secondary), secondary));
    }
    Quota { windows, plan: plan(body) }
}

fn window(label: String, window: &Value) -> Window {
    let used_percent = percent(number(&window["used_percent"]).unwrap_or(0.0));
    Window { label, used_percent, reset_at: time(&window["reset_at"]) }
}

fn seconds(window: &Value, default: f64) -> f64 {
    number(&window["limit_window_seconds"]).filter(|seconds| *seconds > 0.0).unwrap_or(default)
}

fn secondary_label(primary: &Value, secondary: &Value) -> String {
    let span = seconds(secondary, DEFAULT_SECONDARY);
    let hours = (span / HOUR).round();
    if hours >= WEEK_HOURS {
        return "Week".to_owned();
    }
    if hours < 24.0 {
        return span_label(span);
    }
    let resets = (number(&primary["reset_at"]), number(&secondary["reset_at"]));
    match resets {
        (Some(first), Some(second)) if second - first >= WEEKLY_GAP => "Week".to_owned(),
        _ => "Day".to_owned(),
    }
}

/// The plan, with the balance of credits where there is one.
fn plan(body: &Value) -> Option<String> {
    let plan = name(&body["plan_type"]);
    let balance = &body["credits"]["balance"];
    if balance.is_null() {
        return plan;
    }
    let balance = format!("${:.2}", number(balance).unwrap_or(0.0).clamp(-1e9, 1e9));
    Some(plan.map_or(balance.clone(), |plan| format!("{plan} ({balance})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(usage: &Quota) -> Vec<&str> {
        usage.windows.iter().map(|window| window.label.as_str()).collect()
    }

    #[test]
    fn two_windows_and_a_balance() {
        let usage = parse(&json!({
            "plan_type": "plus",
            "credits": {"balance": "5.5"},
            "rate_limit": {
                "primary_window": {"limit_window_seconds": 18_000, "used_percent": 41, "reset_at": 1_800_000_000},
                "secondary_window": {"limit_window_seconds": 604_800, "used_percent": 12.5},
            },
        }));
        assert_eq!(labels(&usage), ["5h", "Week"]);
        assert_eq!(usage.windows[0].reset_at, Some(1_800_000_000_000));
        assert_eq!(usage.windows[1].used_percent.to_string(), "12.5");
        assert_eq!(usage.windows[1].reset_at, None);
        assert_eq!(usage.plan.as_deref(), Some("plus ($5.50)"));
    }

    #[test]
    fn the_second_window_is_named_by_its_length_or_its_reset() {
        let second = |window: Value, primary_reset: i64| {
            let primary = json!({"reset_at": primary_reset});
            let usage = parse(
                &json!({"rate_limit": {"primary_window": primary, "secondary_window": window}}),
            );
            labels(&usage).join(" ")
        };
        assert_eq!(second(json!({}), 0), "3h Day");
        assert_eq!(second(json!({"limit_window_seconds": 43_200}), 0), "3h 12h");
        let day = json!({"limit_window_seconds": 86_400, "reset_at": 1_800_300_000});
        assert_eq!(second(day.clone(), 1_800_000_000), "3h Week");
        assert_eq!(second(day, 1_800_200_000), "3h Day");
        assert_eq!(second(json!({"limit_window_seconds": 1e300}), 0), "3h Week");
    }

    #[test]
    fn what_is_missing_or_odd_is_left_out() {
        let usage = parse(&json!({
            "plan_type": 5, "credits": {"balance": null},
            "rate_limit": {"primary_window": [], "secondary_window": {"used_percent": -3}},
        }));
        assert_eq!((labels(&usage), &usage.plan), (vec!["Day"], &None));
        assert_eq!(parse(&json!({"credits": {"balance": 0}})).plan.as_deref(), Some("$0.00"));
    }
}
