//! Posting to an endpoint, and what its answer means: a grant, or why there is none.
//!
//! Invariant: an answer with a status of success is never dropped. What cannot be read of it is
//! in the error.

use super::client::{Client, TokenRequestFormat};
use super::edge::BlockPage;
use super::error_reply::ErrorReply;
use super::lenient_json::decoded;
use super::token::Grant;
use super::token_error::{Refusal, TokenError};
use super::token_reply::{NoGrant, TokenReply, standard};
use crate::profile::Millis;
use crate::secret::SecretBytes;
use crate::system::http::{Answer, HttpClient, HttpError};
use crate::system::limits;
use crate::text::printable;
use oauth2::RequestTokenError;
use oauth2::basic::BasicErrorResponse;
use oauth2::http::{self, HeaderMap, StatusCode, header};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

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
}

impl Reply {
    /// Sorts out what is no word of the server, or says that it cannot answer now. `clock` is
    /// ours.
    fn of(answer: Answer, clock: fn() -> Millis) -> Result<Self, TokenError> {
        let unpacked = answer.unpacked();
        let text = decoded(&unpacked.bytes).into_owned();
        let too_large = unpacked.is_too_large.then_some(HttpError::TooLarge);
        let Answer { status, headers, received, cut } = answer;
        let cut = cut.or(too_large);
        let reply = Self { status, headers, text, raw: SecretBytes::new(received), cut };
        if status.is_success() {
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

    fn block_page(&self) -> Option<BlockPage> {
        BlockPage::of(self.status, &self.headers, &self.text)
    }

    /// The server does not answer now. Whether it has done what it was asked for all the same
    /// is known only where it says so: by 429, or by naming the time to come back.
    fn unavailable(&self, clock: fn() -> Millis) -> TokenError {
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

    /// The refusal in a reply: by its error code, else by its status.
    pub(super) fn refusal(&self, client: &Client) -> TokenError {
        let ErrorReply { codes, description, is_whole } = ErrorReply::of(&self.text);
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
    fn token_response(
        self,
        client: &Client,
        now: Millis,
    ) -> Result<Map<String, Value>, TokenError> {
        if !self.status.is_success() {
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
    pub(super) fn grant(self, client: &Client, clock: fn() -> Millis) -> Result<Grant, TokenError> {
        let members = self.token_response(client, clock())?;
        let reply: TokenReply = serde_json::from_value(Value::Object(members))
            .map_err(|_| TokenError::Unreadable(NoGrant::HasNoToken.reason().to_owned()))?;
        reply.grant(clock())
    }
}

/// Whether a status means that the server cannot answer now.
fn is_unavailable(status: StatusCode) -> bool {
    // nginx's word for a request that was given up on.
    const CLOSED: u16 = 499;
    status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
        || status.as_u16() == CLOSED
}

/// How long the server wants to be left alone: seconds, or the time until a date (RFC 9110
/// section 10.2.3) by the server's clock where it shows it.
fn retry_after(headers: &HeaderMap, clock: fn() -> Millis) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let now = server_time(headers).unwrap_or_else(clock);
    let wait = date(value)?.saturating_sub(now).max(0);
    u64::try_from(wait).ok().map(Duration::from_millis)
}

/// The time of a response by the server's own clock (`Date`), in milliseconds since the epoch.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Millis> {
    date(headers.get(header::DATE)?.to_str().ok()?)
}

/// A date of HTTP, in milliseconds since the epoch.
fn date(text: &str) -> Option<Millis> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// The HTTP client as the closure that the `oauth2` package calls: it is given a token
/// response as the standard wants it, whatever the server has made of it.
pub(super) fn sender<'c>(
    http: &'c HttpClient,
    client: &'c Client,
    clock: fn() -> Millis,
) -> impl Fn(oauth2::HttpRequest) -> SendFuture<'c> {
    move |request| {
        let request = match client.token_request_format {
            TokenRequestFormat::Form => request,
            TokenRequestFormat::Json => as_json(request),
        };
        Box::pin(async move {
            let reply = ask(http, request, clock).await?;
            let members = reply.token_response(client, clock())?;
            let body = Value::Object(members).to_string().into_bytes();
            let mut response = http::Response::new(body);
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            Ok(response)
        })
    }
}

pub(super) type SendFuture<'c> =
    std::pin::Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, TokenError>> + 'c>>;

async fn ask(
    http: &HttpClient,
    request: oauth2::HttpRequest,
    clock: fn() -> Millis,
) -> Result<Reply, TokenError> {
    Reply::of(http.ask(request, limits::TOKEN_ANSWER).await?, clock)
}

/// The same token request with its form body as a JSON object.
fn as_json(mut request: oauth2::HttpRequest) -> oauth2::HttpRequest {
    let body: Map<String, Value> = url::form_urlencoded::parse(request.body())
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    *request.body_mut() = Value::Object(body).to_string().into_bytes();
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

/// The failure of a token request. But for the first, the `oauth2` package has none of its own
/// left: it is given what it expects.
pub(super) fn token_error(error: RequestTokenError<TokenError, BasicErrorResponse>) -> TokenError {
    match error {
        RequestTokenError::Request(error) => error,
        // The text of a parse error can quote a token.
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) => {
            TokenError::Unreadable(NoGrant::HasNoToken.reason().to_owned())
        }
        RequestTokenError::Other(reason) => TokenError::Unreadable(printable(&reason, 200)),
    }
}

/// Posts `fields` and returns what the server answers, unless it is unwell.
///
/// # Errors
/// See [`TokenError`].
pub(super) async fn post(
    http: &HttpClient,
    endpoint: &Url,
    fields: &[(&str, &str)],
    format: TokenRequestFormat,
    clock: fn() -> Millis,
) -> Result<Reply, TokenError> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = http::Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(body.into_bytes())
        .map_err(|error| TokenError::Unreadable(error.to_string()))?;
    let request = match format {
        TokenRequestFormat::Form => request,
        TokenRequestFormat::Json => as_json(request),
    };
    ask(http, request, clock).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_token_request_has_the_same_parameters() {
        let form = http::Request::post("https://as.example.test/token")
            .body(b"grant_type=refresh_token&refresh_token=a%2Bb".to_vec())
            .unwrap();
        let json = as_json(form);
        assert_eq!(
            String::from_utf8_lossy(json.body()),
            r#"{"grant_type":"refresh_token","refresh_token":"a+b"}"#
        );
    }
}
