//! Token requests: the code exchange (RFC 6749 section 4.1.3) and the refresh
//! (section 6).
//!
//! The `oauth2` package makes the requests; [`super::request`] sends them and reads the answers.

use super::authorization::AuthorizationRequest;
use super::client::Client;
use super::grant::Grant;
use super::request::{sender, token_error};
use super::response::AuthorizationCode;
use super::token_error::TokenError;
use super::token_reply::TokenReply;
use crate::secret::Secret;
use crate::system::Clock;
use crate::system::http::HttpClient;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{PkceCodeVerifier, RedirectUrl, RefreshToken, StandardRevocableToken};
use url::Url;

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
    clock: &Clock,
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
    clock: &Clock,
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
    let sender = sender(http, client, clock);
    request.request_async(&sender).await.map_err(token_error)?.grant(clock.now())?.of_login()
}

/// Refreshes a grant. The refresh token may be spent after this, whatever the outcome.
///
/// # Errors
/// See [`TokenError`].
pub async fn refresh(
    http: &HttpClient,
    client: &Client,
    refresh_token: &Secret,
    clock: &Clock,
) -> Result<Grant, TokenError> {
    let refresh_token = RefreshToken::new(refresh_token.expose().to_owned());
    let oauth2 = oauth2_client(client)?;
    let mut request = oauth2.exchange_refresh_token(&refresh_token);
    for (name, value) in &client.token_parameters {
        request = request.add_extra_param(name, value);
    }
    let sender = sender(http, client, clock);
    request.request_async(&sender).await.map_err(token_error)?.grant(clock.now())
}

type OAuth2Client = oauth2::Client<
    BasicErrorResponse,
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
