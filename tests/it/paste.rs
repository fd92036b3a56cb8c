//! `models auth paste-token`, `paste-api-key` and `setup-token`

use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::json;
use std::io::Write;
use std::process::Stdio;

fn piped(rig: &Rig, args: &[&str], input: &str) -> Finished {
    rig.run_with_input(args, input)
}

const TOKEN: [&str; 5] = ["models", "auth", "paste-token", "--provider", "openai"];
const KEY: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "openai"];

#[test]
fn a_piped_token_is_stored_however_its_line_ends() {
    for ending in ["\n", "\r\n", "\r", ""] {
        let rig = Rig::new();
        let text = piped(&rig, &TOKEN, &format!("  fake-token{ending}")).success();
        assert!(text.contains("Auth profile: openai:manual (openai/token)"), "{text}");
        let expected = json!({"type": "token", "provider": "openai", "token": "fake-token"});
        assert_eq!(rig.document()["profiles"]["openai:manual"], expected, "{ending:?}");
        let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
        let expected = json!({"openai:manual": {"provider": "openai", "mode": "token"}});
        assert_eq!(config["auth"]["profiles"], expected);
        assert_eq!(
            rig.run(&["models", "auth", "token", "--provider", "openai"]).success(),
            "fake-token"
        );
    }
}

#[test]
fn the_end_of_input_is_an_error_and_changes_nothing() {
    let rig = Rig::new();
    let before = rig.tree();
    for input in ["", "\n", "   \n"] {
        let stderr = piped(&rig, &TOKEN, input).failure(2);
        assert!(stderr.contains("hint: "), "{stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_validity_is_counted_from_now() {
    let rig = Rig::new();
    let report =
        piped(&rig, &[&TOKEN[..], &["--expires-in", "1d12h", "--json"]].concat(), "fake\n").json();
    let expires = report["expiresAt"].as_i64().unwrap();
    assert_eq!(rig.document()["profiles"]["openai:manual"]["expires"], expires);
    let hours = (expires - openclaw_auth::system::now()) / 3_600_000;
    assert!((35..=36).contains(&hours), "{hours}");
    let before = rig.tree();
    piped(&rig, &[&TOKEN[..], &["--expires-in", "zzz"]].concat(), "fake\n").failure(2);
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_piped_key_or_its_variable_is_stored() {
    let rig = Rig::new();
    let report =
        piped(&rig, &[&KEY[..], &["--profile-id", "openai:work", "--json"]].concat(), "fake-key\n")
            .json();
    assert_eq!((&report["profileId"], &report["type"]), (&json!("openai:work"), &json!("api_key")));
    let expected = json!({"type": "api_key", "provider": "openai", "key": "fake-key"});
    assert_eq!(rig.document()["profiles"]["openai:work"], expected);
    piped(&rig, &KEY, "${OPENAI_API_KEY}\n").success();
    assert_eq!(
        rig.document()["profiles"]["openai:manual"],
        json!({"type": "api_key", "provider": "openai",
               "keyRef": {"source": "env", "provider": "default", "id": "OPENAI_API_KEY"}})
    );
}

#[test]
fn a_renewed_profile_keeps_what_else_it_holds() {
    let rig = Rig::new();
    rig.write(
        &store("main"),
        &json!({"odd": 1, "profiles": {"openai:manual": {
            "mode": "api_key", "provider": "openai", "apiKey": "fake-old", "displayName": "Mine", "x": [1]}}})
        .to_string(),
    );
    piped(&rig, &TOKEN, "fake-new\n").success();
    assert_eq!(
        rig.document(),
        json!({"odd": 1, "profiles": {"openai:manual": {
            "displayName": "Mine", "x": [1], "type": "token", "provider": "openai", "token": "fake-new"}}})
    );
}

#[test]
fn a_login_is_not_pasted_over() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    let args =
        ["models", "auth", "paste-token", "--provider", "openai-codex", "--profile-id", PROFILE];
    let stderr = piped(&rig, &args, "fake\n").failure(2);
    assert!(stderr.contains("holds an OAuth login"), "{stderr}");
    piped(&rig, &[&TOKEN[..], &["--profile-id", PROFILE]].concat(), "fake\n").failure(2);
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_setup_token_is_checked() {
    let rig = Rig::new();
    let before = rig.tree();
    let setup = ["models", "auth", "setup-token"];
    for (token, reason) in
        [("fake-token", "begins with sk-ant-oat01-"), ("sk-ant-oat01-fake", "80 characters")]
    {
        let stderr = piped(&rig, &setup, token).failure(2);
        assert!(stderr.contains(reason) && !stderr.contains("fake"), "{stderr}");
        let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
        piped(&rig, &paste, token).failure(2);
    }
    assert_eq!(rig.tree(), before);
    let token = format!("sk-ant-oat01-{}", "fake".repeat(20));
    let (head, tail) = token.split_at(40);
    piped(&rig, &setup, &format!("{head} {tail}\n")).success();
    let profile = rig.document()["profiles"]["anthropic:default"].clone();
    assert_eq!(profile, json!({"type": "token", "provider": "anthropic", "token": token}));
}

#[test]
fn a_mode_of_its_own_makes_an_order() {
    let rig = Rig::signed_in();
    let args = ["models", "auth", "paste-token", "--provider", "openai-codex"];
    piped(&rig, &args, "fake-token\n").success();
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(config["auth"]["order"], json!({"openai-codex": ["openai-codex:manual", PROFILE]}));
    assert_eq!(
        rig.run(&["models", "auth", "token", "--provider", "openai-codex"]).success(),
        "fake-token"
    );
}

#[test]
fn commands_that_ask_need_a_terminal() {
    let rig = Rig::new();
    let stderr = rig.run(&["models", "auth", "add"]).failure(2);
    assert!(stderr.contains("needs a terminal") && stderr.contains("paste-api-key"), "{stderr}");
}

/// The secrets of every profile.
fn stored(rig: &Rig) -> Vec<String> {
    let document = rig.document();
    let profiles = document["profiles"].as_object().unwrap().values();
    profiles.map(|entry| format!("{}{}", entry["key"], entry["token"])).collect()
}

/// Public reports: everyday input 1 (openclaw#53464, claude-code#54738) and 33
/// (openclaw#33673).
#[test]
fn what_is_stored_is_what_was_issued_or_nothing() {
    let token = format!("sk-ant-oat01-{}AA", "Fake0-_".repeat(14).split_at(93).0);
    let key = "sk-or-v1-fake0123";
    let (head, tail) = token.split_at(80);
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let setup = ["models", "auth", "setup-token"];
    let onboard = ["onboard", "--non-interactive", "--auth-choice", "setup-token"];
    for text in [
        format!("{head}\n{tail}\n"),
        format!("{head}\r\n  {tail}"),
        format!("\n{token}\n"),
        format!("export CLAUDE_CODE_OAUTH_TOKEN=\"{token}\"\n"),
        format!("Authorization: Bearer {token}\n"),
    ] {
        for args in [&paste[..], &setup, &onboard] {
            let rig = Rig::new();
            piped(&rig, args, &text).success();
            assert_eq!(stored(&rig), [format!("null\"{token}\"")], "{text}");
        }
    }
    let rig = Rig::new();
    let before = rig.tree();
    for text in [
        format!("{head}\n{}\n", &tail[1..]),
        format!("{token}\nls\n"),
        format!("{head}…\n"),
        format!("{}...{}\n", &token[..60], &token[60..]),
    ] {
        for args in [&paste[..], &setup, &onboard] {
            let stderr = piped(&rig, args, &text).failure(2);
            assert!(!stderr.contains("Fake0"), "{stderr}");
        }
    }
    let keys = ["models", "auth", "paste-api-key", "--provider", "openrouter"];
    let onboard = ["onboard", "--non-interactive", "--auth-choice", "openrouter-api-key"];
    for text in
        ["sk-or-v1-…50ec", "sk-or-v1-****50ec", "sk-or-v1-fake\n0123\n", "$OPENROUTER_API_KEY"]
    {
        for args in [&keys[..], &onboard] {
            piped(&rig, args, text).failure(2);
        }
    }
    assert_eq!(rig.tree(), before);
    let line = format!("set -x OPENROUTER_API_KEY \"{key}\"");
    let utf16: Vec<u8> =
        format!("\u{feff}{key}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [line.as_bytes(), format!("\"key\": \"{key}\",").as_bytes(), &utf16] {
        let rig = Rig::new();
        rig.run_with_bytes(&keys, bytes).success();
        assert_eq!(stored(&rig), [format!("\"{key}\"null")]);
    }
}

#[test]
fn a_line_of_a_program_that_goes_on_is_taken() {
    let rig = Rig::new();
    let mut command = rig.command(&KEY);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"fake-key\n").unwrap();
    Finished::from(child.wait_with_output().unwrap()).success();
    drop(input);
    assert_eq!(stored(&rig), ["\"fake-key\"null"]);
}
