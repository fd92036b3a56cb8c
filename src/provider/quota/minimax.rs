//! `MiniMax` coding plans: an interval of hours and a week, of the chat model.
//!
//! `current_interval_usage_count` and its weekly sister count what remains, whatever their
//! names say (MiniMax-AI/MiniMax-M2, issue 99). Newer plans say it in percent alone.

use super::answer::{Quota, QuotaError, Window};
use super::value::{message, name, number, percent, span_label, time, used_of};
use serde_json::Value;

/// What the names of chat models, and of the quota that all of them share, begin with.
const CHAT: [&str; 2] = ["minimax-m", "general"];
/// What the interval is taken to be where it does not say it, in seconds.
const DEFAULT_INTERVAL: f64 = 5.0 * 3_600.0;

pub(super) fn parse(body: &Value) -> Result<Quota, QuotaError> {
    let status = &body["base_resp"];
    if number(&status["status_code"]).is_some_and(|code| code.abs() > 0.0) {
        let said = message(&status["status_msg"]);
        return Err(QuotaError::Refused(said.unwrap_or_else(|| "API error".to_owned())));
    }
    let payload = if body["data"].is_object() { &body["data"] } else { body };
    let models: Vec<&Value> = payload["model_remains"].as_array().into_iter().flatten().collect();
    let is_counted = |model: &&&Value| used(model, "interval").is_some();
    let is_chat = |model: &&&Value| {
        let name = model["model_name"].as_str().unwrap_or_default().to_lowercase();
        CHAT.iter().any(|chat| name.starts_with(chat))
    };
    let chat = models.iter().filter(is_counted).find(is_chat);
    let model = chat.or_else(|| models.iter().find(is_counted)).ok_or(QuotaError::Unknown)?;
    let windows = [
        window(interval_label(model), model, "interval", &model["end_time"]),
        window("Week".to_owned(), model, "weekly", &model["weekly_end_time"]),
    ];
    let plan = ["plan", "plan_name"].iter().find_map(|key| name(&payload[*key]));
    let by_model = || Some(format!("Coding Plan · {}", name(&model["model_name"])?));
    Ok(Quota { windows: windows.into_iter().flatten().collect(), plan: plan.or_else(by_model) })
}

fn window(label: String, model: &Value, kind: &str, end: &Value) -> Option<Window> {
    Some(Window { label, used_percent: used(model, kind)?, reset_at: time(end) })
}

/// How much of the window of this kind is used; `None` when it is not counted.
fn used(model: &Value, kind: &str) -> Option<f64> {
    let field = |name: &str| number(&model[format!("current_{kind}_{name}")]);
    let counts = field("total_count").filter(|total| *total > 0.0).zip(field("usage_count"));
    match counts {
        Some((total, remaining)) => Some(used_of(total, remaining)),
        None => field("remaining_percent").map(|remaining| percent(100.0 - remaining)),
    }
}

fn interval_label(model: &Value) -> String {
    let span = time(&model["start_time"]).zip(time(&model["end_time"]));
    let span = span.and_then(|(start, end)| u32::try_from((end - start) / 1_000).ok());
    let seconds = span.filter(|seconds| *seconds >= 60).map_or(DEFAULT_INTERVAL, f64::from);
    span_label(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(usage: &Quota) -> Vec<String> {
        let show = |window: &Window| format!("{} {}", window.label, window.used_percent);
        usage.windows.iter().map(show).collect()
    }

    #[test]
    fn the_chat_model_is_shown_and_its_counts_are_what_remains() {
        let usage = parse(&json!({"base_resp": {"status_code": 0}, "model_remains": [
            {"model_name": "speech-hd", "current_interval_total_count": 10, "current_interval_usage_count": 0},
            {
                "model_name": "MiniMax-M2", "start_time": 1_800_000_000_000_i64, "end_time": 1_800_014_400_000_i64,
                "current_interval_total_count": 1500, "current_interval_usage_count": 1455,
                "current_weekly_total_count": 15_000, "current_weekly_usage_count": 15_500,
            },
        ]}));
        let usage = usage.unwrap();
        assert_eq!(shown(&usage), ["4h 3", "Week 0"]);
        assert_eq!(usage.windows[0].reset_at, Some(1_800_014_400_000));
        assert_eq!(usage.plan.as_deref(), Some("Coding Plan · MiniMax-M2"));
    }

    #[test]
    fn percentages_stand_in_for_counts() {
        let usage = parse(&json!({"data": {"plan_name": "Plus", "model_remains": [
            {"model_name": "general", "current_interval_total_count": 0, "current_interval_usage_count": 0,
             "current_interval_remaining_percent": 92, "current_weekly_remaining_percent": "98"},
        ]}}));
        let usage = usage.unwrap();
        assert_eq!(shown(&usage), ["5h 8", "Week 2"]);
        assert_eq!(usage.plan.as_deref(), Some("Plus"));
    }

    #[test]
    fn an_error_is_told_and_anything_else_is_unknown() {
        let refused = json!({"base_resp": {"status_code": 1004, "status_msg": "log\u{1b} in"}});
        assert_eq!(parse(&refused), Err(QuotaError::Refused("log in".to_owned())));
        for odd in [json!({}), json!({"model_remains": [1, {}]}), json!({"model_remains": "x"})] {
            assert_eq!(parse(&odd), Err(QuotaError::Unknown), "{odd}");
        }
    }
}
