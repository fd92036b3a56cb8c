//! What the answer of a token endpoint means: a grant, or why there is none.
//!
//! Invariant: an answer with a status of success is never dropped, nor is one of any other
//! status with new tokens in it. What cannot be read of the first is in the error.

use super::client::Client;
use super::edge::BlockPage;
use super::error_reply::ErrorReply;
use super::grant::Grant;
use super::lenient_json::decoded;
use super::token_error::{Refusal, TokenError};
use super::token_reply::{self, NoGrant, TokenReply, standard};
use crate::profile::Millis;
use crate::secret::{Secret, SecretBytes};
use crate::system::Clock;
use crate::system::http::{Answer, HttpError};
use oauth2::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use std::time::Duration;

/// An answer that is the server's own: of success, or a refusal.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The body as text, without codings and marks.
    pub(super) text: String,
    /// The body as it came.
    raw: SecretBytes,
    /// Why that is not all of it.
    cut: Option<HttpError>,
    /// The secrets that were posted: an error does not show them, though the answer may.
    pub(super) posted: Vec<Secret>,
}

impl Reply {
    /// Sorts out what is no word of the server, or says that it cannot answer now. `clock` is
    /// ours.
    pub(super) fn of(answer: Answer, clock: &Clock) -> Result<Self, TokenError> {
        let unpacked = answer.unpacked();
        let text = decoded(&unpacked.bytes).into_owned();
        let too_large = unpacked.is_too_large.then_some(HttpError::TooLarge);
        let Answer { status, headers, received, cut } = answer;
        let cut = cut.or(too_large);
        let reply = Self {
            status,
            headers,
            text,
            raw: SecretBytes::new(received),
            cut,
            posted: Vec::new(),
        };
        if status.is_success() || reply.brings_tokens() {
            return Ok(reply);
        }
        if let Some(BlockPage(by)) = reply.block_page() {
            return Err(TokenError::Blocked { by, status });
        }
        if is_unavailable(status) {
            return Err(reply.unavailable(clock));
        }
        // Only a client error can be a refusal (RFC 6749 section 5.2), whatever the body of
        // another answer says: a redirect comes from somebody in between.
        if !status.is_client_error() {
            return Err(TokenError::Unreadable(format!("it has the status {status}")));
        }
        Ok(reply)
    }

    /// Whether new tokens are in it, whatever its status says: the server has carried the
    /// request out then, and the refresh token that was sent is spent.
    fn brings_tokens(&self) -> bool {
        token_reply::brings_tokens(&self.text)
    }

    fn block_page(&self) -> Option<BlockPage> {
        BlockPage::of(self.status, &self.headers, &self.text)
    }

    /// The server does not answer now. Whether it has done what it was asked for all the same
    /// is known only where it says so: by 429, or by naming the time to come back.
    fn unavailable(&self, clock: &Clock) -> TokenError {
        let status = self.status;
        let retry_after = retry_after(&self.headers, clock);
        let sent = match status {
            StatusCode::TOO_MANY_REQUESTS => false,
            StatusCode::SERVICE_UNAVAILABLE => retry_after.is_none(),
            _ => true,
        };
        let (reason, status) = (status.to_string(), Some(status));
        TokenError::Unavailable { reason, status, retry_after, sent, timed_out: false }
    }

    /// The error codes in a reply, the one that is most to the point first.
    pub(super) fn codes(&self) -> Vec<String> {
        self.error().codes
    }

    /// What the reply says as an error, without what was posted.
    fn error(&self) -> ErrorReply {
        let mut text = self.text.clone();
        for secret in self.posted.iter().map(Secret::expose) {
            // JSON may escape a slash.
            for quoted in [secret, &secret.replace('/', "\\/")] {
                text = text.replace(quoted, "[redacted]");
            }
        }
        ErrorReply::of(&text)
    }

    /// The refusal in a reply: by its error code, else by its status.
    pub(super) fn refusal(&self, client: &Client) -> TokenError {
        let ErrorReply { codes, description, is_whole } = self.error();
        let is_final = |code: &&String| is_whole && client.is_final(code);
        let last_word = codes.iter().find(is_final).cloned();
        let meaning = if last_word.is_some() { Refusal::Final } else { Refusal::Unexplained };
        let code = last_word.or_else(|| codes.into_iter().next());
        TokenError::Refused {
            code: code.unwrap_or_else(|| self.status.to_string()),
            description,
            status: Some(self.status),
            meaning,
        }
    }

    /// The members of the token response, in the standard's terms.
    pub(super) fn token_response(
        self,
        client: &Client,
        now: Millis,
    ) -> Result<Map<String, Value>, TokenError> {
        if !self.status.is_success() && !self.brings_tokens() {
            return Err(self.refusal(client));
        }
        let now = server_time(&self.headers).unwrap_or(now);
        match standard(&self.text, now) {
            Ok(members) => Ok(members),
            // An error that comes with the status of a success is an error.
            Err(NoGrant::Refused) if self.status == StatusCode::OK => Err(self.refusal(client)),
            Err(why) => Err(self.unusable(why)),
        }
    }

    fn unusable(self, why: NoGrant) -> TokenError {
        let status = self.status;
        if let Some(BlockPage(by)) = self.block_page() {
            return TokenError::Blocked { by, status };
        }
        match self.cut {
            // A head alone is no answer.
            Some(cut @ HttpError::Unreachable { .. }) if self.raw.expose().is_empty() => cut.into(),
            Some(cut) => {
                let reason = format!("{}: {cut}", NoGrant::BreaksOff.reason());
                TokenError::Unusable { reason, raw: self.raw }
            }
            None => {
                let reason = match status {
                    StatusCode::OK => why.reason().to_owned(),
                    _ => format!("it has the status {status}, and {}", why.reason()),
                };
                TokenError::Unusable { reason, raw: self.raw }
            }
        }
    }

    /// The grant in a reply to a token request.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub(super) fn grant(self, client: &Client, clock: &Clock) -> Result<Grant, TokenError> {
        let members = self.token_response(client, clock.now())?;
        let reply: TokenReply = serde_json::from_value(Value::Object(members))
            .map_err(|_| TokenError::Unreadable(NoGrant::HasNoToken.reason().to_owned()))?;
        reply.grant(clock.now())
    }
}

/// Whether a status means that the server cannot answer now.
pub(super) fn is_unavailable(status: StatusCode) -> bool {
    // nginx's word for a request that was given up on.
    const CLOSED: u16 = 499;
    status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || status.as_u16() == CLOSED
}

/// How long the server wants to be left alone: seconds, or the time until a date (RFC 9110
/// section 10.2.3) by the server's clock where it shows it.
fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        // A number that is too large for any clock is a long time, not none.
        const LONGEST: f64 = 4e9;
        return Duration::try_from_secs_f64(seconds.clamp(f64::MIN, LONGEST)).ok();
    }
    let now = server_time(headers).unwrap_or_else(|| clock.now());
    let wait = date(value)?.saturating_sub(now).max(0);
    u64::try_from(wait).ok().map(Duration::from_millis)
}

/// The time of a response by the server's own clock (`Date`), in milliseconds since the epoch.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Millis> {
    date(headers.get(header::DATE)?.to_str().ok()?)
}

/// A date of HTTP, in milliseconds since the epoch. The day of the week need not be right.
pub(super) fn date(text: &str) -> Option<Millis> {
    let text = text.split_once(", ").map_or(text, |(_, date)| date);
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::{ManualClock, limits};
    use oauth2::http;

    fn client() -> Client {
        Client { final_error_codes: vec!["session_over".to_owned()], ..Client::default() }
    }

    /// What an answer means.
    fn outcome(
        status: u16,
        fields: &[(&'static str, &str)],
        body: &[u8],
    ) -> Result<Grant, TokenError> {
        let status = StatusCode::from_u16(status).unwrap();
        let fields = fields.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
        });
        let answer =
            Answer { status, headers: fields.collect(), received: body.to_vec(), cut: None };
        let clock = Clock::Manual(ManualClock::new(1_000_000));
        Reply::of(answer, &clock)?.grant(&client(), &clock)
    }

    #[test]
    fn a_refusal_is_final_by_its_code_alone() {
        let refused = |status, body: &str| match outcome(status, &[], body.as_bytes()) {
            Err(TokenError::Refused { code, meaning, .. }) => (code, meaning == Refusal::Final),
            other => panic!("{body}: {other:?}"),
        };
        for (status, body, code, is_final) in [
            (400, r#"{"error":"invalid_grant"}"#, "invalid_grant", true),
            (401, "\u{feff}{\"error\":\"invalid_grant\"}", "invalid_grant", true),
            (403, r#"{"error":{"code":"session_over"}}"#, "session_over", true),
            (400, r#"{"error":{"type":"session_over","code":"x"}}"#, "session_over", true),
            (200, r#"{"error":"invalid_grant"}"#, "invalid_grant", true),
            (400, r#"{"error":"invalid_grant","error_d"#, "invalid_grant", false),
            (400, r#"<p>{"error":"invalid_grant"}</p>"#, "invalid_grant", false),
            (401, r#"{"error":"invalid_client"}"#, "invalid_client", false),
            (401, r#"{"error":{"code":"token_expired"}}"#, "token_expired", false),
            (400, r#"{"message":"invalid_grant"}"#, "400 Bad Request", false),
            (401, "invalid_grant", "401 Unauthorized", false),
            (401, "", "401 Unauthorized", false),
            (404, "<html>", "404 Not Found", false),
        ] {
            assert_eq!(refused(status, body), (code.to_owned(), is_final), "{body}");
        }
    }

    #[test]
    fn whether_an_unwell_server_may_have_carried_it_out_is_told() {
        let told = |status, fields: &[(&'static str, &str)]| match outcome(status, fields, b"") {
            Err(TokenError::Unavailable { status: Some(given), sent, retry_after, .. }) => {
                assert_eq!(given.as_u16(), status);
                (sent, retry_after.map(|wait| wait.as_secs()))
            }
            other => panic!("{status}: {other:?}"),
        };
        let minute_later = [
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
        ];
        // Our clock says 1970, and the weekday is wrong.
        let by_our_clock = [("retry-after", "Mon, 01 Jan 1970 00:17:10 GMT")];
        let past = [("retry-after", "Sun, 06 Nov 1964 08:50:37 GMT")];
        for (status, fields, expected) in [
            (429, &[][..], (false, None)),
            (429, &[("retry-after", "60")], (false, Some(60))),
            (429, &minute_later, (false, Some(60))),
            (503, &by_our_clock, (false, Some(30))),
            (503, &past, (false, Some(0))),
            (503, &[("retry-after", "1.5")], (false, Some(1))),
            (429, &[("retry-after", "99999999999999999999")], (false, Some(4_000_000_000))),
            (503, &[("retry-after", "inf")], (false, Some(4_000_000_000))),
            (503, &[("retry-after", "NaN")], (true, None)),
            (503, &[("retry-after", "soon")], (true, None)),
            (503, &[("retry-after", "-1")], (true, None)),
            (503, &[], (true, None)),
            (500, &[("retry-after", "1")], (true, Some(1))),
            (502, &[], (true, None)),
            (520, &[], (true, None)),
            (599, &[], (true, None)),
            (408, &[], (true, None)),
            (499, &[], (true, None)),
        ] {
            assert_eq!(told(status, fields), expected, "{status} {fields:?}");
        }
    }

    #[test]
    fn an_answer_of_success_that_cannot_be_read_is_in_the_error_as_it_came() {
        for (status, body, reason) in [
            (200, &b"\xFF\x00 packed some other way"[..], "it is not JSON"),
            (200, b"<html>", "it is a web page"),
            (200, b"", "it is empty"),
            (201, b"{}", "it has the status 201 Created, and it has no access_token"),
            (202, br#"{"error":"invalid_grant"}"#, "it has the status 202 Accepted"),
            (200, br#"{"access_token":"fake","refresh_token":"fa"#, "it breaks off"),
        ] {
            match outcome(status, &[], body).unwrap_err() {
                TokenError::Unusable { reason: given, raw } => {
                    assert!(given.starts_with(reason), "{given}");
                    assert_eq!(raw.expose(), body);
                }
                other => panic!("{other:?}"),
            }
        }
        // Unpacked it is too large; what came is kept.
        let bomb =
            br#"{"padding":""#.iter().copied().chain(std::iter::repeat_n(b'x', limits::BODY));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &bomb.collect::<Vec<_>>()).unwrap();
        let packed = packed.finish().unwrap();
        match outcome(200, &[], &packed).unwrap_err() {
            TokenError::Unusable { reason, raw } => {
                assert!(reason.contains("larger than 8 MiB"), "{reason}");
                assert_eq!(raw.expose(), packed);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_of_somebody_in_between_is_no_answer_of_the_server() {
        let waf = [("x-amzn-waf-action", "challenge")];
        for (status, fields, body) in [
            (403, &[("cf-mitigated", "challenge")][..], "<html>"),
            (503, &[], "<html>Just a moment..."),
            (202, &waf, ""),
            (405, &waf, "<html>"),
        ] {
            let outcome = outcome(status, fields, body.as_bytes()).unwrap_err();
            let TokenError::Blocked { status: given, .. } = outcome else { panic!("{outcome:?}") };
            assert_eq!(given.as_u16(), status);
        }
        // With a token in it, it is an answer.
        let body = br#"{"access_token":"fake"}"#;
        assert!(outcome(200, &waf, body).is_ok());
        // Any other status that nobody asked for may hide an answer.
        for status in [302, 304, 307, 399] {
            let outcome = outcome(status, &[], br#"{"error":"invalid_grant"}"#).unwrap_err();
            assert!(matches!(outcome, TokenError::Unreadable(_)), "{outcome:?}");
        }
    }
}
