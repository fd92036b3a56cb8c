//! `use`, `prune`, `logout --all` and `providers list`.

use super::rig;
use crate::support::rig::{PROFILE, Rig};
use serde_json::json;

#[test]
fn use_puts_a_profile_first_and_the_others_behind() {
    let rig = rig();
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-ada");
    let text = rig.run(&["use", "bob@example.test"]).success();
    assert!(text.contains("openai-codex:work is used first"), "{text}");
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-bob");
    let order =
        rig.run(&["models", "auth", "order", "get", "--provider", "openai-codex", "--json"]);
    assert_eq!(order.json()["order"], json!(["openai-codex:work", PROFILE]));
    let report = rig.run(&["use", PROFILE, "--json"]).json();
    assert_eq!(report["order"], json!([PROFILE, "openai-codex:work"]));
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-ada");
}

#[test]
fn prune_removes_what_is_over_and_nothing_else() {
    let rig = rig();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:old"] =
            json!({"type": "token", "provider": "anthropic", "token": "fake-old", "expires": 1});
        document["profiles"]["openai-codex:work"]["expires"] = 1.into();
    });
    let before = rig.tree();
    let report = rig.run(&["prune", "--dry-run", "--json"]).json();
    assert_eq!(report["profiles"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["profiles"][0]["profileId"], "anthropic:old");
    assert_eq!(rig.tree(), before);
    rig.run(&["prune"]).success();
    let profiles = rig.document()["profiles"].clone();
    assert_eq!(profiles.as_object().unwrap().len(), 4);
    assert!(profiles["anthropic:old"].is_null() && profiles["openai-codex:work"].is_object());
}

#[test]
fn prune_removes_whatever_a_person_has_to_sign_in_to_again() {
    let rig = rig();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:empty"] =
            json!({"type": "oauth", "provider": "anthropic", "access": "", "refresh": "", "expires": 1});
    });
    let states = rig.run(&["list", "--json"]).json();
    let rows = states["profiles"].as_array().unwrap();
    let over: Vec<_> = rows.iter().filter(|row| row["state"] == "sign-in-again").collect();
    let report = rig.run(&["prune", "--dry-run", "--json"]).json();
    let pruned = report["profiles"].as_array().unwrap();
    assert_eq!(over.len(), 1, "{states}");
    assert_eq!(pruned.len(), 1, "{report}");
    assert_eq!(pruned[0]["profileId"], "anthropic:empty");
}

#[test]
fn logout_all_removes_every_profile_and_reports_each() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:a"] =
            json!({"type": "token", "provider": "anthropic", "token": "fake-token"});
    });
    let report = rig.run(&["logout", "--all", "--json"]).json();
    assert_eq!(report["profiles"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["profiles"][0]["revoked"], true);
    assert_eq!(rig.document()["profiles"], json!({}));
    rig.run(&["logout"]).failure(2);
}

#[test]
fn providers_are_listed_with_their_names() {
    let rig = Rig::new();
    let report = rig.run(&["providers", "list", "--json"]).json();
    let find = |id: &str| {
        let rows = report["providers"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    assert_eq!(find("openai-codex")["signIn"], true);
    assert!(find("anthropic")["names"].as_array().unwrap().contains(&json!("claude")));
    let text = rig.run(&["providers", "list"]).success();
    assert!(text.lines().nth(1).unwrap().starts_with("openai-codex"), "{text}");
}
