//! Clients that are not the same for everybody: from variables, and from an installed
//! program.

use crate::support::authorization_server::{Endpoint, Want};
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, RunningLogin};
use crate::support::user_agent::authorize;
use serde_json::json;
use std::process::Command;

fn rig(provider: &str, id: &str, secret: Option<&str>) -> Rig {
    let rig = Rig::with(Want {
        client_id: id.into(),
        client_secret: secret.map(str::to_owned),
        ..Want::default()
    });
    rig.redirect(provider);
    rig
}

fn login(rig: &Rig, provider: &str, change: impl FnOnce(&mut Command)) -> Finished {
    let mut command = rig.command(&["models", "auth", "login", "--provider", provider]);
    change(&mut command);
    let login = RunningLogin::start_here(command.here());
    assert_eq!(login.visit().status, 200);
    login.finish()
}

/// An installed Gemini CLI that carries a client.
fn install(rig: &Rig, id: &str) -> std::path::PathBuf {
    let package = "installed/lib/node_modules/@google/gemini-cli";
    rig.write(&format!("{package}/package.json"), "{}");
    rig.write(&format!("{package}/bundle/gemini.js"), "// nothing here");
    let source = format!("var OAUTH_CLIENT_ID = '{id}', OAUTH_CLIENT_SECRET = 'fake-secret-1';");
    rig.write(&format!("{package}/bundle/chunk-2.js"), &source);
    let bin = rig.path("installed/bin");
    std::fs::create_dir_all(&bin).unwrap();
    let command = bin.join("gemini");
    if !command.exists() {
        std::os::unix::fs::symlink(rig.path(&format!("{package}/bundle/gemini.js")), command)
            .unwrap();
    }
    bin
}

#[test]
fn a_client_that_nobody_names_is_asked_for_by_its_variable() {
    for (provider, variable) in
        [("chutes", "CHUTES_CLIENT_ID"), ("google-gemini-cli", "GEMINI_CLI_OAUTH_CLIENT_ID")]
    {
        let rig = rig(provider, "fake-client", None);
        let before = rig.tree();
        let stderr = rig.run(&["models", "auth", "login", "--provider", provider]).failure(1);
        assert!(stderr.contains(variable) && stderr.contains("client identifier"), "{stderr}");
        assert!(stderr.contains("hint: "), "{stderr}");
        assert_eq!(rig.tree(), before);
        assert!(rig.server.requests().is_empty());
    }
}

#[test]
fn a_refresh_uses_the_client_of_the_login_whatever_the_variable_says_now() {
    let rig = rig("chutes", "fake-client-1", None);
    login(&rig, "chutes", |command| {
        command.env("CHUTES_CLIENT_ID", "fake-client-1");
    })
    .success();
    let profile = rig.document()["profiles"].as_object().unwrap().keys().next().unwrap().clone();
    for variable in [None, Some("fake-client-2")] {
        rig.expire(&profile);
        let mut command = rig.command(&["models", "auth", "token", "--profile", &profile]);
        command.envs(variable.map(|value| ("CHUTES_CLIENT_ID", value)));
        command.finish_here().success();
        let requests = rig.server.requests_at(Endpoint::Token);
        assert_eq!(requests.last().unwrap().parameter("client_id"), Some("fake-client-1"));
    }
}

#[test]
fn two_steps_use_the_client_of_the_first() {
    let rig = rig("chutes", "fake-client-1", None);
    let mut start = rig.command(&["models", "auth", "login", "start", "--provider", "chutes"]);
    start.arg("--json").env("CHUTES_CLIENT_ID", "fake-client-1");
    let started = start.finish_here().json();
    let redirect = authorize(started["url"].as_str().unwrap());
    let finish = ["models", "auth", "login", "finish", "--redirect-url", &redirect];
    rig.run(&finish).success();
    let profiles = rig.document()["profiles"].clone();
    let (_, entry) = profiles.as_object().unwrap().iter().next().unwrap();
    assert_eq!(entry["clientId"], "fake-client-1");
}

#[test]
fn the_client_of_an_installed_program_signs_in_and_refreshes() {
    let provider = "google-gemini-cli";
    let rig = rig(provider, "fake-client-1", Some("fake-secret-1"));
    let bin = install(&rig, "fake-client-1");
    login(&rig, provider, |command| {
        command.env("PATH", &bin);
    })
    .success();
    let profile = "google-gemini-cli:ada@example.test";
    assert_eq!(rig.document()["profiles"][profile]["clientId"], "fake-client-1");
    // Somebody sets the variables for another client: this login keeps its own.
    rig.expire(profile);
    let mut command = rig.command(&["models", "auth", "token", "--profile", profile]);
    command.env("PATH", &bin).env("GEMINI_CLI_OAUTH_CLIENT_ID", "fake-client-2");
    command.env("GEMINI_CLI_OAUTH_CLIENT_SECRET", "fake-secret-2");
    command.finish_here().success();
    let requests = rig.server.requests_at(Endpoint::Token);
    let last = requests.last().unwrap();
    assert_eq!(last.parameter("client_id"), Some("fake-client-1"));
    assert_eq!(last.parameter("client_secret"), Some("fake-secret-1"));
}

#[test]
fn a_redirect_and_scopes_of_ones_own_come_from_variables() {
    let rig = rig("chutes", "fake-client", None);
    let port = rig.ports[1];
    let redirect_uri = format!("http://127.0.0.1:{port}/own/path");
    login(&rig, "chutes", |command| {
        command.env("CHUTES_CLIENT_ID", "fake-client").env("CHUTES_OAUTH_SCOPES", " openid  x ");
        command.env("CHUTES_OAUTH_REDIRECT_URI", &redirect_uri);
    })
    .success();
    let requests = rig.server.requests_at(Endpoint::Authorize);
    assert_eq!(requests[0].parameter("redirect_uri"), Some(redirect_uri.as_str()));
    assert_eq!(requests[0].parameter("scope"), Some("openid x"));
    for wrong in ["https://example.test/cb", "http://127.0.0.1/cb", "http://10.0.0.1:1/cb", "x"] {
        let mut command = rig.command(&["models", "auth", "login", "--provider", "chutes"]);
        command.env("CHUTES_CLIENT_ID", "fake-client").env("CHUTES_OAUTH_REDIRECT_URI", wrong);
        let stderr = command.finish_here().failure(1);
        assert!(stderr.contains("CHUTES_OAUTH_REDIRECT_URI"), "{wrong}: {stderr}");
    }
}

#[test]
fn a_short_token_does_not_expire_before_it_is_stored() {
    let rig = rig("chutes", "fake-client", None);
    rig.server.configure(|want| want.access_token_lifetime = 60);
    let before = openclaw_auth::system::now();
    login(&rig, "chutes", |command| {
        command.env("CHUTES_CLIENT_ID", "fake-client");
    })
    .success();
    let profiles = rig.document()["profiles"].clone();
    let (_, entry) = profiles.as_object().unwrap().iter().next().unwrap();
    let lifetime = entry["expires"].as_i64().unwrap() - before;
    assert!((30_000..60_000).contains(&lifetime), "{lifetime}");
}

#[test]
fn parameters_of_our_own_cannot_be_set_in_a_file() {
    let rig = rig("chutes", "fake-client", None);
    for (key, name) in [
        ("tokenParameters", "grant_type"),
        ("tokenParameters", "client_id"),
        ("tokenParameters", "client_secret"),
        ("tokenParameters", "code_verifier"),
        ("tokenParameters", "refresh_token"),
        ("authorizationParameters", "state"),
    ] {
        rig.provider("chutes", &json!({key: {name: "x"}}));
        let stderr = rig.run(&["models", "auth", "login", "--provider", "chutes"]).failure(6);
        assert!(stderr.contains(&format!("`{key}` must not set `{name}`")), "{stderr}");
    }
}

#[test]
fn further_parameters_go_with_every_token_request() {
    let rig = Rig::new();
    let mut file = rig.server.provider_file(&rig.ports);
    file["device"] = json!({
        "flow": "standard",
        "tokenEndpoint": null,
        "verificationUri": null,
        "redirectUri": null,
        "authorizationEndpoint": format!("{}/device/code", rig.server.url()),
    });
    file["tokenParameters"] = json!({"audience": "fake audience"});
    rig.provider("openai-codex", &file);
    for method in ["browser", "device"] {
        let login =
            rig.start_sign_in(&["--provider", "openai-codex", "--method", method, "--json"]);
        if method == "browser" {
            login.visit();
        }
        login.finish().success();
    }
    rig.expire(crate::support::rig::PROFILE);
    rig.run(&["models", "auth", "token"]).success();
    let requests = rig.server.requests_at(Endpoint::Token);
    assert_eq!(requests.len(), 3);
    for request in requests {
        assert_eq!(request.parameter("audience"), Some("fake audience"), "{request:?}");
    }
}

#[test]
fn a_provider_that_moves_takes_no_other_endpoint_of_the_former_server_along() {
    let rig = Rig::new();
    let mut file = rig.server.provider_file(&rig.ports);
    for key in ["device", "revocationEndpoint"] {
        file.as_object_mut().unwrap().remove(key);
    }
    rig.provider("openai-codex", &file);
    let stderr = rig
        .run(&["models", "auth", "login", "--provider", "openai-codex", "--method", "device"])
        .failure(2);
    assert!(stderr.contains("it has: browser, paste"), "{stderr}");
    let finished = rig.login(&[]);
    let note = "overrides authorizationEndpoint, tokenEndpoint, redirect, usage, device, revocationEndpoint";
    assert!(finished.stderr.contains(note), "{}", finished.stderr);
    let text = rig.run(&["models", "auth", "logout", crate::support::rig::PROFILE]).success();
    assert!(text.contains("no revocation endpoint"), "{text}");
}

#[test]
fn a_provider_file_that_is_wrong_names_the_key() {
    let rig = Rig::new();
    for (file, message) in [
        (json!({"device": {"authorizationEndpoint": "http://as.example.test/d"}}), "device.author"),
        (json!({"device": {"tokenEndpoint": "ftp://as.example.test/d"}}), "device.tokenEndpoint"),
        (json!({"device": {"verificationUri": "file:///x"}}), "device.verificationUri"),
        (json!({"device": {"flow": "magic"}}), "magic"),
        (json!({"device": {"nope": 1}}), "nope"),
        (json!({"device": "https://as.example.test/d"}), "device"),
        (json!({"userinfoEndpoint": "http://as.example.test/u"}), "userinfoEndpoint"),
        (json!({"issuer": "not a URL"}), "issuer"),
        (json!({"issuer": "http://as.example.test"}), "issuer"),
        (json!({"keptMembers": {"x": "refresh"}}), "keptMembers"),
        (json!({"keptMembers": {"x": "loginMethod"}}), "keptMembers"),
        (json!({"storedAs": "cookie"}), "cookie"),
        (json!({"expiryMarginSeconds": -1}), "-1"),
        (json!({"clientId": " "}), "clientId"),
        (json!({"clientSecret": "fake-secret-in-a-file"}), "unknown key `clientSecret`"),
        (json!({"methods": [{"id": "x", "kind": "magic", "label": "X"}]}), "magic"),
        (
            json!({"methods": [{
                "id": "x", "kind": "oauth", "label": "X",
                "override": {"tokenEndpoint": "http://as.example.test/t"},
            }]}),
            "tokenEndpoint",
        ),
    ] {
        rig.provider("openai-codex", &file);
        let stderr = rig.run(&["models", "auth", "login", "--provider", "openai-codex"]).failure(6);
        assert!(stderr.contains("providers/openai-codex.json"), "{file}: {stderr}");
        assert!(stderr.contains(message), "{file}: {stderr}");
        assert!(!stderr.contains("fake-secret"), "{stderr}");
    }
    assert!(rig.server.requests().is_empty());
}

#[test]
fn a_login_by_a_method_that_is_gone_is_not_refreshed_elsewhere() {
    let rig = rig("minimax-portal", "78257093-7e40-4613-99e0-527b14b39113", None);
    rig.server.configure(|want| want.token_members = json!({"status": "success"}));
    let login = ["models", "auth", "login", "--provider", "minimax-portal", "--method", "oauth-cn"];
    rig.run(&login).success();
    rig.expire("minimax-portal:default");
    let mut file: serde_json::Value =
        serde_json::from_str(&rig.read("providers/minimax-portal.json")).unwrap();
    file["methods"].as_array_mut().unwrap().pop();
    rig.provider("minimax-portal", &file);
    let requests = rig.server.requests().len();
    let token = ["models", "auth", "token", "--provider", "minimax-portal"];
    let stderr = rig.run(&token).failure(1);
    assert!(stderr.contains("oauth-cn"), "{stderr}");
    assert_eq!(rig.server.requests().len(), requests);
}
