//! The times of other programs: numbers of seconds or milliseconds, and texts.
//!
//! Invariant: what can be read as a time is the time that is meant; what cannot is told apart
//! from none.

use crate::profile::Millis;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::value::RawValue;

/// A time in milliseconds since the epoch, or a value that is no time.
pub(super) type Time = Result<Millis, NoTime>;

/// A value that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoTime;

/// A number below this one counts seconds: as milliseconds it would be before March 1973. In
/// the same way those from its thousandfold on count microseconds, and so on.
const LEAST_MILLIS: f64 = 1e11;
/// A number from this one on is no time in any unit, and further than any token lives.
const FIRST_BEYOND: f64 = 1e20;

/// The time in a value; `None` where it is `null` or blank. A number that is zero or less is
/// a time that has passed.
pub(super) fn time(value: &RawValue) -> Option<Time> {
    match serde_json::from_str(value.get()) {
        Ok(Value::Null) => None,
        Ok(Value::Number(number)) => Some(number.as_f64().ok_or(NoTime).and_then(of_number)),
        Ok(Value::String(text)) if text.trim().is_empty() => None,
        Ok(Value::String(text)) => Some(of_text(text.trim())),
        _ => Some(Err(NoTime)),
    }
}

fn of_number(number: f64) -> Time {
    if !number.is_finite() {
        return Err(NoTime);
    }
    let millis = match number {
        seconds if seconds < LEAST_MILLIS => seconds * 1_000.0,
        micros if (LEAST_MILLIS * 1e3..LEAST_MILLIS * 1e6).contains(&micros) => micros / 1e3,
        nanos if (LEAST_MILLIS * 1e6..FIRST_BEYOND).contains(&nanos) => nanos / 1e6,
        millis => millis,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates")]
    Ok((millis as Millis).max(1))
}

/// A number; RFC 3339; ISO 8601 without a zone or in UTC by name; RFC 2822.
fn of_text(text: &str) -> Time {
    if let Ok(number) = text.parse() {
        return of_number(number);
    }
    let named = ["UTC", "GMT"].iter().find_map(|zone| text.strip_suffix(zone));
    let local = named.map_or(text, str::trim_end);
    let without_zone = || local.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let of_mail = || jiff::fmt::rfc2822::parse(text).ok();
    let time = text.parse::<Timestamp>().ok();
    let time = time.or_else(|| Some(without_zone().or_else(of_mail)?.timestamp()));
    time.map(|time| time.as_millisecond().max(1)).ok_or(NoTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Time> {
        time(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn a_time_is_read_however_it_is_written() {
        for json in [
            "1767323045000",
            "1767323045000.9",
            "1767323045",
            "1.767323045e9",
            "\"1767323045\"",
            "\" 1767323045000 \"",
            "\"1767323045.0\"",
            "\"2026-01-02T03:04:05Z\"",
            "\"2026-01-02T03:04:05.000+00:00\"",
            "\"2026-01-02T04:04:05+01:00\"",
            "\"2026-01-02 03:04:05\"",
            "\"2026-01-02T03:04:05\"",
            "\"Fri, 02 Jan 2026 03:04:05 GMT\"",
            "\"2026-01-02 03:04:05 UTC\"",
            "1767323045000000",
            "1767323045000000000",
            "\"1767323045000000\"",
            "\"Fri, 2 Jan 2026 05:04:05 +0200\"",
        ] {
            assert_eq!(read(json), Some(Ok(1_767_323_045_000)), "{json}");
        }
        assert_eq!(read("\"2026-01-02\""), Some(Ok(1_767_312_000_000)));
    }

    #[test]
    fn what_has_passed_what_is_no_time_and_what_is_not_there_are_told_apart() {
        for passed in ["0", "-5", "\"0\"", "\"1969-01-01T00:00:00Z\"", "-1e300"] {
            assert_eq!(read(passed), Some(Ok(1)), "{passed}");
        }
        for odd in
            ["\"soon\"", "true", "{}", "[1]", "\"2026-13-45\"", "\"NaN\"", "\"inf\"", "1e999"]
        {
            assert_eq!(read(odd), Some(Err(NoTime)), "{odd}");
        }
        for none in ["null", "\"\"", "\"  \""] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(read("1e300"), Some(Ok(Millis::MAX)));
    }
}
