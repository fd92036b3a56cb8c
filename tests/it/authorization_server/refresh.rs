use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{
    assert_invalid_grant, claims, client_id, refresh, server, server_with_grant, text, tokens,
};
use crate::support::authorization_server::{
    Account, AuthorizationServer, BodyFormat, Endpoint, ErrorStyle,
};
use crate::support::user_agent::{self, Visit};

fn refresh_with_json(server: &AuthorizationServer, parameters: &serde_json::Value) -> Visit {
    let body = parameters.to_string();
    user_agent::post(&server.token_endpoint(), "application/json", &body)
}

#[test]
fn a_refresh_rotates_the_refresh_token() {
    let (server, first) = server_with_grant();
    let tokens = tokens(&refresh(&server, &first));
    let second = text(&tokens, "refresh_token");
    assert!(second.starts_with("fake-refresh-"));
    assert_ne!(first, second);
    assert!(!server.is_alive(&first));
    assert_eq!(server.live_refresh_tokens(), [second]);
    assert_eq!(server.grant_of(&first).unwrap().access_tokens.len(), 2);
}

#[test]
fn posting_a_rotated_refresh_token_revokes_the_grant() {
    let (server, first) = server_with_grant();
    let second = text(&tokens(&refresh(&server, &first)), "refresh_token");
    assert_eq!(server.reuse_attempts(), 0);
    assert_invalid_grant(&refresh(&server, &first));
    assert_eq!(server.reuse_attempts(), 1);
    assert!(server.grant_of(&first).unwrap().revoked);
    assert!(server.live_refresh_tokens().is_empty());
    assert_invalid_grant(&refresh(&server, &second));
}

#[test]
fn reuse_leaves_other_grants_alone() {
    let (server, first) = server_with_grant();
    let other = server.issue_tokens(&Account::of_email("grace@example.test"));
    refresh(&server, &first);
    refresh(&server, &first);
    assert!(server.is_alive(&text(&other, "refresh_token")));
}

#[test]
fn a_refresh_may_answer_without_a_refresh_token() {
    let (server, first) = server_with_grant();
    server.configure(|want| want.include_refresh_token_on_refresh = false);
    assert_eq!(tokens(&refresh(&server, &first)).get("refresh_token"), None);
    assert!(server.is_alive(&first));
}

#[test]
fn without_rotation_the_refresh_token_is_repeated() {
    let (server, first) = server_with_grant();
    server.configure(|want| want.rotation = false);
    assert_eq!(text(&tokens(&refresh(&server, &first)), "refresh_token"), first);
    assert!(server.is_alive(&first));
}

#[test]
fn the_lifetime_of_access_tokens_follows_the_configuration() {
    let (server, first) = server_with_grant();
    server.configure(|want| want.access_token_lifetime = 5);
    let tokens = tokens(&refresh(&server, &first));
    let claims = claims(&text(&tokens, "access_token"));
    assert_eq!(tokens["expires_in"], 5);
    assert_eq!(claims["exp"], claims["iat"].as_u64().unwrap() + 5);
}

#[test]
fn nested_errors_say_what_became_of_the_refresh_token() {
    let (server, first) = server_with_grant();
    server.configure(|want| want.error_style = ErrorStyle::Nested);
    let code_of = |visit: &Visit| {
        assert_eq!(visit.status, 401);
        let error = super::json(visit)["error"].clone();
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error["message"].is_string());
        text(&error, "code")
    };
    let second = text(&tokens(&refresh(&server, &first)), "refresh_token");
    server.expire_refresh_tokens();
    assert_eq!(code_of(&refresh(&server, &second)), "refresh_token_expired");
    assert_eq!(code_of(&refresh(&server, &first)), "refresh_token_reused");
    assert_eq!(code_of(&refresh(&server, &second)), "refresh_token_invalidated");
}

#[test]
fn json_bodies_are_accepted() {
    let (server, first) = server_with_grant();
    tokens(&refresh_with_json(
        &server,
        &json!({
            "grant_type": "refresh_token",
            "client_id": client_id(),
            "refresh_token": first,
        }),
    ));
    let [request] = &server.requests_at(Endpoint::Token)[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(request.format, BodyFormat::Json);
    assert_eq!(request.parameter("refresh_token"), Some(first.as_str()));
}

#[test]
fn bodies_of_another_type_are_refused() {
    let server = server();
    let visit = user_agent::post(&server.token_endpoint(), "text/plain", "grant_type");
    assert_eq!(visit.status, 400);
    assert_eq!(super::json(&visit)["error"], "invalid_request");
    assert_eq!(server.requests()[0].format, BodyFormat::Unknown);
    assert!(server.requests()[0].defect.is_some());
}

#[test]
fn the_client_secret_is_checked_when_there_is_one() {
    let (server, first) = server_with_grant();
    server.configure(|want| want.client_secret = Some("fake-client-secret".to_owned()));
    let mut parameters = json!({
        "grant_type": "refresh_token",
        "client_id": client_id(),
        "refresh_token": first,
    });
    let refused = refresh_with_json(&server, &parameters);
    assert_eq!(refused.status, 401);
    assert_eq!(super::json(&refused)["error"], "invalid_client");
    parameters["client_secret"] = json!("fake-client-secret");
    let refreshed = tokens(&refresh_with_json(&server, &parameters));
    let posted = text(&refreshed, "refresh_token");
    let answer = refresh_with_basic(&server, &posted, "fake-client-secret");
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

fn refresh_with_basic(server: &AuthorizationServer, refresh_token: &str, secret: &str) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("{}:{secret}", client_id()));
    let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
    let request = format!(
        "POST /token HTTP/1.1\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    user_agent::request(server.address(), request.as_bytes())
}
