//! Posting to an endpoint, and reading what comes back: a grant, or one of the three ways
//! to fail.

use super::client::TokenRequestFormat;
use super::token::{Grant, TokenError};
use super::token_reply::{ErrorReply, TokenReply};
use crate::profile::Millis;
use crate::system::http::{HttpClient, HttpError};
use crate::text::printable;
use oauth2::RequestTokenError;
use oauth2::http::{self, StatusCode, header};
use serde_json::Value;
use serde_json::error::Category;
use std::time::Duration;
use url::Url;

/// Why there is no answer to hand to the `oauth2` package.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("status {status}")]
    Unwell { status: StatusCode, retry_after: Option<Duration> },
    #[error("it has the status {0}")]
    Foreign(StatusCode),
}

/// The HTTP client as the closure that the `oauth2` package calls.
pub(super) fn sender<'c>(
    http: &'c HttpClient,
    format: TokenRequestFormat,
    clock: fn() -> Millis,
) -> impl Fn(oauth2::HttpRequest) -> SendFuture<'c> {
    move |request| {
        let request = match format {
            TokenRequestFormat::Form => request,
            TokenRequestFormat::Json => as_json(request),
        };
        Box::pin(async move {
            let response = http.send(request).await?;
            let status = response.status();
            if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                let retry_after = response
                    .headers()
                    .get(header::RETRY_AFTER)
                    .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                    .map(Duration::from_secs);
                return Err(SendError::Unwell { status, retry_after });
            }
            // Only a client error can be a refusal (RFC 6749 section 5.2), whatever the body
            // of another answer says: a redirect comes from somebody in between.
            if status != StatusCode::OK && !status.is_client_error() {
                return Err(SendError::Foreign(status));
            }
            Ok(plain(response, clock))
        })
    }
}

pub(super) type SendFuture<'c> =
    std::pin::Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, SendError>> + 'c>>;

/// The same token request with its form body as a JSON object.
fn as_json(mut request: oauth2::HttpRequest) -> oauth2::HttpRequest {
    let body: serde_json::Map<String, serde_json::Value> =
        url::form_urlencoded::parse(request.body())
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
    *request.body_mut() = serde_json::Value::Object(body).to_string().into_bytes();
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    request
}

/// The failure of a token request.
pub(super) fn token_error(error: RequestTokenError<SendError, ErrorReply>) -> TokenError {
    match error {
        RequestTokenError::ServerResponse(ErrorReply { code, description }) => {
            TokenError::Refused { code, description }
        }
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::Parse(error, body) => unreadable(error.inner(), &body),
        RequestTokenError::Other(reason) => TokenError::Unreadable(printable(&reason, 200)),
    }
}

impl From<SendError> for TokenError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Http(error) => error.into(),
            error @ SendError::Foreign(_) => Self::Unreadable(error.to_string()),
            SendError::Unwell { status, retry_after } => {
                // A gateway speaks for a server that may have done its work.
                let sent = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
                Self::Unavailable { reason: status.to_string(), retry_after, sent }
            }
        }
    }
}

/// The failure to read a reply. The text of a parse error can quote a token.
fn unreadable(error: &serde_json::Error, body: &[u8]) -> TokenError {
    let what = match (body.first(), error.classify()) {
        (Some(b'<'), _) => "it is a web page",
        (_, Category::Eof) => "it breaks off",
        (_, Category::Data) => "it has no access_token, or not of the right form",
        _ => "it is not JSON",
    };
    let (line, column) = (error.line(), error.column());
    TokenError::Unreadable(format!("{what} (line {line}, column {column})"))
}

/// The reply in the standard's terms: an error that comes with the status of a success is
/// an error, and a lifetime that is given as a time in milliseconds since the epoch
/// (`expired_in`) is one in seconds, by the server's own clock where it shows it.
fn plain(mut response: oauth2::HttpResponse, clock: fn() -> Millis) -> oauth2::HttpResponse {
    let has = |name: &[u8]| response.body().windows(name.len()).any(|window| window == name);
    if !has(b"\"error\"") && !has(b"\"expired_in\"") {
        return response;
    }
    let Ok(Value::Object(mut reply)) = serde_json::from_slice(response.body()) else {
        return response;
    };
    let is_grant = reply.get("access_token").is_some_and(Value::is_string);
    let is_error =
        reply.contains_key("error") || reply.get("status").is_some_and(|it| it == "error");
    if !is_grant && is_error && response.status().is_success() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    let until = reply.get("expired_in").and_then(Value::as_i64);
    if let (true, Some(until), None) = (is_grant, until, reply.get("expires_in")) {
        let now = server_time(&response).unwrap_or_else(clock);
        let seconds = until.saturating_sub(now).max(0) / 1_000;
        reply.insert("expires_in".to_owned(), seconds.into());
        *response.body_mut() = Value::Object(reply).to_string().into_bytes();
    }
    response
}

/// The time of a response by the server's own clock (`Date`), in milliseconds since the epoch.
pub(super) fn server_time(response: &oauth2::HttpResponse) -> Option<Millis> {
    let date = response.headers().get(header::DATE)?.to_str().ok()?;
    let zoned = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(zoned.timestamp().as_millisecond())
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
) -> Result<oauth2::HttpResponse, TokenError> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = http::Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(body.into_bytes())
        .map_err(|error| TokenError::Unreadable(error.to_string()))?;
    sender(http, format, clock)(request).await.map_err(TokenError::from)
}

/// The grant in a reply to a token request.
///
/// # Errors
/// See [`TokenError`].
pub(super) fn read_grant(
    response: &oauth2::HttpResponse,
    clock: fn() -> Millis,
) -> Result<Grant, TokenError> {
    if !response.status().is_success() {
        return Err(refusal(response));
    }
    let body = response.body();
    let reply: TokenReply = serde_json::from_slice(body).map_err(|e| unreadable(&e, body))?;
    reply.grant(clock())
}

/// The refusal in a reply: by its error code, else by its status.
pub(super) fn refusal(response: &oauth2::HttpResponse) -> TokenError {
    match serde_json::from_slice(response.body()) {
        Ok(ErrorReply { code, description }) => TokenError::Refused { code, description },
        Err(_) => TokenError::Refused { code: response.status().to_string(), description: None },
    }
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
