//! `channels list`

use crate::support::rig::{Rig, store};
use serde_json::json;

const EMPTY: &str = "{\n  \"chat\": {},\n  \"auth\": []\n}\n";

#[test]
fn the_json_is_that_of_openclaw() {
    let rig = Rig::new();
    assert_eq!(rig.run(&["channels", "list", "--json", "--no-usage"]).stdout, EMPTY);
    rig.write(
        &store("main"),
        r#"{"profiles": {
            "z": {"type": "oauth", "provider": "Z.AI"},
            "10": {"type": "token", "provider": "x", "token": "fake"},
            "2": {"mode": "api_key", "provider": "y", "apiKey": "fake"},
            "01": {"type": "api_key", "provider": "y", "key": "fake"},
            "bad": {"type": "weird", "provider": "y"}
        }}"#,
    );
    let finished = rig.run(&["channels", "list", "--json", "--no-usage"]);
    assert!(finished.stderr.contains("1 entry in"), "{}", finished.stderr);
    let row = |id: &str, provider: &str, kind: &str| json!({"id": id, "provider": provider, "type": kind, "isExternal": false});
    let expected = json!({"chat": {}, "auth": [
        row("2", "y", "api_key"),
        row("10", "x", "token"),
        row("z", "Z.AI", "oauth"),
        row("01", "y", "api_key"),
    ]});
    assert_eq!(finished.stdout, serde_json::to_string_pretty(&expected).unwrap() + "\n");
    let usage = rig.run(&["channels", "list", "--json"]).json();
    assert_eq!(usage["usage"]["providers"], json!([]));
    assert!(usage["usage"]["updatedAt"].is_i64());
}

#[test]
fn the_main_store_is_listed_whichever_agent_is_the_default() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{agents: {list: [{id: 'main'}, {id: 'work', default: true}]}}");
    rig.write(
        &store("work"),
        r#"{"profiles": {"w": {"type": "api_key", "provider": "y", "key": "k"}}}"#,
    );
    assert_eq!(rig.run(&["channels", "list", "--json", "--no-usage"]).stdout, EMPTY);
}

#[test]
fn the_text_has_the_same_rows() {
    let rig = Rig::new();
    let text = rig.run(&["channels", "list", "--no-usage"]).success();
    assert!(text.contains("Auth providers (OAuth + API keys):\n- none\n"), "{text}");
    rig.write(
        &store("main"),
        r#"{"profiles": {"w": {"type": "api_key", "provider": "y", "key": "k"}}}"#,
    );
    let text = rig.run(&["channels", "list"]).success();
    assert!(text.contains("\n- w (api_key)\n"), "{text}");
}

const CHANNELS: &str = "{channels: {
    telegram: {botToken: 'fake-bot', accounts: {Work: {botToken: 'fake-own'}, off: {enabled: false}}},
    slack: {accounts: {a: {botToken: 'fake-bot'}}},
    whatsapp: {allowFrom: ['+1']}, line: {enabled: true}, discord: {enabled: false},
}}";

#[test]
fn configured_channels_are_listed_with_their_accounts() {
    let rig = Rig::new();
    rig.write("openclaw.json", CHANNELS);
    let chat = rig.run(&["channels", "list", "--json", "--no-usage"]).json()["chat"].clone();
    let expected = json!({"line": [], "slack": ["a"], "telegram": ["default", "off", "work"],
        "whatsapp": ["default"]});
    assert_eq!(chat.to_string(), expected.to_string());
    let text = rig.run(&["channels", "list"]).success();
    assert!(text.contains("- slack a: not configured: appToken missing\n"), "{text}");
    let without = rig
        .command(&["channels", "list", "--json", "--no-usage"])
        .env("OPENCLAW_DISABLE_BUNDLED_PLUGINS", "1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(without.stdout).unwrap(), EMPTY);
}

#[test]
fn the_status_says_what_looks_configured_and_contacts_nobody() {
    let rig = Rig::new();
    rig.write("openclaw.json", CHANNELS);
    rig.write(
        &store("main"),
        r#"{"profiles": {"w": {"type": "api_key", "provider": "y", "key": "k"}}}"#,
    );
    let before = rig.tree();
    let report = rig.run(&["channels", "status", "--json"]).json();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["channels"][0], json!({"id": "line", "accounts": []}));
    assert_eq!(
        report["channels"][1]["accounts"],
        json!([{"id": "a", "enabled": true, "configured": false, "missing": ["appToken"]}])
    );
    let telegram = &report["channels"][2]["accounts"];
    assert_eq!(
        (&telegram[1]["enabled"], &telegram[2]["configured"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(report["channels"][3]["accounts"][0]["configured"], json!(null));
    assert_eq!(report["auth"], json!([{"id": "w", "provider": "y", "type": "api_key"}]));
    let text = rig.run(&["channels", "status"]).success();
    for part in [
        "- line: no account\n",
        "- telegram off: switched off\n",
        "- telegram work: configured\n",
        "- whatsapp default: its login is not in the configuration\n",
        "- w (api_key)",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("fake-"), "{text}");
    assert_eq!(rig.tree(), before);
    let help = rig.run(&["channels", "status", "--help"]).success();
    assert!(help.contains("No channel is contacted"), "{help}");
}
