use std::time::Instant;

use url::{Host, Url};

use super::grant::AuthorizationCode;
use super::http_connection::Response;
use super::request_record::RequestRecord;
use super::state::State;

/// The authorization response: consent or denial, at once, to the redirect URI.
pub(crate) fn answer(state: &mut State, request: &RequestRecord) -> Response {
    match redirect(state, request) {
        Ok(location) => Response::redirect(location.as_str()),
        Err(refusal) => {
            Response::text(400, &format!("The authorization request is refused: {refusal}\n"))
        }
    }
}

fn redirect(state: &mut State, request: &RequestRecord) -> Result<Url, String> {
    if request.method != "GET" {
        return Err("it is not a GET".to_owned());
    }
    if let Some(defect) = &request.defect {
        return Err(defect.clone());
    }
    let required = |name: &str| match request.parameter(name) {
        Some(value) if !value.is_empty() => Ok(value),
        _ => Err(format!("{name} is missing")),
    };
    if required("response_type")? != "code" {
        return Err("response_type is not code".to_owned());
    }
    if required("client_id")? != state.want.client_id {
        return Err("client_id is unknown".to_owned());
    }
    if required("code_challenge_method")? != "S256" {
        return Err("code_challenge_method is not S256".to_owned());
    }
    let code_challenge = required("code_challenge")?;
    if !is_s256_challenge(code_challenge) {
        return Err("code_challenge is not 43 characters of base64url".to_owned());
    }
    let redirect_uri = required("redirect_uri")?;
    let mut location = loopback_redirect(redirect_uri)?;
    let response_state = required("state")?;
    let want = &state.want;
    let mut response = Vec::new();
    if want.deny {
        response.push(("error", "access_denied".to_owned()));
        response.push(("error_description", want.deny_description.clone()));
    } else {
        let code = state.grants.issue_code(AuthorizationCode::new(
            want.client_id.clone(),
            redirect_uri.to_owned(),
            code_challenge.to_owned(),
            want.account.clone(),
            request.parameter("scope").unwrap_or("openid").to_owned(),
            Instant::now() + want.code_lifetime,
        ));
        response.push(("code", code));
    }
    response.push(("state", response_state.to_owned()));
    if let Some(issuer) = &want.issuer_parameter {
        response.push(("iss", issuer.clone()));
    }
    location.query_pairs_mut().extend_pairs(response);
    Ok(location)
}

fn is_s256_challenge(code_challenge: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    code_challenge.len() == 43 && code_challenge.bytes().all(is_base64url)
}

fn loopback_redirect(redirect_uri: &str) -> Result<Url, String> {
    let uri = Url::parse(redirect_uri).map_err(|error| format!("redirect_uri: {error}"))?;
    let is_loopback = match uri.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if uri.scheme() == "http" && is_loopback && uri.fragment().is_none() {
        Ok(uri)
    } else {
        Err("redirect_uri is not an http loopback address".to_owned())
    }
}
