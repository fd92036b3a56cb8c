//! `store convert`: logins move between JSON documents and SQLite databases.

mod fields;
mod killed;
mod place;
mod refused;
mod unfinished;

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::{PROFILE, Rig};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const TO_SQLITE: [&str; 4] = ["store", "convert", "--to", "sqlite"];
const TO_JSON: [&str; 4] = ["store", "convert", "--to", "json"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
/// The profile of the rig as it is named in databases.
const RENAMED: &str = "openai:ada@example.test";

fn row(rig: &Rig, agent: &str, row: Row) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, row)
}

/// The profiles in the rows of an agent; none where there is no database.
fn rows(rig: &Rig, agent: &str) -> Value {
    let text = row(rig, agent, Row::Store);
    if !text.database().exists() {
        return json!({});
    }
    let text = text.read().unwrap_or_else(|| r#"{"profiles":{}}"#.to_owned());
    serde_json::from_str::<Value>(&text).unwrap()["profiles"].take()
}

/// The profiles in the document of an agent; none where there is none.
fn documents(rig: &Rig, agent: &str) -> Value {
    let path = rig.path(&format!("agents/{agent}/agent/auth-profiles.json"));
    let Ok(text) = std::fs::read_to_string(path) else { return json!({}) };
    serde_json::from_str::<Value>(&text).unwrap()["profiles"].take()
}

fn write_profiles(rig: &Rig, agent: &str, profiles: &Value) {
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    rig.write(&format!("agents/{agent}/agent/auth-profiles.json"), &text);
}

fn put_rows(rig: &Rig, agent: &str, profiles: &Value) {
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    assert!(row(rig, agent, Row::Store).write(&text));
}

fn key(text: &str) -> Value {
    json!({"type": "api_key", "provider": "p", "key": text})
}

/// Files below the backups, those of the conversion alone.
fn sealed(rig: &Rig) -> Vec<PathBuf> {
    fn files(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { files(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    files(&rig.path("openclaw-auth/backups"), &mut found);
    found.sort();
    found
}

#[test]
fn logins_move_to_a_database_and_back_and_no_request_is_made() {
    let rig = Rig::signed_in();
    let mut document = rig.document();
    document["profiles"]["p:1"] = key("fake-key");
    document["profiles"][PROFILE]["unknown"] = json!({"x": 1.50});
    write_profiles(&rig, "main", &document["profiles"]);
    rig.run(&["models", "auth", "order", "set", "--provider", "openai-codex", PROFILE]).success();
    let before = (documents(&rig, "main"), rig.read("agents/main/agent/auth-profiles.json"));
    let state = rig.read("agents/main/agent/auth-state.json");
    let requests = rig.server.token_requests("refresh_token");
    let token = rig.run(&TOKEN).success();

    let report = rig.run(&[&TO_SQLITE[..], &["--json"]].concat()).json();
    assert_eq!(report["agents"][0]["profiles"][0]["becomes"], RENAMED, "{report}");
    assert_eq!(report["configChanged"], true);
    let stored = rows(&rig, "main");
    assert_eq!(stored[RENAMED]["provider"], "openai");
    assert_eq!(stored[RENAMED]["refresh"], before.0[PROFILE]["refresh"]);
    assert_eq!(stored["p:1"], before.0["p:1"]);
    assert!(stored[RENAMED].get("unknown").is_none(), "OpenClaw would drop it");
    assert_eq!(documents(&rig, "main"), json!({}));
    assert!(!rig.path("agents/main/agent/auth-state.json").exists());
    let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(config["auth"]["profiles"][RENAMED]["provider"], "openai", "{config}");
    let order: Value =
        serde_json::from_str(&row(&rig, "main", Row::State).read().unwrap()).unwrap();
    assert_eq!(order["order"], json!({"openai": [RENAMED]}));
    let kept = sealed(&rig);
    assert_eq!(std::fs::read_to_string(&kept[0]).unwrap(), before.1, "as it was, to the byte");
    for path in kept.iter().chain([&rig.path("state/openclaw.sqlite")]) {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    assert!(!rig.path("openclaw-auth/conversion.json").exists());
    for provider in ["openai", "openai-codex"] {
        let args = ["models", "auth", "token", "--provider", provider];
        assert_eq!(rig.run(&args).success(), token);
    }
    let again = rig.run(&TO_SQLITE).success();
    assert!(again.contains("Nothing to do"), "{again}");

    rig.run(&TO_JSON).success();
    assert_eq!(rows(&rig, "main"), json!({}));
    assert_eq!(documents(&rig, "main"), before.0);
    let after: Value =
        serde_json::from_str(&rig.read("agents/main/agent/auth-state.json")).unwrap();
    assert_eq!(after["order"], serde_json::from_str::<Value>(&state).unwrap()["order"]);
    assert_eq!(rig.run(&TOKEN).success(), token);
    // The documents are in charge: they are written as if there were no database.
    let paste = ["models", "auth", "paste-api-key", "--provider", "p"];
    rig.run_with_input(&paste, "fake-key-fake-key\n").success();
    assert!(documents(&rig, "main")["p:manual"].is_object());
    assert_eq!(rig.server.token_requests("refresh_token"), requests);
    rig.run(&TO_SQLITE).success();
    assert!(rows(&rig, "main")["p:manual"].is_object());
    assert_eq!(rig.run(&TOKEN).success(), token);
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let rig = Rig::signed_in();
    let before = rig.tree();
    let planned = rig.run(&[&TO_SQLITE[..], &["--dry-run", "--json"]].concat()).json();
    assert_eq!((&planned["dryRun"], &planned["backup"]), (&json!(true), &Value::Null));
    assert!(rig.tree() == before);
    let done = rig.run(&[&TO_SQLITE[..], &["--json"]].concat()).json();
    assert_eq!(
        (&planned["agents"], &planned["configChanged"]),
        (&done["agents"], &done["configChanged"])
    );
    let before = rig.tree();
    let text = rig.run(&[&TO_JSON[..], &["--dry-run"]].concat()).success();
    assert!(text.contains("Nothing was changed"), "{text}");
    assert!(rig.tree() == before);
}

#[test]
fn what_is_left_beside_a_database_moves_and_replaces_nothing() {
    let rig = Rig::signed_in();
    make_shared(&rig.state_dir());
    let login = documents(&rig, "main")[PROFILE].clone();
    let mut newer = login.clone();
    newer["provider"] = "openai".into();
    newer["refresh"] = "fake-newer".into();
    put_rows(&rig, "main", &json!({RENAMED: newer, "p:1": key("fake-there")}));
    write_profiles(
        &rig,
        "main",
        &json!({PROFILE: login, "p:1": key("fake-left"), "p:2": key("fake-2")}),
    );
    // Each write names it, with the way out; so does `doctor`.
    let convert = "openclaw-auth store convert --to sqlite";
    let paste = ["models", "auth", "paste-api-key", "--provider", "q"];
    let pasted = rig.run_with_input(&paste, "fake-key-fake-key\n");
    assert!(pasted.stderr.contains("auth-profiles.json"), "{}", pasted.stderr);
    assert!(pasted.stderr.contains(convert), "{}", pasted.stderr);
    let doctor = rig.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{}", doctor.stdout);
    assert!(doctor.stdout.contains(convert), "{}", doctor.stdout);
    assert!(!doctor.stdout.contains("--fix"), "{}", doctor.stdout);

    let report = rig.run(&TO_SQLITE).success();
    assert!(report.contains("another login of this account is there"), "{report}");
    let stored = rows(&rig, "main");
    assert_eq!(stored[RENAMED]["refresh"], "fake-newer");
    assert_eq!((&stored["p:1"], &stored["p:2"]), (&key("fake-there"), &key("fake-2")));
    assert_eq!(stored.as_object().unwrap().len(), 4, "{stored}");
    assert_eq!(documents(&rig, "main"), json!({}));
    let after = rig.run(&["doctor"]);
    assert!(!after.stdout.contains(convert), "{}", after.stdout);
}

#[test]
fn an_agent_has_what_is_its_own_in_its_own_database() {
    let rig = Rig::new();
    let login = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-a",
        "refresh": "fake-r", "expires": 4_102_444_800_000_u64, "email": "a@example.test"});
    write_profiles(&rig, "main", &json!({"p:1": key("fake-1"), "openai-codex:a": login}));
    let own = json!({"p:1": key("fake-1"), "openai-codex:a": login, "p:2": key("fake-own")});
    write_profiles(&rig, "work", &own);
    let before = rig.tree();
    let stderr = rig.run(&TO_SQLITE).failure(6);
    let command = "openclaw models auth order clear --provider openai --agent work";
    assert!(stderr.contains(command), "{stderr}");
    let left = rig.tree();
    let is_ours = |path: &Path| path.components().any(|it| it.as_os_str() == "openclaw-auth");
    let left: Vec<_> = left.into_iter().filter(|(path, _)| !is_ours(path)).collect();
    assert!(left == before, "nothing has changed");
    assert!(!rig.path("agents/work/agent/openclaw-agent.sqlite").exists());

    make_own(&rig.path("agents/work/agent"), "work");
    let report = rig.run(&TO_SQLITE).success();
    assert!(report.contains("has it from main"), "{report}");
    assert_eq!(rows(&rig, "work"), json!({"p:2": key("fake-own")}), "one grant, one place");
    assert_eq!(rows(&rig, "main")["openai:a"]["refresh"], "fake-r");
    assert_eq!(documents(&rig, "work"), json!({}));
    for (id, wanted) in [("p:1", "fake-1"), ("p:2", "fake-own"), ("openai:a", "fake-a")] {
        let args = ["models", "auth", "token", "--agent", "work", "--profile", id];
        assert_eq!(rig.run(&args).success(), wanted);
    }
    rig.run(&TO_JSON).success();
    assert_eq!(documents(&rig, "work"), json!({"p:2": key("fake-own")}));
    assert_eq!(documents(&rig, "main")["openai-codex:a"], login);
    assert_eq!((rows(&rig, "work"), rows(&rig, "main")), (json!({}), json!({})));
}

#[test]
fn an_agent_that_has_all_from_main_needs_no_database() {
    let rig = Rig::new();
    write_profiles(&rig, "main", &json!({"p:1": key("fake-1")}));
    write_profiles(&rig, "work", &json!({"p:1": key("fake-1")}));
    rig.run(&TO_SQLITE).success();
    assert_eq!(documents(&rig, "work"), json!({}));
    let args = ["models", "auth", "token", "--agent", "work", "--profile", "p:1"];
    assert_eq!(rig.run(&args).success(), "fake-1");
}

#[test]
fn files_from_before_the_documents_move_as_well() {
    let rig = Rig::new();
    rig.write("agents/main/agent/auth.json", r#"{"p":{"type":"api_key","key":"fake-old"}}"#);
    let oauth =
        r#"{"openai-codex":{"access":"fake-a","refresh":"fake-r","expires":4102444800000}}"#;
    rig.write("credentials/oauth.json", oauth);
    rig.run(&TO_SQLITE).success();
    let stored = rows(&rig, "main");
    assert_eq!(stored["openai:default"]["refresh"], "fake-r", "{stored}");
    assert_eq!(stored["p:default"]["key"], "fake-old");
    assert!(!rig.path("credentials/oauth.json").exists());
    assert!(!rig.path("agents/main/agent/auth.json").exists());
    assert_eq!(sealed(&rig).len(), 2);
}

#[test]
fn an_empty_state_directory_gets_a_database_that_openclaw_completes() {
    let rig = Rig::new();
    rig.run(&TO_SQLITE).success();
    let run = |query: &str| -> String {
        let connection = rusqlite::Connection::open(rig.path("state/openclaw.sqlite")).unwrap();
        connection
            .query_row(query, [], |row| row.get::<_, rusqlite::types::Value>(0))
            .map(|it| format!("{it:?}"))
            .unwrap()
    };
    assert_eq!(run("PRAGMA user_version"), "Integer(0)");
    assert_eq!(run("PRAGMA journal_mode"), "Text(\"wal\")");
    assert_eq!(run("PRAGMA auto_vacuum"), "Integer(2)");
    assert_eq!(run("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), "Integer(1)");
    let login = rig.start_sign_in(&["--provider", "openai-codex"]);
    assert_eq!(login.visit().status, 200);
    login.finish().success();
    assert_eq!(rows(&rig, "main")[RENAMED]["provider"], "openai");
    rig.run(&TO_JSON).success();
    assert_eq!(documents(&rig, "main")[PROFILE]["provider"], "openai-codex");
}

#[test]
fn the_backups_of_the_other_form_are_listed_with_it() {
    let rig = Rig::new();
    write_profiles(&rig, "main", &json!({"p:1": key("fake-1")}));
    let paste = ["models", "auth", "paste-api-key", "--provider", "p", "--profile-id", "p:1"];
    rig.run_with_input(&paste, "fake-key-fake-key\n").success();
    let list = ["doctor", "--restore", "--list"];
    let json_list = [&list[..], &["--json"]].concat();
    let listed = rig.run(&json_list).json();
    assert_eq!(listed["backups"].as_array().unwrap().len(), 1, "{listed}");
    assert!(listed["backups"][0].get("format").is_none(), "{listed}");
    let name = listed["backups"][0]["name"].as_str().unwrap();
    rig.run(&TO_SQLITE).success();
    let listed = rig.run(&json_list).json();
    let found = listed["backups"].as_array().unwrap().iter().find(|it| it["name"] == name);
    let found = found.unwrap_or_else(|| panic!("{listed}"));
    assert_eq!((&found["format"], &found["profiles"]), (&json!("json"), &json!(["p:1"])));
    let text = rig.run(&list).success();
    assert!(text.contains("(of JSON documents)"), "{text}");
    // It is not restored over what is in the database, and nothing changes.
    let before = rows(&rig, "main");
    let stderr = rig.run(&["doctor", "--restore", name]).failure(1);
    assert!(stderr.contains("store convert --to json"), "{stderr}");
    assert_eq!(rows(&rig, "main"), before);
    rig.run(&TO_JSON).success();
    rig.run(&["doctor", "--restore", name]).success();
    assert_eq!(documents(&rig, "main")["p:1"]["key"], "fake-1");
}
