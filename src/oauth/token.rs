//! Token requests: the code exchange (RFC 6749 section 4.1.3) and the refresh
//! (section 6).
//!
//! A failure is one of three: the server refused (its code is kept as sent), the server
//! was not reached or is unwell, or its answer cannot be read. Only the first can mean
//! that a new login is needed.

use super::authorization::{AuthorizationRequest, Client, TokenRequestFormat};
use super::response::AuthorizationCode;
use super::token_reply::{ErrorReply, TokenReply};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::http::{HttpClient, HttpError};
use crate::text::printable;
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::http::{self, StatusCode, header};
use oauth2::{PkceCodeVerifier, RefreshToken, RequestTokenError, StandardRevocableToken};
use serde_json::error::Category;
use std::time::Duration;

/// What a token response grants.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub access: Secret,
    /// The refresh token, when the response has one.
    pub refresh: Option<Secret>,
    /// The id token, when the response has one.
    pub id_token: Option<Secret>,
    /// When the access token expires, in milliseconds since the epoch: from `expires_in`,
    /// else from its `exp` claim.
    pub expires: Option<Millis>,
}

/// Why a token request gave no grant.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The authorization server refused.
    #[error("the authorization server refused: {code}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The error code, as sent.
        code: String,
        /// The description, as sent.
        description: Option<String>,
    },
    /// The server was not reached, or it says that it cannot answer now.
    #[error("the authorization server is unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// Whether the request may have been carried out all the same: then the refresh
        /// token in it may be spent.
        sent: bool,
    },
    /// The answer is not a token response.
    #[error("the answer of the authorization server cannot be read: {0}")]
    Unreadable(String),
}

impl TokenError {
    /// Whether the request may have been carried out although there is no usable answer.
    pub const fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Refused { .. } => false,
            Self::Unavailable { sent, .. } => *sent,
            Self::Unreadable(_) => true,
        }
    }

    /// How long to wait before the request may be made again after `attempts`; `None` when
    /// it must not be, or not within a time that a caller would wait.
    pub fn retry_in(&self, attempts: u32) -> Option<Duration> {
        const MOST_ATTEMPTS: u32 = 3;
        const LONGEST: Duration = Duration::from_secs(10);
        let Self::Unavailable { retry_after, sent: false, .. } = self else { return None };
        let usual = Duration::from_millis(300) * 3_u32.pow(attempts.saturating_sub(1));
        let wait = retry_after.unwrap_or(usual);
        (attempts < MOST_ATTEMPTS && wait <= LONGEST).then_some(wait)
    }

    /// Whether the refresh token is dead, so that only a new login helps.
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if matches!(
            code.as_str(),
            "invalid_grant"
                | "refresh_token_reused"
                | "refresh_token_expired"
                | "refresh_token_invalidated"
                | "invalid_refresh_token"
                | "token_revoked"
                | "token_expired"
        ))
    }
}

/// Exchanges an authorization code for a grant. `received` is the time to count
/// `expires_in` from.
///
/// # Errors
/// See [`TokenError`].
pub async fn exchange_code(
    http: &HttpClient,
    client: &Client,
    request: &AuthorizationRequest,
    code: AuthorizationCode,
    clock: fn() -> Millis,
) -> Result<Grant, TokenError> {
    let oauth2 = oauth2_client(client)
        .set_redirect_uri(oauth2::RedirectUrl::from_url(request.redirect_uri.clone()));
    let sender = sender(http, client.token_request_format);
    oauth2
        .exchange_code(oauth2::AuthorizationCode::new(code.0.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(request.code_verifier.secret().clone()))
        .request_async(&sender)
        .await
        .map_err(token_error)?
        .grant(clock())
}

/// Refreshes a grant. The refresh token may be spent after this, whatever the outcome.
///
/// # Errors
/// See [`TokenError`].
pub async fn refresh(
    http: &HttpClient,
    client: &Client,
    refresh_token: &Secret,
    clock: fn() -> Millis,
) -> Result<Grant, TokenError> {
    let sender = sender(http, client.token_request_format);
    oauth2_client(client)
        .exchange_refresh_token(&RefreshToken::new(refresh_token.expose().to_owned()))
        .request_async(&sender)
        .await
        .map_err(token_error)?
        .grant(clock())
}

type OAuth2Client = oauth2::Client<
    ErrorReply,
    TokenReply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

fn oauth2_client(client: &Client) -> OAuth2Client {
    let mut oauth2 = oauth2::Client::new(oauth2::ClientId::new(client.id.clone()))
        .set_token_uri(oauth2::TokenUrl::from_url(client.endpoints.token.clone()))
        .set_auth_type(oauth2::AuthType::RequestBody);
    if let Some(secret) = &client.secret {
        oauth2 = oauth2.set_client_secret(oauth2::ClientSecret::new(secret.expose().to_owned()));
    }
    oauth2
}

/// Why there is no answer to hand to the `oauth2` package.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("status {status}")]
    Unwell { status: StatusCode, retry_after: Option<Duration> },
    #[error("it has the status {0}")]
    Foreign(StatusCode),
}

/// The HTTP client as the closure that the `oauth2` package calls.
fn sender<'c>(
    http: &'c HttpClient,
    format: TokenRequestFormat,
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
            Ok(response)
        })
    }
}

type SendFuture<'c> =
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

fn token_error(error: RequestTokenError<SendError, ErrorReply>) -> TokenError {
    match error {
        RequestTokenError::ServerResponse(ErrorReply { code, description }) => {
            TokenError::Refused { code, description }
        }
        RequestTokenError::Request(SendError::Http(HttpError::Unreachable { reason, sent })) => {
            TokenError::Unavailable { reason, retry_after: None, sent }
        }
        RequestTokenError::Request(SendError::Unwell { status, retry_after }) => {
            // A gateway speaks for a server that may have done its work.
            let sent = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
            TokenError::Unavailable { reason: status.to_string(), retry_after, sent }
        }
        RequestTokenError::Request(error @ (SendError::Http(_) | SendError::Foreign(_))) => {
            TokenError::Unreadable(error.to_string())
        }
        // The text of a parse error can quote a token.
        RequestTokenError::Parse(error, body) => {
            let cause = error.inner();
            let what = match (body.first(), cause.classify()) {
                (Some(b'<'), _) => "it is a web page",
                (_, Category::Eof) => "it breaks off",
                (_, Category::Data) => "it has no access_token, or not of the right form",
                _ => "it is not JSON",
            };
            let (line, column) = (cause.line(), cause.column());
            TokenError::Unreadable(format!("{what} (line {line}, column {column})"))
        }
        RequestTokenError::Other(reason) => TokenError::Unreadable(printable(&reason, 200)),
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
