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
