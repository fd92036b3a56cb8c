//! Device authorization: RFC 8628, and two kindred flows that providers have of their own,
//! told apart by the path.

use serde_json::{Value, json};

use super::grant::{AuthorizationCode, s256};
use super::http_connection::Response;
use super::request_record::RequestRecord;
use super::state::State;
use super::token_error::TokenError;
use super::token_response::{seconds_since_epoch, set_members};
use super::want::DeviceUser;

/// Where the code of a pairing belongs to.
const PAIRING_REDIRECT: &str = "https://auth.openai.com/deviceauth/callback";

/// A device authorization that was begun.
pub(crate) struct DeviceAuthorization {
    device_code: String,
    user_code: String,
    scope: String,
    /// The PKCE challenge of the flow that has one.
    code_challenge: Option<String>,
    is_spent: bool,
}

/// The device authorization response of the flow that belongs to the path.
pub(crate) fn answer(state: &mut State, issuer: &str, request: &RequestRecord) -> Response {
    let refused = |error: TokenError| error.response(super::ErrorStyle::Standard);
    if let Some(defect) = &request.defect {
        return refused(TokenError::invalid_request(defect));
    }
    if request.parameter("client_id") != Some(state.want.client_id.as_str()) {
        return refused(TokenError::invalid_client("The client_id is unknown."));
    }
    let (is_pairing, is_user_code) =
        (request.path.ends_with("/usercode"), request.path.ends_with("/oauth/code"));
    if is_user_code && request.parameter("code_challenge_method") != Some("S256") {
        return refused(TokenError::invalid_request("code_challenge_method is not S256"));
    }
    let number = state.devices.len() + 1;
    let device = DeviceAuthorization {
        device_code: state.grants.fresh("fake-device-code"),
        user_code: format!("FAKE-{number:04}"),
        scope: request.parameter("scope").unwrap_or_default().to_owned(),
        code_challenge: request.parameter("code_challenge").map(str::to_owned),
        is_spent: false,
    };
    let want = &state.want.device;
    let mut response = if is_pairing {
        json!({
            "device_auth_id": device.device_code,
            "user_code": device.user_code,
            "interval": want.interval,
        })
    } else if is_user_code {
        let now = i64::try_from(seconds_since_epoch(&state.want)).expect("a time");
        json!({
            "user_code": device.user_code,
            "verification_uri": format!("{issuer}/verify"),
            "expired_in": (now + want.lifetime) * 1_000,
            "interval": want.interval,
            "state": request.parameter("state"),
        })
    } else {
        json!({
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": format!("{issuer}/verify"),
            "verification_uri_complete": format!("{issuer}/verify?code={}", device.user_code),
            "expires_in": want.lifetime,
            "interval": want.interval,
        })
    };
    if want.interval.is_null() {
        set_members(&mut response, &json!({"interval": null}));
    }
    set_members(&mut response, &want.response);
    state.devices.push(device);
    Response::json(200, &response)
}

/// What the next poll finds: the grant of an approval, or an error code.
fn next(state: &mut State, found: Option<usize>) -> Result<usize, &'static str> {
    let Some(index) = found.filter(|index| !state.devices[*index].is_spent) else {
        return Err("invalid_grant");
    };
    if !state.want.device.first_polls.is_empty() {
        return Err(state.want.device.first_polls.remove(0));
    }
    match state.want.device.user {
        DeviceUser::Waits => Err("authorization_pending"),
        DeviceUser::Denies => Err("access_denied"),
        DeviceUser::IsTooLate => Err("expired_token"),
        DeviceUser::Approves => {
            state.devices[index].is_spent = true;
            let (account, client_id) = (state.want.account.clone(), state.want.client_id.clone());
            let scope = state.devices[index].scope.clone();
            Ok(state.grants.begin(account, client_id, &scope))
        }
    }
}

/// A poll of the token endpoint by device code (RFC 8628 section 3.4).
pub(crate) fn poll(state: &mut State, device_code: &str) -> Result<usize, TokenError> {
    let found = state.devices.iter().position(|device| device.device_code == device_code);
    let status = if state.want.device.errors_are_ok { 200 } else { 400 };
    next(state, found).map_err(|error| TokenError::of_poll(status, error))
}

/// A poll of the token endpoint by user code and PKCE verifier.
pub(crate) fn poll_user_code(
    state: &mut State,
    user_code: &str,
    code_verifier: &str,
) -> Result<usize, TokenError> {
    let found = state.devices.iter().position(|device| device.user_code == user_code);
    let challenge = found.and_then(|index| state.devices[index].code_challenge.clone());
    if challenge != Some(s256(code_verifier)) {
        return Err(TokenError::invalid_grant("invalid_grant", "The code_verifier is wrong."));
    }
    next(state, found).map_err(|error| TokenError::of_poll(200, error))
}

/// How the flow with user codes words a poll that gives no grant; `None` for other requests.
pub(crate) fn user_code_answer(request: &RequestRecord, error: &TokenError) -> Option<Response> {
    let grant_type = request.parameter("grant_type");
    if grant_type != Some("urn:ietf:params:oauth:grant-type:user_code") {
        return None;
    }
    let body = match error.code() {
        "authorization_pending" | "slow_down" => json!({"status": "pending"}),
        code => json!({"status": "error", "base_resp": {"status_code": 1004, "status_msg": code}}),
    };
    Some(Response::json(200, &body))
}

/// A poll of the pairing flow: the approval is a code with its verifier.
pub(crate) fn answer_pairing(state: &mut State, request: &RequestRecord) -> Response {
    let given = |name: &str| request.parameter(name).unwrap_or_default().to_owned();
    let (device_code, user_code) = (given("device_auth_id"), given("user_code"));
    let is_it = |device: &DeviceAuthorization| {
        device.device_code == device_code && device.user_code == user_code
    };
    let found = state.devices.iter().position(is_it);
    let grant = match next(state, found) {
        Ok(grant) => grant,
        Err("authorization_pending") => return Response::text(403, "{}"),
        Err("slow_down") => return Response::text(404, ""),
        Err(error) => {
            let body: Value = json!({"error": {"message": "It is over.", "code": error}});
            return Response::json(400, &body);
        }
    };
    let code_verifier = format!("{}-{}", state.grants.fresh("fake-verifier"), "x".repeat(43));
    let code = AuthorizationCode::new(
        state.want.client_id.clone(),
        PAIRING_REDIRECT.to_owned(),
        s256(&code_verifier),
        state.grants.get(grant).account.clone(),
        "openid".to_owned(),
        std::time::Instant::now() + state.want.code_lifetime,
    );
    let code = state.grants.issue_code(code);
    Response::json(200, &json!({"authorization_code": code, "code_verifier": code_verifier}))
}
