use super::{assert_invalid_grant, client_id, refresh, server, server_with_grant};
use crate::support::authorization_server::{Account, Endpoint, Fault};
use crate::support::user_agent;

#[test]
fn revoking_a_refresh_token_revokes_its_grant() {
    let (server, refresh_token) = server_with_grant();
    let visit = user_agent::post_form(
        &server.revocation_endpoint(),
        &[
            ("token", &refresh_token),
            ("token_type_hint", "refresh_token"),
            ("client_id", &client_id()),
        ],
    );
    assert_eq!((visit.status, visit.body.as_str()), (200, ""));
    assert!(!server.is_alive(&refresh_token));
    assert_invalid_grant(&refresh(&server, &refresh_token));
    let [request] = &server.requests_at(Endpoint::Revoke)[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(request.parameter("token"), Some(refresh_token.as_str()));
    assert_eq!(request.parameter("token_type_hint"), Some("refresh_token"));
    assert_eq!(request.parameter("client_id"), Some(client_id().as_str()));
}

#[test]
fn revoking_an_unknown_token_is_answered_with_200() {
    let server = server();
    let visit = user_agent::post_form(&server.revocation_endpoint(), &[("token", "unknown")]);
    assert_eq!(visit.status, 200);
}

#[test]
fn a_fault_at_the_revocation_endpoint_leaves_the_grant_alive() {
    let (server, refresh_token) = server_with_grant();
    server.inject_at(Endpoint::Revoke, Fault::status(503));
    let parameters = [("token", refresh_token.as_str())];
    let visit = user_agent::post_form(&server.revocation_endpoint(), &parameters);
    assert_eq!(visit.status, 503);
    assert!(server.is_alive(&refresh_token));
}

#[test]
fn revoking_all_leaves_no_refresh_token_alive() {
    let (server, _) = server_with_grant();
    server.issue_tokens(&Account::of_email("grace@example.test"));
    assert_eq!(server.live_refresh_tokens().len(), 2);
    server.revoke_all();
    assert!(server.live_refresh_tokens().is_empty());
}
