//! Exit codes, help, and pipes.

use crate::support::rig::{Finished, Rig, store};
use serde_json::json;
use std::process::Stdio;

#[test]
fn help_and_version_are_data() {
    let rig = Rig::new();
    for args in [
        &["--help"][..],
        &[],
        &["models"],
        &["models", "auth"],
        &["channels"],
        &["models", "auth", "token", "--help"],
        &["models", "auth", "login", "--help"],
    ] {
        let finished = rig.run_process(args);
        assert_eq!(finished.stderr, "", "{args:?}");
        assert!(finished.success().contains("Usage: openclaw-auth"), "{args:?}");
    }
    assert_eq!(
        rig.run_process(&["--version"]).success(),
        concat!("openclaw-auth ", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn the_help_of_a_command_says_what_it_does() {
    let rig = Rig::new();
    for (args, lead) in [
        (&["login"][..], "Sign in and store the login"),
        (&["login", "start"], "Show where to sign in"),
        (&["login", "finish"], "Finish a login"),
    ] {
        let help =
            rig.run_process(&[&["models", "auth"][..], args, &["--help"]].concat()).success();
        assert!(help.starts_with(lead), "{help}");
    }
}

#[test]
fn a_profile_has_a_state_directory_of_its_own() {
    let rig = Rig::new();
    let run = |args: &[&str]| {
        let mut command = rig.command(args);
        command.env_remove("OPENCLAW_STATE_DIR");
        Finished::from(command.output().unwrap())
    };
    run(&["--profile", "x", "agents", "add", "a"]).success();
    assert!(rig.home().join(".openclaw-x/openclaw.json").exists());
    let listed = run(&["agents", "list", "--json", "--dev"]).json();
    assert_eq!(
        listed[0]["workspace"],
        rig.home().join(".openclaw/workspace-dev").to_str().unwrap()
    );
    assert_eq!(
        listed[0]["agentDir"],
        rig.home().join(".openclaw-dev/agents/main/agent").to_str().unwrap()
    );
    let explicit = rig.run_process(&["--profile", "x", "agents", "list", "--json"]).json();
    assert_eq!(explicit[0]["agentDir"], rig.path("agents/main/agent").to_str().unwrap());
    run(&["--profile", "a/b", "agents"]).failure(2);
    assert!(run(&["--agent", "nope", "models", "auth", "list"]).failure(2).contains("nope"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let rig = Rig::new();
    let profiles: serde_json::Map<_, _> = (0..5_000)
        .map(|n| (format!("p:{n}"), json!({"type": "api_key", "provider": "p", "key": "fake"})))
        .collect();
    rig.write(&store("main"), &json!({"profiles": profiles}).to_string());
    for args in [&["channels", "list", "--json", "--no-usage"][..], &["models", "auth", "list"]] {
        let mut child = rig.start(args);
        child.stop_reading();
        let finished = child.finish();
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let rig = Rig::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        rig.command(&["channels", "list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let finished = Finished::from(output);
    assert!(finished.failure(1).contains("could not write the output"));
}
