//! `agents delete`: what belongs to the agent goes to the trash, nothing else is touched.

use crate::support::rig::Rig;
use serde_json::{Value, json};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A rig with agent `work`, which has files in each of its directories.
fn rig() -> Rig {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{\n  // mine\n  agents: { list: [{ id: 'main' }] },\n  tools: { agentToAgent: { allow: ['main', 'work'] } },\n}\n",
    );
    add(&rig, "work", &rig.path("ws/work"));
    rig.run(&["agents", "bind", "--agent", "work", "--bind", "irc", "--bind", "slack"]).success();
    rig.write("ws/work/notes.md", "notes");
    rig.write("agents/work/agent/auth-profiles.json", "{}");
    rig.write("agents/work/sessions/sessions.json", "{}");
    rig
}

fn add(rig: &Rig, name: &str, workspace: &Path) {
    rig.run(&["agents", "add", name, "--workspace", workspace.to_str().unwrap()]).success();
}

fn delete(rig: &Rig, id: &str) -> Value {
    rig.run(&["agents", "delete", id, "--force", "--json"]).json()
}

fn path(value: &Value) -> PathBuf {
    PathBuf::from(value.as_str().unwrap())
}

#[test]
fn a_deleted_agent_is_in_the_trash_and_nowhere_else() {
    let rig = rig();
    let report = delete(&rig, "work");
    let trash = path(&report["trash"]);
    assert_eq!(trash.parent().unwrap(), rig.path("trash"));
    assert!(trash.file_name().unwrap().to_str().unwrap().starts_with("work-"));
    let expected = json!({
        "agentId": "work",
        "workspace": rig.path("ws/work"),
        "agentDir": rig.path("agents/work/agent"),
        "sessionsDir": rig.path("agents/work/sessions"),
        "removedBindings": 2,
        "removedAllow": 1,
        "trash": trash,
        "moved": [
            {"from": rig.path("ws/work"), "to": trash.join("workspace")},
            {"from": rig.path("agents/work/agent"), "to": trash.join("agent")},
            {"from": rig.path("agents/work/sessions"), "to": trash.join("sessions")},
        ],
        "retained": [],
    });
    assert_eq!(report.to_string(), expected.to_string());
    for name in ["workspace/notes.md", "agent/auth-profiles.json", "sessions/sessions.json"] {
        assert!(trash.join(name).is_file(), "{name}");
    }
    for private in [&rig.path("trash"), &trash] {
        assert_eq!(private.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert!(!rig.path("agents/work").exists() && !rig.path("ws/work").exists());
    assert!(rig.path("ws").exists());
    let config = rig.read("openclaw.json");
    assert!(config.contains("// mine") && !config.contains("work"), "{config}");
    rig.run(&["agents", "delete", "work", "--force"]).failure(1);
    add(&rig, "work", &rig.path("ws/work"));
    assert_ne!(path(&delete(&rig, "work")["trash"]), trash);
}

#[test]
fn a_shared_workspace_is_retained() {
    let rig = rig();
    add(&rig, "inner", &rig.path("ws/work/inner"));
    let report = delete(&rig, "Work");
    let fields: Vec<_> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields[..6],
        [
            "agentId",
            "workspace",
            "workspaceRetained",
            "workspaceRetainedReason",
            "workspaceSharedWith",
            "agentDir"
        ]
    );
    assert_eq!(report["workspaceRetained"], true);
    assert_eq!(report["workspaceRetainedReason"], "shared");
    assert_eq!(report["workspaceSharedWith"], json!(["inner"]));
    assert_eq!(report["moved"].as_array().unwrap().len(), 2);
    assert_eq!(rig.read("ws/work/notes.md"), "notes");
    let text = rig.run(&["agents", "delete", "inner", "--force"]).success();
    assert!(text.contains("Deleted agent inner") && text.contains("Moved:"), "{text}");
}

#[test]
fn what_holds_more_than_the_agent_is_retained() {
    let rig = rig();
    let state = rig.state_dir();
    let root = state.parent().unwrap().to_owned();
    let link = root.join("link-to-home");
    std::os::unix::fs::symlink(rig.home(), &link).unwrap();
    for workspace in [
        Path::new("/"),
        Path::new("/tmp"),
        &rig.home(),
        &root,
        &state,
        &state.join("agents"),
        &state.join("locks/x"),
        &link,
    ] {
        rig.run(&["agents", "add", "wide", "--workspace", workspace.to_str().unwrap()]).success();
        let report = delete(&rig, "wide");
        assert_eq!(report["workspaceRetained"], true, "{}", workspace.display());
        assert!(workspace.exists(), "{}", workspace.display());
        assert!(link.is_symlink());
        assert!(rig.path("agents/work/agent").exists());
    }
}

#[test]
fn the_store_of_another_agent_is_retained() {
    let rig = rig();
    // By its own name, the configuration would not be valid.
    std::os::unix::fs::symlink(rig.path("agents/work"), rig.home().join("link")).unwrap();
    rig.write(
        "openclaw.json",
        "{agents: {list: [{id: 'main'}, {id: 'work'}, {id: 'twin', agentDir: '~/link/agent'}]}}",
    );
    let report = delete(&rig, "twin");
    assert_eq!(
        report["retained"],
        json!([{"path": rig.home().join("link/agent"), "reason": "shared"}])
    );
    assert_eq!((&report["trash"], &report["moved"]), (&Value::Null, &json!([])));
    assert!(rig.path("agents/work/agent/auth-profiles.json").exists());
    assert!(!rig.path("trash").exists());
}

#[test]
fn a_refused_deletion_changes_nothing() {
    let rig = rig();
    let before = rig.tree();
    for (args, message) in [
        (&["work"][..], "--force"),
        (&["work", "--json"], "--force"),
        (&["nope", "--force"], "`nope`"),
        (&["main", "--force"], "cannot be deleted"),
        (&["日本", "--force"], "cannot be deleted"),
        (&[" ", "--force"], "not named"),
    ] {
        let stderr = rig.run(&[&["agents", "delete"], args].concat()).failure(1);
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_failure_on_the_way_undoes_what_was_done() {
    let rig = rig();
    rig.write("trash", "in the way");
    let before = rig.tree();
    let stderr = rig.run(&["agents", "delete", "work", "--force"]).failure(1);
    assert!(stderr.contains("could not move"), "{stderr}");
    assert_eq!(rig.tree(), before);
    std::fs::remove_file(rig.path("trash")).unwrap();
    // The configuration cannot be changed: its lock has no place.
    std::fs::create_dir(rig.path("openclaw.json.lock")).unwrap();
    let before = rig.tree();
    let stderr = rig.run(&["agents", "delete", "work", "--force"]).failure(6);
    assert!(stderr.contains("could not write"), "{stderr}");
    assert_eq!(rig.tree(), before);
    assert!(!rig.path("trash").exists());
}

#[test]
fn the_only_agent_takes_the_list_with_it() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{agents: {list: [{id: 'one', workspace: '~/one'}]}}");
    let report = delete(&rig, "one");
    assert_eq!(report["moved"], json!([]));
    assert!(!rig.read("openclaw.json").contains("list"));
    assert_eq!(rig.run(&["agents", "list", "--json"]).json()[0]["id"], "main");
}

#[test]
fn a_link_is_moved_and_not_what_it_leads_to() {
    let rig = rig();
    let target = rig.home().join("project");
    std::fs::create_dir(&target).unwrap();
    let link = rig.path("ws/link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    add(&rig, "linked", &link);
    let report = delete(&rig, "linked");
    assert!(path(&report["trash"]).join("workspace").is_symlink());
    assert!(target.is_dir() && !link.is_symlink());
}

#[test]
fn a_workspace_on_another_file_system_is_moved_whole() {
    let rig = rig();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    if other.path().metadata().unwrap().dev() == rig.state_dir().metadata().unwrap().dev() {
        return;
    }
    let workspace = other.path().join("far");
    add(&rig, "far", &workspace);
    std::fs::create_dir(workspace.join(".git")).unwrap();
    std::fs::write(workspace.join(".git/config"), "x").unwrap();
    let script = workspace.join("run.sh");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let report = delete(&rig, "far");
    let copy = path(&report["trash"]).join("workspace");
    assert_eq!(std::fs::read_to_string(copy.join(".git/config")).unwrap(), "x");
    assert_eq!(copy.join("run.sh").metadata().unwrap().permissions().mode() & 0o777, 0o755);
    assert!(!workspace.exists());
    assert_eq!(report["retained"], json!([]));
}
