//! Commands on the databases of OpenClaw 2026.8 and later.

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::patience::{until, until_it_waits};
use crate::support::rig::{PROFILE, Rig};
use openclaw_auth::system::now;
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);
const DATABASE: &str = "state/openclaw.sqlite";

fn row(rig: &Rig, agent: &str, row: Row) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, row)
}

fn stored(rig: &Rig, agent: &str) -> Value {
    serde_json::from_str(&row(rig, agent, Row::Store).read().unwrap()).unwrap()
}

/// A state directory whose profiles are in the shared database.
fn with_profiles(profiles: &Value) -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    put(&rig, "main", profiles);
    rig
}

fn put(rig: &Rig, agent: &str, profiles: &Value) {
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    assert!(row(rig, agent, Row::Store).write(&text));
}

/// One that was signed in to, and whose login has moved to the database since, under the
/// provider that it has there.
fn moved(provider: &str) -> Rig {
    let rig = Rig::signed_in();
    let mut profiles = rig.document()["profiles"].take();
    profiles[PROFILE]["provider"] = provider.into();
    profiles["other:1"] = json!({"type": "api_key", "provider": "other", "key": "fake-key"});
    std::fs::remove_dir_all(rig.path("agents")).unwrap();
    let mut config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    config["auth"]["profiles"][PROFILE]["provider"] = provider.into();
    rig.write("openclaw.json", &config.to_string());
    make_shared(&rig.state_dir());
    put(&rig, "main", &profiles);
    rig
}

fn expire(rig: &Rig) {
    let mut document = stored(rig, "main");
    document["profiles"][PROFILE]["expires"] = 2.into();
    put(rig, "main", &document["profiles"]);
}

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

#[test]
fn either_name_of_the_provider_finds_the_login_and_the_stored_one_is_kept() {
    for provider in ["openai", "openai-codex"] {
        let rig = moved(provider);
        expire(&rig);
        let token = rig.run(&TOKEN).success();
        let by_other = rig.run(&["models", "auth", "token", "--provider", "openai"]).success();
        assert_eq!(token, by_other, "{provider}");
        let document = stored(&rig, "main");
        assert_eq!(document["profiles"][PROFILE]["access"], token.as_str(), "{provider}");
        assert_eq!(document["profiles"][PROFILE]["provider"], provider);
        assert_eq!(document["profiles"]["other:1"]["key"], "fake-key", "{provider}");
        assert_eq!(refreshes(&rig), 1, "{provider}");
    }
}

#[test]
fn openclaws_lock_is_held_across_the_request_and_gone_after_it() {
    let rig = moved("openai");
    expire(&rig);
    let hold = rig.server.hold_token_responses();
    let running: Vec<_> = (0..8).map(|_| rig.start(&TOKEN)).collect();
    assert!(hold.wait_until_held(1, PATIENCE));
    // The name that OpenClaw gives the lock of `["openai","openai-codex:ada@example.test"]`.
    let lock = rig.path("locks/oauth-refresh/lock-a2e391a50b269d4d89a22053b022781d.lock");
    let body: Value = serde_json::from_str(&std::fs::read_to_string(&lock).unwrap()).unwrap();
    let pid = body["pid"].as_u64().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    assert_eq!(body["starttime"].to_string(), started, "{body}");
    assert!(body["createdAt"].is_string());
    hold.release();
    let mut tokens: Vec<_> = running.into_iter().map(|it| it.finish().success()).collect();
    tokens.dedup();
    assert_eq!((tokens.len(), refreshes(&rig)), (1, 1), "{tokens:?}");
    assert!(!lock.exists());
}

#[test]
fn a_login_that_somebody_made_during_the_request_is_kept() {
    let rig = moved("openai");
    expire(&rig);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    let mut document = stored(&rig, "main");
    let login = &mut document["profiles"][PROFILE];
    login["access"] = "fake-access-of-another".into();
    login["refresh"] = "fake-refresh-of-another".into();
    login["expires"] = (now() + 3_600_000).into();
    put(&rig, "main", &document["profiles"]);
    hold.release();
    assert_eq!(running.finish().success(), "fake-access-of-another");
    assert_eq!(stored(&rig, "main"), document);
}

#[test]
fn a_token_is_refreshed_before_openclaw_would_do_it() {
    let rig = moved("openai");
    let mut document = stored(&rig, "main");
    // One that does not say when it was issued: it lived for longer.
    let refresh = document["profiles"][PROFILE]["refresh"].take();
    document["profiles"][PROFILE] = json!({"type": "oauth", "provider": "openai",
        "access": "fake-opaque", "refresh": refresh, "email": "ada@example.test"});
    document["profiles"][PROFILE]["expires"] = (now() + 540_000).into();
    put(&rig, "main", &document["profiles"]);
    rig.run(&TOKEN).success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn what_openclaw_drops_from_its_rows_is_remembered() {
    let rig = moved("openai");
    expire(&rig);
    let entry = stored(&rig, "main")["profiles"][PROFILE].clone();
    rig.server.revoke_all();
    rig.run(&TOKEN).failure(3);
    assert_eq!(refreshes(&rig), 1);
    assert!(row(&rig, "main", Row::State).read().is_none(), "nothing of ours is in its rows");
    rig.run(&TOKEN).failure(3);
    assert_eq!(refreshes(&rig), 1, "a refused token is not posted again");
    assert_eq!(stored(&rig, "main")["profiles"][PROFILE], entry);
}

#[test]
fn a_login_is_stored_under_the_name_that_its_provider_has_there() {
    for provider in ["openai", "openai-codex"] {
        let rig = Rig::new();
        make_shared(&rig.state_dir());
        let login = rig.start_sign_in(&["--provider", provider]);
        assert_eq!(login.visit().status, 200, "{provider}");
        login.finish().success();
        let document = stored(&rig, "main");
        let entry = &document["profiles"]["openai:ada@example.test"];
        assert_eq!(entry["provider"], "openai", "{document}");
        assert!(rig.server.is_alive(entry["refresh"].as_str().unwrap()), "{provider}");
        // What it replaced can be had back.
        rig.run(&["models", "auth", "logout", "openai:ada@example.test", "--local"]).success();
        rig.run(&["doctor", "--restore", "latest"]).success();
        assert_eq!(stored(&rig, "main"), document, "{provider}");
    }
}

fn fence(state: &str) -> Value {
    let mark = |name: &str| {
        format!(
            "openclaw-oauth-refresh-fence:v1:{}:{state}{name}:{}",
            "ab".repeat(16),
            "cd".repeat(32)
        )
    };
    json!({"type": "oauth", "provider": "openai", "access": mark("access"),
        "refresh": mark("refresh"), "expires": 1, "email": "ada@example.test"})
}

#[test]
fn markers_of_openclaw_are_told_and_never_posted() {
    for (state, said) in [("", "interrupted"), ("failed:", "failed")] {
        let rig = with_profiles(&json!({"openai:x": fence(state)}));
        let token = ["models", "auth", "token", "--profile", "openai:x"];
        let stderr = rig.run(&token).failure(3);
        assert!(
            stderr.contains(&format!("lost in an {said}"))
                || stderr.contains(&format!("lost in a {said}")),
            "{stderr}"
        );
        assert!(stderr.contains("models auth login --provider openai"), "{stderr}");
        let by_provider = ["models", "auth", "token", "--provider", "openai"];
        assert_eq!(rig.run(&by_provider).failure(3), stderr);
        let shown = ["models auth list", "models status", "doctor"].map(|command| {
            let args: Vec<_> = command.split(' ').collect();
            let shown = rig.command(&args).output().unwrap();
            String::from_utf8(shown.stdout).unwrap()
        });
        for shown in &shown {
            let is_told = shown.contains(&format!("{said} OpenClaw refresh"));
            assert!(is_told && !shown.contains("fence"), "{shown}");
        }
        assert!(shown[0].contains("sign in again") && shown[1].contains("sign in again"));
        assert!(shown[2].contains("models auth login --provider openai"), "{}", shown[2]);
        assert_eq!(refreshes(&rig), 0);
    }
}

#[test]
fn a_refresh_of_openclaw_is_waited_for() {
    let rig = with_profiles(&json!({"openai:x": fence("")}));
    row(&rig, "main", Row::Store)
        .run(&format!("UPDATE config_machine_state SET updated_at_ms = {}", now()));
    let listed = rig.run(&["models", "auth", "list"]).success();
    assert!(listed.contains("held by OpenClaw"), "{listed}");
    let check = rig.run(&["check"]);
    assert_eq!(check.code, 0, "it is renewed: {check:?}");
    let running = rig.start(&["models", "auth", "token", "--provider", "openai"]);
    until_it_waits(&running);
    let settled = json!({"openai:x": {"type": "oauth", "provider": "openai",
        "access": "fake-settled", "refresh": "fake-r", "expires": now() + 3_600_000}});
    put(&rig, "main", &settled);
    assert_eq!(running.finish().success(), "fake-settled");
}

#[test]
fn an_agent_has_its_own_profiles_among_those_of_all() {
    let key = |key: &str| json!({"type": "api_key", "provider": "p", "key": key});
    let rig = with_profiles(&json!({"p:1": key("fake-1"), "p:2": key("fake-2")}));
    make_own(&rig.path("agents/work/agent"), "work");
    put(&rig, "work", &json!({"p:2": key("fake-own"), "p:3": key("fake-3")}));
    let token = |id: &str| {
        rig.run(&["models", "auth", "token", "--agent", "work", "--profile", id]).success()
    };
    assert_eq!(["p:1", "p:2", "p:3"].map(token), ["fake-1", "fake-own", "fake-3"]);
    let listed = rig.run(&["models", "auth", "list", "--agent", "work", "--json"]).json();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), 3, "{listed}");
    // Without a database of its own, nothing can be its own.
    std::fs::create_dir_all(rig.path("agents/play/agent")).unwrap();
    let paste = ["models", "auth", "paste-api-key", "--provider", "p", "--agent", "play"];
    let stderr = rig.run_with_input(&paste, "fake-key-fake-key\n").failure(6);
    assert!(stderr.contains("openclaw models auth order clear"), "{stderr}");
    assert!(!rig.path("agents/play/agent/openclaw-agent.sqlite").exists());
}

#[test]
fn a_key_is_pasted_and_removed_and_other_entries_keep_their_bytes() {
    let odd = r#"{"version":1,"odd":1.50,"profiles":{"q:1":{"type":"api_key","provider":"q","key":"fake","n":1.50}}}"#;
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    assert!(row(&rig, "main", Row::Store).write(odd));
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai-codex"];
    rig.run_with_input(&paste, "fake-key-fake-key\n").success();
    let document = stored(&rig, "main");
    assert_eq!(document["profiles"]["openai:manual"]["provider"], "openai", "{document}");
    rig.run(&["models", "auth", "logout", "openai:manual"]).success();
    let left = row(&rig, "main", Row::Store).read().unwrap();
    assert!(left.contains("1.50"), "{left}");
    assert_eq!(stored(&rig, "main"), serde_json::from_str::<Value>(odd).unwrap());
}

/// Makes a database into one that is not as it should be.
type Spoil<'s> = &'s dyn Fn(&Rig);

#[test]
fn a_database_that_is_not_as_it_should_be_is_told_and_left_alone() {
    let key = json!({"p:1": {"type": "api_key", "provider": "p", "key": "fake"}});
    let run = |rig: &Rig, statement: &str| row(rig, "main", Row::Store).run(statement);
    let cases: [(&str, Spoil); 7] = [
        ("damaged", &|rig| {
            let path = rig.path(DATABASE);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[..100].fill(0x55);
            std::fs::write(&path, bytes).unwrap();
        }),
        ("tables of OpenClaw are missing", &|rig| run(rig, "DROP TABLE schema_meta")),
        ("auth.sharedStore", &|rig| {
            run(
                rig,
                "UPDATE config_machine_state SET value_json = '{\"location\":\"moon\"}' \
                      WHERE state_key = 'auth.sharedStore'",
            );
        }),
        ("is not JSON", &|rig| assert!(row(rig, "main", Row::Store).write("{ half"))),
        ("object of profiles", &|rig| assert!(row(rig, "main", Row::Store).write("[]"))),
        ("supervised", &|rig| {
            run(rig, "INSERT INTO config_machine_state VALUES ('gateway.supervision', '{}', 1)");
        }),
        ("newer than", &|rig| run(rig, "PRAGMA user_version = 19")),
    ];
    for (said, spoil) in cases {
        let rig = with_profiles(&key);
        spoil(&rig);
        let before = std::fs::read(rig.path(DATABASE)).unwrap();
        let paste = ["models", "auth", "paste-api-key", "--provider", "p"];
        let stderr = rig.run_with_input(&paste, "fake-key-fake-key\n").failure(6);
        assert!(stderr.contains(said) && stderr.contains("hint:"), "{said}: {stderr}");
        assert!(before == std::fs::read(rig.path(DATABASE)).unwrap(), "{said}");
        assert!(!rig.path("agents/main/agent/auth-profiles.json").exists(), "{said}");
    }
}

#[test]
fn a_log_without_its_database_is_no_empty_store() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite-wal", "fake log");
    rig.run(&TOKEN).failure(6);
    let paste = ["models", "auth", "paste-api-key", "--provider", "p"];
    rig.run_with_input(&paste, "fake-key-fake-key\n").failure(6);
}

#[test]
fn a_read_soon_after_a_write_leaves_nothing_beside_the_database() {
    let rig = with_profiles(&json!({"p:1": {"type": "api_key", "provider": "p", "key": "fake"}}));
    let path = rig.path(DATABASE);
    let written = path.metadata().unwrap().modified().unwrap();
    let files = || std::fs::read_dir(rig.path("state")).unwrap().count();
    let before = files();
    until("the next write would have another time", || {
        written.elapsed().is_ok_and(|age| age > Duration::from_millis(60))
    });
    assert_eq!(rig.run(&["models", "auth", "token", "--profile", "p:1"]).success(), "fake");
    rig.run(&["models", "auth", "list"]).success();
    assert_eq!(files(), before);
    // Beside who has it open, it is read as SQLite reads it.
    let held = row(&rig, "main", Row::Store).hold();
    assert_eq!(rig.run(&["models", "auth", "token", "--profile", "p:1"]).success(), "fake");
    drop(held);
}

#[test]
fn a_read_of_a_database_at_rest_leaves_nothing_beside_it() {
    let rig = with_profiles(&json!({"p:1": {"type": "api_key", "provider": "p", "key": "fake"}}));
    let path = rig.path(DATABASE);
    let old = std::time::SystemTime::now() - Duration::from_mins(1);
    std::fs::File::open(&path).unwrap().set_modified(old).unwrap();
    let files = || std::fs::read_dir(rig.path("state")).unwrap().count();
    let before = files();
    assert_eq!(rig.run(&["models", "auth", "token", "--profile", "p:1"]).success(), "fake");
    assert_eq!(files(), before);
}
