//! Entries that no program writes, and people do: each costs itself alone (issue 14, kind 6).

use super::{CODEX, FAR, import};
use crate::support::rig::Rig;
use serde_json::{Value, json};

const OPENCODE: &str = ".local/share/opencode/auth.json";
const PI: &str = ".pi/agent/auth.json";
const COPILOT: &str = ".config/github-copilot/apps.json";
const CLAUDE: &str = ".claude/.credentials.json";

#[test]
fn an_odd_entry_costs_itself_alone_and_is_named() {
    let odd = [
        ("$schema", r#""https://fake.test/auth.json""#),
        ("a-null", "null"),
        ("a-number", "5"),
        ("a-list", "[]"),
        ("a-text", r#""fake-secret""#),
        ("no-type", r#"{"key":"fake-secret"}"#),
        ("number-for-a-type", r#"{"type":5,"key":"fake-secret"}"#),
        ("unknown-type", r#"{"type":"cookie","key":"fake-secret"}"#),
        ("number-for-a-key", r#"{"type":"api","key":5}"#),
        ("key-in-two-lines", r#"{"type":"api","key":"fake-\nsecret"}"#),
        ("repeated-key", r#"{"type":"api","key":"fake-1","key":"fake-2"}"#),
        ("masked-key", r#"{"type":"api","key":"fake-****abcd"}"#),
        ("shortened-key", r#"{"type":"api","key":"fake-abcd...wxyz"}"#),
        ("example", r#"{"type":"api","key":"<fake-secret>"}"#),
        ("redacted", r#"{"type":"oauth","access":"[REDACTED]","refresh":"fake-secret"}"#),
        ("name-of-a-file", r#"{"type":"api","key":"{file:~/fake-secret}"}"#),
        ("name-of-a-variable", r#"{"type":"api","key":"{env:FAKE_SECRET}"}"#),
        ("quoted-key", r#"{"type":"api","key":"\"fake-secret\""}"#),
        ("empty-key", r#"{"type":"api","key":""}"#),
        ("number-for-a-token", r#"{"type":"oauth","access":7,"refresh":"fake-secret"}"#),
        ("twice", r#"{"type":"api","key":"fake-1"}"#),
        ("", r#"{"type":"api","key":"fake-nameless"}"#),
    ];
    let entries = odd.map(|(name, entry)| format!("{}:{entry}", json!(name)));
    let good = r#""groq":{"type":"api","key":"fake-key\r\n"},"twice":{"type":"api","key":"fake-2"},
        "openai":{"type":"oauth","access":"fake-access","refresh":"fake-refresh","expires":"soon","accountId":5}"#;
    for (tool, file) in [("opencode", OPENCODE), ("pi", PI)] {
        let rig = Rig::new();
        rig.write_at_home(file, &format!("{{{},{good}}}", entries.join(",")));
        let finished = import(&rig, &[tool, "--all", "--copy", "--json"]);
        for (name, _) in odd {
            assert!(finished.stderr.contains(&format!("`{name}` was not imported: ")), "{name}");
        }
        assert!(!finished.stderr.contains("fake-"), "{}", finished.stderr);
        let report = finished.json();
        assert_eq!(report["profiles"].as_array().unwrap().len(), 2, "{report}");
        // The entry that is there twice is told twice.
        assert_eq!(report["skipped"].as_array().unwrap().len(), odd.len() + 1, "{report}");
        let profiles = rig.document()["profiles"].clone();
        assert_eq!(profiles[format!("groq:{tool}")]["key"], "fake-key");
        import(&rig, &[tool, "--entry", "openai", "--move"]).success();
        let left = rig.read_at_home(file).unwrap();
        for (name, _) in odd {
            assert_eq!(
                left.matches(&format!("{}:", json!(name))).count(),
                1 + usize::from(name == "twice")
            );
        }
        assert!(!left.contains("fake-refresh"), "{left}");
    }
    let rig = Rig::new();
    let hosts = r#"{"github.com":null,"github.com:a":{"oauth_token":5},"github.com:b":"x",
        "github.com:c":{"user":["x"],"oauth_token":"fake-github\n"}}"#;
    rig.write_at_home(COPILOT, hosts);
    let finished = import(&rig, &["copilot"]);
    assert!(finished.stderr.contains("`github.com:a` was not imported: a token in it is not text"));
    assert!(finished.success().contains("github-copilot:default"));
}

#[test]
fn a_file_of_odd_entries_alone_names_them_all() {
    let rig = Rig::new();
    rig.write_at_home(OPENCODE, r#"{"groq":null,"xai":"fake-secret"}"#);
    let before = rig.tree();
    let stderr = import(&rig, &["opencode", "--all", "--copy"]).failure(1);
    assert!(stderr.contains("`groq`") && stderr.contains("`xai`"), "{stderr}");
    assert!(stderr.contains(OPENCODE) && stderr.contains("hint: sign in again there"), "{stderr}");
    assert!(!stderr.contains("fake-") && rig.tree() == before, "{stderr}");
}

#[test]
fn a_file_that_is_garbage_costs_no_login_of_another_one() {
    let rig = Rig::new();
    rig.write_at_home(COPILOT, "{\"fake-secret");
    let hosts = r#"{"github.com":{"user":"me","oauth_token":"fake-github"}}"#;
    rig.write_at_home(".config/github-copilot/hosts.json", hosts);
    let finished = import(&rig, &["copilot"]);
    assert!(finished.stderr.contains("apps.json` was not imported: "), "{finished:?}");
    assert!(!finished.stderr.contains("fake-") && finished.success().contains("github-copilot:me"));
    rig.write_at_home(".config/github-copilot/hosts.json", "{}");
    let stderr = import(&rig, &["copilot"]).failure(6);
    assert!(stderr.contains("apps.json cannot be used: "), "{stderr}");
}

#[test]
fn the_time_of_a_file_has_several_names() {
    for name in ["expiry_date", "expires_at", "expiry"] {
        let rig = Rig::new();
        let login = json!({"access_token": "fake-a", "refresh_token": "fake-r", name: "2100-01-01T00:00:00Z"});
        rig.write_at_home(".minimax/oauth_creds.json", &login.to_string());
        import(&rig, &["minimax", "--copy"]).success();
        let profiles = rig.document()["profiles"].clone();
        assert_eq!(profiles["minimax-portal:minimax-cli"]["expires"], FAR, "{name}");
    }
}

#[test]
fn a_time_is_read_however_a_program_or_a_person_writes_it() {
    let instant = "2100-01-01T00:00:00Z";
    for (expires, stored) in [
        (json!(FAR.to_string()), FAR),
        (json!((FAR / 1_000).to_string()), FAR),
        (json!(FAR / 1_000), FAR),
        (json!(4_102_444_800.0), FAR),
        (json!(FAR * 1_000), FAR),
        (json!(FAR * 1_000_000), FAR),
        (json!("2100-01-01 00:00:00 UTC"), FAR),
        (json!(instant), FAR),
        (json!("2100-01-01T01:00:00+01:00"), FAR),
        (json!("2100-01-01T00:00:00"), FAR),
        (json!("Fri, 01 Jan 2100 00:00:00 GMT"), FAR),
        // Those have passed, or are no times: the login is refreshed before it is used.
        (json!(0), 1),
        (json!(-5), 1),
        (json!("soon"), 1),
        (json!({"at": FAR}), 1),
    ] {
        let rig = Rig::new();
        let grant =
            json!({"accessToken": "fake-a", "refreshToken": "fake-r", "expiresAt": expires});
        rig.write_at_home(CLAUDE, &json!({"claudeAiOauth": grant}).to_string());
        import(&rig, &["claude", "--copy"]).success();
        let entry = &rig.document()["profiles"]["anthropic:default"];
        assert_eq!(entry["expires"], stored, "{expires}");
        rig.write_at_home(
            ".gemini/oauth_creds.json",
            &json!({"access_token": "fake-g", "refresh_token": "fake-gr", "expiry_date": expires})
                .to_string(),
        );
        import(&rig, &["gemini", "--copy"]).success();
        assert_eq!(rig.document()["profiles"]["google-gemini-cli:default"]["expires"], stored);
    }
}

#[test]
fn codex_keeps_a_key_beside_a_grant_and_uses_one_of_them() {
    let tokens = json!({"access_token": "fake-access", "refresh_token": "fake-refresh\n", "id_token": {"email": "x"}});
    for (mode, used, spare, profile) in [
        (Value::Null, "api-key", "tokens", "openai:codex"),
        (json!("apikey"), "api-key", "tokens", "openai:codex"),
        (json!("chatgpt"), "tokens", "api-key", "openai-codex:default"),
    ] {
        let rig = Rig::new();
        let file = json!({"auth_mode": mode, "OPENAI_API_KEY": "fake-key", "tokens": tokens});
        rig.write_at_home(CODEX, &file.to_string());
        let finished = import(&rig, &["codex", "--copy", "--json"]);
        assert!(finished.stderr.contains(&format!("`{spare}` was not imported: ")), "{finished:?}");
        let report = finished.json();
        assert_eq!(report["profiles"][0]["entry"], used);
        assert_eq!(report["profiles"][0]["profileId"], profile);
        assert_eq!(report["skipped"][0]["entry"], spare);
        let report = import(&rig, &["codex", "--all", "--copy", "--json"]).json();
        assert_eq!(report["profiles"].as_array().unwrap().len(), 2, "{report}");
        assert_eq!(rig.document()["profiles"]["openai-codex:default"]["refresh"], "fake-refresh");
        import(&rig, &["codex", "--entry", "tokens", "--move"]).success();
        let left: Value = serde_json::from_str(&rig.read_at_home(CODEX).unwrap()).unwrap();
        assert_eq!(left, json!({"auth_mode": "apikey", "OPENAI_API_KEY": "fake-key"}));
    }
    // An odd one of the two costs itself alone.
    let rig = Rig::new();
    rig.write_at_home(CODEX, r#"{"OPENAI_API_KEY":"fake-key","tokens":"fake-odd"}"#);
    let finished = import(&rig, &["codex"]);
    assert!(finished.stderr.contains("`tokens` was not imported: "), "{finished:?}");
    assert!(finished.success().contains("openai:codex"));
}

#[test]
fn a_tilde_in_a_variable_of_another_program_is_the_home_directory() {
    let rig = Rig::new();
    rig.write_at_home("codex-home/auth.json", r#"{"OPENAI_API_KEY":"fake-key"}"#);
    let mut command = rig.command(&["models", "auth", "import", "codex"]);
    assert!(command.env("CODEX_HOME", "~/codex-home").output().unwrap().status.success());
}
