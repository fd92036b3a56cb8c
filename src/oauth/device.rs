//! Device authorization: a code for the user to approve on another device (RFC 8628), and
//! two flows of the same shape that servers have of their own.

use super::authorization::random_text;
use super::client::{Client, TokenRequestFormat};
use super::device_endpoints::{DeviceEndpoints, DeviceFlow};
use super::post::post;
use super::reply::server_time;
use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::text::printable;
use oauth2::PkceCodeChallenge;
use oauth2::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// The poll interval when the server names none (RFC 8628 section 3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);
/// The lifetime of a code when the server's word cannot be used.
const USUAL_LIFETIME: Duration = Duration::from_mins(15);
/// No server lets a code live longer.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// A device authorization that waits for approval.
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// How the server does it.
    pub flow: DeviceFlow,
    /// What names the authorization to the server; of no use to people.
    pub device_code: Secret,
    /// What the user enters.
    pub user_code: String,
    /// Where the user enters it.
    pub verification_uri: Url,
    /// The same with the code in it.
    pub verification_uri_complete: Option<Url>,
    /// How long the code lives.
    pub lifetime: Duration,
    /// How long to wait between polls.
    pub interval: Duration,
    /// When the server was last asked, for the code or about its approval, in milliseconds
    /// since the epoch by our clock.
    pub asked: Millis,
    /// The PKCE verifier of the flows that have one.
    pub code_verifier: Option<Secret>,
}

/// Asks for a code.
///
/// # Errors
/// See [`TokenError`].
pub async fn authorize_device(
    client: &Client,
    scopes: &[String],
    clock: fn() -> Millis,
) -> Result<DeviceAuthorization, TokenError> {
    let missing = || TokenError::Unreadable("the server has no device authorization".to_owned());
    let endpoints = client.endpoints.device.as_ref().ok_or_else(missing)?;
    let http = client.http_to(&endpoints.authorization_endpoint)?;
    let (scope, state) = (scopes.join(" "), random_text());
    let mut fields = vec![("client_id", client.id.as_str())];
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut format = TokenRequestFormat::Form;
    match endpoints.flow {
        DeviceFlow::Standard => {
            if let Some(secret) = &client.secret {
                fields.push(("client_secret", secret.expose()));
            }
            if !scopes.is_empty() {
                fields.push(("scope", &scope));
            }
        }
        DeviceFlow::Pairing => format = TokenRequestFormat::Json,
        DeviceFlow::UserCode => fields.extend([
            ("response_type", "code"),
            ("scope", &scope),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("state", state.expose()),
        ]),
    }
    let response = post(&http, &endpoints.authorization_endpoint, &fields, format, clock).await?;
    if endpoints.flow == DeviceFlow::Pairing && response.status == StatusCode::NOT_FOUND {
        let description = "this server does not offer device codes to this account".to_owned();
        return Err(TokenError::refused("device_code_disabled", Some(description)));
    }
    if !response.status.is_success() {
        return Err(response.refusal(client));
    }
    let reply: Reply = serde_json::from_str(&response.text)
        .map_err(|_| TokenError::Unreadable("it is not a device authorization".to_owned()))?;
    if endpoints.flow == DeviceFlow::UserCode
        && !reply.state.as_ref().is_some_and(|given| given.matches(&state))
    {
        return Err(TokenError::Unreadable("its state is not that of the request".to_owned()));
    }
    let code_verifier =
        (endpoints.flow == DeviceFlow::UserCode).then(|| Secret::new(verifier.secret().as_str()));
    let asked = clock();
    reply.authorization(
        endpoints,
        code_verifier,
        asked,
        server_time(&response.headers).unwrap_or(asked),
    )
}

/// A device authorization response, in the spellings of all flows.
#[derive(Deserialize)]
struct Reply {
    #[serde(alias = "device_auth_id")]
    device_code: Option<Secret>,
    #[serde(alias = "usercode")]
    user_code: Option<String>,
    #[serde(alias = "verification_url")]
    verification_uri: Option<Url>,
    verification_uri_complete: Option<Url>,
    interval: Option<Value>,
    expires_in: Option<Value>,
    /// When the code expires, in milliseconds since the epoch.
    expired_in: Option<Value>,
    state: Option<Secret>,
}

impl Reply {
    fn authorization(
        self,
        endpoints: &DeviceEndpoints,
        code_verifier: Option<Secret>,
        asked: Millis,
        now: Millis,
    ) -> Result<DeviceAuthorization, TokenError> {
        let missing = |name: &str| TokenError::Unreadable(format!("it has no {name}"));
        let user_code = self.user_code.map(|code| printable(code.trim(), 64));
        let user_code = user_code.filter(|code| !code.is_empty());
        let user_code = user_code.ok_or_else(|| missing("user_code"))?;
        let device_code = match (self.device_code, endpoints.flow) {
            (Some(code), _) if !code.is_blank() => code,
            // The user code is all there is.
            (_, DeviceFlow::UserCode) => Secret::new(user_code.as_str()),
            _ => return Err(missing("device_code")),
        };
        let verification_uri = self.verification_uri.or_else(|| endpoints.verification_uri.clone());
        let verification_uri = verification_uri.ok_or_else(|| missing("verification_uri"))?;
        let is_web = |url: &Url| matches!(url.scheme(), "https" | "http");
        if !is_web(&verification_uri) {
            return Err(TokenError::Unreadable(
                "its verification_uri is no web address".to_owned(),
            ));
        }
        let seconds = |value: Option<&Value>| number(value?).filter(|number| *number > 0.0);
        let usual = match endpoints.flow {
            DeviceFlow::UserCode => Duration::from_secs(2),
            _ => USUAL_INTERVAL,
        };
        let interval =
            seconds(self.interval.as_ref()).map_or(usual, |given| match endpoints.flow {
                DeviceFlow::UserCode => Duration::from_secs_f64((given / 1_000.0).clamp(2.0, 60.0)),
                _ => Duration::from_secs_f64(given.clamp(1.0, 300.0)),
            });
        let until = self.expired_in.as_ref().and_then(number);
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        let until = until.map(|at| (at - now as f64) / 1_000.0);
        let lifetime = seconds(self.expires_in.as_ref())
            .or(until)
            // A clock that is wrong makes nonsense of a time.
            .filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST_LIFETIME.as_secs_f64())
            .map_or(USUAL_LIFETIME, Duration::from_secs_f64);
        Ok(DeviceAuthorization {
            flow: endpoints.flow,
            device_code,
            user_code,
            verification_uri,
            verification_uri_complete: self.verification_uri_complete.filter(is_web),
            lifetime,
            interval,
            asked,
            code_verifier,
        })
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}
