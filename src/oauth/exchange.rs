//! Exchanging a stored token for the short-lived one that an API wants: a request that
//! carries the one and is answered with the other. It spends nothing.

use super::reply::{is_unavailable, server_time};
use super::request::json_request;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::http::HttpError;
use crate::system::route::{Untrusted, UnusableProxy};
use crate::system::{Clients, Clock};
use crate::text::printable;
use indexmap::IndexMap;
use oauth2::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// Where a stored token is exchanged.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenExchange {
    /// The endpoint: a GET with the stored token as its bearer.
    pub endpoint: Url,
    /// Further headers of the request.
    #[serde(default)]
    headers: IndexMap<String, String>,
}

/// A token that was given for another.
#[derive(Clone, Debug)]
pub struct ExchangedToken {
    /// The token.
    pub token: Secret,
    /// When it expires by our clock, in milliseconds since the epoch.
    pub expires: Millis,
    /// When it was received, in milliseconds since the epoch, where that is known.
    pub issued: Option<Millis>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The server does not give this account a token.
    #[error("the server refused: {status}{}", message.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The status, `401` where the stored token itself is not accepted.
        status: StatusCode,
        /// What the server says about it.
        message: Option<String>,
    },
    /// The server was not reached, or it cannot answer now.
    #[error("the server is unavailable: {0}")]
    Unavailable(String),
    /// The certificate of the server is not trusted.
    #[error("the server is unavailable: {reason}")]
    Untrusted {
        /// What happened.
        reason: String,
        /// What the environment has about it.
        untrusted: Untrusted,
    },
    /// The proxy that the request goes through cannot be used as it is named.
    #[error(transparent)]
    Proxy(UnusableProxy),
    /// The answer is none.
    #[error("the answer of the server cannot be read: {0}")]
    Unreadable(&'static str),
}

impl ExchangeError {
    /// Whether the stored token itself is not accepted, so that only a new login helps.
    pub const fn needs_login(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::UNAUTHORIZED, .. })
    }
}

impl TokenExchange {
    /// The name of a header that cannot be sent, or that is ours to set.
    pub fn unfit_header(&self) -> Option<&str> {
        let is_fit = |(name, value): &(&String, &String)| {
            name.parse::<HeaderName>().is_ok_and(|it| it != header::AUTHORIZATION)
                && HeaderValue::from_str(value).is_ok()
        };
        self.headers.iter().find(|header| !is_fit(header)).map(|(name, _)| name.as_str())
    }

    /// Exchanges `stored`, by one of the `clients`. `clock` is ours.
    ///
    /// # Errors
    /// See [`ExchangeError`].
    pub async fn exchange(
        &self,
        stored: &Secret,
        clients: &Clients,
        clock: &Clock,
    ) -> Result<ExchangedToken, ExchangeError> {
        let mut request = json_request(Method::GET, self.endpoint.as_str(), Some(stored));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Vec::new()).map_err(|_| {
            ExchangeError::Unreadable("the stored token has characters that a header must not have")
        })?;
        let http = clients.to(&self.endpoint).map_err(unavailable)?;
        let response = http.send(request).await.map_err(unavailable)?;
        read(&response, clock.now())
    }
}

fn unavailable(error: HttpError) -> ExchangeError {
    match error {
        HttpError::Untrusted { reason, untrusted } => {
            ExchangeError::Untrusted { reason, untrusted }
        }
        HttpError::Proxy(error) => ExchangeError::Proxy(error),
        HttpError::TooLarge => ExchangeError::Unreadable("it is too large"),
        error => ExchangeError::Unavailable(error.to_string()),
    }
}

fn read(response: &Response<Vec<u8>>, received: Millis) -> Result<ExchangedToken, ExchangeError> {
    let status = response.status();
    if is_unavailable(status) {
        return Err(ExchangeError::Unavailable(status.to_string()));
    }
    let body: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    if !status.is_success() {
        let text = body.pointer("/error_details/message").or_else(|| body.get("message"));
        let message = text.and_then(Value::as_str).map(|text| printable(text, 300));
        return Err(ExchangeError::Refused { status, message });
    }
    let token = body.get("token").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if token.is_empty() {
        return Err(ExchangeError::Unreadable("it has no token"));
    }
    let expires = body.get("expires_at").and_then(time);
    let expires = expires.ok_or(ExchangeError::Unreadable("it has no `expires_at`"))?;
    // The server's clock counts for its own times.
    let lead = server_time(response.headers()).map_or(0, |date| received.saturating_sub(date));
    Ok(ExchangedToken {
        token: Secret::new(token),
        expires: expires.saturating_add(lead),
        issued: Some(received),
    })
}

/// A time in seconds since the epoch, or in milliseconds when it would else be beyond the
/// year 5000; a number, or a text with one.
fn time(value: &Value) -> Option<Millis> {
    const BEYOND: Millis = 100_000_000_000;
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let millis = if number < BEYOND { number.checked_mul(1_000)? } else { number };
    (number > 0).then_some(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, date: Option<&str>) -> Result<ExchangedToken, String> {
        let mut response = Response::new(body.as_bytes().to_vec());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(date) = date {
            response.headers_mut().insert(header::DATE, date.parse().unwrap());
        }
        read(&response, 1_000_000_000_000).map_err(|error| error.to_string())
    }

    #[test]
    fn the_expiry_is_a_number_or_a_text_by_the_servers_clock() {
        for expires in ["1000001800", "\"1000001800\"", "1000001800000"] {
            let body = format!(r#"{{"token":" fake-t ","expires_at":{expires}}}"#);
            let given = answer(200, &body, None).unwrap();
            assert_eq!((given.token.expose(), given.expires), ("fake-t", 1_000_001_800_000));
        }
        // 2001-09-09T00:46:40Z is an hour before our time.
        let body = r#"{"token":"fake-t","expires_at":999998200}"#;
        let given = answer(200, body, Some("Sun, 09 Sep 2001 00:46:40 GMT")).unwrap();
        assert_eq!(given.expires, 1_000_001_800_000, "half an hour is left");
    }

    #[test]
    fn what_is_no_token_is_an_error() {
        for (status, body, expected) in [
            (401, r#"{"message":"Bad credentials"}"#, "refused: 401 Unauthorized: Bad credentials"),
            (
                403,
                r#"{"message":"m","error_details":{"message":"No plan\u001b"}}"#,
                "refused: 403 Forbidden: No plan",
            ),
            (404, "<html>", "refused: 404 Not Found"),
            (503, "", "unavailable: 503"),
            (429, "", "unavailable: 429"),
            (200, "<html>", "no token"),
            (200, r#"{"token":" ","expires_at":5}"#, "no token"),
            (200, r#"{"token":"fake-t"}"#, "no `expires_at`"),
            (200, r#"{"token":"fake-t","expires_at":-5}"#, "no `expires_at`"),
        ] {
            let error = answer(status, body, None).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }
}
