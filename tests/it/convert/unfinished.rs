//! Conversions that ended between both sides, and what happened to the destination since.

use super::{DOCUMENT, TO_JSON, TO_SQLITE, documents, key, put_rows, rows, write_profiles};
use crate::support::database::make_shared;
use crate::support::rig::Rig;
use serde_json::{Value, json};

fn login(grant: &str) -> Value {
    json!({"type": "oauth", "provider": "ex", "access": format!("fake-access-{grant}"),
        "refresh": grant, "expires": 4_102_444_800_000_u64, "email": format!("{grant}@example.test")})
}

/// A conversion to `to` that took `profiles` of `main` out of their source, and ended there;
/// `is_stored` where it had stored them.
fn interrupt(rig: &Rig, to: &str, profiles: &Value, is_stored: bool) {
    make_shared(&rig.state_dir());
    let sealed = "openclaw-auth/backups/converted-20260101T000000.000Z/main";
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    rig.write(&format!("{sealed}/to-store.json"), &text);
    rig.write(&format!("{sealed}/to-store-state.json"), r#"{"order":{"ex":["ex:b","ex:a"]}}"#);
    let ids = profiles.as_object().unwrap().keys();
    let moved: Vec<_> =
        ids.map(|id| json!({"id": id, "becomes": id, "was": "ex", "outcome": "moved"})).collect();
    let mut agent = json!({"agent": "main", "profiles": moved});
    if is_stored {
        agent["stored"] = true.into();
    }
    let note = json!({"schema": 1, "to": to, "sealed": "converted-20260101T000000.000Z",
        "agents": [agent]});
    rig.write("openclaw-auth/conversion.json", &note.to_string());
}

fn noted() -> Value {
    json!({"ex:a": login("fake-a"), "ex:b": login("fake-b"), "p:1": key("fake-1")})
}

fn put(rig: &Rig, to: &str, profiles: &Value) {
    if to == "sqlite" {
        put_rows(rig, "main", profiles);
    } else {
        write_profiles(rig, "main", profiles);
    }
}

fn stored(rig: &Rig, to: &str) -> Value {
    if to == "sqlite" { rows(rig, "main") } else { documents(rig, "main") }
}

fn finish(rig: &Rig, to: &str) -> Value {
    let way = if to == "sqlite" { TO_SQLITE } else { TO_JSON };
    let report = rig.run(&[&way[..], &["--json"]].concat()).json();
    assert_eq!(report["resumed"], true, "{report}");
    assert!(!rig.path("openclaw-auth/conversion.json").exists());
    report
}

/// Whether the report has this of a profile.
fn reports(report: &Value, id: &str, becomes: &str, outcome: &str) -> bool {
    let all = report["agents"][0]["profiles"].as_array().unwrap();
    all.contains(&json!({"id": id, "becomes": becomes, "outcome": outcome}))
}

#[test]
fn a_login_that_was_made_meanwhile_stays_and_all_others_are_stored() {
    for to in ["sqlite", "json"] {
        let rig = Rig::new();
        interrupt(&rig, to, &noted(), false);
        put(&rig, to, &json!({"ex:a": login("fake-new"), "q:1": key("fake-q")}));
        let report = finish(&rig, to);
        let stored = stored(&rig, to);
        assert_eq!(stored["ex:a"]["refresh"], "fake-new", "{to}");
        assert_eq!(stored["ex:b"], login("fake-b"), "{to}");
        assert_eq!((&stored["p:1"], &stored["q:1"]), (&key("fake-1"), &key("fake-q")), "{to}");
        assert!(reports(&report, "ex:a", "ex:a", "superseded"), "{to}: {report}");
        assert!(reports(&report, "ex:b", "ex:b", "moved"), "{to}: {report}");
        let order = ["models", "auth", "order", "get", "--provider", "ex"];
        assert!(rig.run(&order).success().contains("ex:b"), "{to}");
    }
}

#[test]
fn a_grant_that_is_there_already_is_not_stored_twice() {
    for to in ["sqlite", "json"] {
        let rig = Rig::new();
        interrupt(&rig, to, &noted(), false);
        put(&rig, to, &json!({"ex:other": login("fake-a"), "p:1": key("fake-1")}));
        let report = finish(&rig, to);
        let stored = stored(&rig, to);
        assert!(stored.get("ex:a").is_none(), "{to}: {stored}");
        assert!(reports(&report, "ex:a", "ex:other", "present"), "{to}: {report}");
        // An earlier run stored it in the rows; a document that somebody wrote has it as well.
        assert!(stored["p:1"] == key("fake-1"), "{to}: {stored}");
        assert_eq!(stored["ex:b"], login("fake-b"), "{to}");
    }
}

#[test]
fn what_was_removed_after_all_was_stored_does_not_come_back() {
    for to in ["sqlite", "json"] {
        let rig = Rig::new();
        interrupt(&rig, to, &noted(), true);
        put(&rig, to, &json!({"ex:b": login("fake-b+")}));
        finish(&rig, to);
        assert_eq!(stored(&rig, to), json!({"ex:b": login("fake-b+")}), "{to}");
    }
}

#[test]
fn a_plan_says_that_an_earlier_move_is_not_finished() {
    let rig = Rig::new();
    interrupt(&rig, "sqlite", &noted(), false);
    for way in [TO_SQLITE, TO_JSON] {
        let before = rig.tree();
        let stderr = rig.run(&[&way[..], &["--dry-run"]].concat()).failure(6);
        assert!(stderr.contains("store convert --to sqlite"), "{stderr}");
        assert!(rig.tree() == before);
    }
    assert!(!rig.path(DOCUMENT).exists());
    finish(&rig, "sqlite");
}
