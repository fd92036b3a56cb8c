//! Files with several logins.

use super::{FAR, import};
use crate::support::rig::{Rig, store};
use serde_json::{Map, Value, json};

const PI: &str = ".pi/agent/auth.json";

#[test]
fn one_of_several_has_to_be_named_or_all() {
    let rig = Rig::new();
    let login = |n: u8| {
        json!({"type": "oauth", "access": format!("fake-access-{n}"),
               "refresh": format!("fake-refresh-{n}"), "expires": FAR})
    };
    let file = json!({"anthropic": login(1), "openai-codex": login(2),
                      "groq": {"type": "api_key", "key": "fake-key"}});
    rig.write_at_home(PI, &file.to_string());
    let stderr = import(&rig, &["pi", "--copy"]).failure(2);
    assert!(
        stderr.contains("anthropic, openai-codex, groq") && stderr.contains("--all"),
        "{stderr}"
    );
    import(&rig, &["pi", "--copy", "--entry", "nope"]).failure(2);
    import(&rig, &["pi", "--copy", "--all", "--profile-id", "x"]).failure(2);
    // A key has no owner to name.
    import(&rig, &["pi", "--entry", "groq"]).success();
    import(&rig, &["pi", "--entry", "anthropic", "--move"]).success();
    let left: Value = serde_json::from_str(&rig.read_at_home(PI).unwrap()).unwrap();
    assert_eq!(
        left,
        json!({"openai-codex": login(2), "groq": {"type": "api_key", "key": "fake-key"}})
    );
    let report = import(&rig, &["pi", "--all", "--move", "--json"]).json();
    let outcomes: Vec<_> = report["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["profileId"].as_str().unwrap(), row["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes, [("openai-codex:pi", "imported"), ("groq:pi", "unchanged")]);
    assert_eq!(rig.read_at_home(PI).unwrap(), "{}\n");
}

#[test]
fn a_thousand_logins_are_one_change_of_the_store() {
    let rig = Rig::new();
    rig.write(&store("main"), r#"{"version":1,"profiles":{}}"#);
    let mut file = Map::new();
    for n in 0..1_000 {
        let entry = json!({"type": "oauth", "access": format!("fake-access-{n}"),
                           "refresh": format!("fake-refresh-{n}"), "expires": FAR,
                           "accountId": format!("acc-{n}"), "email": format!("u{n}@example.test")});
        file.insert(format!("provider-{n}"), entry);
    }
    rig.write_at_home(PI, &Value::Object(file).to_string());
    let report = import(&rig, &["pi", "--all", "--copy", "--json"]).json();
    assert_eq!(report["profiles"].as_array().unwrap().len(), 1_000);
    assert_eq!(rig.document()["profiles"].as_object().unwrap().len(), 1_000);
    // Every change keeps what it replaces.
    let backups = rig.run(&["doctor", "--restore", "--list", "--json"]).json();
    assert_eq!(backups["backups"].as_array().unwrap().len(), 1);
    let report = import(&rig, &["pi", "--all", "--copy", "--json"]).json();
    let rows = report["profiles"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["outcome"] == "unchanged"));
    let backups = rig.run(&["doctor", "--restore", "--list", "--json"]).json();
    assert_eq!(backups["backups"].as_array().unwrap().len(), 1, "nothing new, no change");
}
