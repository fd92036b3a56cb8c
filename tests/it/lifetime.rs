//! Tokens that the server makes live shorter than the caller wants: used for half of their
//! lifetime rather than refreshed at every call, and told once.

use crate::support::rig::{Rig, store};
use crate::support::service::{Asked, Service};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const PROFILE: &str = "openai-codex:ada@example.com";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A server whose opaque tokens rotate at each refresh, and live as long as `lives` says.
fn server(lives: &Arc<Mutex<Value>>) -> Service {
    let (mut count, lives) = (0, Arc::clone(lives));
    Service::start(move |_: &Asked| {
        count += 1;
        let mut grant = json!({
            "access_token": format!("fake-access-{count}"),
            "refresh_token": format!("fake-refresh-{count}"),
            "token_type": "Bearer",
        });
        let lives = lives.lock().unwrap().clone();
        if lives != json!("missing") {
            grant["expires_in"] = lives;
        }
        (200, grant)
    })
}

/// A store with one login that has expired, as OpenClaw writes it, refreshed at the server.
fn rig(service: &Service) -> Rig {
    let rig = Rig::new();
    let file = json!({"tokenEndpoint": format!("{}/token", service.url)});
    rig.write("providers/openai-codex.json", &file.to_string());
    let login = json!({
        "type": "oauth", "provider": "openai-codex", "access": "fake-access-0",
        "refresh": "fake-refresh-0", "expires": 1_700_000_000_000_i64, "email": "ada@example.com",
    });
    let document = json!({"version": 1, "profiles": {PROFILE: login}});
    rig.write(&store("main"), &document.to_string());
    rig
}

fn granted(lives: Value) -> (Arc<Mutex<Value>>, Service, Rig) {
    let lives = Arc::new(Mutex::new(lives));
    let service = server(&lives);
    let rig = rig(&service);
    (lives, service, rig)
}

/// Makes the token older by so many milliseconds.
fn age(rig: &Rig, by: i64) {
    rig.edit("main", |document| {
        for field in ["accessIssuedAt", "expires"] {
            let time = &mut document["profiles"][PROFILE][field];
            *time = (time.as_i64().unwrap() - by).into();
        }
    });
}

/// What `token` with these arguments prints, and what it says on standard error.
fn token(rig: &Rig, args: &[&str]) -> (String, String) {
    let finished = rig.run(&[&TOKEN[..], args].concat());
    let said = finished.stderr.clone();
    (finished.success(), said)
}

/// EVERYDAY report 31: opaque tokens of five minutes.
#[test]
fn an_opaque_token_of_five_minutes_is_used_for_half_of_its_lifetime() {
    for (lives, seconds) in [
        (json!(300), 300),
        (json!("300"), 300),
        (json!(120.5), 120),
        (json!(420), 420),
        (json!(599), 599),
    ] {
        let (_, service, rig) = granted(lives.clone());
        for _ in 0..3 {
            assert_eq!(token(&rig, &[]), ("fake-access-1".to_owned(), String::new()), "{lives}");
        }
        let report = rig.run(&[&TOKEN[..], &["--json"]].concat()).json();
        assert_eq!(report["lifetimeMs"], seconds * 1_000, "{lives}");
        assert_eq!(report["meetsMinTtl"], seconds > 300, "{lives}");
        let half = seconds * 500;
        age(&rig, half - 15_000);
        assert_eq!(token(&rig, &[]).0, "fake-access-1", "{lives}");
        age(&rig, 15_000);
        assert_eq!(token(&rig, &[]).0, "fake-access-2", "{lives}");
        assert_eq!(service.asked().len(), 2, "{lives}");
    }
}

/// EVERYDAY report 31: nothing is rotated for a lifetime that the server does not grant.
#[test]
fn more_than_the_server_grants_is_told_once_and_does_not_rotate() {
    let (lives, service, rig) = granted(json!(300));
    let (first, said) = token(&rig, &["--min-ttl", "1h"]);
    assert_eq!(first, "fake-access-1");
    assert!(said.contains("lives for 5 min, and --min-ttl asks for 60 min"), "{said}");
    for wanted in ["1h", "5m", "90m", "36500d"] {
        assert_eq!(token(&rig, &["--min-ttl", wanted]), (first.clone(), String::new()), "{wanted}");
    }
    let report = rig.run(&[&TOKEN[..], &["--min-ttl", "1h", "--json"]].concat()).json();
    assert_eq!((&report["lifetimeMs"], &report["meetsMinTtl"]), (&json!(300_000), &json!(false)));
    assert_eq!(service.asked().len(), 1);
    // The next one is like it; what is granted is asked for.
    age(&rig, 151_000);
    assert_eq!(token(&rig, &["--min-ttl", "1h"]), ("fake-access-2".to_owned(), String::new()));
    age(&rig, 100_000);
    assert_eq!(token(&rig, &["--min-ttl", "4m"]).0, "fake-access-3");
    // Another lifetime is told again.
    *lives.lock().unwrap() = json!(900);
    age(&rig, 200_000);
    let (_, said) = token(&rig, &["--min-ttl", "1h"]);
    assert!(said.contains("lives for 15 min"), "{said}");
    assert_eq!(token(&rig, &["--min-ttl", "10m"]), ("fake-access-4".to_owned(), String::new()));
    assert_eq!(service.asked().len(), 4);
}

#[test]
fn a_login_that_others_stored_is_asked_once_what_it_is_granted() {
    let (_, service, rig) = granted(json!(300));
    let soon = rig.document()["profiles"][PROFILE]["expires"].as_i64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    assert!(soon < now);
    rig.edit("main", |document| document["profiles"][PROFILE]["expires"] = (now + 200_000).into());
    for _ in 0..3 {
        assert_eq!(token(&rig, &[]).0, "fake-access-1");
    }
    // OpenClaw refreshes it, and keeps a field that it does not know.
    rig.edit("main", |document| {
        document["profiles"][PROFILE]["access"] = "fake-openclaw".into();
        document["profiles"][PROFILE]["accessIssuedAt"] = (now - 86_400_000).into();
    });
    age(&rig, 10_000);
    for _ in 0..3 {
        assert_eq!(token(&rig, &[]).0, "fake-access-2");
    }
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn strict_refuses_what_the_server_does_not_grant() {
    let (lives, service, rig) = granted(json!(300));
    let strict = [&TOKEN[..], &["--min-ttl", "1h", "--strict"]].concat();
    for _ in 0..3 {
        let said = rig.run(&strict).failure(1);
        assert!(said.contains("lives for 5 min, and --min-ttl asks for 60 min"), "{said}");
        assert!(said.contains("hint: use a shorter --min-ttl"), "{said}");
    }
    assert_eq!(service.asked().len(), 1);
    assert_eq!(token(&rig, &["--min-ttl", "4m", "--strict"]).0, "fake-access-1");
    rig.run(&[&TOKEN[..], &["--strict"]].concat()).failure(1);
    assert_eq!(token(&rig, &["--min-ttl", "1h"]).0, "fake-access-1");
    // As soon as it grants enough, it is had.
    *lives.lock().unwrap() = json!(7_200);
    age(&rig, 151_000);
    assert_eq!(rig.run(&strict).success(), "fake-access-2");
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn strict_refuses_a_token_that_is_not_refreshed() {
    let rig = Rig::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let soon = i64::try_from(now.as_millis()).unwrap() + 200_000;
    let profiles = json!({
        "acme:token": {"type": "token", "provider": "acme", "token": "fake-t", "expires": soon},
        "acme:grant": {"type": "oauth", "provider": "acme", "access": "fake-a", "expires": soon},
        "acme:key": {"type": "api_key", "provider": "acme", "key": "fake-k"},
    });
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    for (profile, value) in [("acme:token", "fake-t"), ("acme:grant", "fake-a")] {
        let token = ["models", "auth", "token", "--profile", profile];
        assert_eq!(rig.run(&token).success(), value);
        let said = rig.run(&[&token[..], &["--strict"]].concat()).failure(1);
        assert!(said.contains("expires in 3 min, and --strict asks for 5 min"), "{said}");
        assert_eq!(
            rig.run(&[&token[..], &["--strict", "--min-ttl", "1m"]].concat()).success(),
            value
        );
    }
    let key = ["models", "auth", "token", "--profile", "acme:key", "--strict", "--min-ttl", "9d"];
    assert_eq!(rig.run(&key).success(), "fake-k");
}

/// EVERYDAY report 32: odd values of `expires_in`.
#[test]
fn an_odd_lifetime_is_read_or_assumed_and_none_is_the_servers_word() {
    for lives in [json!(1e300), json!("1e300"), json!(u64::MAX), json!("Infinity")] {
        let (_, service, rig) = granted(lives.clone());
        assert_eq!(token(&rig, &[]).0, "fake-access-1");
        let long = token(&rig, &["--min-ttl", "36500d", "--strict"]);
        assert_eq!((long.0.as_str(), service.asked().len()), ("fake-access-1", 1), "{lives}");
    }
    for lives in ["missing", "NaN", "soon", ""].map(Value::from).into_iter().chain([
        Value::Null,
        json!(true),
        json!([300]),
    ]) {
        let (_, service, rig) = granted(lives.clone());
        let report = rig.run(&[&TOKEN[..], &["--json"]].concat()).json();
        assert_eq!(report["lifetimeMs"], 3_600_000, "an hour is assumed: {lives}");
        assert_eq!(token(&rig, &[]).0, "fake-access-1");
        assert_eq!(service.asked().len(), 1, "{lives}");
    }
    for lives in [json!(0), json!(-5), json!("0"), json!("-Infinity"), json!(0.2)] {
        let (_, _service, rig) = granted(lives.clone());
        let said = rig.run(&TOKEN).failure(4);
        assert!(said.contains("its lifetime is 0 s") && said.contains("expires_in"), "{said}");
        assert!(!said.contains("clock"), "{lives}: {said}");
        let kept = &rig.document()["profiles"][PROFILE]["refresh"];
        assert_eq!(kept, "fake-refresh-1", "what came is stored all the same");
    }
}
