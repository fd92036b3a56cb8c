//! What each command does where the logins are in databases: what is all agents', and what is an
//! agent's own.

use crate::support::database::{Row, Text, make_own, make_shared};
use crate::support::rig::Rig;
use serde_json::{Value, json};

fn row(rig: &Rig, agent: &str, row: Row) -> Text {
    let directory = rig.path("agents").join(agent).join("agent");
    Text::of(&rig.state_dir(), &directory, agent, row)
}

fn read(rig: &Rig, agent: &str, which: Row) -> Value {
    serde_json::from_str(&row(rig, agent, which).read().unwrap_or_else(|| "{}".into())).unwrap()
}

fn put(rig: &Rig, agent: &str, profiles: &Value) {
    let text = json!({"version": 1, "profiles": profiles}).to_string();
    assert!(row(rig, agent, Row::Store).write(&text));
}

fn key(text: &str) -> Value {
    json!({"type": "api_key", "provider": "p", "key": text})
}

fn login(grant: &str) -> Value {
    json!({"type": "oauth", "provider": "openai", "access": format!("fake-access-{grant}"),
        "refresh": format!("fake-{grant}"), "expires": 4_102_444_800_000_u64,
        "email": format!("{grant}@example.test")})
}

/// Two keys and a login for all agents; agent `work` has a directory, and no database.
fn rig() -> Rig {
    let rig = Rig::new();
    make_shared(&rig.state_dir());
    put(&rig, "main", &json!({"p:1": key("fake-1"), "p:2": key("fake-2"), "openai:a": login("a")}));
    rig.write("openclaw.json", r#"{"agents":{"entries":{"main":{},"work":{}}}}"#);
    std::fs::create_dir_all(rig.path("agents/work/agent")).unwrap();
    rig
}

const ORDER: [&str; 7] = ["models", "auth", "order", "set", "--provider", "p", "p:2"];

#[test]
fn an_order_of_main_goes_to_its_database_or_to_the_shared_one() {
    let rig = rig();
    rig.run(&ORDER).success();
    assert_eq!(read(&rig, "main", Row::State)["order"], json!({"p": ["p:2"]}));
    assert_eq!(rig.run(&["models", "auth", "token", "--provider", "p"]).success(), "fake-2");
    rig.run(&["models", "auth", "order", "clear", "--provider", "p"]).success();
    assert_eq!(read(&rig, "main", Row::State), json!({}));
    // With a database of its own, it is there, as OpenClaw has it.
    let own = rig.path("agents/main/agent");
    make_own(&own, "main");
    rig.run(&ORDER).success();
    assert_eq!(read(&rig, "main", Row::State), json!({}));
    let connection = rusqlite::Connection::open(own.join("openclaw-agent.sqlite")).unwrap();
    let query = "SELECT state_json FROM auth_profile_state WHERE state_key = 'primary'";
    let text: String = connection.query_row(query, [], |row| row.get(0)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["order"], json!({"p": ["p:2"]}));
}

#[test]
fn what_would_be_an_agents_own_is_refused_with_the_command_that_makes_its_database() {
    let rig = rig();
    let shared = (read(&rig, "main", Row::Store), read(&rig, "main", Row::State));
    let paste = ["models", "auth", "paste-token", "--provider", "p"];
    let key = ["models", "auth", "paste-api-key", "--provider", "p"];
    let import = ["models", "auth", "import", "codex", "--copy"];
    let login = ["models", "auth", "login", "--provider", "openai-codex", "--no-browser"];
    rig.write_at_home(
        ".codex/auth.json",
        &json!({"tokens": {"access_token": "fake-a", "refresh_token": "fake-r", "id_token": "x"},
            "last_refresh": "2026-11-01T00:00:00Z"})
        .to_string(),
    );
    let all: [&[&str]; 5] = [&ORDER, &paste, &key, &import, &login];
    for command in all {
        let args = [command, &["--agent", "work"]].concat();
        let stderr = rig.run_with_input(&args, "fake-key-fake-key\n").failure(6);
        let hint = "openclaw models auth order clear --provider openai --agent work";
        assert!(stderr.contains(hint), "{command:?}: {stderr}");
        assert_eq!((read(&rig, "main", Row::Store), read(&rig, "main", Row::State)), shared);
    }
    assert!(!rig.path("agents/work/agent/openclaw-agent.sqlite").exists());
    // With the database all of that is its own, and the others are as they were.
    make_own(&rig.path("agents/work/agent"), "work");
    let args = [&key[..], &["--agent", "work"]].concat();
    rig.run_with_input(&args, "fake-key-fake-key\n").success();
    rig.run(&[&ORDER[..], &["--agent", "work"]].concat()).success();
    assert_eq!(read(&rig, "work", Row::Store)["profiles"]["p:manual"]["key"], "fake-key-fake-key");
    assert_eq!(read(&rig, "work", Row::State)["order"], json!({"p": ["p:2"]}));
    assert_eq!((read(&rig, "main", Row::Store), read(&rig, "main", Row::State)), shared);
}

#[test]
fn either_name_of_the_provider_finds_a_login_in_each_command() {
    let rig = rig();
    for provider in ["openai", "openai-codex"] {
        let listed = ["models", "auth", "list", "--provider", provider, "--json"];
        let listed = rig.run(&listed).json();
        assert_eq!(listed["profiles"][0]["id"], "openai:a", "{provider}: {listed}");
        assert_eq!(listed["profiles"][0]["provider"], "openai", "the stored name stays");
        let token = ["models", "auth", "token", "--provider", provider];
        assert_eq!(rig.run(&token).success(), "fake-access-a", "{provider}");
        let resolved = ["models", "auth", "resolve", &format!("{provider}/gpt-5.5"), "--json"];
        let resolved = rig.run(&resolved).json();
        assert!(resolved.to_string().contains("openai:a"), "{provider}: {resolved}");
    }
}

#[test]
fn an_earlier_version_of_the_rows_comes_back() {
    let rig = rig();
    let before = read(&rig, "main", Row::Store);
    rig.run(&["models", "auth", "logout", "p:1"]).success();
    rig.run(&["models", "auth", "logout", "openai:a", "--local"]).success();
    assert_eq!(read(&rig, "main", Row::Store)["profiles"].as_object().unwrap().len(), 1);
    let listed = rig.run(&["doctor", "--restore", "--list", "--json"]).json();
    let backups = listed["backups"].as_array().unwrap();
    assert_eq!(backups.len(), 2, "{listed}");
    for backup in backups {
        use std::os::unix::fs::PermissionsExt;
        let path = std::path::Path::new(backup["path"].as_str().unwrap());
        assert!(path.starts_with(rig.path("openclaw-auth/backups")), "{backup}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let oldest = backups[1]["name"].as_str().unwrap();
    rig.run(&["doctor", "--restore", oldest]).success();
    let after = read(&rig, "main", Row::Store);
    for id in ["p:1", "p:2", "openai:a"] {
        assert_eq!(after["profiles"][id], before["profiles"][id], "{id}");
    }
}

#[test]
fn a_login_of_another_program_is_taken_over_into_the_rows() {
    let rig = rig();
    let claims = "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImJAZXhhbXBsZS50ZXN0In0.x";
    rig.write_at_home(
        ".codex/auth.json",
        &json!({"tokens": {"access_token": "fake-a", "refresh_token": "fake-r",
            "id_token": claims, "account_id": "acct"}, "last_refresh": "2026-11-01T00:00:00Z"})
        .to_string(),
    );
    let report = rig.run(&["models", "auth", "import", "codex", "--copy"]);
    assert_eq!(report.code, 0, "{}", report.stderr);
    let stored = read(&rig, "main", Row::Store);
    let mut entries = stored["profiles"].as_object().unwrap().values();
    let entry = entries.find(|it| it["refresh"] == "fake-r").unwrap();
    assert_eq!(entry["provider"], "openai", "{stored}");
    assert!(entry.get("importedFrom").is_none(), "OpenClaw would drop it: {entry}");
    assert_eq!(stored["profiles"].as_object().unwrap().len(), 4);
}
