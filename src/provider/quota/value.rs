//! Values of an answer, whatever they look like.

use crate::profile::Millis;
use crate::text::printable;
use serde_json::Value;

/// Longer names are cut.
const LONGEST_NAME: usize = 60;
/// Longer explanations are cut.
const LONGEST_MESSAGE: usize = 200;
/// The end of the year 9999, in milliseconds.
const LAST_TIME: f64 = 253_402_300_799_000.0;

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A percentage: from 0 to 100, without what binary fractions leave behind.
pub(super) fn percent(value: f64) -> f64 {
    (value.clamp(0.0, 100.0) * 1e6).round() / 1e6
}

/// How much is used of `total` when this much remains.
pub(super) fn used_of(total: f64, remaining: f64) -> f64 {
    percent((total - remaining) / total * 100.0)
}

/// A point in time: RFC 3339, or seconds or milliseconds since the epoch.
pub(super) fn time(value: &Value) -> Option<Millis> {
    if let Value::String(text) = value
        && let Ok(time) = text.trim().parse::<jiff::Timestamp>()
    {
        return Some(time.as_millisecond()).filter(|time| *time > 0);
    }
    let number = number(value)?;
    // Until the year 33658, what is smaller counts seconds.
    millis(if number < 1e12 { number * 1_000.0 } else { number })
}

/// A number of milliseconds that is a time.
fn millis(number: f64) -> Option<Millis> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be small")]
    (1.0..=LAST_TIME).contains(&number).then_some(number as Millis)
}

/// A name that is not blank, on one line.
pub(super) fn name(value: &Value) -> Option<String> {
    line(value, LONGEST_NAME)
}

/// An explanation that is not blank, on one line.
pub(super) fn message(value: &Value) -> Option<String> {
    line(value, LONGEST_MESSAGE)
}

fn line(value: &Value, limit: usize) -> Option<String> {
    let line = printable(value.as_str()?, limit).trim().to_owned();
    Some(line).filter(|line| !line.is_empty())
}

/// What an error document says, wherever it says it.
pub(super) fn error_message(body: &Value) -> Option<String> {
    let places = ["/error/message", "/message", "/msg", "/error_description", "/error"];
    places.iter().find_map(|place| message(body.pointer(place)?))
}

/// A whole span in hours, or in minutes where it is shorter than an hour.
pub(super) fn span_label(seconds: f64) -> String {
    let seconds = seconds.min(1e9);
    if seconds < 1_800.0 {
        return format!("{:.0}m", (seconds / 60.0).round().max(1.0));
    }
    format!("{:.0}h", (seconds / 3_600.0).round())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_percentages_stay_in_their_range() {
        assert_eq!(number(&json!("12.5")), Some(12.5));
        for value in [json!("NaN"), json!("inf"), json!("1e999"), json!(""), json!(null), json!([])]
        {
            assert_eq!(number(&value), None, "{value}");
        }
        assert!(percent(-5.0).abs() < f64::EPSILON && (percent(1e300) - 100.0).abs() < 1e-9);
        assert_eq!(percent((1.0 - 0.9) * 100.0).to_string(), "10");
        assert_eq!(used_of(1500.0, 1495.0).to_string(), "0.333333");
        assert_eq!(used_of(100.0, 250.0).to_string(), "0");
    }

    #[test]
    fn times_are_read_however_they_are_written() {
        for (value, expected) in [
            (json!("2026-04-11T07:00:00.528743+00:00"), Some(1_775_890_800_528)),
            (json!("2026-04-11T07:00:00Z"), Some(1_775_890_800_000)),
            (json!(1_775_890_800), Some(1_775_890_800_000)),
            (json!("1775890800"), Some(1_775_890_800_000)),
            (json!(1_775_890_800_000_i64), Some(1_775_890_800_000)),
            (json!(0), None),
            (json!(-1), None),
            (json!(1e300), None),
            (json!("tomorrow"), None),
            (json!(null), None),
        ] {
            assert_eq!(time(&value), expected, "{value}");
        }
    }

    #[test]
    fn names_are_harmless() {
        assert_eq!(name(&json!(" p\u{1b}[31mlus\u{202e} ")).unwrap(), "p[31mlus");
        assert_eq!(name(&json!(" \u{1b} ")), None);
        assert_eq!(name(&json!("x".repeat(500))).unwrap().chars().count(), 61);
    }
}
