//! The approval of a device authorization: the server is asked until the user has decided
//! (RFC 8628 sections 3.4 and 3.5, and the flows that servers have of their own).

use super::client::{Client, TokenRequestFormat};
use super::device::DeviceAuthorization;
use super::device_endpoints::DeviceFlow;
use super::grant::Grant;
use super::post::post;
use super::token::exchange;
use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::http::HttpClient;
use oauth2::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// What `slow_down` adds to the interval (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What a poll found.
#[derive(Debug)]
pub enum Poll {
    /// The user has approved.
    Granted(Box<Grant>),
    /// Not yet.
    Pending,
    /// Not yet, and we ask too often.
    SlowDown,
}

/// Asks once whether the user has approved.
///
/// # Errors
/// See [`TokenError`]; `access_denied` and `expired_token` among the refusals.
pub async fn poll_device(
    http: &HttpClient,
    client: &Client,
    device: &DeviceAuthorization,
    clock: fn() -> Millis,
) -> Result<Poll, TokenError> {
    let endpoints = client.endpoints.device.as_ref();
    let own_endpoint = endpoints.and_then(|endpoints| endpoints.token_endpoint.as_ref());
    let endpoint = own_endpoint.map_or_else(|| client.token_endpoint(), Ok)?;
    let code = device.device_code.expose();
    let further = client.token_parameters.iter().map(|(name, value)| (&**name, &**value));
    let grant = match device.flow {
        DeviceFlow::Standard => {
            let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
            let mut fields =
                vec![("grant_type", grant_type), ("device_code", code), ("client_id", &client.id)];
            if let Some(secret) = &client.secret {
                fields.push(("client_secret", secret.expose()));
            }
            fields.extend(further);
            let response =
                post(http, endpoint, &fields, client.token_request_format, clock).await?;
            response.grant(client, clock).and_then(Grant::of_login)
        }
        DeviceFlow::Pairing => {
            let fields = [("device_auth_id", code), ("user_code", &device.user_code)];
            let response = post(http, endpoint, &fields, TokenRequestFormat::Json, clock).await?;
            if matches!(response.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
                return Ok(Poll::Pending);
            }
            if !response.status.is_success() {
                return Err(response.refusal(client));
            }
            let Approval { authorization_code: code, code_verifier } =
                serde_json::from_str(&response.text)
                    .map_err(|_| TokenError::Unreadable("it is not an approval".to_owned()))?;
            let redirect_uri = endpoints.and_then(|endpoints| endpoints.redirect_uri.as_ref());
            exchange(http, client, redirect_uri, &code, &code_verifier, clock).await
        }
        DeviceFlow::UserCode => {
            let grant_type = "urn:ietf:params:oauth:grant-type:user_code";
            let verifier = device.code_verifier.as_ref().map_or("", Secret::expose);
            let mut fields = vec![
                ("grant_type", grant_type),
                ("client_id", &client.id),
                ("user_code", &device.user_code),
                ("code_verifier", verifier),
            ];
            fields.extend(further);
            let response = post(http, endpoint, &fields, TokenRequestFormat::Form, clock).await?;
            match user_code_status(&response.text).as_deref() {
                Some("error") => Err(response.refusal(client)),
                Some("success") | None => response.grant(client, clock).and_then(Grant::of_login),
                Some(_) => return Ok(Poll::Pending),
            }
        }
    };
    match grant {
        Ok(grant) => Ok(Poll::Granted(Box::new(grant))),
        Err(TokenError::Refused { code, .. }) if code == "authorization_pending" => {
            Ok(Poll::Pending)
        }
        Err(TokenError::Refused { code, .. }) if code == "slow_down" => Ok(Poll::SlowDown),
        Err(error) => Err(error),
    }
}

/// Polls until the user has approved, an interval after the server was last asked and then
/// an interval apart; `device` tells the next process of both. A server that cannot be
/// reached is asked again, less and less often (RFC 8628 section 3.5), until the code has
/// expired.
///
/// # Errors
/// See [`TokenError`]; `expired_token` when the time is over.
pub async fn wait_for_approval(
    client: &Client,
    device: &mut DeviceAuthorization,
    clock: fn() -> Millis,
) -> Result<Grant, TokenError> {
    let http = client.http()?;
    let end = tokio::time::Instant::now() + device.lifetime;
    let mut interval = device.interval;
    let mut pause = interval.saturating_sub(device.age(clock()));
    loop {
        let next = tokio::time::Instant::now() + pause;
        tokio::time::sleep_until(next.min(end)).await;
        if next > end {
            return Err(TokenError::refused("expired_token", None));
        }
        device.asked = clock();
        match poll_device(&http, client, device, clock).await {
            Ok(Poll::Granted(grant)) => return Ok(*grant),
            Ok(Poll::Pending) => {}
            Ok(Poll::SlowDown) => {
                device.interval += SLOWER;
                interval += SLOWER;
            }
            Err(TokenError::Unavailable { retry_after, .. }) => {
                let wanted = retry_after.unwrap_or(interval * 2).min(device.lifetime);
                interval = wanted.max(interval);
            }
            // One that is let through may come next.
            Err(TokenError::Blocked { .. }) => interval = (interval * 2).min(device.lifetime),
            Err(error) => return Err(error),
        }
        pause = interval;
    }
}

impl DeviceAuthorization {
    /// How long ago the server was asked; nothing when the clock has gone back since.
    fn age(&self, now: Millis) -> Duration {
        Duration::from_millis(u64::try_from(now.saturating_sub(self.asked)).unwrap_or(0))
    }
}

/// The `status` of a reply of the user code flow.
fn user_code_status(text: &str) -> Option<String> {
    let reply: Value = serde_json::from_str(text).ok()?;
    reply.get("status")?.as_str().map(str::to_owned)
}

/// What a poll of the pairing flow gives once the user has approved.
#[derive(Deserialize)]
struct Approval {
    authorization_code: Secret,
    code_verifier: Secret,
}
