use serde_json::json;

use super::http_connection::Response;
use super::request_record::RequestRecord;
use super::state::State;
use super::token_response::{seconds_since_epoch, set_members};
use super::want::Want;

/// The metadata of the server (OpenID Connect Discovery 1.0, RFC 8414). The issuer is the
/// server, with what stands before the well-known part of the path.
pub(crate) fn answer(state: &State, issuer: &str, request: &RequestRecord) -> Response {
    let openid = "/.well-known/openid-configuration";
    let rfc_8414 = "/.well-known/oauth-authorization-server";
    let tenant = match request.path.strip_suffix(openid) {
        Some(tenant) => tenant,
        None => request.path.strip_prefix(rfc_8414).unwrap_or_default(),
    };
    let mut metadata = json!({
        "issuer": format!("{issuer}{tenant}"),
        "authorization_endpoint": format!("{issuer}{tenant}/authorize"),
        "token_endpoint": format!("{issuer}{tenant}/token"),
        "revocation_endpoint": format!("{issuer}{tenant}/revoke"),
        "userinfo_endpoint": format!("{issuer}{tenant}/userinfo"),
        "device_authorization_endpoint": format!("{issuer}{tenant}/device/code"),
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email", "offline_access", "fake-scope"],
    });
    set_members(&mut metadata, &state.want.metadata);
    Response::json(200, &metadata)
}

/// The user information for an access token of this server.
pub(crate) fn answer_userinfo(state: &State, request: &RequestRecord) -> Response {
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    match bearer.and_then(|token| state.grants.of_token(token)) {
        Some(_) => Response::json(200, &state.want.userinfo),
        None => Response::text(401, "no access token\n"),
    }
}

/// The `Date` of an answer, by the server's clock.
pub(crate) fn date(want: &Want) -> String {
    let seconds = i64::try_from(seconds_since_epoch(want)).expect("a time");
    let now = jiff::Timestamp::from_second(seconds).expect("a time");
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer.timestamp_to_rfc9110_string(&now).expect("a date")
}
