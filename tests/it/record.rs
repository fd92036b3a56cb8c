//! What login, paste, import and restore record beside the credential, in which order, and
//! what they say when a step fails.

use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::{Value, json};

const STATE: &str = "agents/main/agent/auth-state.json";
const PI: &str = ".pi/agent/auth.json";
const RESTORE: [&str; 3] = ["doctor", "--restore", "latest"];

fn paste(rig: &Rig, id: &str) -> Finished {
    let args = ["models", "auth", "paste-token", "--provider", "groq", "--profile-id", id];
    rig.run_with_input(&args, "fake-token\n")
}

fn import(rig: &Rig, keys: &[(&str, &str)]) -> Finished {
    let entries =
        keys.iter().map(|(name, key)| ((*name).to_owned(), json!({"type": "api_key", "key": key})));
    rig.write_at_home(PI, &Value::Object(entries.collect()).to_string());
    rig.run(&["models", "auth", "import", "pi", "--all", "--copy"])
}

fn login(rig: &Rig) -> Finished {
    let login = rig.start_login(&[]);
    login.visit();
    login.finish()
}

/// Makes a configuration that can be read and not changed: its backups cannot move up.
fn close_configuration(rig: &Rig) {
    rig.write("openclaw.json", "{}");
    rig.write("openclaw.json.bak.3", "{}");
    std::fs::create_dir(rig.path("openclaw.json.bak.4")).unwrap();
}

/// A rig with the profiles `groq:a` and `groq:b`, which only a backup has.
fn with_a_backup() -> Rig {
    let rig = Rig::new();
    paste(&rig, "groq:a").success();
    paste(&rig, "groq:b").success();
    paste(&rig, "groq:c").success();
    rig.write(&store("main"), r#"{"version":1,"profiles":{}}"#);
    rig
}

fn state(rig: &Rig) -> Value {
    serde_json::from_str(&rig.read(STATE)).unwrap()
}

/// A state document where `groq` and `openai-codex` have orders and every profile cools down.
fn cooling() -> Value {
    let cooldown = json!({"cooldownUntil": 4_102_444_800_000_i64, "errorCount": 1});
    json!({
        "version": 1,
        "order": {"groq": ["groq:z"], "openai-codex": ["openai-codex:z"]},
        "usageStats": {"groq:a": cooldown, "groq:pi": cooldown, PROFILE: cooldown},
    })
}

#[test]
fn what_is_stored_goes_first_and_its_cooldown_ends() {
    let rig = Rig::new();
    rig.write(STATE, &cooling().to_string());
    paste(&rig, "groq:a").success();
    import(&rig, &[("groq", "fake-key")]).success();
    login(&rig).success();
    let state = state(&rig);
    assert_eq!(state["order"]["groq"], json!(["groq:pi", "groq:a", "groq:z"]));
    assert_eq!(state["order"]["openai-codex"], json!([PROFILE, "openai-codex:z"]));
    for id in ["groq:a", "groq:pi", PROFILE] {
        assert!(state["usageStats"][id]["cooldownUntil"].is_null(), "{id}: {state}");
    }
}

#[test]
fn what_was_held_already_is_recorded_and_does_not_go_first() {
    let rig = Rig::new();
    import(&rig, &[("groq", "fake-key")]).success();
    rig.write(STATE, &cooling().to_string());
    rig.write("openclaw.json", "{}");
    import(&rig, &[("groq", "fake-key")]).success();
    assert_eq!(state(&rig), cooling());
    assert!(rig.read("openclaw.json").contains("groq:pi"));
}

#[test]
fn what_is_restored_is_recorded_in_one_edit_and_does_not_go_first() {
    let rig = with_a_backup();
    rig.write(STATE, &cooling().to_string());
    rig.write("openclaw.json", "{}");
    let backups =
        || (0..5).filter(|n| rig.path(&format!("openclaw.json.bak.{n}")).exists()).count();
    let before = backups();
    let text = rig.run(&RESTORE).success();
    assert_eq!(text, "restored: groq:a\nrestored: groq:b");
    assert_eq!(state(&rig), cooling());
    let config = |name: &str| serde_json::from_str::<Value>(&rig.read(name)).unwrap();
    let profile = json!({"provider": "groq", "mode": "token"});
    let all = json!({"groq:a": profile, "groq:b": profile});
    assert_eq!(config("openclaw.json")["auth"]["profiles"], all);
    assert_eq!(config("openclaw.json.bak"), json!({}));
    assert!(backups() <= before + 1, "one edit leaves one backup");
}

#[test]
fn a_configuration_that_takes_no_profile_is_told_with_what_is_stored() {
    let rig = Rig::new();
    rig.write(STATE, &cooling().to_string());
    close_configuration(&rig);
    let stderr = paste(&rig, "groq:a").failure(6);
    assert!(
        stderr.contains("the credential is stored as `groq:a`, but not recorded: "),
        "{stderr}"
    );
    let stderr = import(&rig, &[("groq", "fake-key")]).failure(6);
    assert!(stderr.contains("the login is stored, but not recorded: "), "{stderr}");
    let stderr = login(&rig).failure(6);
    let expected = format!("the login is stored as `{PROFILE}`, but not recorded: ");
    assert!(stderr.contains(&expected), "{stderr}");
    for id in ["groq:a", "groq:pi", PROFILE] {
        assert!(rig.document()["profiles"][id].is_object(), "{id}");
    }
    assert_eq!(state(&rig)["order"]["groq"], json!(["groq:pi", "groq:a", "groq:z"]));
    assert_eq!(rig.read("openclaw.json"), "{}");

    let rig = with_a_backup();
    close_configuration(&rig);
    let stderr = rig.run(&RESTORE).failure(6);
    assert!(stderr.contains("the profiles are restored, but not recorded: "), "{stderr}");
    assert!(rig.document()["profiles"]["groq:a"].is_object());
}

#[test]
fn a_state_that_takes_no_order_leaves_the_configuration() {
    let rig = Rig::new();
    let closed = json!({"version": 1, "order": cooling()["order"], "usageStats": []});
    rig.write(STATE, &closed.to_string());
    let stderr = paste(&rig, "groq:a").failure(6);
    assert!(stderr.contains("is not an object") && !stderr.contains("recorded"), "{stderr}");
    let stderr = import(&rig, &[("groq", "fake-key")]).failure(6);
    assert!(stderr.contains("the login is stored, but not recorded: "), "{stderr}");
    let stderr = login(&rig).failure(6);
    let expected = format!("the login is stored as `{PROFILE}`, but not recorded: ");
    assert!(stderr.contains(&expected), "{stderr}");
    for id in ["groq:a", "groq:pi", PROFILE] {
        assert!(rig.document()["profiles"][id].is_object(), "{id}");
    }
    assert_eq!(state(&rig), closed);
    assert!(!rig.path("openclaw.json").exists());
}

#[test]
fn a_wanted_profile_id_is_checked_alike() {
    let rig = Rig::new();
    paste(&rig, "groq:a").success();
    rig.write_at_home(PI, r#"{"openai": {"type": "api_key", "key": "fake-key"}}"#);
    let before = rig.tree();
    let commands: [(&str, &[&str]); 3] = [
        ("openai", &["models", "auth", "paste-token", "--provider", "openai"]),
        ("openai-codex", &["models", "auth", "login", "--provider", "openai-codex"]),
        ("openai", &["models", "auth", "import", "pi"]),
    ];
    for (provider, args) in commands {
        let unset = rig.run(&[args, &["--profile-id", ""]].concat()).failure(2);
        assert!(unset.contains("it is blank"), "{args:?}: {unset}");
        for id in [" x", "x\n"] {
            let stderr = rig.run(&[args, &["--profile-id", id]].concat()).failure(2);
            let expected = "--profile-id must be a name without outer spaces";
            assert!(stderr.contains(expected), "{args:?}: {stderr}");
        }
        let stderr = rig.run(&[args, &["--profile-id", "groq:a"]].concat()).failure(2);
        let expected = format!("the profile `groq:a` is for groq, not {provider}");
        assert!(stderr.contains(&expected), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
}
