//! Token revocation (RFC 7009).

use super::client::Client;
use super::reply::is_unavailable;
use super::request::form;
use super::token_error::TokenError;
use crate::secret::Secret;
use crate::system::http::HttpClient;
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
    let mut fields = vec![("token", token.expose()), ("token_type_hint", token_type_hint)];
    fields.extend(client.credentials());
    let response = http.send(form(endpoint, &fields)?).await?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    // A server that is too busy has revoked nothing.
    if is_unavailable(status) {
        return Err(TokenError::unavailable(status.to_string(), false));
    }
    Err(TokenError::refused(status.to_string(), None))
}
