//! What agents other than `main` see where the logins are in databases: their own rows and those
//! of all agents, and none that is `main`'s own.

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::Rig;
use serde_json::{Value, json};

/// The profile of a login of the rig's server.
const LOGIN: &str = "openai:ada@example.test";

fn shared(rig: &Rig, row: Row) -> Text {
    Text::of(&rig.state_dir(), &rig.path("agents/main/agent"), "main", row)
}

/// The row of an agent's own database, be it that of `main`.
fn own(rig: &Rig, agent: &str, row: Row) -> Text {
    Text::of_own(&rig.path("agents").join(agent).join("agent"), row)
}

fn read(text: &Text) -> Value {
    serde_json::from_str(&text.read().unwrap()).unwrap()
}

fn put(text: &Text, profiles: &Value) {
    assert!(text.write(&json!({"version": 1, "profiles": profiles}).to_string()));
}

fn key(text: &str) -> Value {
    json!({"type": "api_key", "provider": "p", "key": text})
}

/// `main` and `work`, each with a database of its own, beside that of all agents.
fn rig() -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    make_own(&rig.path("agents/main/agent"), "main");
    make_own(&rig.path("agents/work/agent"), "work");
    rig.write("openclaw.json", r#"{"agents":{"entries":{"main":{},"work":{}}}}"#);
    rig
}

fn ids(rig: &Rig, agent: &str) -> Vec<String> {
    let listed = rig.run(&["models", "auth", "list", "--agent", agent, "--json"]).json();
    let profiles = listed["profiles"].as_array().unwrap().iter();
    profiles.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

fn token(rig: &Rig, agent: &str, more: &[&str]) -> String {
    rig.run(&[&["models", "auth", "token", "--agent", agent], more].concat()).success()
}

#[test]
fn what_is_mains_own_is_seen_by_main_alone() {
    let rig = rig();
    put(&shared(&rig, Row::Store), &json!({"p:1": key("fake-1"), "p:2": key("fake-2")}));
    let mains = json!({"p:2": key("fake-of-main"), "p:3": key("fake-3"),
        "q:1": {"type": "token", "provider": "q", "token": "fake-q"}});
    put(&own(&rig, "main", Row::Store), &mains);
    let order = json!({"version": 1, "order": {"p": ["p:3", "p:2"]},
        "usageStats": {"p:1": {"disabledUntil": 4_102_444_800_000_u64}}});
    assert!(own(&rig, "main", Row::State).write(&order.to_string()));
    assert_eq!(ids(&rig, "main"), ["p:1", "p:2", "p:3", "q:1"]);
    assert_eq!(ids(&rig, "work"), ["p:1", "p:2"]);
    assert_eq!(token(&rig, "main", &["--profile", "p:2"]), "fake-of-main");
    assert_eq!(token(&rig, "work", &["--profile", "p:2"]), "fake-2");
    assert_eq!(token(&rig, "main", &["--provider", "p"]), "fake-3");
    assert_eq!(token(&rig, "work", &["--provider", "p"]), "fake-1");
    let missing = rig.run(&["models", "auth", "token", "--agent", "work", "--profile", "p:3"]);
    assert_eq!(missing.code, 3, "{}", missing.stderr);
    let got = rig.run(&[
        "models",
        "auth",
        "order",
        "get",
        "--provider",
        "p",
        "--agent",
        "work",
        "--json",
    ]);
    assert_eq!(got.json()["order"], Value::Null);
    let status = rig.run(&["models", "status", "--agent", "work", "--json"]).json();
    assert!(!status.to_string().contains("q:1"), "{status}");
    assert!(!status.to_string().contains("p:3"), "{status}");
    assert_eq!(status["utilityModel"]["source"], "provider-default");
    let text = rig.run(&["models", "status", "--agent", "work"]).success();
    assert!(text.contains("Utility model   openai/") && !text.contains("q:1"), "{text}");
    // A logout of what `work` cannot see finds nothing.
    let logout = rig.run(&["models", "auth", "logout", "p:3", "--agent", "work", "--local"]);
    assert_eq!(logout.code, 1, "{}", logout.stderr);
    assert_eq!(read(&own(&rig, "main", Row::Store))["profiles"], mains);
}

#[test]
fn order_and_use_of_an_agent_go_before_those_of_all() {
    let rig = rig();
    let profiles = json!({"p:1": key("fake-1"), "p:2": key("fake-2"), "p:3": key("fake-3")});
    put(&shared(&rig, Row::Store), &profiles);
    let state = json!({"version": 1, "usageStats": {"p:1": {"lastUsed": 9}, "p:2": {"lastUsed": 5},
        "p:3": {"lastUsed": 7}}});
    assert!(shared(&rig, Row::State).write(&state.to_string()));
    let wanted = ["--provider", "p"];
    assert_eq!(token(&rig, "work", &wanted), "fake-2");
    // Of one profile, what the agent's own state says counts: what was used longest ago is first.
    let state = json!({"version": 1, "usageStats": {"p:2": {"lastUsed": 8}}});
    assert!(own(&rig, "work", Row::State).write(&state.to_string()));
    assert_eq!(token(&rig, "work", &wanted), "fake-3");
    assert_eq!(token(&rig, "main", &wanted), "fake-2");
    // An outcome is recorded where it counts.
    let report = ["models", "auth", "report", "--agent", "work"];
    rig.run(&[&report[..], &["--profile", "p:2", "--reason", "billing"]].concat()).success();
    let own_state = read(&own(&rig, "work", Row::State));
    assert!(own_state["usageStats"]["p:2"]["disabledUntil"].is_u64(), "{own_state}");
    let all = read(&shared(&rig, Row::State));
    assert_eq!(all["usageStats"]["p:2"], json!({"lastUsed": 5}));
    // An order of the agent's own replaces that of all.
    let state = json!({"version": 1, "order": {"p": ["p:1", "p:3"]}});
    assert!(shared(&rig, Row::State).write(&state.to_string()));
    let state = json!({"version": 1, "order": {"p": ["p:3"]}});
    assert!(own(&rig, "work", Row::State).write(&state.to_string()));
    assert_eq!(token(&rig, "work", &wanted), "fake-3");
    assert_eq!(token(&rig, "main", &wanted), "fake-1");
}

/// A login of the rig's server that has expired, taken out of the rows of all.
fn expired(rig: &Rig) -> Value {
    rig.login(&[]).success();
    let mut stored = read(&shared(rig, Row::Store));
    let mut login = stored["profiles"].as_object_mut().unwrap().remove(LOGIN).unwrap();
    login["expires"] = 2.into();
    login
}

#[test]
fn a_login_of_all_is_refreshed_though_main_has_another_of_its_name() {
    let rig = rig();
    let login = expired(&rig);
    put(&shared(&rig, Row::Store), &json!({LOGIN: login}));
    let mut mains = login.clone();
    mains["refresh"] = "fake-refresh-of-main".into();
    mains["access"] = "fake-access-of-main".into();
    mains["expires"] = 4_102_444_800_000_u64.into();
    mains["email"] = "main@example.test".into();
    put(&own(&rig, "main", Row::Store), &json!({LOGIN: mains}));
    let renewed = token(&rig, "work", &["--profile", LOGIN]);
    let stored = read(&shared(&rig, Row::Store));
    assert_eq!(stored["profiles"][LOGIN]["access"], renewed.as_str());
    assert_ne!(stored["profiles"][LOGIN]["refresh"], login["refresh"]);
    assert_eq!(read(&own(&rig, "main", Row::Store))["profiles"][LOGIN], mains);
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
}

#[test]
fn one_grant_in_both_rows_is_renewed_in_both_whoever_asks() {
    for agent in ["main", "work"] {
        let rig = rig();
        let login = expired(&rig);
        put(&shared(&rig, Row::Store), &json!({LOGIN: login}));
        put(&own(&rig, "main", Row::Store), &json!({"openai:mine": login}));
        let renewed = token(&rig, agent, &["--profile", LOGIN]);
        let rows = [shared(&rig, Row::Store), own(&rig, "main", Row::Store)].map(|it| read(&it));
        assert_eq!(rows[0]["profiles"][LOGIN]["access"], renewed.as_str(), "{agent}");
        assert_eq!(rows[1]["profiles"]["openai:mine"]["access"], renewed.as_str(), "{agent}");
        assert_eq!(rig.server.token_requests("refresh_token"), 1, "{agent}");
    }
}
