//! `onboard` and `configure`

use crate::support::rig::{Finished, PROFILE, Rig, RunningLogin};
use serde_json::json;
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_first_login_needs_no_questions() {
    let rig = Rig::new();
    let choice = ["onboard", "--non-interactive", "--auth-choice", "openai-codex"];
    let command = rig.command(&[&choice[..], &["--model", "openai-codex/gpt-5.5"]].concat());
    let login = RunningLogin::start(command);
    assert_eq!(login.visit().status, 200);
    let text = login.finish().success();
    assert!(
        text.contains("Signed in to") && text.contains("Default model: openai-codex/gpt-5.5"),
        "{text}"
    );
    assert!(rig.document()["profiles"][PROFILE].is_object());
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(
        config["agents"],
        json!({"defaults": {"model": {"primary": "openai-codex/gpt-5.5"}}})
    );
}

#[test]
fn a_key_comes_from_standard_input() {
    let rig = Rig::new();
    let mut command =
        rig.command(&["onboard", "--non-interactive", "--auth-choice", "openai-api-key"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"fake-key\n").unwrap();
    Finished::from(child.wait_with_output().unwrap()).success();
    let expected = json!({"type": "api_key", "provider": "openai", "key": "fake-key"});
    assert_eq!(rig.document()["profiles"]["openai:default"], expected);
}

#[test]
fn what_is_wrong_is_found_before_anything_is_done() {
    let rig = Rig::new();
    let before = rig.tree();
    let onboard = ["onboard", "--non-interactive"];
    for (args, message) in [
        (&[][..], "needs --auth-choice"),
        (&["--auth-choice", "nope"], "one of: "),
        (&["--auth-choice", "skip", "--model", "no-model"], "provider/model"),
        (&["--auth-choice", "openai-codex", "--model", "a b/c"], "provider/model"),
    ] {
        let stderr = rig.run(&[&onboard[..], args].concat()).failure(2);
        assert!(stderr.contains(message), "{args:?}: {stderr}");
    }
    for args in [&["onboard"][..], &["configure"], &["configure", "--section", "model"]] {
        assert!(rig.run(args).failure(2).contains("needs a terminal"));
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_default_model_is_allowed_where_models_are_listed() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "{agents: {defaults: {models: {'p/a': {}}, model: 'p/a'}}} // mine\n",
    );
    rig.run(&["onboard", "--non-interactive", "--auth-choice", "skip", "--model", "p/b"]).success();
    let text = rig.read("openclaw.json");
    assert!(text.contains("// mine"), "{text}");
    let status = rig.run(&["models", "status", "--json"]).json();
    assert_eq!(status["defaultModel"], "p/b");
    assert_eq!(status["allowed"], json!(["p/a", "p/b"]));
}
