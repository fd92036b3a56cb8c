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
               "model": "m", "bindings": 1, "isDefault": true,
               "routes": ["default (no explicit rules)"]})
        .to_string()
    );
}

#[test]
fn an_agent_gets_what_its_options_say() {
    let rig = Rig::new();
    let report = rig
        .run(&[
            "agents",
            "add",
            "a",
            "--workspace",
            "~/w",
            "--agent-dir",
            "store",
            "--model",
            "m",
            "--json",
        ])
        .json();
    let agent_dir = rig.state_dir().parent().unwrap().join("store");
    assert_eq!(report["agentDir"], agent_dir.to_str().unwrap());
    assert_eq!(report["workspace"], rig.home().join("w").to_str().unwrap());
    assert_eq!(agent_dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(
        config["agents"]["list"][1].to_string(),
        json!({"id": "a", "name": "a", "workspace": rig.home().join("w"), "agentDir": agent_dir,
               "model": "m"})
        .to_string()
    );
    let stderr = rig
        .run(&["agents", "add", "b", "--workspace", "w", "--agent-dir", "./x/../store"])
        .failure(1);
    assert!(stderr.contains("agent `a`"), "{stderr}");
    rig.run(&["agents", "add", "b", "--model", "m"]).failure(1);
    rig.run(&["agents", "add", "b", "--workspace", " "]).failure(1);
    rig.run(&["agents", "add", "--workspace", "w"]).failure(1);
}

#[test]
fn an_agent_without_directories_is_not_listed() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{} // mine\n");
    rig.write("file", "");
    let before = rig.tree();
    let workspace = rig.path("file/ws");
    let stderr =
        rig.run(&["agents", "add", "a", "--workspace", workspace.to_str().unwrap()]).failure(1);
    assert!(stderr.contains("could not create"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn of_two_agents_of_one_name_added_at_once_one_is_listed() {
    let rig = Rig::new();
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let rig = &rig;
        let add = |_| scope.spawn(move || rig.run(&["agents", "add", "same"]).code);
        let runs: Vec<_> = (0..6).map(add).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[test]
fn the_model_of_all_agents_is_shown_where_there_is_no_other() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{agents: {defaults: {model: {primary: 'p'}}, list: [{id: 'a', model: 'm'}, {id: 'b'}, {id: 'A'}]}}",
    );
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!((&listed[0]["model"], &listed[1]["model"]), (&json!("m"), &json!("p")));
    assert_eq!(listed.as_array().unwrap().len(), 2, "an id is listed once");
}

#[test]
fn agents_of_an_included_file_count() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{ $include: './people.json5' }");
    rig.write("people.json5", "{ agents: { list: [{ id: 'boss' }] } }");
    rig.run(&["agents", "add", "Work"]).success();
    let listed = rig.run(&["agents", "list", "--json"]).json();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["boss", "work"]);
    assert!(rig.run(&["agents", "add", "Boss"]).failure(1).contains("already exists"));
}
