//! The form in which each program keeps its logins.

use super::{FAR, import};
use crate::support::rig::Rig;
use serde_json::{Value, json};

/// A program with what it keeps, and the one profile that comes of it.
struct Case {
    tool: &'static str,
    files: Vec<(&'static str, Value)>,
    id: &'static str,
    entry: Value,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    vec![
        Case {
            tool: "codex",
            files: vec![(
                ".codex/auth.json",
                json!({"auth_mode": "apikey", "OPENAI_API_KEY": "fake-key", "tokens": null}),
            )],
            id: "openai:codex",
            entry: json!({"type": "api_key", "provider": "openai", "key": "fake-key"}),
        },
        Case {
            tool: "codex",
            files: vec![(
                ".codex/auth.json",
                json!({"tokens": {"access_token": "fake-access", "refresh_token": "", "account_id": "a"}}),
            )],
            id: "openai-codex:default",
            entry: json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access", "accountId": "a"}),
        },
        Case {
            tool: "claude",
            files: vec![
                (
                    ".claude/.credentials.json",
                    json!({"claudeAiOauth": {"accessToken": "fake-access", "refreshToken": "fake-refresh",
                           "expiresAt": FAR, "scopes": ["user:inference"], "subscriptionType": "max",
                           "rateLimitTier": null}, "mcpOAuth": {"x": 1}}),
                ),
                (
                    ".claude.json",
                    json!({"numStartups": 3, "oauthAccount": {"accountUuid": "u", "organizationUuid": "o",
                           "emailAddress": "ada@example.test"}}),
                ),
            ],
            id: "anthropic:ada@example.test",
            entry: json!({"type": "oauth", "provider": "anthropic", "access": "fake-access",
                          "refresh": "fake-refresh", "expires": FAR, "email": "ada@example.test",
                          "accountId": "o"}),
        },
        Case {
            tool: "minimax",
            files: vec![(
                ".minimax/oauth_creds.json",
                json!({"access_token": "fake-access", "refresh_token": "fake-refresh", "expiry_date": FAR}),
            )],
            id: "minimax-portal:minimax-cli",
            entry: json!({"type": "oauth", "provider": "minimax-portal", "access": "fake-access",
                          "refresh": "fake-refresh", "expires": FAR}),
        },
        Case {
            tool: "gemini",
            files: vec![
                (
                    ".gemini/oauth_creds.json",
                    json!({"access_token": "fake-access", "refresh_token": "fake-refresh", "scope": "s",
                           "token_type": "Bearer", "expiry_date": FAR}),
                ),
                (".gemini/google_accounts.json", json!({"active": "ada@example.test", "old": []})),
            ],
            id: "google-gemini-cli:ada@example.test",
            entry: json!({"type": "oauth", "provider": "google-gemini-cli", "access": "fake-access",
                          "refresh": "fake-refresh", "expires": FAR, "email": "ada@example.test"}),
        },
        Case {
            tool: "qwen",
            files: vec![(
                ".qwen/oauth_creds.json",
                json!({"access_token": "fake-access", "refresh_token": "fake-refresh",
                       "token_type": "Bearer", "resource_url": "portal.example.test", "expiry_date": FAR}),
            )],
            id: "qwen:default",
            entry: json!({"type": "oauth", "provider": "qwen", "access": "fake-access",
                          "refresh": "fake-refresh", "expires": FAR, "resourceUrl": "portal.example.test"}),
        },
        Case {
            tool: "opencode",
            files: vec![(
                ".local/share/opencode/auth.json",
                json!({"openai": {"type": "oauth", "access": "fake-access", "refresh": "fake-refresh",
                       "expires": FAR, "accountId": "a"},
                       "https://x.test": {"type": "wellknown", "key": "K", "token": "fake"}}),
            )],
            id: "openai-codex:default",
            entry: json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access",
                          "refresh": "fake-refresh", "expires": FAR, "accountId": "a"}),
        },
        Case {
            tool: "pi",
            files: vec![(
                ".pi/agent/auth.json",
                json!({"github-copilot": {"type": "oauth", "access": "fake-derived", "refresh": "fake-github",
                       "expires": 1}, "openai": {"type": "api_key", "key": "!some command"}}),
            )],
            id: "github-copilot:pi",
            entry: json!({"type": "token", "provider": "github-copilot", "token": "fake-github"}),
        },
        Case {
            tool: "copilot",
            files: vec![
                (
                    ".config/github-copilot/hosts.json",
                    json!({"github.com": {"user": "ada", "oauth_token": "fake-github"}}),
                ),
                (
                    ".config/github-copilot/apps.json",
                    json!({"github.com:fake-client": {"user": "ada", "oauth_token": "fake-github",
                           "githubAppId": "fake-client"}}),
                ),
            ],
            id: "github-copilot:ada",
            entry: json!({"type": "token", "provider": "github-copilot", "token": "fake-github"}),
        },
    ]
}

fn rig(case: &Case) -> Rig {
    let rig = Rig::new();
    for (name, content) in &case.files {
        rig.write_at_home(name, &serde_json::to_string_pretty(content).unwrap());
    }
    rig
}

#[test]
fn the_form_of_every_program_is_read() {
    for case in cases() {
        let rig = rig(&case);
        let report = import(&rig, &[case.tool, "--copy", "--json"]).json();
        assert_eq!(report["profiles"][0]["profileId"], case.id, "{report}");
        assert_eq!(report["profiles"][0]["outcome"], "imported");
        let document = rig.document();
        assert_eq!(document["profiles"].as_object().unwrap().len(), 1, "{document}");
        let mut entry = document["profiles"][case.id].clone();
        let from = entry.as_object_mut().unwrap().shift_remove("importedFrom").unwrap();
        assert_eq!(entry, case.entry, "{}", case.tool);
        assert_eq!(from["tool"], case.tool);
        for (name, content) in &case.files {
            let present: Value = serde_json::from_str(&rig.read_at_home(name).unwrap()).unwrap();
            assert_eq!(present, *content, "a copy leaves {name} alone");
        }
        let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
        assert_eq!(config["auth"]["profiles"][case.id]["mode"], case.entry["type"]);
        let token = rig.run(&["models", "auth", "token", "--stored", "--profile", case.id]);
        assert!(token.success().starts_with("fake-"));
        let again = import(&rig, &[case.tool, "--copy", "--json"]).json();
        assert_eq!(again["profiles"][0]["outcome"], "unchanged", "{again}");
        assert_eq!(rig.document(), document);
    }
}

#[test]
fn a_moved_login_is_not_in_the_file_any_more_and_the_rest_is() {
    for case in cases() {
        let rig = rig(&case);
        let report = import(&rig, &[case.tool, "--move", "--json"]).json();
        assert_eq!(report["loggedOut"], true, "{report}");
        assert!(!report["backups"].as_array().unwrap().is_empty());
        for backup in report["backups"].as_array().unwrap() {
            let path = std::path::Path::new(backup.as_str().unwrap());
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
            assert!(std::fs::read_to_string(path).unwrap().contains("fake-"));
        }
        let left: Vec<(&str, Option<String>)> =
            case.files.iter().map(|(name, _)| (*name, rig.read_at_home(name))).collect();
        let of = |name: &str| {
            let (_, text) = left.iter().find(|(left, _)| left.ends_with(name)).unwrap();
            text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap())
        };
        match case.tool {
            "codex" => assert_eq!(of("auth.json"), None),
            "claude" => {
                assert_eq!(of(".credentials.json"), Some(json!({"mcpOAuth": {"x": 1}})));
                assert!(of(".claude.json").is_some());
            }
            "gemini" => {
                assert_eq!(of("oauth_creds.json"), None);
                assert!(of("google_accounts.json").is_some());
            }
            "minimax" | "qwen" => assert_eq!(of("oauth_creds.json"), None),
            "opencode" => {
                assert_eq!(of("auth.json").unwrap().as_object().unwrap().len(), 1);
                assert!(of("auth.json").unwrap()["https://x.test"].is_object());
            }
            "pi" => assert!(of("auth.json").unwrap()["openai"].is_object()),
            "copilot" => {
                assert_eq!([of("hosts.json"), of("apps.json")], [Some(json!({})), Some(json!({}))]);
            }
            other => panic!("{other}"),
        }
        // Nothing but files that stay is left of the locks.
        for (name, _) in &case.files {
            let directory = rig.home().join(name);
            for entry in directory.parent().unwrap().read_dir().unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                let stays = case.tool == "codex" && ["auth.lock", "auth.json.lock"].contains(&name);
                let is_left = path.extension().is_some_and(|it| it == "lock" || it == "tmp");
                assert!(!is_left || stays, "{name}");
            }
        }
        import(&rig, &[case.tool, "--move"])
            .failure(if case.tool == "opencode" || case.tool == "pi" { 1 } else { 3 });
    }
}

#[test]
fn the_places_of_other_programs_are_where_their_variables_say() {
    for (tool, variable, file, content) in [
        ("codex", "CODEX_HOME", "auth.json", json!({"OPENAI_API_KEY": "fake-key"})),
        (
            "claude",
            "CLAUDE_CONFIG_DIR",
            ".credentials.json",
            json!({"claudeAiOauth": {"accessToken": "fake"}}),
        ),
        ("gemini", "GEMINI_CLI_HOME", ".gemini/oauth_creds.json", json!({"access_token": "fake"})),
        (
            "opencode",
            "XDG_DATA_HOME",
            "opencode/auth.json",
            json!({"openai": {"type": "api", "key": "fake"}}),
        ),
        (
            "copilot",
            "XDG_CONFIG_HOME",
            "github-copilot/apps.json",
            json!({"github.com:x": {"oauth_token": "fake"}}),
        ),
    ] {
        let rig = Rig::new();
        rig.write_at_home(&format!("elsewhere/{file}"), &content.to_string());
        let mut command = rig.command(&["models", "auth", "import", tool, "--json"]);
        command.env(variable, rig.home().join("elsewhere"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
        let stderr = import(&rig, &[tool]).failure(3);
        assert!(
            stderr.contains("is not signed in") && stderr.contains("hint: sign in there"),
            "{stderr}"
        );
    }
}

#[test]
fn a_login_that_is_in_no_file_is_told() {
    let rig = Rig::new();
    rig.write_at_home(".codex/config.toml", "cli_auth_credentials_store = \"keyring\"\n[x]\n");
    rig.write_at_home(".codex/auth.json", "{\"OPENAI_API_KEY\": \"fake-old\"}");
    let stderr = import(&rig, &["codex"]).failure(1);
    assert!(stderr.contains("keyring") && stderr.contains("config.toml"), "{stderr}");
    rig.write_at_home(".codex/config.toml", "cli_auth_credentials_store = 'auto'\n");
    import(&rig, &["codex"]).success();
    std::fs::remove_file(rig.home().join(".codex/auth.json")).unwrap();
    import(&rig, &["codex"]).failure(1);
    rig.write_at_home(".gemini/gemini-credentials.json", "fake");
    let stderr = import(&rig, &["gemini"]).failure(1);
    assert!(stderr.contains("encrypted storage"), "{stderr}");
}
