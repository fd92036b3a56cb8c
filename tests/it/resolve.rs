//! `models auth resolve`: which profile, and why none of the others.

use crate::support::rig::{Finished, Rig, store};
use serde_json::{Value, json};

const FAR: i64 = 4_102_444_800_000;
const STATE: &str = "agents/main/agent/auth-state.json";

fn rig_with(profiles: &Value) -> Rig {
    let rig = Rig::new();
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

fn token(value: &str) -> Value {
    json!({"type": "token", "provider": "p", "token": value})
}

fn run(rig: &Rig, reference: &str) -> Finished {
    rig.run(&["models", "auth", "resolve", reference, "--json"])
}

/// The reason codes by profile.
fn codes(report: &Value) -> Value {
    let candidates = report["candidates"].as_array().unwrap().iter();
    let codes = candidates
        .map(|row| (row["profileId"].as_str().unwrap().to_owned(), row["reasonCode"].clone()));
    Value::Object(codes.collect())
}

#[test]
fn every_candidate_is_listed_with_its_reason() {
    let rig = rig_with(&json!({
        "cooling": token("t"), "disabled": token("t"), "first": token("t"), "second": token("t"),
        "empty": {"type": "token", "provider": "p"},
        "expired": {"type": "token", "provider": "p", "token": "t", "expires": 5},
        "odd": {"type": "token", "provider": "p", "token": "t", "expires": "x"},
        "other": {"type": "token", "provider": "q", "token": "t"},
        "mode": token("t"), "unlisted": token("t"),
    }));
    rig.write("openclaw.json", r#"{auth: {profiles: {mode: {provider: "p", mode: "api_key"}}}}"#);
    let order = [
        "gone", "cooling", "disabled", "empty", "expired", "odd", "other", "mode", "first",
        "second",
    ];
    let usage = json!({
        "cooling": {"cooldownUntil": FAR, "cooldownReason": "overloaded"},
        "disabled": {"disabledUntil": FAR, "disabledReason": "billing"},
    });
    rig.write(STATE, &json!({"order": {"p": order}, "usageStats": usage}).to_string());
    let before = rig.tree();
    let report = run(&rig, "p/m").json();
    assert_eq!(rig.tree(), before);
    assert_eq!(
        (&report["profileId"], &report["because"]),
        (&"first".into(), &"stored_order".into())
    );
    let expected = json!({
        "first": "ok", "second": "later_in_order", "cooling": "cooldown", "disabled": "disabled",
        "gone": "profile_missing", "empty": "missing_credential", "expired": "expired",
        "odd": "invalid_expires", "other": "provider_mismatch", "mode": "mode_mismatch",
        "unlisted": "not_in_order",
    });
    assert_eq!(codes(&report), expected);
    let cooling =
        report["candidates"].as_array().unwrap().iter().find(|row| row["profileId"] == "cooling");
    assert_eq!(cooling.unwrap()["untilBecause"], "overloaded");
    let text = rig.run(&["models", "auth", "resolve", "p/m"]).success();
    assert!(text.starts_with("Profile: first\nModel: p/m\n"), "{text}");
    assert!(text.contains("Passed over: disabled: disabled (billing, "), "{text}");
}

#[test]
fn a_pinned_profile_is_used_even_in_a_cooldown_and_nothing_stands_in_for_it() {
    let rig = rig_with(
        &json!({"p:a": token("t"), "p:b": token("t"), "q:a": {"type": "token", "provider": "q", "token": "t"}}),
    );
    rig.write(STATE, &json!({"usageStats": {"p:a": {"cooldownUntil": FAR}}}).to_string());
    let report = run(&rig, "P/m@p:a").json();
    assert_eq!((&report["profileId"], &report["pinned"]), (&"p:a".into(), &"p:a".into()));
    assert_eq!(report["because"], "pinned");
    for (reference, code) in [("p/m@nope", "profile_missing"), ("p/m@q:a", "provider_mismatch")] {
        let finished = run(&rig, reference);
        assert_eq!(finished.code, 3, "{finished:?}");
        let report: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(report["profileId"], Value::Null);
        assert_eq!(report["candidates"][0]["reasonCode"], code);
    }
    assert_eq!(run(&rig, "m@p:a").json_failure(2)["code"], "usage");
    assert_eq!(run(&rig, " ").json_failure(2)["code"], "usage");
    rig.write("openclaw.json", r#"{agents: {defaults: {model: "p/usual"}}}"#);
    assert_eq!(run(&rig, "m@p:a").json()["model"], "m", "of the provider of the usual model");
}

#[test]
fn model_names_with_an_at_sign_and_profiles_with_any_characters_are_told_apart() {
    let rig = rig_with(&json!({
        "p:me+tag@x.test": token("t"), "team/a b": token("t"), "20251002": token("t"), "p:w": token("t"),
        "20251003": {"type": "token", "provider": "q", "token": "t"},
    }));
    for (reference, model, pinned) in [
        ("p/m", "m", Value::Null),
        ("p/m@20251001", "m@20251001", Value::Null),
        ("p/m@20251001@p:w", "m@20251001", "p:w".into()),
        ("p/m@20251002", "m", "20251002".into()),
        ("p/m@20251003", "m@20251003", Value::Null),
        ("p/m@q8_0", "m@q8_0", Value::Null),
        ("p/m@4bit@p:w", "m@4bit", "p:w".into()),
        ("p/@cf/x/y", "@cf/x/y", Value::Null),
        ("p/@cf/x/y@p:w", "@cf/x/y", "p:w".into()),
        ("p/m@p:me+tag@x.test", "m", "p:me+tag@x.test".into()),
        ("p/m@team/a b", "m", "team/a b".into()),
    ] {
        let report = run(&rig, reference).json();
        assert_eq!((&report["model"], &report["pinned"]), (&model.into(), &pinned), "{reference}");
    }
}

#[test]
fn a_rate_limit_of_one_model_leaves_the_profile_to_the_others() {
    let rig = rig_with(&json!({"p:a": token("t")}));
    let args =
        ["models", "auth", "report", "--profile", "p:a", "--reason", "rate_limit", "--model", "m1"];
    rig.run(&args).success();
    assert_eq!(run(&rig, "p/m2").json()["profileId"], "p:a");
    let finished = run(&rig, "p/m1");
    assert_eq!(finished.code, 3);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["unavailableBecause"], "rate_limit");
    let stderr = rig.run(&["models", "auth", "resolve", "p/m1"]).failure(3);
    assert!(stderr.contains("Passed over: p:a: cooldown (rate_limit, "), "{stderr}");
    assert_eq!(run(&rig, "nope/m").code, 3);
}

#[test]
fn an_empty_configured_order_switches_a_provider_off() {
    let rig = rig_with(&json!({"p:a": token("t")}));
    rig.write("openclaw.json", "{auth: {order: {p: []}}}");
    let finished = run(&rig, "p/m");
    assert_eq!(finished.code, 3);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(codes(&report), json!({"p:a": "not_in_order"}));
    rig.run(&["models", "auth", "token", "--provider", "p"]).failure(3);
}

#[test]
fn aliases_of_a_provider_share_its_profiles() {
    let rig =
        rig_with(&json!({"c": {"type": "token", "provider": "claude-cli", "token": "fake-c"}}));
    assert_eq!(run(&rig, "anthropic/m").json()["profileId"], "c");
    assert_eq!(run(&rig, "Claude-CLI/m").json()["profileId"], "c");
}
