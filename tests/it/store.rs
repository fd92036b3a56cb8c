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

const AUTH: &str = "agents/main/agent/auth.json";
const PASTE: [&str; 7] =
    ["models", "auth", "paste-token", "--provider", "p", "--profile-id", "p:pasted"];

#[test]
fn an_old_file_that_cannot_be_put_away_is_a_warning_and_the_change_is_stored() {
    for text in ["garbage{", "[]", "\"x\"", ""] {
        let rig = Rig::new();
        rig.write(&store("main"), &keys(2).to_string());
        rig.write(AUTH, text);
        let pasted = rig.run_with_input(&PASTE, "fake-token-123456\n");
        assert!(pasted.stderr.contains("auth.json"), "{text}: {}", pasted.stderr);
        pasted.success();
        assert_eq!(rig.document()["profiles"]["p:pasted"]["token"], "fake-token-123456", "{text}");
        assert_eq!(rig.read(AUTH), text);
    }
}

#[test]
fn an_old_file_is_not_revived_where_there_was_a_document() {
    let old = r#"{"p": {"type": "oauth", "access": "fake-old", "refresh": "fake-spent", "expires": 4102444800000}}"#;
    let signs: [fn(&Rig); 3] = [
        |rig| rig.write("agents/main/agent/auth-state.json", r#"{"version":1}"#),
        |rig| rig.write("agents/main/agent/backups/auth-profiles.20260101T000000.000Z.json", "{}"),
        |rig| rig.write("agents/main/agent/auth-profiles.json~", "{}"),
    ];
    for (number, sign) in signs.into_iter().enumerate() {
        let rig = Rig::new();
        rig.write(AUTH, old);
        sign(&rig);
        rig.run(&["models", "auth", "token", "--provider", "p"]).failure(3);
        rig.run_with_input(&PASTE, "fake-token-123456\n").success();
        let profiles = rig.document()["profiles"].clone();
        assert!(profiles["p:default"].is_null(), "{number}: {profiles}");
        assert_eq!(rig.read(AUTH), old, "{number}: it is left as it is");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_a_store_that_is_away() {
    let rig = Rig::new();
    rig.write(&store("main"), &keys(1).to_string());
    let document = rig.path(&store("main"));
    std::fs::remove_file(&document).unwrap();
    std::os::unix::fs::symlink(rig.path("volume/auth-profiles.json"), &document).unwrap();
    let token = ["models", "auth", "token", "--provider", "p"];
    assert!(rig.run(&token).failure(6).contains("leads nowhere"));
    rig.run_with_input(&PASTE, "fake-token-123456\n").failure(6);
    rig.run(&["models", "auth", "login", "--provider", "openai-codex"]).failure(6);
    rig.run(&["models", "auth", "logout", "p:0"]).failure(6);
    assert_eq!(rig.run(&["doctor"]).code, 1);
    assert!(document.is_symlink());
    // It is back.
    rig.write("volume/auth-profiles.json", &keys(1).to_string());
    assert_eq!(rig.run(&token).success(), "fake");
}

#[test]
fn what_is_no_lock_keeps_nobody_waiting() {
    let rig = Rig::new();
    rig.write(&store("main"), &keys(2).to_string());
    let lock = rig.path(&format!("{}.lock", store("main")));
    rustix::fs::mkfifoat(rustix::fs::CWD, &lock, rustix::fs::Mode::RWXU).unwrap();
    let stderr = rig.run(&["models", "auth", "logout", "p:0"]).failure(6);
    assert!(stderr.contains("no lock file"), "{stderr}");
    let told = rig.run(&["doctor"]);
    assert!(told.code == 1 && told.stdout.contains(".lock"), "{told:?}");
}
