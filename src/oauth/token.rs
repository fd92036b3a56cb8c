//! Token requests: the code exchange (RFC 6749 section 4.1.3) and the refresh
//! (section 6).
//!
//! A failure is one of three: the server refused (its code is kept as sent), the server
//! was not reached or is unwell, or its answer cannot be read. Only the first can mean
//! that a new login is needed.

use super::authorization::AuthorizationRequest;
use super::client::Client;
use super::post::{sender, token_error};
use super::response::AuthorizationCode;
use super::token_reply::{ErrorReply, TokenReply};
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::http::{HttpClient, HttpError};
use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse};
use oauth2::{PkceCodeVerifier, RedirectUrl, RefreshToken, StandardRevocableToken};
use serde_json::{Map, Value};
use std::time::Duration;
use url::Url;

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
    /// The other members of the response.
    pub members: Members,
}

impl Grant {
    /// A further member of the response.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.0.get(name)
    }
}

/// The members of a token response that only some servers send. They may be secrets.
#[derive(Clone, Default)]
pub struct Members(pub(super) Map<String, Value>);

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
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

    /// The server's error code where the refresh token is dead, so that only a new login
    /// helps.
    pub fn refused_grant(&self) -> Option<&str> {
        const DEAD: [&str; 7] = [
            "invalid_grant",
            "refresh_token_reused",
            "refresh_token_expired",
            "refresh_token_invalidated",
            "invalid_refresh_token",
            "token_revoked",
            "token_expired",
        ];
        let Self::Refused { code, .. } = self else { return None };
        DEAD.contains(&code.as_str()).then_some(code)
    }
}

impl From<HttpError> for TokenError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable { reason, sent } => {
                Self::Unavailable { reason, retry_after: None, sent }
            }
            HttpError::Request(reason) => {
                Self::Unavailable { reason, retry_after: None, sent: false }
            }
            error @ HttpError::TooLarge => Self::Unreadable(error.to_string()),
        }
    }
}

/// Exchanges an authorization code for a grant. `clock` gives the time to count
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
    let redirect_uri = Some(&request.redirect_uri);
    exchange(http, client, redirect_uri, &code.0, &request.code_verifier(), clock).await
}

/// Exchanges a code with the `code_verifier` that belongs to it.
///
/// # Errors
/// See [`TokenError`].
pub(super) async fn exchange(
    http: &HttpClient,
    client: &Client,
    redirect_uri: Option<&Url>,
    code: &Secret,
    code_verifier: &Secret,
    clock: fn() -> Millis,
) -> Result<Grant, TokenError> {
    let mut oauth2 = oauth2_client(client)?;
    if let Some(redirect_uri) = redirect_uri {
        oauth2 = oauth2.set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
    }
    let mut request = oauth2
        .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(code_verifier.expose().to_owned()));
    for (name, value) in &client.token_parameters {
        request = request.add_extra_param(name, value);
    }
    let sender = sender(http, client.token_request_format, clock);
    request.request_async(&sender).await.map_err(token_error)?.grant(clock())
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
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let oauth2 = oauth2_client(client)?;
    let mut request = oauth2.exchange_refresh_token(&refresh_token);
    for (name, value) in &client.token_parameters {
        request = request.add_extra_param(name, value);
    }
    let sender = sender(http, client.token_request_format, clock);
    request.request_async(&sender).await.map_err(token_error)?.grant(clock())
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

fn oauth2_client(client: &Client) -> Result<OAuth2Client, TokenError> {
    let mut oauth2 = oauth2::Client::new(oauth2::ClientId::new(client.id.clone()))
        .set_token_uri(oauth2::TokenUrl::from_url(client.token_endpoint()?.clone()))
        .set_auth_type(oauth2::AuthType::RequestBody);
    if let Some(secret) = &client.secret {
        oauth2 = oauth2.set_client_secret(oauth2::ClientSecret::new(secret.expose().to_owned()));
    }
    Ok(oauth2)
}
