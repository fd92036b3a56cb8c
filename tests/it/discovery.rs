//! Providers of which only the issuer is known.

use crate::support::authorization_server::{Endpoint, Fault, Want};
use crate::support::rig::{Finished, Rig};
use crate::support::user_agent::authorize;
use serde_json::{Value, json};
use url::Url;

fn rig(change: impl FnOnce(&mut Want)) -> Rig {
    let mut want = Want { client_id: "fake-client".into(), ..Want::default() };
    change(&mut want);
    let rig = Rig::with(want);
    file(&rig, &json!({}));
    rig
}

/// The provider file: the issuer, and what a test adds.
fn file(rig: &Rig, more: &Value) {
    let mut file = json!({
        "label": "Example",
        "clientId": "fake-client",
        "issuer": rig.server.url(),
        "redirect": {"ports": rig.ports},
    });
    for (name, value) in more.as_object().unwrap() {
        file[name] = value.clone();
    }
    rig.provider("example", &file);
}

fn sign_in(rig: &Rig, method: &str) -> Finished {
    let login = rig.start_sign_in(&["--provider", "example", "--method", method, "--json"]);
    if method == "browser" {
        assert_eq!(login.visit().status, 200);
    }
    login.finish()
}

fn refused(rig: &Rig, code: i32, message: &str) {
    let before = rig.tree();
    for method in ["browser", "device"] {
        let stderr = rig
            .run(&["models", "auth", "login", "--provider", "example", "--method", method])
            .failure(code);
        assert!(stderr.contains(message) && stderr.contains("hint: "), "{message}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
}

#[test]
fn the_issuer_alone_is_enough() {
    for method in ["browser", "device"] {
        let rig = rig(|_| {});
        let done = sign_in(&rig, method).json();
        assert_eq!(done["profileId"], "example:ada@example.test", "{method}");
        assert_eq!(done["refreshable"], true);
        let scopes = ["openid email offline_access"];
        let asked: Vec<_> = rig
            .server
            .requests()
            .iter()
            .filter_map(|request| request.parameter("scope").map(str::to_owned))
            .collect();
        assert_eq!(asked, scopes, "{method}: those of the usual ones that the server has");
        for request in rig.server.requests_at(Endpoint::Authorize) {
            // OpenID Connect Core section 11.
            assert_eq!(request.parameter("prompt"), Some("consent"));
        }
        assert_eq!(rig.server.requests_at(Endpoint::Metadata).len(), 1);
        rig.expire("example:ada@example.test");
        rig.run(&["models", "auth", "token", "--provider", "example"]).success();
        assert_eq!(rig.server.token_requests("refresh_token"), 1);
        rig.run(&["models", "auth", "logout", "example:ada@example.test"]).success();
        assert_eq!(rig.server.requests_at(Endpoint::Revoke).len(), 1);
        assert!(rig.server.live_refresh_tokens().is_empty());
    }
}

#[test]
fn what_a_file_says_goes_before_the_metadata() {
    let rig = rig(|_| {});
    file(&rig, &json!({"scopes": ["fake-scope"], "identity": {"subject": ["/sub"]}}));
    let done = sign_in(&rig, "browser").json();
    assert!(done["profileId"].as_str().unwrap().starts_with("example:id-"), "{done}");
    let requests = rig.server.requests_at(Endpoint::Authorize);
    assert_eq!(requests[0].parameter("scope"), Some("fake-scope"));
    assert_eq!(requests[0].parameter("prompt"), None);
}

#[test]
fn opaque_tokens_are_named_by_the_user_information() {
    let rig = rig(|want| {
        want.opaque_access_tokens = true;
        want.include_id_token = false;
    });
    let done = sign_in(&rig, "browser").json();
    assert_eq!(done["profileId"], "example:ada@example.test");
    assert_eq!(rig.server.requests_at(Endpoint::Userinfo).len(), 1);
    // A login does not depend on it.
    rig.server.inject_at(Endpoint::Userinfo, Fault::status(500));
    assert_eq!(sign_in(&rig, "browser").json()["profileId"], "example:default");
}

#[test]
fn user_information_of_another_user_than_the_id_token_is_not_used() {
    // The tokens do not name the account, and the user information does.
    let rig = rig(|_| {});
    file(&rig, &json!({"identity": {"email": ["/contact"]}}));
    let userinfo = |subject: Value| {
        let mut info = json!({"contact": "ada@example.test"});
        for (name, value) in subject.as_object().unwrap() {
            info[name] = value.clone();
        }
        rig.server.configure(|want| want.userinfo = info);
        let login = sign_in(&rig, "browser");
        let warned = login.stderr.contains("warning: the user information is not used: ");
        (login.json()["profileId"].as_str().unwrap().to_owned(), warned)
    };
    let named = ("example:ada@example.test".to_owned(), false);
    let unnamed = ("example:default".to_owned(), true);
    for subject in [json!({"sub": "fake-user-eve"}), json!({}), json!({"id": "fake-user-eve"})] {
        assert_eq!(userinfo(subject.clone()), unnamed, "{subject}");
    }
    // As Google's earlier endpoint spells it.
    for subject in [json!({"sub": "fake-user-ada"}), json!({"id": "fake-user-ada"})] {
        assert_eq!(userinfo(subject.clone()), named, "{subject}");
    }
    rig.server.configure(|want| want.include_id_token = false);
    assert_eq!(userinfo(json!({"sub": "fake-user-eve"})), named, "there is nothing to compare");
}

#[test]
fn an_issuer_with_a_path_has_its_metadata_in_either_place() {
    let rig = rig(|_| {});
    file(&rig, &json!({"issuer": format!("{}/tenant", rig.server.url())}));
    sign_in(&rig, "browser").success();
    rig.server.inject_at(Endpoint::Metadata, Fault::status(404));
    sign_in(&rig, "browser").success();
    let paths: Vec<_> =
        rig.server.requests_at(Endpoint::Metadata).into_iter().map(|found| found.path).collect();
    let openid = "/tenant/.well-known/openid-configuration";
    assert_eq!(paths, [openid, openid, "/.well-known/oauth-authorization-server/tenant"]);
}

#[test]
fn metadata_that_cannot_be_trusted_end_the_login() {
    for (metadata, message) in [
        (json!({"issuer": "https://other.example.test"}), "another issuer"),
        (json!({"issuer": null}), "cannot be read"),
        (json!({"token_endpoint": "http://as.example.test/token"}), "http://as.example.test/token"),
        (json!({"authorization_endpoint": "http://as.example.test/a"}), "neither https"),
        (json!({"device_authorization_endpoint": "http://as.example.test/d"}), "neither https"),
        (json!({"token_endpoint": null}), "token endpoint"),
        (json!({"token_endpoint": "not a URL"}), "cannot be read"),
        (json!({"code_challenge_methods_supported": ["plain"]}), "S256"),
    ] {
        refused(&rig(|want| want.metadata = metadata), 1, message);
    }
}

#[test]
fn metadata_that_cannot_be_had_say_so() {
    let rig = rig(|_| {});
    rig.server.inject_persistent(Endpoint::Metadata, Fault::status(404));
    refused(&rig, 1, "no metadata");
    rig.server.inject_persistent(Endpoint::Metadata, Fault::status(503));
    refused(&rig, 4, "503");
    rig.server.inject_persistent(Endpoint::Metadata, Fault::Html);
    refused(&rig, 1, "cannot be read");
    rig.server.inject_persistent(Endpoint::Metadata, Fault::DropBefore);
    refused(&rig, 4, "unavailable");
}

#[test]
fn a_way_that_the_server_has_not_is_told() {
    let rig = rig(|want| want.metadata = json!({"device_authorization_endpoint": null}));
    let device = ["models", "auth", "login", "--provider", "example", "--method", "device"];
    assert!(rig.run(&device).failure(1).contains("no such sign-in method"));
    sign_in(&rig, "browser").success();
}

#[test]
fn a_refresh_at_a_server_that_is_away_keeps_the_login() {
    let rig = rig(|_| {});
    sign_in(&rig, "browser").success();
    rig.expire("example:ada@example.test");
    let before = rig.document();
    rig.server.inject_at(Endpoint::Metadata, Fault::status(503));
    rig.run(&["models", "auth", "token", "--provider", "example"]).failure(4);
    assert_eq!(rig.document(), before);
    rig.let_pass(std::time::Duration::from_secs(5));
    rig.run(&["models", "auth", "token", "--provider", "example"]).success();
}

#[test]
fn a_slash_at_the_end_of_the_issuer_makes_no_difference() {
    let rig = rig(|_| {});
    let url = rig.server.url().to_owned();
    for (given, named) in [(format!("{url}/"), url.clone()), (url.clone(), format!("{url}/"))] {
        file(&rig, &json!({"issuer": given}));
        rig.server.configure(|want| {
            want.metadata = json!({"issuer": named});
            want.issuer_parameter = Some(named.clone());
        });
        sign_in(&rig, "browser").success();
    }
    rig.server.configure(|want| want.issuer_parameter = Some("https://other.example.test".into()));
    let login = rig.start_sign_in(&["--provider", "example", "--method", "browser"]);
    login.visit();
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("another authorization server"), "{stderr}");
}

#[test]
fn a_redirect_without_the_issuer_that_the_metadata_announce_is_refused() {
    let rig = rig(|want| {
        want.metadata = json!({"authorization_response_iss_parameter_supported": true});
    });
    let before = rig.tree();
    let browser = ["--provider", "example", "--method", "browser"];
    let login = rig.start_sign_in(&browser);
    assert!(login.visit().body.contains("did not complete"));
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("does not name the authorization server"), "{stderr}");
    assert_eq!(rig.tree(), before);

    // RFC 9207 section 2: a refusal names it, too; without it, it may be anybody's.
    rig.server.configure(|want| want.deny = true);
    let login = rig.start_sign_in(&browser);
    login.visit();
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("does not name") && !stderr.contains("access_denied"), "{stderr}");
    rig.server.configure(|want| want.deny = false);

    let start = ["models", "auth", "login", "start", "--provider", "example", "--json"];
    let started = rig.run(&start).json();
    let redirect = authorize(started["url"].as_str().unwrap());
    let finish = ["models", "auth", "login", "finish", "--redirect-url", "-"];
    let stderr = rig.run_with_input(&finish, &redirect).failure(2);
    assert!(stderr.contains("does not name the authorization server"), "{stderr}");
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());

    let issuer = rig.server.url().to_owned();
    rig.server.configure(|want| want.issuer_parameter = Some(issuer));
    sign_in(&rig, "browser").success();
}

#[test]
fn a_code_that_is_pasted_alone_needs_no_issuer() {
    let rig = rig(|want| {
        want.metadata = json!({"authorization_response_iss_parameter_supported": true});
    });
    let start = ["models", "auth", "login", "start", "--provider", "example", "--json"];
    let started = rig.run(&start).json();
    let redirect = Url::parse(&authorize(started["url"].as_str().unwrap())).unwrap();
    let code = redirect.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let finish = ["models", "auth", "login", "finish", "--redirect-url", &code];
    rig.run(&finish).success();
}
