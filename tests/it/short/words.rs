//! The words of the command line: which command they are, and `--profile` before and behind them.

use super::{commands, rig};
use crate::support::rig::{Finished, Rig};
#[test]
fn the_short_commands_are_the_long_ones() {
    let rig = rig();
    for (short, long) in [
        (&["list", "--json"][..], &["models", "auth", "list", "--json"][..]),
        (&["list"], &["models", "auth", "list"]),
        (&["status", "--plain"], &["models", "status", "--plain"]),
        (&["token", "claude", "--json"], &["models", "auth", "token", "claude", "--json"]),
        (&["login", "list", "--json"], &["models", "auth", "login", "list", "--json"]),
    ] {
        let [short, long] = [short, long].map(|args| {
            let finished = rig.run(args);
            (finished.code, finished.stdout, finished.stderr)
        });
        assert_eq!(short, long);
    }
}

#[test]
fn a_word_that_is_no_command_leads_to_one() {
    let rig = Rig::new();
    for (line, command) in [
        ("lgin", "openclaw-auth login"),
        ("tokne", "openclaw-auth token"),
        ("signin", "openclaw-auth login"),
        ("sign-out", "openclaw-auth logout"),
        ("auth login", "openclaw-auth models auth login"),
        ("auth", "openclaw-auth models auth"),
        ("models auth lgin", "openclaw-auth models auth login"),
        ("models login", "openclaw-auth login, or: openclaw-auth models auth login"),
        ("help tokn", "openclaw-auth token"),
        ("xyzzy", "openclaw-auth --help"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let stderr = rig.run(&args).failure(2);
        assert!(stderr.contains(&format!("hint: {command}")), "{line}: {stderr}");
    }
    let help = rig.run(&["help", "models", "auth", "token"]).success();
    assert_eq!(help, rig.run(&["models", "auth", "token", "--help"]).success());
    assert!(rig.run(&["help"]).success().contains("login"));
}

#[test]
fn profile_is_the_state_before_the_command_and_a_credential_behind_it() {
    let rig = Rig::new();
    let mut found = Vec::new();
    commands(&rig, &mut Vec::new(), &mut found);
    assert!(found.len() > 50, "{}", found.len());
    let before = rig.tree();
    for (path, help) in found {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let behind = rig.run(&[&words[..], &["--profile", "odd-one"]].concat());
        // Everything that is wrong besides is told about the rest of the line.
        if help.contains("--profile <") {
            assert!(!behind.stderr.contains("--profile names a state"), "{path:?}");
        } else {
            let stderr = behind.failure(2);
            let state = format!("openclaw-auth --profile odd-one {}", words.join(" "));
            assert!(stderr.contains("--profile names a state directory"), "{path:?}: {stderr}");
            assert!(stderr.contains(&state), "{path:?}: {stderr}");
            let credential = if help.contains("--profile-id <") {
                "--profile-id odd-one"
            } else {
                "odd-one; for another state directory"
            };
            assert!(stderr.contains(credential), "{path:?}: {stderr}");
        }
        // Before the command it is no mistake, whatever the command is.
        let help = rig.run(&[&["--profile", "odd-one"], &words[..], &["--help"]].concat());
        assert!(help.success().contains("Usage:"), "{path:?}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn the_state_switch_says_that_its_directory_is_not_there() {
    let rig = Rig::new();
    let mut list = rig.command(&["--profile", "work", "list"]);
    let finished: Finished = list.env_remove("OPENCLAW_STATE_DIR").output().unwrap().into();
    assert!(finished.stderr.contains("no state directory ~/.openclaw-work"), "{finished:?}");
    assert!(!rig.home().join(".openclaw-work").exists());
}
