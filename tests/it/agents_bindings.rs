//! `agents bind`, `unbind`, `bindings`, and the bindings of `agents add` and `agents list`

use crate::support::rig::Rig;
use serde_json::{Value, json};

const CONFIG: &str = "\
{
  // who is who
  agents: { list: [{ id: 'main' }, { id: 'Work' }] },
  bindings: [
    { agentId: 'main', match: { channel: 'telegram', accountId: 'a' } }, // mine
    { agentId: 'work', match: { channel: 'irc' }, comment: 'odd' },
    { type: 'acp', agentId: 'work', match: { channel: 'irc' } },
  ],
}
";

fn rig() -> Rig {
    let rig = Rig::new();
    rig.write("openclaw.json", CONFIG);
    rig
}

fn described(rig: &Rig) -> Vec<String> {
    let listed = rig.run(&["agents", "bindings", "--json"]).json();
    let line = |row: &Value| {
        format!("{} {}", row["agentId"].as_str().unwrap(), row["description"].as_str().unwrap())
    };
    listed.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn binding_adds_updates_skips_and_reports_conflicts() {
    let rig = rig();
    let args =
        ["agents", "bind", "--agent", "WORK", "--json", "--bind", "Slack", "--bind", "irc:X"];
    let report = rig.run(&args).json();
    assert_eq!(
        report.to_string(),
        json!({"agentId": "work", "added": ["slack"], "updated": ["irc accountId=X"],
               "skipped": [], "conflicts": []})
        .to_string()
    );
    let finished = rig.run(&[
        "agents",
        "bind",
        "--agent",
        "work",
        "--json",
        "--bind",
        "slack:default",
        "--bind",
        "telegram:a",
        "--bind",
        "lark:b",
    ]);
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("telegram accountId=a (agent=main)"), "{}", finished.stderr);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        report.to_string(),
        json!({"agentId": "work", "added": ["feishu accountId=b"], "updated": [],
               "skipped": ["slack accountId=default"],
               "conflicts": ["telegram accountId=a (agent=main)"]})
        .to_string()
    );
    assert_eq!(
        described(&rig),
        [
            "main telegram accountId=a",
            "work irc accountId=X",
            "work slack",
            "work feishu accountId=b"
        ]
    );
    let text = rig.read("openclaw.json");
    for kept in ["// who is who", "// mine", "comment: 'odd'", "{ type: 'acp', agentId: 'work'"] {
        assert!(text.contains(kept), "{kept} is gone:\n{text}");
    }
    assert!(text.contains("\"type\": \"route\""), "{text}");
}

#[test]
fn unbinding_removes_what_is_there_and_names_the_rest() {
    let rig = rig();
    let finished = rig.run(&[
        "agents",
        "unbind",
        "--agent",
        "work",
        "--json",
        "--bind",
        "irc",
        "--bind",
        "irc",
        "--bind",
        "telegram:a",
    ]);
    assert_eq!(finished.code, 1);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        report.to_string(),
        json!({"agentId": "work", "removed": ["irc"], "missing": ["irc"],
               "conflicts": ["telegram accountId=a (agent=main)"]})
        .to_string()
    );
    let text = rig.read("openclaw.json");
    assert!(text.contains("// mine") && text.contains("type: 'acp'"), "{text}");
    let removed = rig.run(&["agents", "unbind", "--all"]).success();
    assert!(removed.contains("- telegram accountId=a"), "{removed}");
    assert!(rig.run(&["agents", "bindings"]).success().contains("No agent has bindings"));
}

#[test]
fn the_last_binding_takes_the_key_with_it() {
    let rig = Rig::new();
    rig.write("openclaw.json", "{agents: {list: [{id: 'a'}]}}");
    rig.run(&["agents", "bind", "--bind", "irc"]).success();
    assert!(rig.read("openclaw.json").contains("bindings"));
    rig.run(&["agents", "unbind", "--bind", "irc:default"]).success();
    assert!(!rig.read("openclaw.json").contains("bindings"));
    let before = rig.tree();
    let finished = rig.run(&["agents", "unbind", "--all", "--json"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (0, ""));
    assert!(finished.stderr.contains("no bindings"), "{}", finished.stderr);
    rig.run(&["agents", "unbind", "--bind", "irc", "--json"]).success();
    assert_eq!(rig.tree(), before);
}

#[test]
fn what_cannot_be_bound_changes_nothing() {
    let rig = rig();
    let before = rig.tree();
    for (args, messages) in [
        (
            &["bind", "--bind", "slack", "--bind", "tg", "--bind", "irc:"][..],
            &["`tg`", "`irc:`"][..],
        ),
        (&["bind", "--bind", "x"], &["`x`", "hint: the channels are bluebubbles, discord"]),
        (&["bind"], &["--bind"]),
        (&["bind", "--bind", "  "], &["--bind"]),
        (&["bind", "--agent", "nobody", "--bind", "irc"], &["`nobody`"]),
        (&["unbind"], &["--all"]),
        (&["unbind", "--all", "--bind", "irc"], &["--all"]),
        (&["unbind", "--agent", "nobody", "--all"], &["`nobody`"]),
        (&["bindings", "--agent", "nobody"], &["`nobody`"]),
        (&["bindings", "--agent", " "], &["--agent"]),
    ] {
        let stderr = rig.run(&[&["agents"], args].concat()).failure(1);
        for message in messages {
            assert!(stderr.contains(message), "{args:?}: {stderr}");
        }
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn channels_can_be_switched_off_by_the_environment() {
    let rig = rig();
    let before = rig.tree();
    let mut command = rig.command(&["agents", "bind", "--bind", "irc:z"]);
    let output = command.env("OPENCLAW_DISABLE_BUNDLED_PLUGINS", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("OPENCLAW_DISABLE_BUNDLED_PLUGINS"));
    assert_eq!(rig.tree(), before);
}

#[test]
fn bindings_are_listed_as_they_are() {
    let rig = rig();
    let listed = rig.run(&["agents", "bindings", "--agent", "Work", "--json"]).json();
    let expected = json!([{"agentId": "work", "match": {"channel": "irc"}, "description": "irc"}]);
    assert_eq!(listed.to_string(), expected.to_string());
    let text = rig.run(&["agents", "bindings"]).success();
    assert_eq!(text, "Bindings:\n- main <- telegram accountId=a\n- work <- irc");
}

#[test]
fn an_added_agent_is_bound_and_conflicts_do_not_stop_it() {
    let rig = rig();
    let finished = rig.run(&[
        "agents",
        "add",
        "New",
        "--workspace",
        "ws",
        "--json",
        "--model",
        " m/x ",
        "--bind",
        "telegram:a",
        "--bind",
        "telegram:B",
        "--bind",
        "telegram:B",
    ]);
    let report = finished.json();
    assert_eq!(
        report["bindings"].to_string(),
        json!({"added": ["telegram accountId=B"], "updated": [], "skipped": ["telegram accountId=B"],
               "conflicts": ["telegram accountId=a (agent=main)"]})
        .to_string()
    );
    assert_eq!(report["model"], "m/x");
    let text = rig.run(&["agents", "add", "Other", "--workspace", "ws", "--bind", "telegram:a"]);
    assert!(text.stderr.contains("warning: another agent has: telegram accountId=a (agent=main)"));
    let stderr =
        rig.run(&["agents", "add", "third", "--workspace", "ws3", "--bind", "nope"]).failure(1);
    assert!(stderr.contains("`nope`"), "{stderr}");
    assert!(!rig.path("agents/third").exists());
}

/// Recorded from OpenClaw 2026.4.24 with the plugins `telegram` and `discord` switched on.
#[test]
fn routes_and_channel_accounts_are_those_of_openclaw() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        r#"{"plugins":{"allow":["telegram","discord"]},"agents":{"list":[{"id":"main","default":true},{"id":"work"}]},
"channels":{"telegram":{"accounts":{"acc0":{"botToken":"1:a","name":"Zed"}}}},
"bindings":[{"agentId":"main","match":{"channel":"telegram","accountId":"acc0"}},{"agentId":"main","match":{"channel":"telegram"}},{"agentId":"work","match":{"channel":"discord"}},{"agentId":"work","match":{"channel":"slack"}},{"agentId":"work","match":{"channel":"telegram","accountId":"nope"}}]}"#,
    );
    let listed = rig.run(&["agents", "list", "--json", "--bindings"]).json();
    let expected = json!([
        {"id": "main", "workspace": rig.home().join(".openclaw/workspace"),
         "agentDir": rig.path("agents/main/agent"), "bindings": 2, "isDefault": true,
         "bindingDetails": ["telegram accountId=acc0", "telegram"], "routes": ["Telegram acc0"],
         "providers": ["Telegram acc0 (Zed): configured"]},
        {"id": "work", "workspace": rig.path("workspace-work"),
         "agentDir": rig.path("agents/work/agent"), "bindings": 3, "isDefault": false,
         "bindingDetails": ["discord", "slack", "telegram accountId=nope"],
         "routes": ["Telegram nope"], "providers": ["Telegram nope: not configured"]},
    ]);
    assert_eq!(listed.to_string(), expected.to_string());
    let text = rig.run(&["agents", "list", "--bindings"]).success();
    assert!(text.contains("    - Telegram acc0 (Zed): configured"), "{text}");
}

#[test]
fn bindings_made_at_once_are_all_kept() {
    let rig = rig();
    let accounts: Vec<_> = (0..12).map(|n| format!("discord:account{n}")).collect();
    std::thread::scope(|scope| {
        for account in &accounts {
            let rig = &rig;
            scope.spawn(move || rig.run(&["agents", "bind", "--bind", account]).success());
        }
    });
    assert_eq!(described(&rig).len(), 2 + accounts.len());
    assert!(rig.read("openclaw.json").contains("// mine"));
}

#[test]
fn an_account_that_the_configuration_cannot_tell_is_unknown() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{channels: {whatsapp: {enabled: true, accounts: {a: {enabled: false}}}}, bindings: [{agentId: 'main', match: {channel: 'whatsapp'}}]}",
    );
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(listed[0]["providers"], json!(["WhatsApp a: unknown, disabled"]));
}
