//! `models auth list`

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};

const FAR: i64 = 4_102_444_800_000;

fn rig() -> Rig {
    let rig = Rig::new();
    rig.write(
        &store("main"),
        &json!({"version": 1, "profiles": {
            "valid": {"type": "oauth", "provider": "p", "access": "fake-access", "refresh": "fake-refresh",
                      "expires": FAR, "email": "me@example.test", "accountId": "acc"},
            "refreshable": {"type": "oauth", "provider": "p", "access": "fake-access", "refresh": "fake-refresh", "expires": 1},
            "expired": {"type": "oauth", "provider": "p", "access": "fake-access", "expires": 1},
            "key": {"type": "api_key", "provider": "P", "key": "fake-key", "displayName": "Mine"},
            "missing": {"type": "token", "provider": "q"},
            "bad": 5,
        }})
        .to_string(),
    );
    rig
}

#[test]
fn json_lists_every_profile_with_its_health() {
    let rig = rig();
    let finished = rig.run(&["models", "auth", "list", "--json"]);
    assert!(finished.stderr.contains("1 entry in"), "{}", finished.stderr);
    let report = finished.json();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["agentId"], "main");
    assert_eq!(report["storePath"], rig.path(&store("main")).to_str().unwrap());
    let rows = report["profiles"].as_array().unwrap();
    let health: Vec<_> =
        rows.iter().map(|row| (row["id"].clone(), row["health"].clone())).collect();
    let expected: Vec<(Value, Value)> = [
        ("valid", "valid"),
        ("refreshable", "refreshable"),
        ("expired", "expired"),
        ("key", "no-expiry"),
        ("missing", "missing"),
    ]
    .map(|(id, health)| (id.into(), health.into()))
    .to_vec();
    assert_eq!(health, expected);
    assert_eq!(
        rows[0],
        json!({"id": "valid", "provider": "p", "type": "oauth", "label": "me@example.test",
               "email": "me@example.test", "accountId": "acc", "expiresAt": FAR, "health": "valid",
               "state": "signed-in"})
    );
    assert_eq!(rows[3]["label"], "Mine");
    let of_p = rig.run(&["models", "auth", "list", "--json", "--provider", "p"]).json();
    assert_eq!(of_p["profiles"].as_array().unwrap().len(), 4);
}

#[test]
fn no_listing_shows_a_secret() {
    let rig = rig();
    for args in [
        &["models", "auth", "list"][..],
        &["models", "auth", "list", "--json"],
        &["channels", "list", "--json"],
    ] {
        let finished = rig.run(args);
        for secret in ["fake-access", "fake-refresh", "fake-key"] {
            assert!(!finished.stdout.contains(secret) && !finished.stderr.contains(secret));
        }
    }
}

#[test]
fn the_table_says_the_state_of_each_login() {
    let text = rig().run(&["models", "auth", "list"]).success();
    for part in [
        "PROFILE",
        "signed in",
        "sign in again (expired, 1970-01-01 00:00 UTC)",
        "sign in again (holds no credential)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
}

#[test]
fn names_from_a_file_cannot_move_the_cursor() {
    let rig = Rig::new();
    rig.write(
        &store("main"),
        &json!({"profiles": {"a\u{1b}[2J\nb": {"type": "api_key", "provider": "\u{9b}31m", "key": "k"}}}).to_string(),
    );
    for args in [&["models", "auth", "list"][..], &["channels", "list"]] {
        let text = rig.run(args).success();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.contains("a[2Jb"), "{text:?}");
    }
}

#[test]
fn inherited_profiles_are_marked() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    rig.write(
        &store("work"),
        &json!({"profiles": {"own": {"type": "api_key", "provider": "p", "key": "k"}}}).to_string(),
    );
    let rows = rig.run(&["models", "auth", "list", "--json", "--agent", "work"]).json()["profiles"]
        .clone();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
    assert_eq!(rows[0]["id"], "own");
    assert_eq!(rows[0]["inheritedFrom"], Value::Null);
    assert_eq!((&rows[1]["id"], &rows[1]["inheritedFrom"]), (&"missing".into(), &"main".into()));
}

#[test]
fn an_empty_store_lists_nothing_and_creates_nothing() {
    let rig = Rig::new();
    let report = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(report["profiles"], json!([]));
    let finished = rig.run(&["models", "auth", "list"]);
    assert!(finished.stderr.contains("has no profile"));
    assert_eq!(finished.success(), "");
    assert!(!rig.path("agents").exists());
    let _ = PROFILE;
}
