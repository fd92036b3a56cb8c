//! Gemini Code Assist: what remains of each model, as its family has least.

use super::answer::{Quota, Window};
use super::value::{number, percent, time};
use serde_json::Value;

/// What the models of a family have in their names, and the label of the family.
const FAMILIES: [(&str, &str); 2] = [("pro", "Pro"), ("flash", "Flash")];

pub(super) fn parse(body: &Value) -> Quota {
    let buckets: Vec<&Value> = body["buckets"].as_array().into_iter().flatten().collect();
    let windows = FAMILIES.into_iter().filter_map(|(part, label)| {
        let of_family = buckets.iter().filter(|bucket| {
            bucket["modelId"].as_str().is_some_and(|model| model.to_lowercase().contains(part))
        });
        let remaining = |bucket: &Value| number(&bucket["remainingFraction"]).unwrap_or(1.0);
        let least = of_family.min_by(|a, b| remaining(a).total_cmp(&remaining(b)))?;
        Some(Window {
            label: label.to_owned(),
            used_percent: percent((1.0 - remaining(least)) * 100.0),
            reset_at: time(&least["resetTime"]),
        })
    });
    Quota { windows: windows.collect(), plan: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_family_is_as_used_as_its_most_used_model() {
        let usage = parse(&json!({"buckets": [
            {"modelId": "gemini-3.1-pro", "remainingFraction": 0.9},
            {"modelId": "gemini-2.5-pro", "remainingFraction": 0.25, "resetTime": "2026-09-20T21:03:14Z"},
            {"modelId": "gemini-2.5-Flash", "remainingFraction": 1.5},
            {"modelId": "gemini-2.5-flash-lite"},
            {"remainingFraction": 0},
            7,
        ]}));
        let used: Vec<_> = usage
            .windows
            .iter()
            .map(|window| format!("{} {}", window.label, window.used_percent))
            .collect();
        assert_eq!(used, ["Pro 75", "Flash 0"]);
        assert_eq!(usage.windows[0].reset_at, Some(1_789_938_194_000));
        assert_eq!(parse(&json!({"buckets": {"a": 1}})), Quota::default());
    }
}
