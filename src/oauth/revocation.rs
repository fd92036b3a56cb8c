//! Token revocation (RFC 7009).

use super::client::Client;
use super::token_error::TokenError;
use crate::secret::Secret;
use crate::system::http::{HttpClient, HttpError};
use oauth2::http::{Request, StatusCode, header};
use url::Url;

/// Revokes a refresh token, or an access token where there is no other, at the server.
///
/// # Errors
/// The server refused or was not reached; see [`TokenError`].
pub async fn revoke(
    http: &HttpClient,
    client: &Client,
    endpoint: &Url,
    token: &Secret,
    token_type_hint: &str,
) -> Result<(), TokenError> {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.append_pair("token", token.expose())
        .append_pair("token_type_hint", token_type_hint)
        .append_pair("client_id", &client.id);
    if let Some(secret) = &client.secret {
        body.append_pair("client_secret", secret.expose());
    }
    let request = Request::post(endpoint.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(body.finish().into_bytes())
        .map_err(|error| TokenError::Unreadable(error.to_string()))?;
    let response = http.send(request).await.map_err(|error| match error {
        HttpError::Unreachable { reason, sent, .. } => TokenError::unavailable(reason, sent),
        HttpError::TooLarge => TokenError::Unreadable(error.to_string()),
        error => error.into(),
    })?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    // A server that is too busy has revoked nothing.
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let reason = status.to_string();
        return Err(TokenError::unavailable(reason, false));
    }
    Err(TokenError::refused(status.to_string(), None))
}
