//! Device authorization: a code for the user to approve on another device (RFC 8628), and
//! two flows of the same shape that servers have of their own.

use super::authorization::random_text;
use super::client::{Client, TokenRequestFormat};
use super::device_endpoints::DeviceFlow;
use super::device_reply::{DeviceAuthorization, DeviceReply};
use super::reply::server_time;
use super::request::post;
use super::token_error::TokenError;
use crate::secret::Secret;
use crate::system::Clock;
use oauth2::PkceCodeChallenge;
use oauth2::http::StatusCode;

/// Asks for a code.
///
/// # Errors
/// See [`TokenError`].
pub async fn authorize_device(
    client: &Client,
    scopes: &[String],
    clock: &Clock,
) -> Result<DeviceAuthorization, TokenError> {
    let missing = || TokenError::Unreadable("the server has no device authorization".to_owned());
    let endpoints = client.endpoints.device.as_ref().ok_or_else(missing)?;
    let http = client.http_to(&endpoints.authorization_endpoint)?;
    let (scope, state) = (scopes.join(" "), random_text());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let client_id = ("client_id", client.id.as_str());
    let (fields, format) = match endpoints.flow {
        DeviceFlow::Standard => {
            let scope = (!scopes.is_empty()).then_some(("scope", &*scope));
            let fields = client.credentials().into_iter().chain(scope);
            (fields.collect(), TokenRequestFormat::Form)
        }
        DeviceFlow::Pairing => (vec![client_id], TokenRequestFormat::Json),
        DeviceFlow::UserCode => {
            let fields = vec![
                client_id,
                ("response_type", "code"),
                ("scope", &scope),
                ("code_challenge", challenge.as_str()),
                ("code_challenge_method", "S256"),
                ("state", state.expose()),
            ];
            (fields, TokenRequestFormat::Form)
        }
    };
    let response = post(&http, &endpoints.authorization_endpoint, &fields, format, clock).await?;
    if endpoints.flow == DeviceFlow::Pairing && response.status == StatusCode::NOT_FOUND {
        let description = "this server does not offer device codes to this account".to_owned();
        return Err(TokenError::refused("device_code_disabled", Some(description)));
    }
    if !response.status.is_success() {
        return Err(response.refusal(client));
    }
    let reply = DeviceReply::of(&response.text)?;
    if endpoints.flow == DeviceFlow::UserCode && !reply.has_state(&state) {
        return Err(TokenError::Unreadable("its state is not that of the request".to_owned()));
    }
    let code_verifier =
        (endpoints.flow == DeviceFlow::UserCode).then(|| Secret::new(verifier.secret().as_str()));
    let asked = clock.now();
    reply.authorization(
        endpoints,
        code_verifier,
        asked,
        server_time(&response.headers).unwrap_or(asked),
    )
}
