//! `models auth order`, beyond what was recorded of OpenClaw.

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

const STATE: &str = "agents/main/agent/auth-state.json";

fn key(provider: &str) -> Value {
    json!({"type": "api_key", "provider": provider, "key": format!("fake-{provider}")})
}

fn rig() -> Rig {
    let rig = Rig::new();
    let profiles = json!({"p:a": key("p"), "p:b": key("P"), "q:a": key("q")});
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

fn order(rig: &Rig, args: &[&str]) -> crate::support::rig::Finished {
    rig.run(&[&["models", "auth", "order"], args].concat())
}

#[test]
fn a_stored_order_decides_which_token_is_handed_out() {
    let rig = rig();
    let report = order(&rig, &["set", "p:b", " p:a ", "p:b", "--json"]).json();
    assert_eq!(report["provider"], "p", "that of the profiles");
    assert_eq!(report["order"], json!(["p:b", "p:a"]));
    let token = rig.run(&["models", "auth", "token", "--provider", "p", "--json"]).json();
    assert_eq!(token["profileId"], "p:b");
    let mode = rig.path(STATE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    order(&rig, &["clear", "--provider", "p"]).success();
    assert!(!rig.path(STATE).exists(), "nothing is left to say");
}

#[test]
fn reading_writes_nothing_and_copies_nothing() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    let before = rig.tree();
    for args in [
        &["get", "--provider", "p", "--agent", "work"][..],
        &["clear", "--provider", "p", "--agent", "work"],
        &["get", "--provider", "p", "--json"],
    ] {
        order(&rig, args).success();
    }
    order(&rig, &["set", "--provider", "p", "nope", "--agent", "work"]).failure(1);
    order(&rig, &["set", "--provider", "p", "q:a"]).failure(1);
    order(&rig, &["set", "--provider", " ", "p:a"]).failure(2);
    order(&rig, &["set", " "]).failure(2);
    order(&rig, &["get"]).failure(2);
    order(&rig, &["get", "--agent", "nope", "--provider", "p"]).failure(2);
    assert_eq!(rig.tree(), before);
}

#[test]
fn an_unreadable_document_is_an_error_and_stays() {
    let rig = rig();
    rig.write(STATE, "{\"order\": ");
    let before = rig.tree();
    for args in [
        &["get", "--provider", "p"][..],
        &["set", "--provider", "p", "p:a"],
        &["clear", "--provider", "p"],
    ] {
        let stderr = order(&rig, args).failure(6);
        assert!(stderr.contains("auth-state.json") && stderr.contains("hint: "), "{stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn the_agent_can_be_named_on_every_level_and_defaults_to_the_configured_one() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    rig.write(&store("work"), &json!({"profiles": {"p:w": key("p")}}).to_string());
    let get = ["order", "get", "--provider", "p", "--json"];
    for args in [
        [&["models", "auth", "--agent", "work"][..], &get].concat(),
        [&["models", "auth"][..], &get, &["--agent", "Work"]].concat(),
    ] {
        let report = rig.run(&args).json();
        assert_eq!(report["agentId"], "work");
        assert_eq!(report["agentDir"], rig.path("agents/work/agent").to_str().unwrap());
    }
    rig.write("openclaw.json", r#"{agents: {list: [{id: "main"}, {id: "work", default: true}]}}"#);
    assert_eq!(rig.run(&[&["models", "auth"][..], &get].concat()).json()["agentId"], "work");
    let listed = rig.run(&["models", "auth", "--agent", "main", "list", "--json"]).json();
    assert_eq!(listed["agentId"], "main");
}

#[test]
fn an_agents_own_order_may_name_profiles_of_main() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    let token = || {
        let args = ["models", "auth", "token", "--provider", "p", "--agent", "work", "--json"];
        rig.run(&args).json()["profileId"].clone()
    };
    order(&rig, &["set", "p:b"]).success();
    let of_work = ["get", "--provider", "p", "--agent", "work", "--json"];
    assert_eq!(token(), "p:b", "where it uses the profiles of main, the order of main counts");
    assert_eq!(order(&rig, &of_work).json()["order"], json!(["p:b"]));
    order(&rig, &["set", "p:a", "--agent", "work"]).success();
    assert_eq!(token(), "p:a");
    rig.write(&store("work"), &json!({"profiles": {"p:w": key("p")}}).to_string());
    assert_eq!(token(), "p:a", "named by work itself");
    order(&rig, &["clear", "--provider", "p", "--agent", "work"]).success();
    assert_eq!(token(), "p:w");
    assert_eq!(order(&rig, &of_work).json()["order"], Value::Null);
    assert_eq!(rig.document_of("work")["profiles"].as_object().unwrap().len(), 1);
}

#[test]
fn an_interrupted_move_of_the_old_layout_is_finished_by_the_next_write() {
    let rig = rig();
    rig.edit("main", |document| {
        document["order"] = json!({"p": ["p:b"], "q": ["q:a"]});
        document["usageStats"] = json!({"p:a": {"lastUsed": 5, "odd": 1}});
        document["lastGood"] = json!("odd");
    });
    assert_eq!(order(&rig, &["get", "--provider", "p", "--json"]).json()["order"], json!(["p:b"]));
    // As after a crash between the two writes.
    rig.write(STATE, &json!({"version": 1, "order": {"p": ["p:a"], "q": ["q:a"]}}).to_string());
    order(&rig, &["clear", "--provider", "p"]).success();
    let state: Value = serde_json::from_str(&rig.read(STATE)).unwrap();
    let usage = json!({"p:a": {"lastUsed": 5, "odd": 1}});
    assert_eq!(state, json!({"version": 1, "order": {"q": ["q:a"]}, "usageStats": usage}));
    let document = rig.document();
    assert!(document.get("order").is_none() && document.get("usageStats").is_none());
    assert_eq!(document["lastGood"], "odd", "what is no object cannot be moved, and stays");
    // A write of the profiles moves it just as well.
    let rig = self::rig();
    rig.edit("main", |document| document["order"] = json!({"p": ["p:b"]}));
    rig.run(&["models", "auth", "logout", "q:a"]).success();
    assert!(rig.document().get("order").is_none());
    assert_eq!(order(&rig, &["get", "--provider", "p", "--json"]).json()["order"], json!(["p:b"]));
}

#[test]
fn concurrent_orders_of_several_providers_are_all_kept() {
    let rig = Rig::new();
    let profiles: serde_json::Map<_, _> =
        (0..12).map(|n| (format!("p{n}:a"), key(&format!("p{n}")))).collect();
    rig.write(&store("main"), &json!({"profiles": profiles}).to_string());
    let running: Vec<_> = (0..12)
        .map(|n| {
            let id = format!("p{n}:a");
            rig.start(&["models", "auth", "order", "set", &id])
        })
        .collect();
    for child in running {
        child.finish().success();
    }
    let state: Value = serde_json::from_str(&rig.read(STATE)).unwrap();
    assert_eq!(state["order"].as_object().unwrap().len(), 12);
}

#[test]
fn a_state_that_cannot_take_an_order_is_an_error_and_stays() {
    let rig = Rig::signed_in();
    let state = r#"{"version": 1, "order": []}"#;
    rig.write("agents/main/agent/auth-state.json", state);
    let set = ["models", "auth", "order", "set", "--provider", "openai-codex", PROFILE];
    let stderr = rig.run(&set).failure(6);
    assert!(stderr.contains("`order` is not an object"), "{stderr}");
    assert_eq!(rig.read("agents/main/agent/auth-state.json"), state);
}

/// Everyday input, report 36 (openclaw#13186).
#[test]
fn a_configuration_is_read_as_openclaw_reads_json5_and_stays_as_it_is_written() {
    for (before, after) in [
        ("{ custom: { limit: Infinity, odd: [-Infinity, NaN, +1, 0xFF] }", "}\n"),
        ("// first part\n\u{feff}{ \"custom\": 1", "}"),
        ("{ \\u0063ustom: {}", "}\n"),
        ("{ custom/* a */: {/**/b/**/:/**/1/**/,/**/}, c// d\n: 1", "}\n"),
        ("{ 'a\\\nb': 'c\\\r\nd\\ud800', // e\u{2028} f\u{301}: 1e999", "} // g"),
    ] {
        let rig = rig();
        rig.write(
            "openclaw.json",
            &format!("{before}, auth: {{ order: {{ p: ['p:b', 'p:a'] }} }} {after}"),
        );
        let token = rig.run(&["models", "auth", "token", "--provider", "p", "--json"]).json();
        assert_eq!(token["profileId"], "p:b", "{before}");
        let key = ["models", "auth", "paste-api-key", "--provider", "p", "--profile-id", "p:c"];
        rig.run_with_input(&key, "fake-key\n").success();
        let text = rig.read("openclaw.json");
        assert!(text.starts_with(before) && text.trim_end().ends_with(after.trim_end()), "{text}");
        let token = rig.run(&["models", "auth", "token", "--provider", "p", "--json"]).json();
        assert_eq!(token["profileId"], "p:c", "{text}");
    }
}
