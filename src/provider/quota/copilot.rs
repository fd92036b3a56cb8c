//! GitHub Copilot: premium requests and chat, counted by the month.

use super::answer::{Quota, Window};
use super::value::{name, number, percent, time};
use serde_json::Value;

const WINDOWS: [(&str, &str); 2] = [("premium_interactions", "Premium"), ("chat", "Chat")];

pub(super) fn parse(body: &Value) -> Quota {
    let reset_at = time(&body["quota_reset_date_utc"]);
    let windows = WINDOWS.into_iter().filter_map(|(member, label)| {
        let remaining = number(&body["quota_snapshots"][member]["percent_remaining"])?;
        Some(Window { label: label.to_owned(), used_percent: percent(100.0 - remaining), reset_at })
    });
    Quota { windows: windows.collect(), plan: name(&body["copilot_plan"]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_remains_is_turned_round() {
        let usage = parse(&json!({
            "copilot_plan": "individual",
            "quota_reset_date_utc": "2026-10-01T00:00:00.000Z",
            "quota_snapshots": {
                "premium_interactions": {"percent_remaining": 40.5, "unlimited": false},
                "chat": {"percent_remaining": 100.0, "unlimited": true},
                "completions": {"percent_remaining": 1},
            },
        }));
        let used: Vec<_> = usage
            .windows
            .iter()
            .map(|window| format!("{} {}", window.label, window.used_percent))
            .collect();
        assert_eq!(used, ["Premium 59.5", "Chat 0"]);
        assert_eq!(usage.windows[0].reset_at, Some(1_790_812_800_000));
        assert_eq!(usage.plan.as_deref(), Some("individual"));
        let odd = json!({"quota_snapshots": {"chat": {"percent_remaining": -20}, "premium_interactions": {}}});
        assert_eq!(parse(&odd).windows.len(), 1);
    }
}
