//! `models auth report`: what fails is left alone for a while.

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};

const FAR: i64 = 4_102_444_800_000;
const STATE: &str = "agents/main/agent/auth-state.json";

fn rig() -> Rig {
    let rig = Rig::new();
    let token = |provider: &str, value: &str| json!({"type": "token", "provider": provider, "token": value});
    let profiles = json!({"p:a": token("p", "fake-a"), "p:b": token("p", "fake-b"), "r:a": token("openrouter", "fake-r")});
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

fn report(rig: &Rig, id: &str, reason: &str, more: &[&str]) -> Value {
    let args = ["models", "auth", "report", "--profile", id, "--reason", reason, "--json"];
    rig.run(&[&args[..], more].concat()).json()
}

fn state(rig: &Rig) -> Value {
    serde_json::from_str(&rig.read(STATE)).unwrap()
}

#[test]
fn a_reported_failure_rotates_to_the_next_profile_and_a_success_brings_it_back() {
    let rig = rig();
    let token = || rig.run(&["models", "auth", "token", "--provider", "p"]).success();
    assert_eq!(token(), "fake-a");
    let outcome = report(&rig, "p:a", "rate_limit", &["--model", "P/m1"]);
    assert_eq!((&outcome["recorded"], &outcome["errorCount"]), (&true.into(), &1.into()));
    assert_eq!(token(), "fake-b");
    let usage = state(&rig)["usageStats"]["p:a"].clone();
    assert_eq!(usage["cooldownModel"], "m1", "the model stands there without its provider");
    let failed_at = usage["lastFailureAt"].as_i64().unwrap();
    assert_eq!(usage["cooldownUntil"], failed_at + 30_000);
    report(&rig, "p:a", "ok", &[]);
    let after = state(&rig);
    assert_eq!(after["lastGood"], json!({"p": "p:a"}));
    let used = after["usageStats"]["p:a"]["lastUsed"].as_i64().unwrap();
    assert_eq!(
        after["usageStats"]["p:a"],
        json!({"errorCount": 0, "lastFailureAt": failed_at, "lastUsed": used})
    );
    assert_eq!(token(), "fake-b", "the least recently used comes first");
}

#[test]
fn a_rate_limit_needs_no_network() {
    let rig = Rig::new();
    let grant = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access", "expires": FAR});
    rig.write(&store("main"), &json!({"profiles": {PROFILE: grant}}).to_string());
    for seconds in [30, 30] {
        report(&rig, PROFILE, "rate_limit", &[]);
        let usage = state(&rig)["usageStats"][PROFILE].clone();
        let first = usage["cooldownUntil"].as_i64().unwrap() - seconds * 1_000;
        assert!(first <= usage["lastFailureAt"].as_i64().unwrap(), "an open window stays");
    }
    assert!(rig.server.requests().is_empty());
}

#[test]
fn billing_disables_for_as_long_as_the_configuration_says() {
    let rig = rig();
    rig.write("openclaw.json", "{auth: {cooldowns: {billingBackoffHoursByProvider: {P: 2}}}}");
    let outcome = report(&rig, "p:a", "billing", &[]);
    let usage = state(&rig)["usageStats"]["p:a"].clone();
    assert_eq!(outcome["disabledUntil"], usage["lastFailureAt"].as_i64().unwrap() + 7_200_000);
    assert_eq!(usage["disabledReason"], "billing");
}

#[test]
fn what_is_remembered_of_others_stays_byte_for_byte() {
    let rig = rig();
    let kept = "\"ghost\": {\n      \"lastUsed\": 5.0,\n      \"odd\": \"\\u0041\"\n    }";
    rig.write(
        STATE,
        &format!("{{\n  \"version\": 3,\n  \"usageStats\": {{\n    {kept},\n    \"p:a\": {{\"odd\": 1e3}}\n  }}\n}}\n"),
    );
    report(&rig, "p:a", "overloaded", &[]);
    let text = rig.read(STATE);
    assert!(text.contains(kept) && text.contains("\"odd\": 1e3"), "{text}");
    assert!(text.contains("\"version\": 3"), "{text}");
}

#[test]
fn time_outs_and_failures_of_routing_providers_are_not_recorded() {
    let rig = rig();
    let before = rig.tree();
    assert_eq!(report(&rig, "p:a", "timeout", &[])["recorded"], false);
    assert_eq!(report(&rig, "r:a", "rate_limit", &[])["recorded"], false);
    let nope = ["models", "auth", "report", "--profile", "nope", "--reason", "ok"];
    rig.run(&nope).failure(3);
    let odd = ["models", "auth", "report", "--profile", "p:a", "--reason", "odd"];
    rig.run(&odd).failure(2);
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_rejected_access_token_is_refreshed_once_although_it_looks_valid() {
    let rig = Rig::signed_in();
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let first = rig.run(&token).success();
    let outcome = report(&rig, PROFILE, "auth", &[]);
    assert_eq!(outcome["refreshNext"], true);
    assert!(!rig.read(STATE).contains(&first), "only its hash is kept");
    let second = rig.run(&token).success();
    assert_ne!(first, second);
    let requests = rig.server.requests().len();
    assert_eq!(rig.run(&token).success(), second);
    assert_eq!(rig.server.requests().len(), requests, "the new token is not suspect");
    report(&rig, PROFILE, "auth", &[]);
    report(&rig, PROFILE, "ok", &[]);
    assert_eq!(rig.run(&token).success(), second, "a success takes the report back");
}

#[test]
fn a_rejected_access_token_without_a_refresh_token_is_not_handed_out() {
    let rig = Rig::new();
    let grant = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access", "expires": FAR});
    rig.write(&store("main"), &json!({"profiles": {PROFILE: grant}}).to_string());
    report(&rig, PROFILE, "auth", &[]);
    let stderr = rig.run(&["models", "auth", "token"]).failure(3);
    assert!(stderr.contains("was rejected"), "{stderr}");
}

#[test]
fn an_inherited_profile_is_reported_in_the_store_that_owns_it() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    assert_eq!(report(&rig, "p:a", "auth", &["--agent", "work"])["agentId"], "main");
    assert_eq!(state(&rig)["usageStats"]["p:a"]["cooldownReason"], "auth");
    assert!(!rig.path("agents/work/agent/auth-state.json").exists());
}
