//! Taking a login over, while the other program and a kill may come between.

use super::{CODEX, codex_login, import, with_codex};
use crate::support::rig::{PROFILE, Rig};
use fs2::FileExt;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::File;
use std::time::{Duration, Instant};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// Long enough for a loaded machine; a test never waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Codex's own lock, held.
fn codex_lock(rig: &Rig) -> File {
    let lock = File::create(rig.home().join(".codex/auth.lock")).unwrap();
    lock.lock_exclusive().unwrap();
    lock
}

fn refresh_token(rig: &Rig) -> Option<String> {
    let text = std::fs::read_to_string(rig.path("agents/main/agent/auth-profiles.json")).ok()?;
    let document: Value = serde_json::from_str(&text).ok()?;
    document["profiles"][PROFILE]["refresh"].as_str().map(str::to_owned)
}

#[test]
fn a_link_in_the_place_of_the_copy_is_not_followed() {
    let (rig, login) = with_codex();
    rig.write_at_home("precious", "fake precious");
    let copy = rig.home().join(".codex/auth.json.openclaw-auth.bak");
    std::os::unix::fs::symlink(rig.home().join("precious"), &copy).unwrap();
    import(&rig, &["codex", "--move"]).success();
    assert_eq!(rig.read_at_home("precious").unwrap(), "fake precious");
    assert!(copy.symlink_metadata().unwrap().is_file());
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), login.to_string());
}

#[test]
fn without_a_terminal_somebody_has_to_say_who_owns_the_login() {
    let (rig, login) = with_codex();
    let before = rig.tree();
    let stderr = import(&rig, &["codex"]).failure(2);
    assert!(stderr.contains("--move") && stderr.contains("--copy"), "{stderr}");
    import(&rig, &["codex", "--move", "--copy"]).failure(2);
    assert_eq!(rig.tree(), before);
    assert_eq!(rig.read_at_home(CODEX).unwrap(), login.to_string());
}

#[test]
fn a_moved_login_is_refreshed_here_alone() {
    let (rig, _) = with_codex();
    let finished = import(&rig, &["codex", "--move"]);
    assert!(
        finished.stderr.contains("[model_providers.openclaw-auth.auth]"),
        "{}",
        finished.stderr
    );
    assert!(finished.success().contains("Codex CLI is logged out"));
    assert_eq!(rig.read_at_home(CODEX), None);
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
    assert_eq!((rig.server.token_requests("refresh_token"), rig.server.reuse_attempts()), (1, 0));
    let listed = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(listed["profiles"][0]["importedFrom"], "codex", "a refresh keeps it");
    let text = rig.run(&["models", "auth", "list"]).success();
    assert!(text.contains("imported from codex"), "{text}");
    let channels = rig.run(&["channels", "list", "--json", "--no-usage"]).json();
    let row =
        json!({"id": PROFILE, "provider": "openai-codex", "type": "oauth", "isExternal": false});
    assert_eq!(channels["auth"], json!([row]));
    rig.login(&[]).success();
    let listed = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(listed["profiles"][0].get("importedFrom"), None, "a login of ours is ours");
}

#[test]
fn the_json_of_an_import_says_what_became_of_every_login() {
    let (rig, _) = with_codex();
    let report = import(&rig, &["codex", "--move", "--json"]).json();
    let auth = rig.home().join(CODEX);
    let expected = json!({
        "schema": 1,
        "tool": "codex",
        "mode": "move",
        "paths": [auth],
        "agentId": "main",
        "storePath": rig.path("agents/main/agent/auth-profiles.json"),
        "profiles": [{
            "profileId": PROFILE,
            "provider": "openai-codex",
            "type": "oauth",
            "entry": "tokens",
            "outcome": "imported",
            "agentId": "main",
            "email": "ada@example.test",
            "accountId": "fake-account-ada",
            "expiresAt": report["profiles"][0]["expiresAt"],
            "use": report["profiles"][0]["use"],
        }],
        "skipped": [],
        "loggedOut": true,
        "backups": [format!("{}.openclaw-auth.bak", auth.display())],
        "configChanged": true,
    });
    assert_eq!(report, expected);
    let usage = report["profiles"][0]["use"].as_array().unwrap();
    assert!(usage.iter().any(|line| line.as_str().unwrap().contains(PROFILE)), "{usage:?}");
}

#[test]
fn a_kill_between_store_and_logout_loses_nothing() {
    let (rig, login) = with_codex();
    let lock = codex_lock(&rig);
    let running = rig.start(&["models", "auth", "import", "codex", "--move"]);
    wait_until("the login is stored", || refresh_token(&rig).is_some());
    running.signal(Signal::KILL);
    // A killed process has no exit code to finish with.
    drop(running);
    assert_eq!(rig.read_at_home(CODEX).unwrap(), login.to_string());
    assert_eq!(refresh_token(&rig).as_deref(), login["tokens"]["refresh_token"].as_str());
    let doctor = rig.run(&["doctor", "--json"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("import codex --move"), "{}", doctor.stdout);
    drop(lock);
    let report = import(&rig, &["codex", "--move", "--json"]).json();
    assert_eq!(report["profiles"][0]["outcome"], "unchanged");
    assert_eq!(report["loggedOut"], true);
    assert_eq!(rig.run(&["doctor"]).code, 0);
}

#[test]
fn a_login_that_changes_meanwhile_is_moved_as_it_is_then() {
    let (rig, first) = with_codex();
    let lock = codex_lock(&rig);
    let running = rig.start(&["models", "auth", "import", "codex", "--move"]);
    wait_until("the login is stored", || refresh_token(&rig).is_some());
    // As Codex would, after a refresh.
    let second = codex_login(&rig, "ada@example.test");
    assert_ne!(first, second);
    rig.write_at_home(CODEX, &second.to_string());
    drop(lock);
    let finished = running.finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert_eq!(refresh_token(&rig).as_deref(), second["tokens"]["refresh_token"].as_str());
    assert_eq!(rig.read_at_home(CODEX), None);
    let kept = rig.read_at_home(".codex/auth.json.openclaw-auth.bak").unwrap();
    assert_eq!(kept, second.to_string());
}

#[test]
fn another_login_that_comes_meanwhile_becomes_a_profile_of_its_own() {
    let (rig, _) = with_codex();
    let lock = codex_lock(&rig);
    let running = rig.start(&["models", "auth", "import", "codex", "--move"]);
    wait_until("the login is stored", || refresh_token(&rig).is_some());
    rig.write_at_home(CODEX, &codex_login(&rig, "grace@example.test").to_string());
    drop(lock);
    assert_eq!(running.finish().code, 0);
    let profiles = rig.document()["profiles"].clone();
    let ids: Vec<&String> = profiles.as_object().unwrap().keys().collect();
    assert_eq!(ids, [PROFILE, "openai-codex:grace@example.test"]);
}

#[test]
fn importing_again_renews_the_profile_of_the_account_and_no_other() {
    let (rig, first) = with_codex();
    import(&rig, &["codex", "--copy"]).success();
    let second = codex_login(&rig, "ada@example.test");
    rig.write_at_home(CODEX, &second.to_string());
    let report = import(&rig, &["codex", "--copy", "--json"]).json();
    assert_eq!(report["profiles"][0]["profileId"], PROFILE);
    assert_eq!(report["profiles"][0]["outcome"], "updated");
    let token = |login: &Value| login["tokens"]["refresh_token"].as_str().map(str::to_owned);
    assert_eq!(refresh_token(&rig), token(&second));
    assert_ne!(token(&first), token(&second));
    let mut team = codex_login(&rig, "ada@example.test");
    let tokens = rig.server.issue_tokens(&crate::support::authorization_server::Account {
        account_id: Some("fake-team".into()),
        ..crate::support::authorization_server::Account::of_email("ada@example.test")
    });
    team["tokens"]["access_token"] = tokens["access_token"].clone();
    team["tokens"]["id_token"] = tokens["id_token"].clone();
    team["tokens"]["refresh_token"] = tokens["refresh_token"].clone();
    rig.write_at_home(CODEX, &team.to_string());
    let finished = import(&rig, &["codex", "--copy", "--json"]);
    assert!(finished.stderr.contains("belongs to another account"), "{}", finished.stderr);
    let report = finished.json();
    assert_eq!(report["profiles"][0]["profileId"], format!("{PROFILE}:fake-team"));
    assert_eq!(refresh_token(&rig), token(&second), "the other profile stays");
}

#[test]
fn a_login_that_was_refreshed_here_since_is_not_taken_back() {
    let (rig, _) = with_codex();
    import(&rig, &["codex", "--copy"]).success();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
    let before = rig.document();
    let doctor = rig.run(&["doctor", "--json"]);
    assert!(doctor.stdout.contains("was refreshed by"), "{}", doctor.stdout);
    let report = import(&rig, &["codex", "--copy", "--json"]).json();
    assert_eq!(report["profiles"][0]["outcome"], "unchanged");
    assert_eq!(rig.document(), before);
    import(&rig, &["codex", "--move"]).success();
    assert_eq!(rig.document(), before);
    assert_eq!(rig.read_at_home(CODEX), None);
    assert_eq!(rig.run(&["doctor"]).code, 0);
}

#[test]
fn a_grant_that_a_profile_holds_is_that_profile() {
    let (rig, login) = with_codex();
    rig.write(
        "agents/main/agent/auth-profiles.json",
        &json!({"version": 1, "profiles": {"openai-codex:mine": {
            "type": "oauth", "provider": "openai-codex", "access": "fake", "expires": 5,
            "refresh": login["tokens"]["refresh_token"],
        }}})
        .to_string(),
    );
    let before = rig.document();
    let report = import(&rig, &["codex", "--copy", "--json"]).json();
    assert_eq!(report["profiles"][0]["profileId"], "openai-codex:mine");
    assert_eq!(report["profiles"][0]["outcome"], "unchanged");
    assert_eq!(rig.document(), before);
    rig.run(&["agents", "add", "work"]).success();
    let report = import(&rig, &["codex", "--copy", "--json", "--agent", "work"]).json();
    assert_eq!(report["profiles"][0]["agentId"], "main");
    assert!(!rig.path("agents/work/agent/auth-profiles.json").exists());
}

#[test]
fn a_login_that_the_server_has_refused_is_not_imported() {
    let (rig, login) = with_codex();
    import(&rig, &["codex", "--copy"]).success();
    rig.server.revoke_all();
    rig.expire(PROFILE);
    rig.run(&TOKEN).failure(3);
    rig.edit("main", |document| {
        document["profiles"][PROFILE]["refresh"] = "fake-other".into();
        document["profiles"][PROFILE].as_object_mut().unwrap().shift_remove("importedFrom");
    });
    let stderr = import(&rig, &["codex", "--move"]).failure(3);
    assert!(stderr.contains("has refused this login"), "{stderr}");
    assert_eq!(rig.read_at_home(CODEX).unwrap(), login.to_string());
}

#[test]
fn a_profile_id_that_is_named_must_fit() {
    let (rig, _) = with_codex();
    rig.write(
        "agents/main/agent/auth-profiles.json",
        &json!({"version": 1, "profiles": {"x": {"type": "api_key", "provider": "y", "key": "fake"}}})
            .to_string(),
    );
    let before = rig.tree();
    for id in ["x", " ", "anthropic:claude-cli"] {
        import(&rig, &["codex", "--move", "--profile-id", id]).failure(2);
    }
    assert_eq!(rig.tree(), before);
    let report =
        import(&rig, &["codex", "--move", "--profile-id", "openai-codex:work", "--json"]).json();
    assert_eq!(report["profiles"][0]["profileId"], "openai-codex:work");
}

#[test]
fn a_logout_of_a_copy_does_not_log_the_other_program_out() {
    let (rig, login) = with_codex();
    import(&rig, &["codex", "--copy"]).success();
    let report = rig.run(&["models", "auth", "logout", PROFILE, "--json"]).json();
    assert!(report.to_string().contains("Codex CLI holds the same login"), "{report}");
    assert!(rig.server.is_alive(login["tokens"]["refresh_token"].as_str().unwrap()));
}

#[test]
fn a_program_is_logged_out_only_under_its_own_locks() {
    let flat = r#"{"access_token":"fake-access","refresh_token":"fake-refresh"}"#;
    let claude = r#"{"claudeAiOauth":{"accessToken":"fake-access","refreshToken":"fake-refresh"}}"#;
    let entry = r#"{"x":{"type":"oauth","access":"fake-access","refresh":"fake-refresh"}}"#;
    for (tool, file, text, lock, is_directory) in [
        ("claude", ".claude/.credentials.json", claude, ".claude/.oauth_refresh.lock", true),
        ("claude", ".claude/.credentials.json", claude, ".claude.lock", true),
        ("pi", ".pi/agent/auth.json", entry, ".pi/agent/auth.json.lock", true),
        ("qwen", ".qwen/oauth_creds.json", flat, ".qwen/oauth_creds.lock", false),
    ] {
        let rig = Rig::new();
        rig.write_at_home(file, text);
        let lock = rig.home().join(lock);
        if is_directory {
            std::fs::create_dir(&lock).unwrap();
        } else {
            std::fs::write(&lock, "fake-uuid").unwrap();
        }
        let running = rig.start(&["models", "auth", "import", tool, "--move"]);
        wait_until("the login is stored", || rig.path("openclaw.json").exists());
        assert_eq!(rig.read_at_home(file).unwrap(), text, "{tool} holds its lock");
        if is_directory {
            std::fs::remove_dir(&lock).unwrap();
        } else {
            std::fs::remove_file(&lock).unwrap();
        }
        assert_eq!(running.finish().success().lines().count(), 4, "{tool}");
        assert_ne!(rig.read_at_home(file).as_deref(), Some(text), "{tool}");
        assert!(!lock.exists(), "{tool}");
    }
}

#[test]
fn a_lock_that_a_program_left_behind_is_taken_over() {
    let rig = Rig::new();
    let login = r#"{"access_token":"fake-access","refresh_token":"fake-refresh"}"#;
    rig.write_at_home(".qwen/oauth_creds.json", login);
    rig.write_at_home(".qwen/oauth_creds.lock", "fake-uuid");
    let lock = File::options().write(true).open(rig.home().join(".qwen/oauth_creds.lock")).unwrap();
    lock.set_modified(std::time::SystemTime::now() - Duration::from_mins(1)).unwrap();
    import(&rig, &["qwen", "--move"]).success();
    assert_eq!(rig.read_at_home(".qwen/oauth_creds.lock"), None);
    assert_eq!(rig.read_at_home(".qwen/oauth_creds.json"), None);
}
