//! Paths as people have them (issue 14, kind 5): not UTF-8, with a `~` that no shell has
//! expanded, behind links that lead nowhere.

use crate::support::here::InProcess as _;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::{Value, json};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The state directory of a rig under a name that is not UTF-8.
fn odd_state_dir(rig: &Rig) -> PathBuf {
    let name = OsStr::from_bytes(b"st\xff-\xe9tat");
    let odd = rig.state_dir().with_file_name(name);
    rename(&rig.state_dir(), &odd);
    odd
}

#[expect(clippy::disallowed_methods, reason = "a directory of the test")]
fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

fn ran(command: &Command) -> Finished {
    command.finish_here()
}

fn run_in(rig: &Rig, state_dir: &Path, args: &[&str]) -> Finished {
    let mut command = rig.command(args);
    command.env("OPENCLAW_STATE_DIR", state_dir);
    ran(&command)
}

/// The members of `report`, whatever they are in, whose name ends with `Lossy`.
fn flags(report: &Value, found: &mut Vec<String>) {
    match report {
        Value::Object(members) => {
            for (name, value) in members {
                if let Some(path) = name.strip_suffix("Lossy") {
                    assert_eq!((value, members.contains_key(path)), (&json!(true), true), "{name}");
                    found.push(path.to_owned());
                }
                flags(value, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| flags(value, found)),
        _ => {}
    }
}

#[test]
fn json_stays_whole_whatever_bytes_are_in_a_path() {
    let rig = Rig::signed_in();
    rig.redirect("openai-codex");
    rig.expire(PROFILE);
    let odd = odd_state_dir(&rig);
    let odd_home = odd.join(OsStr::from_bytes(b"h\xff"));
    std::fs::create_dir(&odd_home).unwrap();
    // A refresh as well: its worker is given the same paths.
    run_in(&rig, &odd, &["models", "auth", "token", "--profile", PROFILE]).success();
    for (args, wanted) in [
        (&["models", "auth", "list"][..], &["storePath"][..]),
        (&["models", "status"], &["configPath", "agentDir", "storePath"]),
        (&["agents", "list"], &["workspace", "agentDir"]),
        (
            &["models", "auth", "order", "get", "--provider", "openai-codex"],
            &["agentDir", "authStatePath"],
        ),
        (&["secrets", "audit"], &["filesScanned", "file"]),
        (&["doctor"], &["stateDir"]),
        (&["doctor", "--restore", "--list"], &["directory", "path"]),
        (&["models", "auth", "refresh", "--all"], &[]),
        (&["models", "auth", "login", "list"], &[]),
        (&["channels", "list", "--no-usage"], &[]),
    ] {
        let mut command = rig.command(args);
        command.arg("--json").env("OPENCLAW_STATE_DIR", &odd).env("HOME", &odd_home);
        let finished = ran(&command);
        let report: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", finished.stderr));
        let mut found = Vec::new();
        flags(&report, &mut found);
        for name in wanted {
            assert!(found.iter().any(|it| it == name), "{args:?}: no flag for {name}: {report}");
        }
    }
    // What the configuration cannot hold is refused, and nothing is made.
    let mut command = rig.command(&["agents", "add", "work", "--workspace", "/tmp/unused"]);
    command.env("OPENCLAW_STATE_DIR", &odd);
    let stderr = ran(&command).failure(1);
    assert!(stderr.contains("is not UTF-8"), "{stderr}");
    assert!(!odd.join("agents/work").exists());
    // A text that is the same once shown is another path.
    let plain = run_in(&rig, &rig.path("st\u{fffd}"), &["models", "auth", "list", "--json"]);
    assert!(plain.json().get("storePathLossy").is_none());
}

#[test]
fn a_login_in_a_directory_that_is_no_text_ends_with_whole_events() {
    let rig = Rig::new();
    rig.redirect("openai-codex");
    let odd = odd_state_dir(&rig);
    let login = ["models", "auth", "login", "--provider", "openai-codex", "--method", "device"];
    let finished = run_in(&rig, &odd, &[&login[..], &["--json"]].concat());
    let events: Vec<Value> =
        finished.success().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = events.last().unwrap();
    assert_eq!((&done["event"], &done["storePathLossy"]), (&json!("done"), &json!(true)));
}

#[test]
fn a_tilde_that_no_shell_has_expanded_leads_home_in_variables_of_other_programs() {
    let key = |name: &str| json!({"OPENAI_API_KEY": name}).to_string();
    for (value, file) in [
        ("~/.codex", ".codex/auth.json"),
        ("~/a b/", "a b/auth.json"),
        ("~", "auth.json"),
        ("~//.codex", ".codex/auth.json"),
    ] {
        let rig = Rig::new();
        rig.write_at_home(file, &key("fake-sk-1"));
        let mut command = rig.command(&["models", "auth", "import", "codex", "--copy"]);
        command.env("CODEX_HOME", value);
        ran(&command).success();
    }
    // Of somebody else, it is not guessed.
    let rig = Rig::new();
    rig.write_at_home(".codex/auth.json", &key("fake-sk-1"));
    let mut command = rig.command(&["models", "auth", "import", "codex", "--copy"]);
    command.env("CODEX_HOME", "~nobody/.codex");
    assert_ne!(ran(&command).code, 0);
}

#[test]
fn a_link_that_leads_nowhere_is_a_store_that_is_away() {
    for name in ["", "agents", "agents/main", "agents/main/agent", "openclaw.json", &store("main")]
    {
        let rig = Rig::new();
        let link = if name.is_empty() { rig.state_dir() } else { rig.path(name) };
        if name.is_empty() {
            std::fs::remove_dir_all(&link).unwrap();
        } else {
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        }
        symlink(rig.home().join("volume/there"), &link).unwrap();
        let token = rig.run(&["models", "auth", "token", "--provider", "openai"]).failure(6);
        assert!(token.contains("symbolic link that leads nowhere"), "{name}: {token}");
        assert!(token.contains("hint: bring back what the link leads to"), "{name}: {token}");
        let doctor = rig.run(&["doctor"]);
        assert_eq!(doctor.code, 1, "{name}: {}", doctor.stdout);
        assert!(doctor.stdout.contains("leads nowhere"), "{name}: {}", doctor.stdout);
        let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
        let pasted = rig.run_with_input(&paste, "sk-fake-key-0123456789\n").failure(6);
        assert!(pasted.contains("leads nowhere"), "{name}: {pasted}");
        assert!(link.is_symlink(), "{name}: nothing takes its place");
    }
}

#[test]
fn an_agent_that_is_away_does_not_keep_the_others_from_a_refresh() {
    let rig = Rig::signed_in();
    rig.redirect("openai-codex");
    rig.expire(PROFILE);
    symlink(OsString::from("/nonexistent/volume"), rig.path("agents/away")).unwrap();
    rig.run(&["models", "auth", "token", "--profile", PROFILE]).success();
    let doctor = rig.run(&["doctor", "--json"]);
    assert!(doctor.stdout.contains("agents/away is a symbolic link"), "{}", doctor.stdout);
}
