use std::time::Duration;

use super::{
    CODE_VERIFIER, REDIRECT_URI, assert_invalid_grant, authorization_url, claims, client_id, json,
    log_in, redeem, response_parameter, server, text, tokens,
};
use crate::support::authorization_server::{Account, BodyFormat, Endpoint};
use crate::support::user_agent;

#[test]
fn consent_redirects_with_a_code_and_the_state() {
    let server = server();
    let location = user_agent::authorize(&authorization_url(&server, &[]));
    assert!(location.starts_with(REDIRECT_URI));
    assert_eq!(response_parameter(&location, "state").as_deref(), Some("fake state"));
    assert!(response_parameter(&location, "code").is_some());
    assert_eq!(response_parameter(&location, "iss"), None);
}

#[test]
fn denial_redirects_with_access_denied() {
    let server = server();
    server.configure(|want| {
        want.deny = true;
        want.issuer_parameter = Some("https://issuer.test".to_owned());
    });
    let location = user_agent::authorize(&authorization_url(&server, &[]));
    let parameter = |name| response_parameter(&location, name);
    assert_eq!(parameter("error").as_deref(), Some("access_denied"));
    assert!(parameter("error_description").is_some());
    assert_eq!(parameter("iss").as_deref(), Some("https://issuer.test"));
    assert_eq!(parameter("code"), None);
}

#[test]
fn a_wrong_authorization_request_is_refused_without_a_redirect() {
    let server = server();
    for change in [
        ("response_type", "token"),
        ("client_id", "someone"),
        ("redirect_uri", "https://example.test/callback"),
        ("redirect_uri", "http://example.test/callback"),
        ("code_challenge", ""),
        ("code_challenge", "short"),
        ("code_challenge_method", "plain"),
        ("code_challenge_method", ""),
        ("state", ""),
    ] {
        let visit = user_agent::follow(&authorization_url(&server, &[change]));
        assert_eq!(visit.status, 400, "{change:?}");
        assert!(visit.body.contains(change.0), "{change:?}: {}", visit.body);
    }
    let repeated = format!("{}&state=again", authorization_url(&server, &[]));
    assert!(user_agent::follow(&repeated).body.contains("repeated"));
}

#[test]
fn a_code_with_its_verifier_gets_tokens_of_the_account() {
    let server = server();
    let tokens = tokens(&redeem(&server, &log_in(&server), CODE_VERIFIER));
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["scope"], "openid offline_access");
    let access_token = text(&tokens, "access_token");
    let claims = claims(&access_token);
    assert_eq!(claims["iss"], server.url());
    assert_eq!(claims["sub"], "fake-user-ada");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    let auth = &claims["https://api.openai.com/auth"];
    assert_eq!(auth["chatgpt_account_id"], "fake-account-ada");
    assert_eq!(auth["chatgpt_user_id"], "fake-user-ada");
    assert_eq!(auth["chatgpt_account_user_id"], "fake-user-ada__fake-account-ada");
    let profile = &claims["https://api.openai.com/profile"];
    assert_eq!(profile["email"], "ada@example.test");
    let id_token = super::claims(&text(&tokens, "id_token"));
    assert_eq!(id_token["aud"], client_id());
    let grant = server.grant_of(&access_token).unwrap();
    assert_eq!(grant.account, Account::of_email("ada@example.test"));
    assert_eq!(grant.client_id, client_id());
    assert_eq!(grant.scope, "openid offline_access");
    assert_eq!(grant.access_tokens, [access_token]);
    assert_eq!(grant.refresh_tokens(), [text(&tokens, "refresh_token")]);
}

#[test]
fn a_code_with_a_wrong_verifier_is_refused() {
    let server = server();
    let code = log_in(&server);
    assert_invalid_grant(&redeem(&server, &code, &"a".repeat(43)));
    let ill_formed = redeem(&server, &code, "too short");
    assert_eq!(json(&ill_formed)["error"], "invalid_request");
    assert!(server.live_refresh_tokens().is_empty());
}

#[test]
fn spending_a_code_twice_revokes_its_grant() {
    let server = server();
    let code = log_in(&server);
    let tokens = tokens(&redeem(&server, &code, CODE_VERIFIER));
    let refresh_token = text(&tokens, "refresh_token");
    assert!(server.is_alive(&refresh_token));
    assert_invalid_grant(&redeem(&server, &code, CODE_VERIFIER));
    assert!(!server.is_alive(&refresh_token));
}

#[test]
fn a_code_expires() {
    let server = server();
    server.configure(|want| want.code_lifetime = Duration::ZERO);
    assert_invalid_grant(&redeem(&server, &log_in(&server), CODE_VERIFIER));
}

#[test]
fn a_code_is_bound_to_its_redirect_uri() {
    let server = server();
    let location = user_agent::authorize(&authorization_url(
        &server,
        &[("redirect_uri", "http://127.0.0.1:1/other")],
    ));
    let code = response_parameter(&location, "code").unwrap();
    assert_invalid_grant(&redeem(&server, &code, CODE_VERIFIER));
}

#[test]
fn a_code_keeps_the_account_that_consented() {
    let server = server();
    let code = log_in(&server);
    let mut other = Account::of_email("grace@example.test");
    other.email = None;
    other.account_id = None;
    server.configure(|want| {
        want.account = other;
        want.opaque_access_tokens = true;
        want.include_expires_in = false;
        want.include_id_token = false;
    });
    let first = tokens(&redeem(&server, &code, CODE_VERIFIER));
    let second = tokens(&redeem(&server, &log_in(&server), CODE_VERIFIER));
    let subject_of = |tokens| {
        let grant = server.grant_of(&text(tokens, "refresh_token"));
        grant.unwrap().account.subject
    };
    assert_eq!(subject_of(&first), "fake-user-ada");
    assert_eq!(subject_of(&second), "fake-user-grace");
    assert!(text(&second, "access_token").starts_with("fake-access-"));
    assert_eq!(second.get("expires_in"), None);
    assert_eq!(second.get("id_token"), None);
}

#[test]
fn requests_are_recorded_with_their_parameters() {
    let server = server();
    let code = log_in(&server);
    redeem(&server, &code, CODE_VERIFIER);
    let [authorization, token] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert_eq!(authorization.endpoint, Endpoint::Authorize);
    assert_eq!(authorization.method, "GET");
    assert_eq!(authorization.path, "/authorize");
    assert_eq!(authorization.format, BodyFormat::Query);
    assert_eq!(authorization.parameter("redirect_uri"), Some(REDIRECT_URI));
    assert_eq!(token.endpoint, Endpoint::Token);
    assert_eq!(token.format, BodyFormat::Form);
    assert_eq!(token.parameter("code_verifier"), Some(CODE_VERIFIER));
    assert_eq!(token.header("connection"), Some("close"));
    assert_eq!(token.defect, None);
    assert!(token.received_at >= authorization.received_at);
    assert_eq!(server.token_requests("authorization_code"), 1);
    assert_eq!(server.token_requests("refresh_token"), 0);
}
