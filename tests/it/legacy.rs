//! Credentials in the files of older OpenClaw versions.

use crate::support::rig::{Rig, store};
use serde_json::json;

const AUTH: &str = "agents/main/agent/auth.json";
const OAUTH: &str = "credentials/oauth.json";

fn rig() -> Rig {
    let rig = Rig::new();
    rig.write(
        AUTH,
        r#"{"openai-codex": {"type": "oauth", "access": "fake-a", "refresh": "fake-r", "expires": 4102444800000},
            "anthropic": {"type": "api_key", "key": "fake-k"}, "odd": 5}"#,
    );
    rig.write(
        OAUTH,
        r#"{"anthropic": {"access": "fake-2", "refresh": "fake-2", "expires": 4102444800000},
            "google-gemini-cli": {"access": "fake-3", "expires": 4102444800000, "projectId": "p"}}"#,
    );
    rig
}

#[test]
fn legacy_files_are_read_and_left_alone_by_commands_that_read() {
    let rig = rig();
    let before = rig.tree();
    let listed = rig.run(&["channels", "list", "--json", "--no-usage"]).json();
    let ids: Vec<_> =
        listed["auth"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(ids, ["openai-codex:default", "anthropic:default", "google-gemini-cli:default"]);
    let token = rig.run(&["models", "auth", "token", "--provider", "openai-codex"]);
    assert_eq!(token.success(), "fake-a");
    assert_eq!(rig.tree(), before);
}

#[test]
fn the_first_write_imports_them_and_keeps_a_backup_without_keys() {
    let rig = rig();
    rig.login(&[]).success();
    let profiles = rig.document()["profiles"].clone();
    assert_eq!(
        profiles["anthropic:default"].to_string(),
        json!({"type": "api_key", "provider": "anthropic", "key": "fake-k"}).to_string()
    );
    assert_eq!(
        profiles["google-gemini-cli:default"].to_string(),
        json!({"type": "oauth", "provider": "google-gemini-cli", "access": "fake-3",
               "expires": 4_102_444_800_000_i64, "projectId": "p"})
        .to_string()
    );
    assert_eq!(profiles["openai-codex:default"]["refresh"], "fake-r");
    assert!(!rig.path(AUTH).exists());
    let backup = rig.read(&format!("{AUTH}.bak"));
    assert!(backup.contains("fake-r") && backup.contains("\"odd\": 5"), "{backup}");
    assert!(!backup.contains("fake-k"), "{backup}");
    assert!(rig.path(OAUTH).exists());
    let again = rig.read(&store("main"));
    rig.run(&["models", "auth", "list"]).success();
    assert_eq!(rig.read(&store("main")), again);
}

#[test]
fn an_import_that_was_cut_off_is_completed() {
    let rig = rig();
    let auth = rig.read(AUTH);
    rig.login(&[]).success();
    let document = rig.document();
    rig.write(AUTH, &auth);
    rig.login(&[]).success();
    assert!(!rig.path(AUTH).exists());
    let ids = |document: &serde_json::Value| {
        document["profiles"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(ids(&rig.document()), ids(&document));
}

#[test]
fn entries_that_the_document_does_not_hold_stay_where_they_are() {
    let rig = rig();
    rig.write(
        &store("main"),
        r#"{"version": 1, "profiles": {
            "openai-codex:default": {"type": "oauth", "provider": "openai-codex", "access": "other", "refresh": "other", "expires": 4102444800000},
            "anthropic:default": {"type": "api_key", "provider": "anthropic", "key": "other"}}}"#,
    );
    let auth = rig.read(AUTH);
    rig.login(&[]).success();
    assert_eq!(rig.read(AUTH), auth, "the document holds other credentials of that name");
}

#[test]
fn an_earlier_backup_is_kept() {
    let rig = rig();
    rig.write(&format!("{AUTH}.bak"), "an earlier one");
    rig.login(&[]).success();
    assert_eq!(rig.read(&format!("{AUTH}.bak")), "an earlier one");
    assert!(rig.read(&format!("{AUTH}.bak.2")).contains("fake-r"));
}

#[test]
fn a_first_write_of_the_order_imports_them_too() {
    let rig = rig();
    let order = ["models", "auth", "order", "set", "--provider", "anthropic", "anthropic:default"];
    rig.run(&order).success();
    assert_eq!(rig.document()["profiles"]["anthropic:default"]["key"], "fake-k");
    assert!(!rig.path(AUTH).exists());
}

#[test]
fn an_unreadable_legacy_file_is_an_error() {
    let rig = Rig::new();
    rig.write(AUTH, "{");
    let before = rig.tree();
    for args in [
        &["models", "auth", "list"][..],
        &["models", "auth", "login", "--provider", "openai-codex"],
    ] {
        assert!(rig.run(args).failure(6).contains("auth.json"));
    }
    assert_eq!(rig.tree(), before);
}
