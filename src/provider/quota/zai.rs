//! Z.ai coding plans: windows of tokens, and a month of tool use.

use super::answer::{Quota, QuotaError, Window};
use super::value::{error_message, name, number, percent, time};
use serde_json::Value;

pub(super) fn parse(body: &Value) -> Result<Quota, QuotaError> {
    let is_answered = number(&body["code"]).is_some_and(|code| (code - 200.0).abs() < 0.5);
    if body["success"] != true || !is_answered {
        let said = error_message(body);
        return Err(QuotaError::Refused(said.unwrap_or_else(|| "API error".to_owned())));
    }
    let data = &body["data"];
    let limits = data["limits"].as_array().into_iter().flatten();
    let windows = limits.filter_map(|limit| {
        let label = match limit["type"].as_str()? {
            "TOKENS_LIMIT" => format!("Tokens ({})", span(limit)),
            "TIME_LIMIT" => "Monthly".to_owned(),
            _ => return None,
        };
        let used_percent = percent(number(&limit["percentage"]).unwrap_or(0.0));
        Some(Window { label, used_percent, reset_at: time(&limit["nextResetTime"]) })
    });
    let plan = ["planName", "plan"].iter().find_map(|key| name(&data[*key]));
    Ok(Quota { windows: windows.collect(), plan })
}

/// The length of a window.
fn span(limit: &Value) -> String {
    let unit = match limit["unit"].as_u64() {
        Some(1) => "d",
        Some(3) => "h",
        Some(5) => "m",
        _ => return "Limit".to_owned(),
    };
    match number(&limit["number"]) {
        Some(count) if (1.0..1e4).contains(&count) => format!("{count:.0}{unit}"),
        _ => "Limit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_named_by_what_they_count() {
        let usage = parse(
            &json!({"success": true, "code": 200, "data": {"planName": "Pro", "limits": [
                {"type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 17, "nextResetTime": 1_800_000_000_000_i64},
                {"type": "TOKENS_LIMIT", "unit": 9, "number": 5, "percentage": "NaN"},
                {"type": "TIME_LIMIT", "percentage": 250},
                {"type": "OTHER"}, null,
            ]}}),
        );
        let usage = usage.unwrap();
        let shown: Vec<_> = usage
            .windows
            .iter()
            .map(|window| format!("{} {}", window.label, window.used_percent))
            .collect();
        assert_eq!(shown, ["Tokens (5h) 17", "Tokens (Limit) 0", "Monthly 100"]);
        assert_eq!(usage.windows[0].reset_at, Some(1_800_000_000_000));
        assert_eq!(usage.plan.as_deref(), Some("Pro"));
    }

    #[test]
    fn an_answer_without_success_says_why() {
        let refused = parse(&json!({"success": false, "code": 1001, "msg": " no plan "}));
        assert_eq!(refused, Err(QuotaError::Refused("no plan".to_owned())));
        assert!(parse(&json!({"success": true})).is_err());
    }
}
