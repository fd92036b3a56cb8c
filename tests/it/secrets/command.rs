//! Secrets behind commands: the protocol, the limits, and which programs are not trusted.

use super::{fails, mode, reference, rig, token};
use crate::support::rig::Rig;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

/// Writes a program. A shell does it, so that no other test's child process inherits the
/// open file and makes the program unusable (ETXTBSY).
pub(super) fn script(rig: &Rig, name: &str, text: &str) -> String {
    let path = rig.path(name).to_str().unwrap().to_owned();
    rig.write(&format!("{name}.text"), &format!("#!/bin/sh\n{text}\n"));
    let copied = Command::new("/bin/sh")
        .args(["-c", "cat \"$1.text\" > \"$1\" && chmod 700 \"$1\"", "sh", &path])
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(copied.success());
    path
}

/// A rig whose key is behind a command; the provider has `more`.
fn command_rig(text: &str, more: &Value) -> Rig {
    let rig = rig(&reference("exec", "x", "vault/key"), &json!({}));
    let mut provider = json!({"source": "exec", "command": script(&rig, "command", text)});
    provider.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rig.write("openclaw.json", &json!({"secrets": {"providers": {"x": provider}}}).to_string());
    rig
}

const ANSWER: &str = r#"echo '{"protocolVersion":1,"values":{"vault/key":"fake-key"}}'"#;

#[test]
fn a_command_gets_the_request_and_a_minimal_environment() {
    let text = format!(
        "cat > \"$SEEN/request\"\nenv > \"$SEEN/env\"\npwd > \"$SEEN/pwd\"\necho \"$1\" > \"$SEEN/argument\"\n{ANSWER}"
    );
    let rig = command_rig(&text, &json!({}));
    let seen = rig.path("seen");
    std::fs::create_dir(&seen).unwrap();
    let provider = json!({
        "source": "exec", "command": rig.path("command"), "args": ["a b"],
        "env": {"SEEN": seen, "OWN": "1"}, "passEnv": ["PASSED", "ABSENT"],
    });
    rig.write("openclaw.json", &json!({"secrets": {"providers": {"x": provider}}}).to_string());
    let variables = [("PASSED", "yes"), ("WITHHELD", "fake-other"), ("OWN", "outer")];
    assert_eq!(token(&rig, &variables).success(), "fake-key");
    let request: Value = serde_json::from_str(&rig.read("seen/request")).unwrap();
    assert_eq!(request, json!({"protocolVersion": 1, "provider": "x", "ids": ["vault/key"]}));
    let environment = rig.read("seen/env");
    for line in ["PASSED=yes", "OWN=1"] {
        assert!(environment.lines().any(|other| other == line), "{environment}");
    }
    for name in ["WITHHELD", "HOME=", "OPENCLAW", "ABSENT"] {
        assert!(!environment.contains(name), "{environment}");
    }
    assert_eq!(
        rig.read("seen/pwd").trim(),
        rig.state_dir().canonicalize().unwrap().to_str().unwrap()
    );
    assert_eq!(rig.read("seen/argument"), "a b\n");
}

#[test]
fn a_command_that_does_not_answer_is_an_error() {
    for (text, part) in [
        ("exit 3", "exit status: 3"),
        ("kill -9 $$", "SIGKILL"),
        ("true", "printed nothing"),
        ("echo fake-text", "not JSON"),
        ("echo '\"fake-text\"'", "not an object"),
        (r#"echo '{"protocolVersion":2,"values":{}}'"#, "protocol version"),
        (r#"echo '{"protocolVersion":1}'"#, "without `values`"),
        (
            r#"echo '{"protocolVersion":1,"values":{"other":"fake-key"}}'"#,
            "did not answer for `vault/key`",
        ),
        (r#"echo '{"protocolVersion":1,"values":{"vault/key":7}}'"#, "not a text"),
        (
            r#"echo '{"protocolVersion":1,"values":{},"errors":{"vault/key":{"message":"sealed"}}}'"#,
            "no value for `vault/key`: sealed",
        ),
        ("echo fake-noise >&2; exit 1", "exit status: 1"),
    ] {
        fails(token(&command_rig(text, &json!({})), &[]), 1, &[part, "exec:x:vault/key"]);
    }
}

#[test]
fn a_command_beyond_its_limits_is_killed() {
    for (text, more, part) in [
        ("sleep 600", json!({"timeoutMs": 50}), "longer than 50 ms"),
        ("sleep 600", json!({"noOutputTimeoutMs": 50, "timeoutMs": 120_000}), "nothing for 50 ms"),
        (
            "while :; do echo fake-noise; done",
            json!({"maxOutputBytes": 1000}),
            "more than 1000 bytes",
        ),
        (
            "while :; do echo fake-noise >&2; done",
            json!({"maxOutputBytes": 1000}),
            "more than 1000",
        ),
    ] {
        fails(token(&command_rig(text, &more), &[]), 1, &[part, "killed"]);
    }
}

#[test]
fn without_json_only_a_command_may_print_the_value() {
    let rig = command_rig("echo fake-key", &json!({"jsonOnly": false}));
    assert_eq!(token(&rig, &[]).success(), "fake-key");
}

#[test]
fn a_command_that_others_can_replace_is_refused() {
    for bits in [0o770, 0o702, 0o777] {
        let rig = command_rig(ANSWER, &json!({}));
        mode(&rig, "command", bits);
        fails(token(&rig, &[]), 6, &["open to other users", "chmod 7"]);
    }
    let readable = command_rig(ANSWER, &json!({}));
    mode(&readable, "command", 0o755);
    assert_eq!(token(&readable, &[]).success(), "fake-key");
    let insecure = command_rig(ANSWER, &json!({"allowInsecurePath": true}));
    mode(&insecure, "command", 0o777);
    assert_eq!(token(&insecure, &[]).success(), "fake-key");
}

#[test]
fn a_linked_command_and_one_elsewhere_have_to_be_allowed() {
    let rig = command_rig(ANSWER, &json!({}));
    std::fs::create_dir(rig.path("bin")).unwrap();
    symlink(rig.path("command"), rig.path("bin/linked")).unwrap();
    let configure = |more: Value| {
        let mut provider = json!({"source": "exec", "command": rig.path("bin/linked")});
        provider.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rig.write("openclaw.json", &json!({"secrets": {"providers": {"x": provider}}}).to_string());
        token(&rig, &[])
    };
    fails(configure(json!({})), 6, &["symbolic link", "state/command"]);
    assert_eq!(configure(json!({"allowSymlinkCommand": true})).success(), "fake-key");
    let dirs = |dir: &str| json!({"allowSymlinkCommand": true, "trustedDirs": [rig.path(dir)]});
    fails(configure(dirs("bin")), 6, &["outside the trusted directories", "trustedDirs"]);
    assert_eq!(configure(dirs("")).success(), "fake-key");
}

#[test]
fn an_id_that_climbs_is_not_asked_for() {
    let rig = command_rig("touch \"$0.ran\"", &json!({}));
    rig.edit_profile(
        &json!({"type": "api_key", "provider": "p", "keyRef": reference("exec", "x", "a/../b")}),
    );
    fails(token(&rig, &[]), 1, &["exec:x:a/../b"]);
    assert!(!rig.path("command.ran").exists());
}
