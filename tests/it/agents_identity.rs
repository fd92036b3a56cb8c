//! `agents set-identity`, and the identities that `agents list` shows

use crate::support::rig::Rig;
use serde_json::json;

/// A rig with `main`, and `work` whose workspace is `ws` beside the state directory.
fn rig() -> Rig {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{agents: {list: [{id: 'main'}, {id: 'work', workspace: '~/../ws', identity: {odd: 1}}]}} // end\n",
    );
    std::fs::create_dir(rig.home().parent().unwrap().join("ws")).unwrap();
    rig
}

fn identity_file(rig: &Rig, text: &str) -> String {
    let path = rig.home().parent().unwrap().join("ws/IDENTITY.md");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn words_are_kept_beside_what_was_there() {
    let rig = rig();
    let args =
        ["agents", "set-identity", "--agent", "Work", "--emoji", " 🦞 ", "--name", "Ada", "--json"];
    let report = rig.run(&args).json();
    assert_eq!(
        report.to_string(),
        json!({"agentId": "work", "identity": {"odd": 1, "name": "Ada", "emoji": "🦞"},
               "workspace": null, "identityFile": null})
        .to_string()
    );
    let text = rig.run(&["agents", "set-identity", "--agent", "work", "--theme", "calm"]).success();
    assert!(text.contains("Name:      Ada") && text.contains("Theme:     calm"), "{text}");
    assert!(rig.read("openclaw.json").contains("// end"));
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(
        (&listed[1]["identityName"], &listed[1]["identitySource"]),
        (&json!("Ada"), &json!("config"))
    );
    assert!(rig.run(&["agents"]).success().contains("Identity:  🦞 Ada (configuration)"));
}

#[test]
fn the_agent_is_found_by_its_workspace_and_words_win_over_the_file() {
    let rig = rig();
    let file = identity_file(&rig, "- **Name:** Clawd\n- Creature: crab\n- Avatar: a.png\n");
    let workspace = rig.home().parent().unwrap().join("ws");
    let expected = json!({
        "agentId": "work",
        "identity": {"odd": 1, "name": "Ada", "theme": "crab", "avatar": "a.png"},
        "workspace": workspace,
        "identityFile": file,
    });
    let args = ["agents", "set-identity", "--identity-file", &file, "--name", "Ada", "--json"];
    assert_eq!(rig.run(&args).json().to_string(), expected.to_string());
    let mut here = rig.command(&["agents", "set-identity", "--json"]);
    let output = here.current_dir(&workspace).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["identity"]["name"], "Clawd");
    assert_eq!(report["identityFile"], json!(null));
}

#[test]
fn the_file_shows_in_the_list_and_a_template_does_not() {
    let rig = rig();
    identity_file(&rig, "# IDENTITY\n- **Name:**\n  _(a hint)_\n- Vibe: _(a hint)_\n");
    let row = |rig: &Rig| rig.run(&["agents", "list", "--json"]).json()[1].clone();
    assert_eq!(row(&rig).get("identitySource"), None);
    identity_file(&rig, "- Vibe: sharp\n");
    assert_eq!(row(&rig)["identitySource"], "identity");
    assert_eq!(row(&rig).get("identityName"), None);
}

#[test]
fn nobody_is_invented_and_nothing_is_written_in_vain() {
    let rig = rig();
    let before = rig.tree();
    let ghost = rig.path("agents/ghost");
    for (args, message) in [
        (&["--agent", "ghost", "--name", "G"][..], "`ghost`"),
        (&["--agent", "work"], "has no identity"),
        (&["--agent", "work", "--name", " "], "has no identity"),
        (&["--agent", "work", "--identity-file", "/nowhere/x.md"], "/nowhere/x.md"),
        (&["--name", "G"], "no agent has the workspace"),
        (&["--workspace", "/nowhere", "--name", "G"], "no agent has the workspace /nowhere"),
    ] {
        let stderr = rig.run(&[&["agents", "set-identity"], args].concat()).failure(1);
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
    assert!(!ghost.exists());
    let two = "{agents: {list: [{id: 'a', workspace: '/w'}, {id: 'b', workspace: '/w/'}]}}";
    rig.write("openclaw.json", two);
    let stderr =
        rig.run(&["agents", "set-identity", "--workspace", "/w", "--name", "G"]).failure(1);
    assert!(stderr.contains("a and of b"), "{stderr}");
    assert_eq!(rig.read("openclaw.json"), two);
}

#[test]
fn main_can_have_an_identity_where_nobody_is_listed() {
    let rig = Rig::new();
    rig.run(&["agents", "set-identity", "--agent", "main", "--name", "M"]).success();
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(config, json!({"agents": {"list": [{"id": "main", "identity": {"name": "M"}}]}}));
}
