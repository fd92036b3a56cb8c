//! Claude subscriptions: five hours, seven days, and seven days of single models.

use super::answer::{Quota, Window};
use super::value::{number, percent, time};
use serde_json::Value;

/// The members of an answer that are windows, with their labels.
const WINDOWS: [(&str, &str); 4] = [
    ("five_hour", "5h"),
    ("seven_day", "Week"),
    ("seven_day_sonnet", "Sonnet"),
    ("seven_day_opus", "Opus"),
];

pub(super) fn parse(body: &Value) -> Quota {
    let windows = WINDOWS.into_iter().filter_map(|(member, label)| {
        let window = &body[member];
        Some(Window {
            label: label.to_owned(),
            used_percent: percent(number(&window["utilization"])?),
            reset_at: time(&window["resets_at"]),
        })
    });
    Quota { windows: windows.collect(), plan: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn windows_that_are_counted_are_shown() {
        let usage = parse(&json!({
            "five_hour": {"utilization": 37.0, "resets_at": "2026-03-10T04:59:59.000000+00:00"},
            "seven_day": {"utilization": 126.0, "resets_at": "never"},
            "seven_day_opus": null,
            "seven_day_sonnet": {"utilization": 1.0},
            "extra_usage": {"utilization": null},
        }));
        let windows: Vec<_> = usage
            .windows
            .iter()
            .map(|window| (window.label.as_str(), window.used_percent.to_string(), window.reset_at))
            .collect();
        assert_eq!(
            windows,
            [
                ("5h", "37".to_owned(), Some(1_773_118_799_000)),
                ("Week", "100".to_owned(), None),
                ("Sonnet", "1".to_owned(), None),
            ]
        );
        assert_eq!(parse(&json!({"five_hour": {"utilization": "much"}})), Quota::default());
    }
}
