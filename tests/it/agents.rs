//! `agents add` and `agents list`

use crate::support::rig::Rig;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn without_a_configuration_there_is_main() {
    let rig = Rig::new();
    let listed = rig.run(&["agents", "list", "--json"]).json();
    let expected = json!([{
        "id": "main",
        "workspace": rig.home().join(".openclaw/workspace"),
        "agentDir": rig.path("agents/main/agent"),
        "bindings": 0,
        "isDefault": true,
        "routes": ["default (no explicit rules)"],
    }]);
    assert_eq!(listed, expected);
    assert_eq!(listed.to_string(), expected.to_string(), "in this order");
    assert!(!rig.path("openclaw.json").exists());
}

#[test]
fn an_added_agent_has_directories_and_an_entry() {
    let rig = Rig::new();
    let workspace = rig.path("ws/work");
    let report = rig
        .run(&["agents", "add", "Work Bot", "--workspace", workspace.to_str().unwrap(), "--json"])
        .json();
    let expected = json!({
        "agentId": "work-bot",
        "name": "Work Bot",
        "workspace": workspace,
        "agentDir": rig.path("agents/work-bot/agent"),
        "bindings": {"added": [], "updated": [], "skipped": [], "conflicts": []},
    });
    assert_eq!(report.to_string(), expected.to_string());
    let mode = |name: &str| rig.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("agents/work-bot/agent"), 0o700);
    assert_eq!(mode("ws/work"), 0o755);
    assert!(rig.path("agents/work-bot/sessions").is_dir());
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(
        config,
        json!({"agents": {"list": [
            {"id": "main"},
            {"id": "work-bot", "name": "Work Bot", "workspace": workspace,
             "agentDir": rig.path("agents/work-bot/agent")},
        ]}})
    );
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(
        listed[1].to_string(),
        json!({"id": "work-bot", "name": "Work Bot", "workspace": workspace,
               "agentDir": rig.path("agents/work-bot/agent"), "bindings": 0, "isDefault": false})
        .to_string()
    );
    assert!(rig.run(&["agents"]).success().contains("- work-bot (Work Bot)"));
}

#[test]
fn a_workspace_is_given_where_none_is_named() {
    let rig = Rig::new();
    let report = rig.run(&["agents", "add", "a", "--json"]).json();
    assert_eq!(report["workspace"], rig.path("workspace-a").to_str().unwrap());
    rig.write("openclaw.json", "{agents: {defaults: {workspace: '~/w'}}}");
    let report = rig.run(&["agents", "add", "b", "--json"]).json();
    assert_eq!(report["workspace"], rig.home().join("w/b").to_str().unwrap());
}

#[test]
fn taken_and_reserved_and_missing_names_are_refused() {
    let rig = Rig::new();
    rig.run(&["agents", "add", "work"]).success();
    let before = rig.tree();
    for (args, message) in [
        (&["agents", "add", "WORK"][..], "already exists"),
        (&["agents", "add", "Main"], "reserved"),
        (&["agents", "add", "日本"], "reserved"),
        (&["agents", "add"], "needs a name"),
        (&["agents", "add", "x", "--non-interactive"], "--workspace"),
    ] {
        let stderr = rig.run(args).failure(1);
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn an_unreadable_configuration_stays_as_it_is() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{ agents: ");
    let before = rig.tree();
    let stderr = rig.run(&["agents", "add", "work"]).failure(6);
    assert!(stderr.contains("openclaw.json"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn the_configuration_decides_on_default_and_directories() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{agents: {list: [{id: 'one'}, {id: 'Two', default: true, agentDir: '~/two', model: {primary: 'm'}, identity: {name: 'N', emoji: 'E'}}]}, bindings: [{agentId: 'two', match: {channel: 'c'}}]}",
    );
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(listed[0]["isDefault"], false);
    assert_eq!(
        listed[1].to_string(),
        json!({"id": "two", "identityName": "N", "identityEmoji": "E", "identitySource": "config",
               "workspace": rig.home().join(".openclaw/workspace"), "agentDir": rig.home().join("two"),
               "model": "m", "bindings": 1, "isDefault": true})
        .to_string()
    );
}
