//! One grant in the databases of several agents, logins that nothing says to count, and what
//! cannot be read: no login is spent twice, overwritten unread, or put at risk by a guess.

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::{PROFILE, Rig};
use openclaw_auth::system::now;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Stdio;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);
const ID: &str = "openai:ada";

fn row(rig: &Rig, agent: &str) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, Row::Store)
}

fn entry(rig: &Rig, agent: &str, id: &str) -> Value {
    let mut text: Value = serde_json::from_str(&row(rig, agent).read().unwrap()).unwrap();
    text["profiles"][id].take()
}

fn put(rig: &Rig, agent: &str, profiles: &Value) {
    assert!(row(rig, agent).write(&json!({"version": 1, "profiles": profiles}).to_string()));
}

/// An expired login in the databases of these agents.
fn held_by(agents: &[&str]) -> (Rig, Value) {
    let rig = Rig::signed_in();
    let mut login = rig.document()["profiles"][PROFILE].take();
    login["provider"] = "openai".into();
    login["expires"] = 2.into();
    std::fs::remove_dir_all(rig.path("agents")).unwrap();
    std::fs::remove_file(rig.path("openclaw.json")).unwrap();
    make_shared(&rig.state_dir());
    for agent in agents {
        if *agent != "main" {
            make_own(&rig.path("agents").join(agent).join("agent"), agent);
        }
        put(&rig, agent, &json!({ID: login}));
    }
    (rig, login)
}

/// The login as OpenClaw marks it while it refreshes it.
fn marked(login: &Value, state: &str) -> Value {
    let mut entry = login.clone();
    for kind in ["access", "refresh"] {
        let named =
            json!(["openclaw.oauth-refresh-generation", 1, ID, "openai", kind, login[kind]]);
        let (claim, digest) = ("ab".repeat(16), Sha256::digest(named.to_string()));
        entry[kind] =
            format!("openclaw-oauth-refresh-fence:v1:{claim}:{state}{kind}:{digest:x}").into();
    }
    entry["expires"] = 1.into();
    entry
}

#[test]
fn a_grant_that_several_agents_have_is_refreshed_once_and_replaced_in_each() {
    let agents = ["main", "work", "play"];
    for asked in agents {
        let (rig, before) = held_by(&agents);
        let token = rig.run(&["models", "auth", "token", "--profile", ID, "--agent", asked]);
        let token = token.success();
        for agent in agents {
            let after = entry(&rig, agent, ID);
            assert_eq!(after["access"], token.as_str(), "{asked}: {agent}");
            assert_ne!(after["refresh"], before["refresh"], "{asked}: {agent}");
        }
        assert_eq!(rig.server.token_requests("refresh_token"), 1, "{asked}");
    }
}

#[test]
fn a_marker_for_the_grant_in_the_database_of_another_agent_is_replaced_as_well() {
    for state in ["", "failed:"] {
        let (rig, before) = held_by(&["work", "play"]);
        let mut other = before.clone();
        other["refresh"] = "fake-refresh-of-another".into();
        put(&rig, "main", &json!({"openai:other": marked(&other, "")}));
        let hold = rig.server.hold_token_responses();
        let running = rig.start(&["models", "auth", "token", "--profile", ID, "--agent", "work"]);
        assert!(hold.wait_until_held(1, PATIENCE));
        put(&rig, "play", &json!({ID: marked(&before, state)}));
        hold.release();
        let token = running.finish().success();
        for agent in ["work", "play"] {
            assert_eq!(entry(&rig, agent, ID)["access"], token.as_str(), "{state}{agent}");
        }
        let unrelated = entry(&rig, "main", "openai:other");
        assert_eq!(unrelated, marked(&other, ""), "a marker for another grant stays");
    }
}

#[test]
fn stores_that_are_busy_are_waited_for_twenty_seconds_in_all() {
    let (rig, _) = held_by(&["main", "work", "play", "home"]);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&["models", "auth", "token", "--profile", ID, "--agent", "work"]);
    assert!(hold.wait_until_held(1, PATIENCE));
    let busy = [row(&rig, "play").hold(), row(&rig, "home").hold()];
    let began = Instant::now();
    hold.release();
    let token = running.finish().success();
    assert!(began.elapsed() < Duration::from_secs(32), "{:?}", began.elapsed());
    drop(busy);
    // What they could not take waits for the next command.
    rig.run(&["models", "auth", "refresh", "--all"]).success();
    for agent in ["main", "work", "play", "home"] {
        assert_eq!(entry(&rig, agent, ID)["access"], token.as_str(), "{agent}");
    }
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
}

#[test]
fn a_login_that_nothing_says_to_count_is_not_overwritten_unread() {
    let (rig, login) = held_by(&["main"]);
    row(&rig, "main").run("DELETE FROM config_machine_state WHERE state_key = 'auth.sharedStore'");
    assert!(!rig.run(&["models", "auth", "list"]).success().contains(ID));
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai", "--profile-id", ID];
    let refused = rig.run_with_input(&paste, "fake-key-0123456789\n").failure(6);
    assert!(refused.contains(ID) && refused.contains("hidden"), "{refused}");
    assert_eq!(entry(&rig, "main", ID), login);
    // From now on it can be seen, and what replaces it has read it.
    assert!(rig.run(&["models", "auth", "list"]).success().contains(ID));
}

#[test]
fn another_login_is_added_to_those_that_nothing_says_to_count() {
    let (rig, login) = held_by(&["main"]);
    row(&rig, "main").run("DELETE FROM config_machine_state WHERE state_key = 'auth.sharedStore'");
    let paste = ["models", "auth", "paste-api-key", "--provider", "p", "--profile-id", "p:1"];
    rig.run_with_input(&paste, "fake-key-0123456789\n").success();
    assert_eq!(entry(&rig, "main", ID), login);
    assert_eq!(entry(&rig, "main", "p:1")["key"], "fake-key-0123456789");
}

#[test]
fn a_gateway_that_nobody_can_rule_out_is_taken_for_one() {
    let (rig, _) = held_by(&["main"]);
    row(&rig, "main").run(
        "CREATE TABLE state_leases (scope TEXT, lease_key TEXT, expires_at, payload_json);
         INSERT INTO state_leases VALUES ('gateway-owner', 'global', x'00ff', '{}')",
    );
    let paste = ["models", "auth", "paste-api-key", "--provider", "p", "--profile-id", "p:1"];
    let pasted = rig.run_with_input(&paste, "fake-key-0123456789\n");
    assert!(pasted.stderr.contains("openclaw gateway call"), "{}", pasted.stderr);
    let refused = rig.run(&["store", "convert", "--to", "json"]).failure(6);
    assert!(refused.contains("openclaw.sqlite"), "{refused}");
}

/// A pending marker whose row was written so many milliseconds ago.
fn with_marker(age: i64) -> Rig {
    let (rig, login) = held_by(&["main"]);
    put(&rig, "main", &json!({ID: marked(&login, "")}));
    write_again(&rig, age);
    rig
}

fn write_again(rig: &Rig, age: i64) {
    let at = now() - age;
    row(rig, "main").run(&format!(
        "UPDATE config_machine_state SET updated_at_ms = {at} WHERE state_key = 'authProfiles.store'"
    ));
}

const TOKEN: [&str; 7] = ["models", "auth", "token", "--profile", ID, "--lock-timeout", "1"];

#[test]
fn a_marker_does_not_become_younger_by_another_write_to_its_row() {
    let rig = with_marker(200_000);
    let refused = rig.run(&TOKEN).failure(3);
    assert!(refused.contains("lost in an interrupted"), "{refused}");
    write_again(&rig, 0);
    let began = Instant::now();
    rig.run(&TOKEN).failure(3);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(rig.run(&["models", "auth", "list"]).success().contains("lost in an interrupted"));
    // Another marker is another refresh.
    let mut other = entry(&rig, "main", ID);
    for kind in ["access", "refresh"] {
        other[kind] = other[kind].as_str().unwrap().replace("abab", "cdcd").into();
    }
    put(&rig, "main", &json!({ID: other}));
    write_again(&rig, 0);
    rig.run(&TOKEN).failure(5);
}

#[test]
fn a_marker_from_a_time_to_come_blocks_nobody_for_ever() {
    let rig = with_marker(-3_600_000);
    rig.run(&TOKEN).failure(5);
    let notes: Vec<_> = rig.path("openclaw-auth/markers").read_dir().unwrap().flatten().collect();
    assert_eq!(notes.len(), 1, "it is noted since when it is there");
    let since: i64 = std::fs::read_to_string(notes[0].path()).unwrap().parse().unwrap();
    assert!((now() - 60_000..=now()).contains(&since));
    std::fs::write(notes[0].path(), (now() - 121_000).to_string()).unwrap();
    rig.run(&TOKEN).failure(3);
}

#[test]
fn two_state_directories_on_one_database_of_an_agent_take_turns() {
    let (rig, before) = held_by(&["work"]);
    let other = rig.home().join("other");
    make_shared(&other);
    rig.write_at_home(
        "other/providers/openai-codex.json",
        &rig.read("providers/openai-codex.json"),
    );
    std::fs::create_dir_all(other.join("agents")).unwrap();
    std::os::unix::fs::symlink(rig.path("agents/work"), other.join("agents/work")).unwrap();
    for name in ["other", "other/providers", "other/agents"] {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(rig.home().join(name), private).unwrap();
    }
    let args = ["models", "auth", "token", "--profile", ID, "--agent", "work"];
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&args);
    assert!(hold.wait_until_held(1, PATIENCE));
    let beside = rig.path("agents/work/agent").read_dir().unwrap().flatten();
    let locks = beside.filter(|it| it.file_name().to_string_lossy().starts_with("grant-sha256-"));
    assert!(locks.count() > 0, "there is a lock beside the database");
    let mut waiting = rig.command(&args);
    waiting.env("OPENCLAW_STATE_DIR", &other).stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    // It has its own lock by now, and waits for the one beside the database.
    let own = other.join("locks/oauth-refresh");
    let started = Instant::now();
    while !own.is_dir() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
    hold.release();
    let token = running.finish().success();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), token);
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
    assert_ne!(entry(&rig, "work", ID)["refresh"], before["refresh"]);
    let left = rig.path("agents/work/agent").read_dir().unwrap().flatten();
    let left: Vec<_> = left.map(|it| it.file_name()).collect();
    assert!(!left.iter().any(|it| it.to_string_lossy().starts_with("grant-")), "{left:?}");
}
