//! `models auth session`: what one session pins.

use crate::support::rig::{Finished, Rig, store};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

const SESSIONS: &str = "agents/main/sessions/sessions.json";

fn rig() -> Rig {
    let rig = Rig::new();
    let key = |provider: &str| json!({"type": "api_key", "provider": provider, "key": "fake"});
    let profiles = json!({"p:me+tag@x.test": key("p"), "p:b": key("P"), "q:a": key("q")});
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig.write(
        SESSIONS,
        &json!({
            "agent:main:main": {"sessionId": "s", "updatedAt": 1, "modelProvider": "p", "model": "m",
                "authProfileOverride": "p:b", "authProfileOverrideCompactionCount": 2, "odd": 1.5},
            "other": {"kept": [1]},
        })
        .to_string(),
    );
    rig
}

fn run(rig: &Rig, args: &[&str]) -> Finished {
    rig.run(&[&["models", "auth", "session"], args].concat())
}

fn entry(rig: &Rig) -> Value {
    serde_json::from_str::<Value>(&rig.read(SESSIONS)).unwrap()["agent:main:main"].clone()
}

#[test]
fn a_profile_is_pinned_shown_and_let_go() {
    let rig = rig();
    let shown = run(&rig, &["show", "--session", "main", "--json"]).json();
    assert_eq!(shown["session"], "agent:main:main");
    assert_eq!(shown["authProfileOverrideSource"], "auto", "a count without a source");
    let id = "p:me+tag@x.test";
    run(&rig, &["set", "--session", "MAIN", "--profile", id]).success();
    let after = entry(&rig);
    assert_eq!(
        (&after["authProfileOverride"], &after["authProfileOverrideSource"]),
        (&id.into(), &"user".into())
    );
    assert!(after.get("authProfileOverrideCompactionCount").is_none());
    assert!(after["updatedAt"].as_i64().unwrap() > 1);
    assert_eq!((&after["model"], &after["odd"]), (&"m".into(), &1.5.into()));
    assert!(rig.read(SESSIONS).contains("\"kept\""));
    assert_eq!(rig.path(SESSIONS).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    run(&rig, &["clear", "--session", "agent:main:main"]).success();
    assert!(entry(&rig).get("authProfileOverride").is_none());
}

#[test]
fn a_model_is_pinned_with_its_profile_or_lets_it_go() {
    let rig = rig();
    let set =
        |model: &str| run(&rig, &["set", "--session", "main", "--model", model, "--json"]).json();
    let report = set("q/x@20251001@q:a");
    assert_eq!(report["modelOverride"], "x@20251001");
    assert_eq!(report["authProfileOverride"], "q:a");
    let after = entry(&rig);
    assert_eq!(after["modelOverrideSource"], "user");
    assert!(after.get("modelProvider").is_none() && after["liveModelSwitchPending"] == true);
    assert_eq!(set("q/x")["authProfileOverride"], Value::Null);
    rig.write("openclaw.json", r#"{agents: {defaults: {model: "p/usual"}}}"#);
    let report = set("p/usual@p:b");
    assert_eq!(
        (&report["modelOverride"], &report["authProfileOverride"]),
        (&Value::Null, &"p:b".into())
    );
}

#[test]
fn what_does_not_exist_or_fit_is_refused_and_nothing_changes() {
    let rig = rig();
    let before = rig.tree();
    for (args, code) in [
        (&["set", "--session", "nope", "--profile", "p:b"][..], 1),
        (&["clear", "--session", "nope"], 1),
        (&["set", "--session", "main", "--profile", "nope"], 3),
        (&["set", "--session", "main", "--profile", "q:a"], 1),
        (&["set", "--session", "main", "--model", "q/x@p:b"], 1),
        (&["set", "--session", "main"], 2),
        (&["set", "--session", "main", "--profile", "p:b", "--model", "q/x@q:a"], 2),
        (&["show", "--session", "agent:work:main", "--agent", "main"], 2),
    ] {
        run(&rig, args).failure(code);
    }
    assert_eq!(run(&rig, &["show", "--session", "nope", "--json"]).json()["exists"], false);
    assert_eq!(rig.tree(), before);
    rig.write(SESSIONS, "[");
    run(&rig, &["clear", "--session", "main"]).failure(6);
    assert_eq!(rig.read(SESSIONS), "[");
}

#[test]
fn the_document_is_where_the_configuration_says() {
    let rig = rig();
    rig.run(&["agents", "add", "work"]).success();
    let stores = rig.path("s/{agentId}.json");
    let config =
        json!({"agents": {"list": [{"id": "main"}, {"id": "work"}]}, "session": {"store": stores}});
    rig.write("openclaw.json", &config.to_string());
    rig.write("s/work.json", r#"{"agent:work:x": {"modelProvider": "p"}}"#);
    let args = ["set", "--session", "agent:work:x", "--profile", "p:b", "--json"];
    let report = run(&rig, &args).json();
    assert_eq!(report["storePath"], rig.path("s/work.json").to_str().unwrap());
    assert_eq!(report["agentId"], "work", "that of the key");
    assert!(rig.read("s/work.json").contains("p:b"));
}
