use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::device_request;
use super::http_connection::Response;
use super::request_record::RequestRecord;
use super::state::State;
use super::token_error::TokenError;
use super::token_response;

/// The token response, or the error in the style wanted.
pub(crate) fn answer(state: &mut State, issuer: &str, request: &RequestRecord) -> Response {
    if request.method != "POST" {
        return Response::text(405, "POST only\n").with_header("Allow", "POST");
    }
    match issue(state, issuer, request) {
        Ok(tokens) => Response::json(200, &tokens),
        Err(error) => match device_request::user_code_answer(request, &error) {
            Some(answer) => answer,
            None => error.response(state.want.error_style),
        },
    }
}

fn issue(state: &mut State, issuer: &str, request: &RequestRecord) -> Result<Value, TokenError> {
    if let Some(defect) = &request.defect {
        return Err(TokenError::invalid_request(defect));
    }
    check_client(state, request)?;
    let (grant, refresh_token) = match required(request, "grant_type")? {
        "authorization_code" => redeem_code(state, request)?,
        "refresh_token" => refresh(state, request)?,
        "urn:ietf:params:oauth:grant-type:device_code" => {
            let grant = device_request::poll(state, required(request, "device_code")?)?;
            granted(state, grant)
        }
        "urn:ietf:params:oauth:grant-type:user_code" => {
            let verifier = required(request, "code_verifier")?;
            let code = required(request, "user_code")?;
            let grant = device_request::poll_user_code(state, code, verifier)?;
            granted(state, grant)
        }
        other => return Err(TokenError::unsupported_grant_type(other)),
    };
    let refresh_token = refresh_token.as_deref();
    Ok(token_response::of(state, issuer, grant, refresh_token))
}

fn redeem_code(
    state: &mut State,
    request: &RequestRecord,
) -> Result<(usize, Option<String>), TokenError> {
    let code_verifier = required(request, "code_verifier")?;
    if !is_code_verifier(code_verifier) {
        return Err(TokenError::invalid_request(
            "The code_verifier is not 43 to 128 unreserved characters.",
        ));
    }
    let grant = state.grants.redeem(
        required(request, "code")?,
        &state.want.client_id,
        required(request, "redirect_uri")?,
        code_verifier,
    )?;
    Ok(granted(state, grant))
}

/// A new grant with its first refresh token.
fn granted(state: &mut State, grant: usize) -> (usize, Option<String>) {
    let has_refresh_token = state.want.include_refresh_token;
    (grant, has_refresh_token.then(|| state.grants.issue_refresh_token(grant)))
}

fn refresh(
    state: &mut State,
    request: &RequestRecord,
) -> Result<(usize, Option<String>), TokenError> {
    let State { want, grants, .. } = state;
    let posted = required(request, "refresh_token")?;
    let grant = grants.of_live_refresh_token(posted, &want.client_id)?;
    let answered = match (want.include_refresh_token_on_refresh, want.rotation) {
        (false, _) => None,
        (true, true) => Some(grants.rotate(grant)),
        (true, false) => Some(posted.to_owned()),
    };
    Ok((grant, answered))
}

fn required<'request>(
    request: &'request RequestRecord,
    name: &str,
) -> Result<&'request str, TokenError> {
    match request.parameter(name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(TokenError::invalid_request(format!("{name} is missing."))),
    }
}

fn check_client(state: &State, request: &RequestRecord) -> Result<(), TokenError> {
    let basic = basic_credentials(request);
    let (client_id, client_secret) = match &basic {
        Some((client_id, secret)) => (Some(client_id.as_str()), Some(secret.as_str())),
        None => (request.parameter("client_id"), request.parameter("client_secret")),
    };
    if client_id != Some(state.want.client_id.as_str()) {
        return Err(TokenError::invalid_client("The client_id is unknown."));
    }
    let wanted = state.want.client_secret.as_deref();
    if wanted.is_some() && client_secret != wanted {
        return Err(TokenError::invalid_client("The client_secret is wrong."));
    }
    Ok(())
}

fn basic_credentials(request: &RequestRecord) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (client_id, client_secret) = decoded.split_once(':')?;
    Some((form_decoded(client_id), form_decoded(client_secret)))
}

fn form_decoded(encoded: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(encoded.as_bytes());
    pairs.next().map(|(name, _)| name).unwrap_or_default().into()
}

fn is_code_verifier(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}
