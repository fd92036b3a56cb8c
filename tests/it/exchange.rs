//! Tokens that an API takes in exchange for the stored one.

use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, Rig, store};
use crate::support::service::{Asked, Service};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

const PROFILE: &str = "github-copilot:github";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "github-copilot"];

fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

/// A service that gives a token of its own for each request, good for half an hour.
fn service() -> Service {
    let mut count = 0;
    Service::start(move |_: &Asked| {
        count += 1;
        let token = format!("tid=fake-{count};exp=1;proxy-ep=proxy.example.test");
        (200, json!({"token": token, "expires_at": seconds_from_now(1_800)}))
    })
}

fn rig_for(service: &Service) -> Rig {
    let rig = Rig::new();
    point(&rig, service);
    let profiles = json!({
        PROFILE: {"type": "token", "provider": "github-copilot", "token": "fake-github"},
    });
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

fn point(rig: &Rig, service: &Service) {
    let endpoint = format!("{}/copilot_internal/v2/token", service.url);
    let file = json!({"tokenExchange": {"endpoint": endpoint}});
    rig.write("providers/github-copilot.json", &file.to_string());
}

/// The one file with an exchanged token.
fn kept(rig: &Rig) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(rig.path("exchanged-tokens")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

/// Changes the one file with an exchanged token.
fn edit(rig: &Rig, change: impl FnOnce(&mut Value)) {
    let path = kept(rig);
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut file);
    std::fs::write(path, file.to_string()).unwrap();
}

#[test]
fn the_token_for_the_api_is_printed_and_the_stored_one_when_asked_for() {
    let service = service();
    let rig = rig_for(&service);
    let first = rig.run(&TOKEN).success();
    assert_eq!(first, "tid=fake-1;exp=1;proxy-ep=proxy.example.test");
    assert_eq!(rig.run(&TOKEN).success(), first, "it is kept");
    let report = rig.run(&[&TOKEN[..], &["--json"]].concat()).json();
    assert_eq!((&report["type"], &report["token"]), (&json!("token"), &json!(first)));
    assert!(report["expiresAt"].as_i64().unwrap() > seconds_from_now(1_500) * 1_000);
    assert_eq!(rig.run(&[&TOKEN[..], &["--stored"]].concat()).success(), "fake-github");
    let [asked] = &service.asked()[..] else { panic!("one request") };
    assert_eq!(asked.line, "GET /copilot_internal/v2/token");
    for (name, value) in [
        ("authorization", "Bearer fake-github"),
        ("accept", "application/json"),
        ("editor-version", "vscode/1.96.2"),
        ("editor-plugin-version", "copilot-chat/0.35.0"),
        ("user-agent", "GitHubCopilotChat/0.26.7"),
        ("x-github-api-version", "2025-04-01"),
    ] {
        assert_eq!(asked.header(name), value, "{name}");
    }
    let mode = kept(&rig).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!std::fs::read_to_string(kept(&rig)).unwrap().contains("fake-github"));
}

#[test]
fn another_is_asked_for_five_minutes_before_it_expires_or_when_told_to() {
    let service = service();
    let rig = rig_for(&service);
    let token = |args: &[&str]| rig.run(&[&TOKEN[..], args].concat()).success();
    assert!(token(&[]).contains("fake-1;"));
    // Half an hour is what the service gives.
    let leave = |seconds: i64| {
        edit(&rig, |file| {
            file["expiresAt"] = (seconds_from_now(seconds) * 1_000).into();
            file["updatedAt"] = (seconds_from_now(seconds - 1_800) * 1_000).into();
        });
    };
    leave(330);
    assert!(token(&[]).contains("fake-1;"));
    assert!(token(&["--min-ttl", "10m"]).contains("fake-2;"));
    leave(270);
    assert!(token(&[]).contains("fake-3;"));
    assert!(token(&["--force-refresh"]).contains("fake-4;"));
    assert_eq!(service.asked().len(), 4);
    let beyond = [&TOKEN[..], &["--min-ttl", "1h"]].concat();
    let said = rig.run(&beyond).stderr;
    assert!(said.contains("lives for "), "{said}");
    let again = rig.run(&beyond);
    assert_eq!((again.stderr.as_str(), service.asked().len()), ("", 4), "it is not given anew");
    rig.run(&[&beyond[..], &["--strict"]].concat()).failure(1);
}

#[test]
fn a_token_that_was_seen_rejected_is_asked_for_anew() {
    let service = service();
    let rig = rig_for(&service);
    rig.run(&TOKEN).success();
    let report = ["models", "auth", "report", "--profile", PROFILE, "--reason", "auth", "--json"];
    assert_eq!(rig.run(&report).json()["refreshNext"], true);
    assert!(rig.run(&TOKEN).success().contains("fake-2;"));
}

#[test]
fn however_many_ask_there_is_one_request() {
    let service = service();
    let rig = rig_for(&service);
    let start = |_| {
        let mut command = rig.command(&TOKEN);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..10).map(start).collect();
    for child in running {
        let finished: Finished = child.wait_with_output().unwrap().into();
        assert!(finished.success().contains("fake-1;"));
    }
    assert_eq!(service.asked().len(), 1);
}

#[test]
fn a_token_is_kept_for_the_stored_one_and_the_endpoint_that_gave_it() {
    let service = service();
    let rig = rig_for(&service);
    rig.run(&TOKEN).success();
    rig.edit("main", |document| document["profiles"][PROFILE]["token"] = "fake-other".into());
    assert!(rig.run(&TOKEN).success().contains("fake-2;"));
    assert_eq!(service.asked()[1].header("authorization"), "Bearer fake-other");
    let elsewhere = self::service();
    point(&rig, &elsewhere);
    assert!(rig.run(&TOKEN).success().contains("fake-1;"));
    assert_eq!(elsewhere.asked().len(), 1);
}

#[test]
fn a_logout_forgets_the_token_and_what_has_expired_is_swept() {
    let service = service();
    let rig = rig_for(&service);
    rig.run(&TOKEN).success();
    edit(&rig, |file| file["expiresAt"] = 1.into());
    rig.edit("main", |document| document["profiles"][PROFILE]["token"] = "fake-other".into());
    rig.run(&TOKEN).success();
    assert!(std::fs::read_to_string(kept(&rig)).unwrap().contains("fake-2;"));
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    assert_eq!(std::fs::read_dir(rig.path("exchanged-tokens")).unwrap().count(), 0);
}

#[test]
fn a_refusal_is_an_error_that_says_what_to_do_and_is_not_remembered() {
    let service = service();
    let rig = rig_for(&service);
    for (status, body, code, parts) in [
        (
            401,
            json!({"message": "Bad credentials"}),
            3,
            ["Bad credentials", "auth login --provider"],
        ),
        (403, json!({"message": "no\u{1b}[2J plan"}), 1, ["no[2J plan", "subscription"]),
        (404, json!({}), 1, ["404 Not Found", "subscription"]),
        (500, json!({}), 4, ["500", "--stored"]),
        (200, json!({"token": "fake-x"}), 4, ["expires_at", "try again"]),
        (200, json!({"token": "fake-x", "expires_at": 1}), 4, ["expired already", "clock"]),
    ] {
        service.answer(move |_| (status, body.clone()));
        let before = rig.tree();
        let stderr = rig.run(&TOKEN).failure(code);
        for part in parts {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
        assert!(!stderr.contains("fake-") && !stderr.contains('\u{1b}'), "{stderr}");
        assert_eq!(rig.tree(), before);
    }
    service.answer(|_| (200, json!({"token": "fake-t", "expires_at": "99999999999"})));
    assert_eq!(rig.run(&TOKEN).success(), "fake-t");
}

#[test]
fn a_store_that_cannot_keep_it_hands_it_out_all_the_same() {
    let service = service();
    let rig = rig_for(&service);
    rig.write("exchanged-tokens", "in the way");
    let finished = rig.run(&TOKEN);
    assert!(finished.stderr.contains("could not be stored"), "{}", finished.stderr);
    assert!(finished.success().contains("fake-1;"));
}

#[test]
fn an_expired_stored_token_is_not_exchanged() {
    let service = service();
    let rig = rig_for(&service);
    rig.edit("main", |document| document["profiles"][PROFILE]["expires"] = 1.into());
    rig.run(&TOKEN).failure(3);
    assert!(service.asked().is_empty());
}

#[test]
fn a_token_behind_a_reference_is_exchanged_as_well() {
    let service = service();
    let rig = rig_for(&service);
    rig.edit("main", |document| {
        document["profiles"][PROFILE] =
            json!({"type": "token", "provider": "github-copilot", "token": "${FAKE_GITHUB}"});
    });
    let finished: Finished =
        rig.command(&TOKEN).env("FAKE_GITHUB", "fake-of-environment").finish_here();
    assert!(finished.success().contains("fake-1;"));
    assert_eq!(service.asked()[0].header("authorization"), "Bearer fake-of-environment");
}

#[test]
fn the_login_command_of_openclaw_signs_in_and_its_token_is_exchanged() {
    let service = Service::start(|asked| {
        let answer = match asked.line.as_str() {
            "POST /device/code" => json!({
                "device_code": "fake-device", "user_code": "AB-CD", "interval": 1,
                "verification_uri": "https://github.example.test/login/device",
            }),
            "POST /access_token" => json!({"access_token": "fake-github", "scope": "read:user"}),
            _ => json!({"token": "fake-api", "expires_at": seconds_from_now(1_800)}),
        };
        (200, answer)
    });
    let rig = Rig::new();
    let url = &service.url;
    let file = json!({
        "tokenEndpoint": format!("{url}/access_token"),
        "device": {"authorizationEndpoint": format!("{url}/device/code")},
        "tokenExchange": {"endpoint": format!("{url}/token")},
    });
    rig.write("providers/github-copilot.json", &file.to_string());
    let finished = rig.run(&["models", "auth", "login-github-copilot", "--yes"]);
    assert!(finished.stderr.contains("AB-CD"), "{}", finished.stderr);
    assert!(finished.success().contains(PROFILE));
    assert_eq!(rig.document()["profiles"][PROFILE]["token"], "fake-github");
    assert_eq!(rig.run(&TOKEN).success(), "fake-api");
    let named = ["models", "auth", "login-github-copilot", "--profile-id", "github-copilot:work"];
    rig.run(&named).success();
    assert_eq!(rig.document()["profiles"]["github-copilot:work"]["token"], "fake-github");
}
