//! `models auth logout`

use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::json;

#[test]
fn a_logout_revokes_the_login_and_removes_every_mention_of_it() {
    let rig = Rig::signed_in();
    rig.write(
        "agents/main/agent/auth-state.json",
        &json!({"order": {"openai-codex": [PROFILE, "other"]}, "lastGood": {"openai-codex": PROFILE},
                "usageStats": {PROFILE: {"lastUsed": 1}}, "odd": 1})
        .to_string(),
    );
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let report = rig.run(&["models", "auth", "logout", PROFILE, "--json"]).json();
    assert_eq!(report["revoked"], true);
    assert!(!rig.server.is_alive(&refresh));
    let requests = rig.server.requests_at(Endpoint::Revoke);
    assert_eq!(requests[0].parameter("token"), Some(refresh.as_str()));
    assert_eq!(requests[0].parameter("token_type_hint"), Some("refresh_token"));
    assert_eq!(rig.document()["profiles"], json!({}));
    let state: serde_json::Value =
        serde_json::from_str(&rig.read("agents/main/agent/auth-state.json")).unwrap();
    assert_eq!(state, json!({"order": {"openai-codex": ["other"]}, "odd": 1}));
    assert!(!rig.read("openclaw.json").contains(PROFILE));
}

#[test]
fn local_leaves_the_server_alone() {
    let rig = Rig::signed_in();
    let text = rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    assert!(text.contains("not revoked: --local"), "{text}");
    assert!(rig.server.requests_at(Endpoint::Revoke).is_empty());
    assert_eq!(rig.document()["profiles"], json!({}));
}

#[test]
fn an_unreachable_server_keeps_the_login() {
    for fault in [Fault::status(503), Fault::status(429), Fault::DropBefore] {
        let rig = Rig::signed_in();
        let before = rig.tree();
        rig.server.inject_at(Endpoint::Revoke, fault);
        let stderr = rig.run(&["models", "auth", "logout", PROFILE]).failure(4);
        assert!(stderr.contains("--local"), "{stderr}");
        assert_eq!(rig.tree(), before);
    }
}

#[test]
fn a_login_that_another_agent_holds_is_not_revoked() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    rig.write(&store("work"), &rig.document().to_string());
    let text = rig.run(&["models", "auth", "logout", PROFILE]).success();
    assert!(text.contains("holds the same login"), "{text}");
    assert!(rig.server.requests_at(Endpoint::Revoke).is_empty());
    assert_eq!(rig.document()["profiles"], json!({}));
    assert!(rig.document_of("work")["profiles"][PROFILE].is_object());
    assert!(rig.read("openclaw.json").contains(PROFILE), "agent `work` still has the profile");
}

#[test]
fn an_unknown_profile_changes_nothing() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    let stderr = rig.run(&["models", "auth", "logout", "nope"]).failure(1);
    assert!(stderr.contains("no profile `nope`"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_login_shared_with_an_agent_elsewhere_is_not_revoked() {
    let rig = Rig::signed_in();
    let elsewhere = rig.path("elsewhere");
    rig.write("elsewhere/auth-profiles.json", &rig.document().to_string());
    rig.write(
        "openclaw.json",
        &json!({"agents": {"list": [{"id": "main"}, {"id": "far", "agentDir": elsewhere}]}})
            .to_string(),
    );
    let text = rig.run(&["models", "auth", "logout", PROFILE]).success();
    assert!(text.contains("holds the same login"), "{text}");
    assert!(rig.server.requests_at(Endpoint::Revoke).is_empty());
}

#[test]
fn the_old_layout_forgets_a_profile_too() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["order"] = json!({"openai-codex": [PROFILE, "spare"]});
        document["lastGood"] = json!({"openai-codex": PROFILE});
    });
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    let everything =
        rig.tree().into_iter().map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    let mentions: Vec<String> = everything.filter(|text| text.contains(PROFILE)).collect();
    // The backups of the configuration and of the credentials are what they were.
    assert_eq!(mentions.len(), 2, "{mentions:?}");
}

#[test]
fn other_entries_survive_a_logout() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["bad"] = json!("str");
        document["odd"] = json!({"x": [1.25]});
    });
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    assert_eq!(
        rig.document(),
        json!({"version": 1, "profiles": {"bad": "str"}, "odd": {"x": [1.25]}})
    );
}

#[test]
fn a_login_of_all_agents_is_revoked_when_the_last_of_them_is_signed_out() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    let inherited = ["models", "auth", "logout", PROFILE, "--agent", "work"];
    let stderr = rig.run(&inherited).failure(1);
    assert!(stderr.contains("--all-agents"), "{stderr}");
    rig.write(&store("work"), &rig.document().to_string());
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let text = rig.run(&[&inherited[..], &["--all-agents"]].concat()).success();
    assert!(text.contains("revoked at the server"), "{text}");
    assert!(!rig.server.is_alive(&refresh));
    for agent in ["main", "work"] {
        assert_eq!(rig.document_of(agent)["profiles"], json!({}), "{agent}");
    }
}

#[test]
fn prune_leaves_a_login_that_was_made_while_it_waited() {
    let rig = Rig::new();
    let over = |id: &str| json!({"type": "oauth", "provider": id, "access": format!("fake-{id}-over"), "expires": 1});
    let profiles = |second: serde_json::Value| {
        json!({"version": 1, "profiles": {"a:x": over("a"), "b:x": second}}).to_string()
    };
    rig.write(&store("main"), &profiles(over("b")));
    let lock = rig.path(&format!("{}.lock", store("main")));
    let (pid, now) = (std::process::id(), jiff::Timestamp::now());
    std::fs::write(&lock, format!(r#"{{"pid": {pid}, "createdAt": "{now:.3}"}}"#)).unwrap();
    let running = rig.start(&["prune"]);
    let leases = rig.path("locks/oauth-refresh");
    let is_waiting = || std::fs::read_dir(&leases).is_ok_and(|mut all| all.next().is_some());
    let begun = std::time::Instant::now();
    while !is_waiting() {
        assert!(begun.elapsed().as_secs() < 60, "it does not begin");
        std::thread::yield_now();
    }
    let fresh = json!({"type": "oauth", "provider": "b", "access": "fake-b-new",
        "refresh": "fake-refresh-b", "expires": 4_102_444_800_000_u64});
    rig.write(&store("main"), &profiles(fresh.clone()));
    std::fs::remove_file(&lock).unwrap();
    running.finish();
    assert_eq!(rig.document()["profiles"], json!({"b:x": fresh}));
}
