//! Durations on the command line: `90s`, `10m`, `1h30m`, `1.5h`, `500ms`.

pub(super) use crate::text::span as show;

use std::time::Duration;

/// Reads a duration; a bare number counts seconds.
///
/// # Errors
/// A sentence for the user.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    parse_in(text, 1.0)
}

/// Reads a duration that is not zero; a bare number counts days, as for OpenClaw's `--expires-in`.
///
/// # Errors
/// A sentence for the user.
pub(super) fn parse_days(text: &str) -> Result<Duration, String> {
    match parse_in(text, 86_400.0)? {
        Duration::ZERO => Err("it must be longer than nothing".to_owned()),
        span => Ok(span),
    }
}

fn parse_in(text: &str, bare: f64) -> Result<Duration, String> {
    let invalid = || format!("`{text}` is not a duration such as 90s, 10m or 1h30m");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        seconds += number
            * match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3_600.0,
                "d" => 86_400.0,
                "" if after.is_empty() && digits == text.trim().len() => bare,
                _ => return Err(invalid()),
            };
        rest = after;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration <= LONGEST)
        .ok_or_else(invalid)
}

/// Nobody waits longer, and it is safe to add to the present time.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("90s", 90_000),
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("500ms", 500),
            ("2d", 172_800_000),
            ("45", 45_000),
            ("0", 0),
            (" 5m ", 300_000),
        ] {
            assert_eq!(parse(text).unwrap().as_millis(), milliseconds, "{text}");
        }
        assert_eq!(parse_days("1.5").unwrap().as_secs(), 129_600);
        assert_eq!(parse_days("30m").unwrap().as_secs(), 1_800);
        for text in ["", "x", "1x", "-5s", "1 h", "1h30", "1..5s", "1e9d", "999999999999d", "5m-1s"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
