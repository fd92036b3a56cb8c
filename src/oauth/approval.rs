//! The approval of a device authorization: the server is asked until the user has decided
//! (RFC 8628 sections 3.4 and 3.5, and the flows that servers have of their own).
//!
//! Invariant: only the server ends it before its time: by a grant, or by an error code. A page of
//! the network in between, a redirect, a broken answer and silence do not.

use super::client::{Client, TokenRequestFormat};
use super::device_endpoints::DeviceFlow;
use super::device_reply::DeviceAuthorization;
use super::grant::Grant;
use super::lenient_json::Members;
use super::poll_code::{PollCode, is_answer, names_error};
use super::reply::Reply;
use super::request::post;
use super::token::exchange;
use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use crate::system::Clock;
use crate::system::http::HttpClient;
use oauth2::http::StatusCode;
use std::time::Duration;
use tokio::sync::oneshot;

/// What `slow_down` adds to the interval (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// The longest pause after polls that brought no answer, where the interval is not longer: the
/// user may have approved meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that a server may ask for.
const LONGEST_WANTED: Duration = Duration::from_mins(5);

/// What a poll found.
#[derive(Debug)]
pub enum Poll {
    /// The user has approved.
    Granted(Box<Grant>),
    /// Not yet.
    Pending,
    /// Not yet, and we ask too often: at the earliest after this time, where one is named.
    SlowDown(Option<Duration>),
    /// Unknown: no answer of the server came.
    NoAnswer {
        /// What came, as a sentence.
        reason: String,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
    },
}

/// Asks once whether the user has approved.
///
/// # Errors
/// See [`TokenError`]: what ends the login, `access_denied` and `expired_token` among it.
pub async fn poll_device(
    http: &HttpClient,
    client: &Client,
    device: &DeviceAuthorization,
    clock: &Clock,
) -> Result<Poll, TokenError> {
    let reply = match ask(http, client, device, clock).await? {
        Ok(reply) => reply,
        Err(error) => return Ok(no_answer(&error)),
    };
    let (status, is_answer) = (reply.status, is_answer(&reply.text));
    let outcome = match device.flow {
        DeviceFlow::Standard => reply.grant(client, clock).and_then(Grant::of_login),
        DeviceFlow::UserCode => match status_member(&reply.text).as_deref() {
            Some("error") => Err(reply.refusal(client)),
            Some("success") | None => reply.grant(client, clock).and_then(Grant::of_login),
            Some(_) => return Ok(Poll::Pending),
        },
        DeviceFlow::Pairing => match approval(&reply, client) {
            Ok(None) => return Ok(Poll::Pending),
            Ok(Some(Approval { code, code_verifier })) => {
                let endpoints = client.endpoints.device.as_ref();
                let redirect_uri = endpoints.and_then(|endpoints| endpoints.redirect_uri.as_ref());
                let grant =
                    exchange(http, client, redirect_uri, &code, &code_verifier, clock).await;
                return after_exchange(grant);
            }
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(grant) => Ok(Poll::Granted(Box::new(grant))),
        Err(_) if !is_answer => {
            Ok(Poll::NoAnswer { reason: odd_answer(status), retry_after: None })
        }
        Err(error) => of_error_code(error),
    }
}

/// Sends the request of a poll. The inner error is that no answer of the server came.
async fn ask(
    http: &HttpClient,
    client: &Client,
    device: &DeviceAuthorization,
    clock: &Clock,
) -> Result<Result<Reply, TokenError>, TokenError> {
    let endpoints = client.endpoints.device.as_ref();
    let own_endpoint = endpoints.and_then(|endpoints| endpoints.token_endpoint.as_ref());
    let endpoint = own_endpoint.map_or_else(|| client.token_endpoint(), Ok)?;
    let (code, user_code) = (device.device_code.expose(), device.user_code.as_str());
    let (mut fields, format) = match device.flow {
        DeviceFlow::Standard => {
            let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
            let mut fields = vec![("grant_type", grant_type), ("device_code", code)];
            fields.extend(client.credentials());
            (fields, client.token_request_format)
        }
        DeviceFlow::Pairing => {
            let fields = vec![("device_auth_id", code), ("user_code", user_code)];
            (fields, TokenRequestFormat::Json)
        }
        DeviceFlow::UserCode => {
            let verifier = device.code_verifier.as_ref().map_or("", Secret::expose);
            let fields = vec![
                ("grant_type", "urn:ietf:params:oauth:grant-type:user_code"),
                ("client_id", client.id.as_str()),
                ("user_code", user_code),
                ("code_verifier", verifier),
            ];
            (fields, TokenRequestFormat::Form)
        }
    };
    if device.flow != DeviceFlow::Pairing {
        let further = client.token_parameters.iter().map(|(name, value)| (&**name, &**value));
        fields.extend(further);
    }
    Ok(post(http, endpoint, &fields, format, clock).await)
}

/// What a poll of the pairing flow gives once the user has approved.
struct Approval {
    code: Secret,
    code_verifier: Secret,
}

/// The approval in a poll of the pairing flow, whose 403 and 404 mean "not yet" unless an error
/// code says something else.
fn approval(reply: &Reply, client: &Client) -> Result<Option<Approval>, TokenError> {
    let is_not_yet = matches!(reply.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    if !reply.status.is_success() {
        let says_nothing = !names_error(&reply.codes());
        return if is_not_yet && says_nothing { Ok(None) } else { Err(reply.refusal(client)) };
    }
    let members = Members::of(&reply.text);
    let text = |name| members.text(name).map(Secret::new);
    match (text("authorization_code"), text("code_verifier")) {
        (Some(code), Some(code_verifier)) => Ok(Some(Approval { code, code_verifier })),
        (None, None) if !reply.codes().is_empty() => Err(reply.refusal(client)),
        _ => Err(TokenError::Unreadable("it is not an approval".to_owned())),
    }
}

/// The end of the exchange that follows an approval: without an answer of the server the approval
/// stands, and the next poll brings it again.
fn after_exchange(grant: Result<Grant, TokenError>) -> Result<Poll, TokenError> {
    match grant {
        Ok(grant) => Ok(Poll::Granted(Box::new(grant))),
        Err(TokenError::Unusable { reason, raw }) => {
            if is_answer(&String::from_utf8_lossy(raw.expose())) {
                return Err(TokenError::Unusable { reason, raw });
            }
            Ok(no_answer(&TokenError::Unusable { reason, raw }))
        }
        Err(
            error @ (TokenError::Unavailable { .. }
            | TokenError::Blocked { .. }
            | TokenError::Untrusted { .. }
            | TokenError::Unreadable(_)),
        ) => Ok(no_answer(&error)),
        Err(error) => Err(error),
    }
}

/// What a failure means that is not of the server's making.
fn no_answer(error: &TokenError) -> Poll {
    match error {
        TokenError::Unavailable {
            status: Some(StatusCode::TOO_MANY_REQUESTS),
            retry_after,
            ..
        } => Poll::SlowDown(*retry_after),
        TokenError::Unavailable {
            status: Some(StatusCode::NETWORK_AUTHENTICATION_REQUIRED),
            ..
        } => {
            let reason = odd_answer(StatusCode::NETWORK_AUTHENTICATION_REQUIRED);
            Poll::NoAnswer { reason, retry_after: None }
        }
        TokenError::Unavailable { retry_after, .. } => {
            Poll::NoAnswer { reason: error.to_string(), retry_after: *retry_after }
        }
        error => Poll::NoAnswer { reason: format!("{error} {PORTAL}"), retry_after: None },
    }
}

/// What may be the matter when somebody in between answers.
const PORTAL: &str = "(does this network have its own sign-in page?)";

/// An answer that the server has not made, as a sentence.
fn odd_answer(status: StatusCode) -> String {
    format!("the answer about the device code ({status}) is not one of RFC 8628 {PORTAL}")
}

/// What an error code of the server means.
fn of_error_code(error: TokenError) -> Result<Poll, TokenError> {
    let TokenError::Refused { code, .. } = &error else { return Err(error) };
    match PollCode::of(code) {
        PollCode::Pending => Ok(Poll::Pending),
        PollCode::SlowDown => Ok(Poll::SlowDown(None)),
        PollCode::ServerError => {
            Ok(Poll::NoAnswer { reason: error.to_string(), retry_after: None })
        }
        PollCode::Over => Err(error),
    }
}

/// Polls until the user has approved, an interval after the server was last asked and then
/// an interval apart; `device` tells the next process of both. A poll that brought no answer
/// of the server is repeated, less and less often (RFC 8628 section 3.5), until the code has
/// expired; the first time, `trouble` is sent what came.
///
/// # Errors
/// See [`TokenError`]; `expired_token` when the time is over.
pub async fn wait_for_approval(
    client: &Client,
    device: &mut DeviceAuthorization,
    trouble: oneshot::Sender<String>,
    clock: &Clock,
) -> Result<Grant, TokenError> {
    let http = client.http()?;
    let end = clock.instant() + device.lifetime;
    let mut trouble = Some(trouble);
    // How many polls in a row brought no answer, and what came in place of the last one.
    let (mut failures, mut last) = (0_u32, None);
    let mut pause = device.interval.saturating_sub(device.age(clock.now()));
    loop {
        let next = clock.instant() + pause;
        clock.sleep_until(next.min(end)).await;
        if next > end {
            return Err(too_late(last));
        }
        device.asked = clock.now();
        let poll = poll_device(&http, client, device, clock).await?;
        (failures, last) = match &poll {
            Poll::NoAnswer { reason, .. } => (failures + 1, Some(reason.clone())),
            _ => (0, None),
        };
        pause = match poll {
            Poll::Granted(grant) => return Ok(*grant),
            Poll::Pending => device.interval,
            Poll::SlowDown(wanted) => {
                device.interval += SLOWER;
                device.interval.max(wanted.unwrap_or_default().min(LONGEST_WANTED))
            }
            Poll::NoAnswer { reason, retry_after } => {
                if let Some(trouble) = trouble.take() {
                    // Whoever does not look any more has no use for it.
                    let _ = trouble.send(reason);
                }
                let doubled = device.interval.saturating_mul(2_u32.saturating_pow(failures));
                let default = doubled.min(LONGEST_PAUSE).max(device.interval);
                retry_after
                    .map_or(default, |wanted| wanted.min(LONGEST_WANTED).max(device.interval))
            }
        };
    }
}

/// The code has expired by our clock; `last` is what came in place of the last answer.
fn too_late(last: Option<String>) -> TokenError {
    let mut description = "the code was not approved in time".to_owned();
    if let Some(last) = last {
        description = format!("{description}, and the server could not be asked: {last}");
    }
    TokenError::refused("expired_token", Some(description))
}

impl DeviceAuthorization {
    /// How long ago the server was asked; nothing when the clock has gone back since.
    fn age(&self, now: Millis) -> Duration {
        Duration::from_millis(u64::try_from(now.saturating_sub(self.asked)).unwrap_or(0))
    }
}

/// The `status` of a reply of the user code flow.
fn status_member(text: &str) -> Option<String> {
    let members = Members::of(text);
    members.is_whole.then(|| members.text("status")).flatten()
}
