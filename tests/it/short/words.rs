//! The words of the command line: which command they are, and `--profile` before and behind them.

use super::{commands, rig};
use crate::support::here::InProcess as _;
use crate::support::pseudo_terminal::PseudoTerminal;
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
    let finished: Finished = list.env_remove("OPENCLAW_STATE_DIR").finish_here();
    assert!(finished.stderr.contains("no state directory ~/.openclaw-work"), "{finished:?}");
    assert!(!rig.home().join(".openclaw-work").exists());
}

#[test]
fn the_hint_about_a_profile_behind_a_command_has_everything_else_that_was_typed() {
    let rig = Rig::new();
    for (typed, credential, elsewhere) in [
        (
            "logout --profile ada --local --agent work --json",
            "logout ada --local --agent work --json",
            "--profile ada logout --local --agent work --json",
        ),
        (
            "--agent work logout --local --profile=ada",
            "--agent work logout --local ada",
            "--profile ada --agent work logout --local",
        ),
        (
            "--dev --quiet login --no-browser --profile ada --timeout 1m",
            "--dev --quiet login --no-browser --profile-id ada --timeout 1m",
            "--profile ada --quiet login --no-browser --timeout 1m",
        ),
        (
            "--profile p2 use --agent work bob --profile ada --json",
            "--profile p2 use --agent work ada --json",
            "--profile ada use --agent work bob --json",
        ),
        (
            "move --to-agent work --profile ada",
            "move --to-agent work ada",
            "--profile ada move --to-agent work",
        ),
        (
            "models auth paste-token --provider anthropic --profile ada --expires-in 3",
            "models auth paste-token --provider anthropic --profile-id ada --expires-in 3",
            "--profile ada models auth paste-token --provider anthropic --expires-in 3",
        ),
        (
            "models auth order get --profile ada --provider google",
            "token --profile ada",
            "--profile ada models auth order get --provider google",
        ),
        (
            "models auth logout --profile ada --local -- bob",
            "models auth logout ada --local",
            "--profile ada models auth logout --local -- bob",
        ),
    ] {
        let stderr = rig.run(&typed.split(' ').collect::<Vec<_>>()).stderr;
        let elsewhere = format!("; for another state directory: openclaw-auth {elsewhere}\n");
        assert!(stderr.ends_with(&elsewhere), "{typed}: {stderr}");
        assert!(stderr.contains(&format!("openclaw-auth {credential}; for")), "{typed}: {stderr}");
    }
    // What is no name of a state directory is the one credential that was meant.
    let stderr = rig.run(&["logout", "--local", "--profile", "openai-codex:a@b.test"]).stderr;
    assert!(
        stderr.ends_with("hint: openclaw-auth logout --local openai-codex:a@b.test\n"),
        "{stderr}"
    );
}

#[test]
fn help_and_tables_are_broken_between_words_alone() {
    let rig = Rig::new();
    let whole: String = rig.run(&["providers", "list"]).success();
    for columns in [80, 100] {
        for command in [
            &["--help"][..],
            &["login", "--help"],
            &["check", "--help"],
            &["models", "auth", "token", "--help"],
            &["doctor", "--help"],
            &["providers", "list"],
        ] {
            let mut run = rig.command(command);
            run.env("TERM", "xterm-256color");
            let mut terminal = PseudoTerminal::start(&run, columns, 200);
            assert_eq!(terminal.finish(), 0);
            let text = terminal.text();
            let widest = text.lines().map(|line| line.trim_end().chars().count()).max();
            assert!(widest.unwrap() <= usize::from(columns), "{command:?} in {columns}: {text}");
            if command == ["providers", "list"] {
                let words = |text: &str| {
                    let mut words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
                    words.sort();
                    words
                };
                assert_eq!(words(&text), words(&whole), "no word is broken");
            }
        }
    }
    assert!(
        whole.lines().any(|line| line.len() > 80),
        "where no terminal shows it, a row is a line"
    );
}
