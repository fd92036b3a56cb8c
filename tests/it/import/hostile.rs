//! Files that no program writes.

use super::import;
use crate::support::rig::Rig;
use serde_json::json;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

/// Each program with its file and an access token in it.
const FILES: [(&str, &str, &str); 8] = [
    ("codex", ".codex/auth.json", r#"{"tokens":{"access_token":TOKEN}}"#),
    ("claude", ".claude/.credentials.json", r#"{"claudeAiOauth":{"accessToken":TOKEN}}"#),
    ("minimax", ".minimax/oauth_creds.json", r#"{"access_token":TOKEN}"#),
    ("gemini", ".gemini/oauth_creds.json", r#"{"access_token":TOKEN}"#),
    ("qwen", ".qwen/oauth_creds.json", r#"{"access_token":TOKEN}"#),
    ("opencode", ".local/share/opencode/auth.json", r#"{"x":{"type":"oauth","access":TOKEN}}"#),
    ("pi", ".pi/agent/auth.json", r#"{"x":{"type":"oauth","access":TOKEN}}"#),
    ("copilot", ".config/github-copilot/apps.json", r#"{"github.com:x":{"oauth_token":TOKEN}}"#),
];

/// A rig without a file of any program.
fn rig() -> Rig {
    Rig::new()
}

#[track_caller]
fn refused(rig: &Rig, tool: &str, path: &str, what: &str) {
    let before = rig.tree();
    let stderr = import(rig, &[tool, "--move"]).failure(6);
    let name = path.rsplit('/').next().unwrap();
    assert!(stderr.contains(name) && stderr.contains("hint: "), "{tool} {what}: {stderr}");
    assert!(!stderr.contains("fake-"), "{tool} {what}: {stderr}");
    assert_eq!(rig.tree(), before, "{tool} {what}");
    // What is wrong there is no reason to fail elsewhere.
    let doctor = rig.run(&["doctor", "--json"]).json();
    assert_eq!(doctor["findings"][0]["code"], "external", "{tool} {what}: {doctor}");
}

#[test]
fn a_token_of_a_server_of_ones_own_does_not_become_one_of_the_provider() {
    let copilot = json!({"type": "oauth", "access": "fake", "refresh": "fake", "expires": 0,
        "enterpriseUrl": "ghe.example.test"});
    for (tool, file, entry) in [
        ("opencode", ".local/share/opencode/auth.json", "github-copilot-enterprise"),
        ("pi", ".pi/agent/auth.json", "github-copilot"),
    ] {
        let rig = Rig::new();
        rig.write_at_home(file, &json!({entry: copilot}).to_string());
        let before = rig.tree();
        let stderr = import(&rig, &[tool, "--copy"]).failure(1);
        assert!(stderr.contains("another server"), "{stderr}");
        assert_eq!(rig.tree(), before);
    }
}

#[test]
fn garbage_is_an_error_that_names_the_file_and_changes_nothing() {
    for (tool, path, form) in FILES {
        let rig = rig();
        let huge = format!("{{\"x\":\"{}\"}}", "fake-".repeat(2_000_000));
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let repeated =
            form.replacen('{', "{\"odd\":1,\"odd\":2,", 1).replace("TOKEN", "\"fake-x\"");
        let garbage = [
            ("empty", String::new()),
            ("not JSON", "fake-secret".to_owned()),
            ("cut off", form[..form.len() - 1].replace("TOKEN", "\"fake-x\"")),
            ("array", "[\"fake-x\"]".to_owned()),
            ("text", "\"fake-x\"".to_owned()),
            ("null", "null".to_owned()),
            ("huge", huge),
        ];
        let odd = [
            ("number for a token", form.replace("TOKEN", "7")),
            ("object for a token", form.replace("TOKEN", "{\"fake-x\":1}")),
            ("control characters", form.replace("TOKEN", r#""fake-\u001b[31m\nx""#)),
            ("deep", form.replace("TOKEN", &deep)),
            ("no ASCII", form.replace("TOKEN", "\"fake-ü\"")),
            ("repeated keys", repeated),
        ];
        for (what, text) in garbage {
            rig.write_at_home(path, &text);
            refused(&rig, tool, path, what);
        }
        for (what, text) in odd {
            rig.write_at_home(path, &text);
            let is_one_login = ["claude", "minimax", "gemini", "qwen"].contains(&tool);
            if is_one_login || (tool == "codex" && what == "repeated keys") {
                refused(&rig, tool, path, what);
            } else if what != "repeated keys" {
                // The entry is named: others of the file would be imported.
                let before = rig.tree();
                let stderr = import(&rig, &[tool, "--move"]).failure(1);
                let entry = if tool == "codex" { "`tokens`" } else { "x`: a token in it" };
                assert!(stderr.contains(entry), "{tool} {what}: {stderr}");
                assert!(!stderr.contains("fake-"), "{tool} {what}: {stderr}");
                assert_eq!(rig.tree(), before, "{tool} {what}");
            }
        }
        std::fs::write(rig.home().join(path), b"{\"fake-\xff\":1}").unwrap();
        refused(&rig, tool, path, "no UTF-8");
        set_permissions(rig.home().join(path), Permissions::from_mode(0o0)).unwrap();
        if std::fs::read(rig.home().join(path)).is_err() {
            refused(&rig, tool, path, "unreadable");
        }
        std::fs::remove_file(rig.home().join(path)).unwrap();
        std::fs::create_dir(rig.home().join(path)).unwrap();
        refused(&rig, tool, path, "directory");
    }
}

#[test]
fn a_file_without_a_login_is_one_that_nobody_is_signed_in_with() {
    for (tool, path, form) in FILES {
        let rig = rig();
        for (what, text) in [
            ("empty object", "{}".to_owned()),
            ("null token", form.replace("TOKEN", "null")),
            ("blank token", form.replace("TOKEN", "\"  \"")),
            ("unknown members", "{}".to_owned()),
        ] {
            rig.write_at_home(path, &text);
            let finished = import(&rig, &[tool, "--move"]);
            assert!([1, 3].contains(&finished.code), "{tool} {what}: {finished:?}");
            assert!(finished.stderr.starts_with("error: "), "{tool} {what}: {}", finished.stderr);
            assert_eq!(rig.read_at_home(path).unwrap(), text);
        }
        std::fs::remove_file(rig.home().join(path)).unwrap();
        symlink(PathBuf::from("nowhere"), rig.home().join(path)).unwrap();
        import(&rig, &[tool, "--move"]).failure(3);
        assert_eq!(rig.run(&["doctor"]).code, 0);
    }
}

#[test]
fn names_in_a_file_move_no_cursor() {
    let rig = rig();
    rig.write_at_home(
        ".gemini/oauth_creds.json",
        r#"{"access_token":"fake-access","resource_url":"\u001b[2J"}"#,
    );
    rig.write_at_home(".gemini/google_accounts.json", r#"{"active":"a\u001b[31m\u202e@x"}"#);
    let finished = import(&rig, &["gemini", "--copy"]);
    assert!(!finished.stdout.contains('\u{1b}') && !finished.stderr.contains('\u{1b}'));
    assert!(finished.success().contains("google-gemini-cli:default"));
    rig.write_at_home(
        ".pi/agent/auth.json",
        r#"{"a\u001b[31m":{"type":"api_key","key":"fake-1"},"b":{"type":"api_key","key":"fake-2"}}"#,
    );
    let finished = import(&rig, &["pi", "--all"]);
    assert!(!finished.stderr.contains('\u{1b}'), "{}", finished.stderr);
    assert!(finished.success().contains("b:pi"));
}

#[test]
fn a_file_that_others_can_read_is_a_warning() {
    let rig = rig();
    rig.write_at_home(".codex/auth.json", r#"{"OPENAI_API_KEY":"fake-key"}"#);
    set_permissions(rig.home().join(".codex/auth.json"), Permissions::from_mode(0o644)).unwrap();
    let finished = import(&rig, &["codex"]);
    assert!(finished.stderr.contains("chmod 600"), "{}", finished.stderr);
    finished.success();
}
