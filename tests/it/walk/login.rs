//! Every sign-in.

use super::template::{Values, expect};
use super::way::{WAYS, Way};
use crate::support::authorization_server::{BodyFormat, RequestRecord, Want};
use crate::support::catalog::{is_login, methods, rows};
use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, RunningLogin};
use openclaw_auth::system::now;

#[test]
fn every_sign_in_of_the_catalog_is_known_here() {
    for row in rows() {
        for method in methods(&row).filter(|method| is_login(method)) {
            let is_it = |way: &&Way| way.provider == row["id"] && way.method == method["id"];
            assert!(WAYS.iter().any(|way| is_it(&way)), "{}: {}", row["id"], method["id"]);
        }
    }
}

#[test]
fn every_sign_in_asks_posts_and_stores_what_it_should() {
    std::thread::scope(|scope| {
        for way in &WAYS {
            scope.spawn(|| walk(way));
        }
    });
}

#[test]
fn the_redirects_are_those_that_are_registered() {
    let rig = Rig::new();
    std::fs::remove_dir_all(rig.path("providers")).unwrap();
    for (provider, redirect_uri) in [
        ("openai-codex", "http://localhost:1455/auth/callback"),
        ("chutes", "http://127.0.0.1:1456/oauth-callback"),
        ("google-gemini-cli", "http://localhost:8085/oauth2callback"),
    ] {
        let start = ["models", "auth", "login", "start", "--provider", provider];
        let mut command = rig.command(&[&start[..], &["--method", "oauth", "--json"]].concat());
        command.env("CHUTES_CLIENT_ID", "fake-client");
        command.env("GEMINI_CLI_OAUTH_CLIENT_ID", "fake-client");
        command.env("GEMINI_CLI_OAUTH_CLIENT_SECRET", "fake-client-secret");
        let started = command.finish_here().json();
        assert_eq!(started["redirectUri"], redirect_uri);
        let url = url::Url::parse(started["url"].as_str().unwrap()).unwrap();
        let found = url.query_pairs().find(|(name, _)| name == "redirect_uri");
        assert_eq!(found.unwrap().1, redirect_uri);
    }
}

fn walk(way: &Way) {
    let mut want = Want::default();
    (way.want)(&mut want);
    let rig = Rig::with(want);
    rig.redirect(way.provider);
    let run = |args: &[&str]| {
        let mut command = rig.command(args);
        command.envs(way.environment.iter().copied());
        command
    };

    let before = now();
    let login = run(&[
        "models",
        "auth",
        "login",
        "--provider",
        way.provider,
        "--method",
        way.method,
        "--json",
    ]);
    let login = RunningLogin::start_here(login.here());
    if login.url.starts_with(rig.server.url()) && login.url.contains("response_type=code") {
        assert_eq!(login.visit().status, 200, "{}", way.provider);
    }
    let done = login.finish().json();
    let after = now();
    assert_eq!(done["profileId"], way.profile);
    let mut values = Values::new();
    let requests = rig.server.requests();
    check(&requests, way.requests, &mut values);
    if let Some(port) = values.get("port") {
        assert_eq!(*port, rig.ports[0].to_string());
    }

    let entry = rig.document()["profiles"][way.profile].clone();
    expect(way.entry, &entry.to_string(), &mut values);
    let is_right = |expires: i64, lifetime: i64| {
        (before + (lifetime - 1) * 1_000..=after + lifetime * 1_000).contains(&expires)
    };
    assert_eq!(entry["expires"].as_i64().is_some(), way.expires_in.is_some());
    if let Some(lifetime) = way.expires_in {
        let expires = entry["expires"].as_i64().unwrap();
        assert!(is_right(expires, lifetime), "{}: {before} {expires}", way.provider);
    }
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    let recorded = &config["auth"]["profiles"][way.profile];
    assert_eq!(recorded["provider"], way.provider);
    assert_eq!(recorded["mode"], entry["type"]);
    assert_eq!(recorded.as_object().unwrap().len(), 2);

    let token = ["models", "auth", "token", "--stored", "--profile", way.profile];
    let printed = run(&token).finish_here().success();
    assert_eq!(printed, values["access"], "a fresh token costs no request");
    assert_eq!(rig.server.requests().len(), requests.len());
    refresh(way, &rig, &mut values, &run);
    logout(way, &rig, &mut values, &run);
}

type Run<'r> = dyn Fn(&[&str]) -> std::process::Command + 'r;

fn refresh(way: &Way, rig: &Rig, values: &mut Values, run: &Run<'_>) {
    let Some(expected) = way.refresh else { return };
    rig.expire(way.profile);
    let requests = rig.server.requests().len();
    let token = ["models", "auth", "token", "--profile", way.profile];
    let printed = run(&token).finish_here().success();
    check(&rig.server.requests()[requests..], &[expected], values);
    let old = values.clone();
    for name in ["access", "expires", "id"] {
        values.remove(name);
    }
    let rotates = !matches!(way.provider, "chutes" | "google-gemini-cli");
    if rotates {
        values.remove("refresh");
    }
    let entry = rig.document()["profiles"][way.profile].to_string();
    let stored = way.entry.to_owned();
    let stored = if rotates {
        format!("{},\"refreshTokenRotates\":true}}", stored.strip_suffix('}').unwrap())
    } else {
        stored
    };
    expect(&stored, &entry, values);
    assert_eq!(printed, values["access"]);
    assert_ne!(values["access"], old["access"]);
    assert_eq!(values["refresh"] != old["refresh"], rotates, "{}", way.provider);
}

fn logout(way: &Way, rig: &Rig, values: &mut Values, run: &Run<'_>) {
    let requests = rig.server.requests().len();
    let finished = run(&["models", "auth", "logout", way.profile]).output().unwrap();
    Finished::from(finished).success();
    let expected: Vec<_> = way.revocation.into_iter().collect();
    check(&rig.server.requests()[requests..], &expected, values);
    assert!(rig.document()["profiles"][way.profile].is_null());
}

#[track_caller]
fn check(requests: &[RequestRecord], expected: &[(&str, &str)], values: &mut Values) {
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    let wanted: Vec<_> = expected.iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, wanted);
    for (request, (_, text)) in requests.iter().zip(expected) {
        let is_json = text.starts_with('{');
        let given = match request.method.as_str() {
            "GET" => &request.query,
            _ => &request.body,
        };
        expect(text, given, values);
        let format = match request.method.as_str() {
            "GET" => BodyFormat::Query,
            _ if is_json => BodyFormat::Json,
            _ => BodyFormat::Form,
        };
        assert_eq!(request.format, format);
        // The browser asks for the first one.
        if request.header("host").is_some() && !request.path.ends_with("/authorize") {
            let accept = request.header("accept").unwrap();
            assert!(accept == "application/json" || request.path.ends_with("/auth"), "{accept}");
        }
    }
}
