//! Handing out a token that is on disk, and choosing the profile.

use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};

/// 2100-01-01.
const FAR: i64 = 4_102_444_800_000;

fn grant(access: &str) -> Value {
    json!({"type": "oauth", "provider": "openai-codex", "access": access, "refresh": "fake-refresh", "expires": FAR})
}

fn rig_with(profiles: &Value) -> Rig {
    let rig = Rig::new();
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
fn a_usable_token_is_printed_and_nothing_is_touched() {
    let rig = rig_with(&json!({PROFILE: grant("fake-access")}));
    let before = rig.tree();
    let finished = rig.run(&TOKEN);
    assert_eq!(finished.stdout, "fake-access\n");
    assert_eq!(finished.stderr, "");
    assert_eq!(finished.code, 0);
    assert_eq!(rig.tree(), before);
    assert!(rig.server.requests().is_empty());
}

#[test]
fn json_tells_which_profile_the_token_is_of() {
    let rig = rig_with(&json!({PROFILE: grant("fake-access")}));
    let report = rig.run(&[&TOKEN[..], &["--json"]].concat()).json();
    assert_eq!(
        report,
        json!({"schema": 1, "agentId": "main", "profileId": PROFILE, "provider": "openai-codex",
               "type": "oauth", "token": "fake-access", "expiresAt": FAR, "meetsMinTtl": true})
    );
}

#[test]
fn tokens_and_keys_are_handed_out_as_they_are() {
    let rig = rig_with(&json!({
        "anthropic:t": {"type": "token", "provider": "anthropic", "token": "fake-token", "expires": FAR},
        "openai:k": {"mode": "api_key", "provider": "openai", "apiKey": "fake-key"},
    }));
    assert_eq!(
        rig.run(&["models", "auth", "token", "--provider", "anthropic"]).success(),
        "fake-token"
    );
    assert_eq!(
        rig.run(&["models", "auth", "token", "--profile", "openai:k"]).success(),
        "fake-key"
    );
}

#[test]
fn without_a_provider_there_must_be_one_only() {
    let rig = rig_with(&json!({PROFILE: grant("fake-access")}));
    assert_eq!(rig.run(&["models", "auth", "token"]).success(), "fake-access");
    rig.edit("main", |document| {
        document["profiles"]["openai:k"] =
            json!({"type": "api_key", "provider": "openai", "key": "k"});
    });
    let stderr = rig.run(&["models", "auth", "token"]).failure(2);
    assert!(stderr.contains("openai, openai-codex") && stderr.contains("--provider"), "{stderr}");
}

#[test]
fn without_a_profile_a_login_is_needed() {
    let rig = Rig::new();
    for args in [
        &["models", "auth", "token"][..],
        &TOKEN,
        &["models", "auth", "token", "--profile", "nope"],
    ] {
        let stderr = rig.run(args).failure(3);
        assert!(stderr.contains("hint: openclaw-auth models auth"), "{stderr}");
    }
    assert!(!rig.path("agents").exists(), "reading creates nothing");
}

#[test]
fn the_stored_order_comes_first_then_the_configured_one_then_the_kind() {
    let rig = rig_with(&json!({
        "k": {"type": "api_key", "provider": "openai-codex", "key": "fake-key"},
        "a": grant("fake-a"),
        "b": grant("fake-b"),
    }));
    assert_eq!(rig.run(&TOKEN).success(), "fake-a", "a grant goes before a key");
    rig.write(
        "openclaw.json",
        r#"{auth: {profiles: {b: {provider: "openai-codex", mode: "oauth"}}}}"#,
    );
    assert_eq!(rig.run(&TOKEN).success(), "fake-b", "only listed profiles count");
    rig.write("openclaw.json", r#"{auth: {order: {"OpenAI-Codex": ["k", "a"]}}}"#);
    assert_eq!(rig.run(&TOKEN).success(), "fake-key");
    rig.write(
        "agents/main/agent/auth-state.json",
        &json!({"version": 1, "order": {"openai-codex": ["b", "a"]}}).to_string(),
    );
    assert_eq!(rig.run(&TOKEN).success(), "fake-b");
    rig.write(
        "agents/main/agent/auth-state.json",
        &json!({"order": {"openai-codex": ["b", "a"]}, "usageStats": {"b": {"cooldownUntil": FAR}}})
            .to_string(),
    );
    assert_eq!(rig.run(&TOKEN).success(), "fake-a", "a profile in a cooldown goes last");
}

#[test]
fn an_agent_reads_through_to_main_only_for_providers_it_has_no_profile_of() {
    let rig = rig_with(&json!({PROFILE: grant("fake-main")}));
    rig.run(&["agents", "add", "work"]).success();
    let token = |agent: &str| rig.run(&[&TOKEN[..], &["--agent", agent]].concat());
    assert_eq!(token("work").success(), "fake-main");
    assert!(!rig.path(&store("work")).exists(), "nothing is copied");
    rig.write(&store("work"), &json!({"profiles": {"w": grant("fake-work")}}).to_string());
    assert_eq!(token("work").success(), "fake-work");
    assert_eq!(token("main").success(), "fake-main");
    let other = rig.run(&["models", "auth", "token", "--agent", "main", "--profile", "w"]);
    assert!(other.failure(3).contains("no profile `w`"));
    assert!(token("nope").failure(2).contains("no agent `nope`"));
}

#[test]
fn an_unreadable_store_is_an_error_and_not_an_empty_one() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{\"profiles\":5}",
        "\u{0}\u{1}",
        "{\"profiles\":\"fake-secret\"}",
        "{\"profiles\":{},\"profiles\":{}}",
    ] {
        let rig = Rig::new();
        rig.write(&store("main"), text);
        let before = rig.tree();
        for args in [&TOKEN[..], &["models", "auth", "list"], &["channels", "list", "--no-usage"]] {
            let stderr = rig.run(args).failure(6);
            assert!(stderr.contains("auth-profiles.json") && stderr.contains("hint: "), "{stderr}");
            assert!(!stderr.contains("fake-secret"), "{stderr}");
        }
        assert_eq!(rig.tree(), before);
    }
}

#[test]
fn a_refresh_fence_of_a_newer_openclaw_is_never_printed_or_posted() {
    let fence = "openclaw-oauth-refresh-fence:v1:fake:access|refresh:fake";
    let rig = rig_with(&json!({PROFILE: {
        "type": "oauth", "provider": "openai-codex", "access": fence, "refresh": fence, "expires": FAR,
    }}));
    let before = rig.tree();
    rig.run(&TOKEN).failure(3);
    assert_eq!(rig.tree(), before);
    assert!(rig.server.requests().is_empty());
}

#[test]
fn a_grant_without_expiry_and_refresh_token_is_usable() {
    let rig = rig_with(
        &json!({PROFILE: {"type": "oauth", "provider": "openai-codex", "access": "fake-access"}}),
    );
    assert_eq!(rig.run(&TOKEN).success(), "fake-access");
    let row = rig.run(&["models", "auth", "list", "--json"]).json()["profiles"][0].clone();
    assert_eq!(row["health"], "no-expiry");
}

#[test]
fn a_provider_is_found_by_its_alias() {
    let rig = rig_with(&json!({PROFILE: grant("fake-access")}));
    assert_eq!(
        rig.run(&["models", "auth", "token", "--provider", "codex-cli"]).success(),
        "fake-access"
    );
    let rows = rig.run(&["models", "auth", "list", "--json", "--provider", "codex-cli"]).json();
    assert_eq!(rows["profiles"].as_array().unwrap().len(), 1);
}

#[test]
fn a_state_directory_that_has_moved_on_is_not_an_empty_one() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite", "");
    for args in [&TOKEN[..], &["models", "auth", "list"], &["channels", "list", "--no-usage"]] {
        assert!(rig.run(args).failure(6).contains("2026.6"), "{args:?}");
    }
}

#[test]
fn a_token_that_would_break_a_header_is_not_printed() {
    let rig = rig_with(&json!({PROFILE: grant("fake\nX-Evil: 1")}));
    rig.run(&TOKEN).failure(1);
}

#[test]
fn a_document_that_is_no_file_is_an_error() {
    let rig = Rig::new();
    std::fs::create_dir_all(rig.path(&store("main"))).unwrap();
    assert!(rig.run(&TOKEN).failure(6).contains("not a regular file"));
}

#[test]
fn a_profile_id_with_any_characters_is_addressable() {
    for id in ["openai-codex:me+tag@example.test", "a/b c", "ünï", "7", "a\"b\\c"] {
        let rig = rig_with(&json!({id: grant("fake-access")}));
        assert_eq!(rig.run(&["models", "auth", "token", "--profile", id]).success(), "fake-access");
    }
}

#[test]
fn the_agent_directory_variable_moves_main() {
    let rig = Rig::new();
    rig.write(
        "elsewhere/auth-profiles.json",
        &json!({"profiles": {PROFILE: grant("fake-moved")}}).to_string(),
    );
    let run = |args: &[&str]| {
        let mut command = rig.command(args);
        command.env("OPENCLAW_AGENT_DIR", rig.path("elsewhere"));
        crate::support::rig::Finished::from(command.output().unwrap())
    };
    assert_eq!(run(&TOKEN).success(), "fake-moved");
    run(&[&TOKEN[..], &["--agent", "main"]].concat()).failure(3);
}

#[test]
fn a_hint_names_a_command_that_the_provider_has() {
    let rig = Rig::new();
    for (provider, agent, command) in [
        ("openai-codex", "main", "hint: openclaw-auth models auth login --provider openai-codex"),
        ("openai", "main", "hint: openclaw-auth models auth paste-api-key --provider openai"),
        ("anthropic", "main", "openclaw-auth models auth setup-token --provider anthropic"),
        ("fake-nobody", "main", "no provider `fake-nobody` is known"),
    ] {
        let args = ["models", "auth", "token", "--provider", provider, "--agent", agent];
        let stderr = rig.run(&args).failure(3);
        assert!(stderr.contains(command), "{provider}: {stderr}");
    }
    rig.run(&["agents", "add", "work"]).success();
    let args = ["models", "auth", "token", "--provider", "openai", "--agent", "work"];
    let stderr = rig.run(&args).failure(3);
    assert!(stderr.contains("paste-api-key --provider openai --agent work"), "{stderr}");
    let expired = json!({"anthropic:t": {"type": "token", "provider": "anthropic",
        "token": "fake-token", "expires": 1}});
    let stderr = rig_with(&expired).run(&["models", "auth", "token"]).failure(3);
    assert!(stderr.contains("setup-token --provider anthropic"), "{stderr}");
}
