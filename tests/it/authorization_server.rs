//! The authorization server that the other tests rely on does what they rely on.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod faults;
mod login;
mod many_clients;
mod refresh;
mod revocation;
mod support_parts;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::support::authorization_server::{Account, AuthorizationServer, Want};
use crate::support::user_agent::{self, Visit};

/// The pair of RFC 7636 appendix B.
const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT_URI: &str = "http://localhost:1455/auth/callback";
const LONG: Duration = Duration::from_secs(20);

fn client_id() -> String {
    Want::default().client_id
}

fn server() -> AuthorizationServer {
    AuthorizationServer::start(Want::default())
}

/// A server, and a live refresh token of it.
fn server_with_grant() -> (AuthorizationServer, String) {
    let server = server();
    let tokens = server.issue_tokens(&Account::of_email("ada@example.test"));
    let refresh_token = text(&tokens, "refresh_token");
    (server, refresh_token)
}

/// An authorization URL that is right but for the parameters given; an empty one is left out.
fn authorization_url(server: &AuthorizationServer, changes: &[(&str, &str)]) -> String {
    let client_id = client_id();
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", &client_id),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid offline_access"),
        ("code_challenge", CODE_CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "fake state"),
    ];
    parameters.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    parameters.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    Url::parse_with_params(&server.authorization_endpoint(), parameters).unwrap().into()
}

/// Consents to an authorization request, and returns the code.
fn log_in(server: &AuthorizationServer) -> String {
    let location = user_agent::authorize(&authorization_url(server, &[]));
    response_parameter(&location, "code").unwrap()
}

fn response_parameter(location: &str, name: &str) -> Option<String> {
    let location = Url::parse(location).unwrap();
    let mut pairs = location.query_pairs();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn redeem(server: &AuthorizationServer, code: &str, code_verifier: &str) -> Visit {
    user_agent::post_form(
        &server.token_endpoint(),
        &[
            ("grant_type", "authorization_code"),
            ("client_id", &client_id()),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", code_verifier),
        ],
    )
}

fn refresh(server: &AuthorizationServer, refresh_token: &str) -> Visit {
    user_agent::post_form(
        &server.token_endpoint(),
        &[
            ("grant_type", "refresh_token"),
            ("client_id", &client_id()),
            ("refresh_token", refresh_token),
        ],
    )
}

/// Posts a refresh as bytes, and returns every byte that comes back.
fn raw_refresh(server: &AuthorizationServer, refresh_token: &str) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &client_id())
        .append_pair("refresh_token", refresh_token)
        .finish();
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    user_agent::request(server.address(), request.as_bytes())
}

fn json(visit: &Visit) -> Value {
    serde_json::from_str(&visit.body).unwrap_or_else(|error| panic!("{error}: {visit:?}"))
}

fn tokens(visit: &Visit) -> Value {
    assert_eq!(visit.status, 200, "{visit:?}");
    json(visit)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn claims(jwt: &str) -> Value {
    let parts: Vec<&str> = jwt.split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[2], "fake-signature");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

#[track_caller]
fn assert_invalid_grant(visit: &Visit) {
    assert_eq!(visit.status, 400, "{visit:?}");
    assert_eq!(json(visit)["error"], "invalid_grant");
}
