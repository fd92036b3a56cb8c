//! A device authorization response (RFC 8628 section 3.2), in the spellings of all flows.
//!
//! Invariant: what is odd beside the code costs nothing: an interval or a lifetime that makes
//! no sense is the usual one.

use super::device_endpoints::{DeviceEndpoints, DeviceFlow};
use super::lenient_json::Members;
use super::reply::date;
use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::text::printable;
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

/// The poll interval when the server names none (RFC 8628 section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// The lifetime of a code when the server's word cannot be used.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(15);
/// No server lets a code live longer.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// A device authorization that waits for approval.
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// How the server does it.
    pub flow: DeviceFlow,
    /// What names the authorization to the server; of no use to people.
    pub device_code: Secret,
    /// What the user enters.
    pub user_code: String,
    /// Where the user enters it.
    pub verification_uri: Url,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Url>,
    /// How long the code lives.
    pub lifetime: Duration,
    /// How long to wait between polls.
    pub interval: Duration,
    /// When the server was last asked, for the code or about its approval, in milliseconds
    /// since the epoch by our clock.
    pub asked: Millis,
    /// The PKCE verifier of the flows that have one.
    pub code_verifier: Option<Secret>,
}

/// The members of a device authorization response.
pub(super) struct DeviceReply(Map<String, Value>);

impl DeviceReply {
    /// Reads a response.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn of(text: &str) -> Result<Self, TokenError> {
        let none = || TokenError::Unreadable("it is not a device authorization".to_owned());
        let members = Members::of(text);
        if text.trim_start().starts_with('<') || !members.is_whole {
            return Err(none());
        }
        let reply = Self(members.strict());
        let is_text = |value: &Value| value.is_string() || value.is_null();
        let is_odd = |name| reply.0.get(name).is_some_and(|value| !is_text(value));
        if ["user_code", "usercode"].into_iter().any(is_odd) {
            return Err(none());
        }
        Ok(reply)
    }

    /// The first of these members that is a text which is not blank.
    fn text(&self, names: &[&str]) -> Option<&str> {
        let texts = names.iter().filter_map(|name| self.0.get(*name)?.as_str());
        texts.map(str::trim).find(|text| !text.is_empty())
    }

    fn url(&self, names: &[&str]) -> Option<Result<Url, url::ParseError>> {
        self.text(names).map(Url::parse)
    }

    /// Whether it repeats the `state` of the request.
    pub(super) fn has_state(&self, state: &Secret) -> bool {
        self.text(&["state"]).is_some_and(|given| Secret::new(given).matches(state))
    }

    /// The authorization in it. `asked` is when it was asked for by our clock, `now` that time
    /// by the server's.
    ///
    /// # Errors
    /// A code or an address is missing.
    pub(super) fn authorization(
        &self,
        endpoints: &DeviceEndpoints,
        code_verifier: Option<Secret>,
        asked: Millis,
        now: Millis,
    ) -> Result<DeviceAuthorization, TokenError> {
        let missing = |name: &str| TokenError::Unreadable(format!("it has no {name}"));
        let user_code = self.text(&["user_code", "usercode"]).map(|code| printable(code, 64));
        let user_code = user_code.ok_or_else(|| missing("user_code"))?;
        let device_code = match (self.text(&["device_code", "device_auth_id"]), endpoints.flow) {
            (Some(code), _) => Secret::new(code),
            // The user code is all there is.
            (None, DeviceFlow::UserCode) => Secret::new(user_code.as_str()),
            (None, _) => return Err(missing("device_code")),
        };
        let is_web = |url: &Url| matches!(url.scheme(), "https" | "http");
        let no_web =
            || TokenError::Unreadable("its verification_uri is not a web address".to_owned());
        let verification_uri = match self.url(&["verification_uri", "verification_url"]) {
            Some(given) => given.ok().filter(is_web).ok_or_else(no_web)?,
            None => {
                endpoints.verification_uri.clone().ok_or_else(|| missing("verification_uri"))?
            }
        };
        let complete = self.url(&["verification_uri_complete", "verification_url_complete"]);
        Ok(DeviceAuthorization {
            flow: endpoints.flow,
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete: complete.and_then(Result::ok).filter(is_web),
            lifetime: self.lifetime(now),
            interval: self.interval(endpoints.flow),
            asked,
            code_verifier,
        })
    }

    /// How long to wait between polls.
    fn interval(&self, flow: DeviceFlow) -> Duration {
        let given = self.0.get("interval").and_then(number).filter(|number| *number > 0.0);
        match (given, flow) {
            (None, DeviceFlow::UserCode) => Duration::from_secs(2),
            (None, _) => DEFAULT_INTERVAL,
            // In milliseconds.
            (Some(given), DeviceFlow::UserCode) => {
                Duration::from_secs_f64((given / 1_000.0).clamp(2.0, 60.0))
            }
            (Some(given), _) => Duration::from_secs_f64(given.clamp(1.0, 300.0)),
        }
    }

    /// How long the code lives, by the first member that makes sense.
    fn lifetime(&self, now: Millis) -> Duration {
        let seconds = self.0.get("expires_in").and_then(number);
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        let until = |name: &str| Some((moment(self.0.get(name)?)? - now as f64) / 1_000.0);
        // A clock that is wrong makes nonsense of a time.
        let makes_sense =
            |seconds: &f64| *seconds > 0.0 && *seconds <= LONGEST_LIFETIME.as_secs_f64();
        [seconds, until("expires_at"), until("expired_in")]
            .into_iter()
            .flatten()
            .find(makes_sense)
            .map_or(DEFAULT_LIFETIME, Duration::from_secs_f64)
    }
}

/// A number, also one that is sent as a text.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A point in time, in milliseconds since the epoch: RFC 3339 (UTC, where no offset is in it),
/// a date of HTTP, or a number of seconds since the epoch or of a finer unit.
fn moment(value: &Value) -> Option<f64> {
    if let Some(number) = number(value) {
        // The seconds of this century have ten digits; each unit has three more.
        return Some(match number.abs() {
            0.0..1e11 => number * 1e3,
            1e11..1e14 => number,
            1e14..1e17 => number / 1e3,
            _ => number / 1e6,
        });
    }
    let text = value.as_str()?.trim();
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let utc = |time: jiff::civil::DateTime| time.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let millis = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| Some(utc(text.parse().ok()?)?.timestamp()))
        .map(jiff::Timestamp::as_millisecond)
        .or_else(|| date(text))?;
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    Some(millis as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z
    const NOW: Millis = 1_767_225_600_000;

    fn authorization(members: &str) -> DeviceAuthorization {
        let url = |text| Url::parse(text).unwrap();
        let mut endpoints = DeviceEndpoints::standard(url("https://as.example.test/device"));
        endpoints.verification_uri = Some(url("https://as.example.test/enter"));
        let text = format!("{{\"device_code\":\"fake\",\"user_code\":\"AB-12\"{members}}}");
        let reply = DeviceReply::of(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        reply.authorization(&endpoints, None, NOW, NOW).unwrap()
    }

    #[test]
    fn when_a_code_expires_is_told_in_many_ways() {
        for (members, seconds) in [
            ("", 900),
            (r#","expires_in":600"#, 600),
            (r#","expires_in":"600""#, 600),
            (r#","expires_in":600,"expires_at":"2026-01-01T00:00:30Z""#, 600),
            (r#","expires_in":null,"expires_at":"2026-01-01T00:00:30Z""#, 30),
            (r#","expires_in":900000,"expires_at":1767225630"#, 30),
            (r#","expires_at":"2026-01-01T00:01:00.000Z""#, 60),
            (r#","expires_at":"2026-01-01T01:01:00+01:00""#, 60),
            (r#","expires_at":"2026-01-01T00:01:00.123456+00:00""#, 60),
            (r#","expires_at":"2026-01-01 00:01:00""#, 60),
            (r#","expires_at":"2026-01-01T00:01:00""#, 60),
            (r#","expires_at":"2026-01-01 00:01:00 UTC""#, 60),
            (r#","expires_at":"Thu, 01 Jan 2026 00:01:00 GMT""#, 60),
            (r#","expires_at":1767225660"#, 60),
            (r#","expires_at":"1767225660""#, 60),
            (r#","expires_at":1767225660.25"#, 60),
            (r#","expires_at":1767225660000"#, 60),
            (r#","expires_at":1767225660000000"#, 60),
            (r#","expired_in":1767225660000"#, 60),
            (r#","expires_at":"soon""#, 900),
            (r#","expires_at":"2025-01-01T00:00:00Z""#, 900),
            (r#","expires_at":{"seconds":9}"#, 900),
            (r#","expires_in":-5"#, 900),
            (r#","expires_in":1e999"#, 900),
        ] {
            assert_eq!(authorization(members).lifetime.as_secs(), seconds, "{members}");
        }
    }

    #[test]
    fn an_interval_that_makes_no_sense_is_the_usual_one() {
        for (interval, seconds) in [
            ("3", 3),
            ("\"3\"", 3),
            ("\" 3 \"", 3),
            ("3.0", 3),
            ("0", 5),
            ("-1", 5),
            ("null", 5),
            ("\"\"", 5),
            ("\"fast\"", 5),
            ("true", 5),
            ("[]", 5),
            ("1e999", 5),
            ("0.01", 1),
            ("86400", 300),
        ] {
            let members = format!(",\"interval\":{interval}");
            assert_eq!(authorization(&members).interval.as_secs(), seconds, "{interval}");
        }
    }

    #[test]
    fn what_is_odd_beside_a_code_costs_nothing() {
        for members in [
            r#","usercode":"AB-12""#,
            r#","verification_uri":"https://as.example.test/enter","verification_url":"""#,
            r#","verification_uri":null"#,
            r#","verification_uri_complete":"nonsense""#,
            r#","verification_uri_complete":7"#,
            r#","device_auth_id":"other","device_auth_id":"again""#,
        ] {
            let found = authorization(members);
            assert_eq!(found.verification_uri.path(), "/enter", "{members}");
            assert_eq!((found.user_code.as_str(), found.device_code.expose()), ("AB-12", "fake"));
            assert!(found.verification_uri_complete.is_none());
        }
    }
}
