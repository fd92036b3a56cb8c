//! The store under several writers and on odd file systems.

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::json;

fn keys(count: usize) -> serde_json::Value {
    let profiles: serde_json::Map<_, _> = (0..count)
        .map(|n| (format!("p:{n}"), json!({"type": "api_key", "provider": "p", "key": "fake"})))
        .collect();
    json!({"version": 1, "profiles": profiles})
}

#[test]
fn concurrent_writers_lose_nothing() {
    let rig = Rig::new();
    rig.write(&store("main"), &keys(30).to_string());
    let running: Vec<_> = (0..20)
        .map(|n| {
            let id = format!("p:{n}");
            rig.start(&["models", "auth", "logout", &id])
        })
        .collect();
    for child in running {
        child.finish().success();
    }
    let document = rig.document();
    let left: Vec<&String> = document["profiles"].as_object().unwrap().keys().collect();
    assert_eq!(
        left,
        (20..30).map(|n| format!("p:{n}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
    );
    let files = std::fs::read_dir(rig.path("agents/main/agent")).unwrap();
    assert_eq!(files.count(), 2, "the document and its backups, neither locks nor temporary files");
}

#[test]
fn concurrent_agents_are_all_listed() {
    let rig = Rig::new();
    let running: Vec<_> = (0..10)
        .map(|n| {
            let id = format!("agent-{n}");
            rig.start(&["agents", "add", &id])
        })
        .collect();
    for child in running {
        child.finish().success();
    }
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 11);
}

#[test]
fn a_lock_of_a_dead_openclaw_is_taken_over() {
    let rig = Rig::new();
    rig.write(&store("main"), &keys(2).to_string());
    rig.write(
        &format!("{}.lock", store("main")),
        r#"{"pid":4194304,"createdAt":"2026-01-01T00:00:00.000Z"}"#,
    );
    rig.run(&["models", "auth", "logout", "p:0"]).success();
    assert!(!rig.path(&format!("{}.lock", store("main"))).exists());
}

#[test]
fn a_symbolic_link_to_the_document_stays() {
    let rig = Rig::new();
    rig.write("elsewhere.json", &keys(2).to_string());
    std::fs::create_dir_all(rig.path("agents/main/agent")).unwrap();
    std::os::unix::fs::symlink(rig.path("elsewhere.json"), rig.path(&store("main"))).unwrap();
    rig.run(&["models", "auth", "logout", "p:0"]).success();
    assert!(rig.path(&store("main")).symlink_metadata().unwrap().is_symlink());
    assert!(!rig.read("elsewhere.json").contains("p:0"));
    for name in [format!("{}.lock", store("main")), "elsewhere.json.lock".to_owned()] {
        assert!(!rig.path(&name).exists());
    }
}

#[test]
fn a_document_that_repeats_a_key_is_never_overwritten() {
    let state = "agents/main/agent/auth-state.json";
    for text in [
        r#"{"version": 1, "order": {"p": ["p:0"]}, "order": {"p": ["p:1"]}}"#,
        r#"{"order": {"p": ["p:0"], "p": ["p:1"]}}"#,
        r#"{"usageStats": {"p:0": {"errorCount": 1}, "p:0": {}}}"#,
        r#"{"lastGood": {"p": "p:0", "p": "p:1"}}"#,
    ] {
        let rig = Rig::new();
        rig.write(&store("main"), &keys(2).to_string());
        rig.write(state, text);
        for args in [
            &["models", "auth", "order", "set", "--provider", "p", "p:1"][..],
            &["models", "auth", "token", "--provider", "p"],
        ] {
            let stderr = rig.run(args).failure(6);
            assert!(
                stderr.contains("auth-state.json") && stderr.contains("repeats a key"),
                "{stderr}"
            );
        }
        assert_eq!(rig.read(state), text);
        // The same members, where an older OpenClaw kept them.
        let rig = Rig::new();
        rig.write(&store("main"), text);
        let stderr =
            rig.run(&["models", "auth", "order", "set", "--provider", "p", "p:1"]).failure(6);
        assert!(stderr.contains("repeats a key"), "{stderr}");
        assert_eq!(rig.read(&store("main")), text);
    }
}

#[test]
fn a_full_or_read_only_disk_leaves_the_document() {
    // Root ignores mode bits: a directory in the place of the lock file stops anyone.
    let rig = Rig::new();
    rig.write(&store("main"), &keys(2).to_string());
    std::fs::create_dir(rig.path(&format!("{}.lock", store("main")))).unwrap();
    let before = rig.tree();
    let stderr = rig.run(&["models", "auth", "logout", "p:0"]).failure(6);
    assert!(stderr.contains("could not lock"), "{stderr}");
    assert_eq!(rig.tree(), before);
    let _ = PROFILE;
}
