//! Logins that stay another program's own.

use super::{CODEX, FAR, import, with_codex};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::{Value, json};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const CLAUDE: &str = ".claude/.credentials.json";

fn claude(access: &str, expires: i64) -> String {
    json!({"claudeAiOauth": {"accessToken": access, "refreshToken": "fake-claude-refresh",
           "expiresAt": expires}})
    .to_string()
}

#[test]
fn the_login_of_codex_stands_in_while_there_is_none_of_ours() {
    let (rig, login) = with_codex();
    let access = login["tokens"]["access_token"].as_str().unwrap();
    let before = rig.tree();
    assert_eq!(rig.run(&TOKEN).success(), access);
    assert_eq!(rig.run(&["models", "auth", "token"]).success(), access);
    let by_id = ["models", "auth", "token", "--profile", "openai-codex:default", "--json"];
    assert_eq!(rig.run(&by_id).json()["profileId"], "openai-codex:default");
    let listed = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(listed["profiles"][0]["id"], "openai-codex:default");
    assert_eq!(listed["profiles"][0]["managedBy"], "codex");
    assert_eq!(listed["profiles"][0]["email"], "ada@example.test");
    let text = rig.run(&["models", "auth", "list"]).success();
    assert!(text.contains("held by Codex CLI, its token expires 2"), "{text}");
    assert_eq!(listed["profiles"][0]["state"], "held");
    let status = rig.run(&["models", "status"]).success();
    assert!(status.contains("held by Codex CLI") && !status.contains("No profiles"), "{status}");
    let channels = rig.run(&["channels", "list", "--json", "--no-usage"]).json();
    assert_eq!(channels["auth"], json!([]));
    let other = rig.run(&["models", "auth", "list", "--json", "--provider", "p"]).json();
    assert_eq!(other["profiles"], json!([]));
    assert_eq!(rig.tree(), before, "nothing is stored");
    assert_eq!(rig.server.requests().len(), 0);
}

#[test]
fn a_profile_of_ours_ends_it() {
    let (rig, _) = with_codex();
    rig.login(&[]).success();
    rig.write_at_home(CODEX, "garbage");
    rig.run(&TOKEN).success();
    let listed = rig.run(&["models", "auth", "list", "--json"]);
    assert_eq!(listed.stderr, "", "the file is not opened");
    assert_eq!(listed.json()["profiles"].as_array().unwrap().len(), 1);
    let by_id = ["models", "auth", "token", "--profile", "openai-codex:default"];
    rig.run(&by_id).failure(3);
    // Nor when ours is over.
    rig.server.revoke_all();
    rig.expire(PROFILE);
    let stderr = rig.run(&TOKEN).failure(3);
    assert!(!stderr.contains("auth.json"), "{stderr}");
}

#[test]
fn an_expired_login_of_codex_is_not_refreshed() {
    let (rig, mut login) = with_codex();
    // {"exp":1000000}
    login["tokens"]["access_token"] = "e30.eyJleHAiOjEwMDAwMDB9.fake-signature".into();
    rig.write_at_home(CODEX, &login.to_string());
    let stderr = rig.run(&TOKEN).failure(3);
    assert!(stderr.contains("Codex CLI") && stderr.contains("import codex --move"), "{stderr}");
    let listed = rig.run(&["models", "auth", "list"]).success();
    assert!(listed.contains("held by Codex CLI, expired 1970-01-12 13:46 UTC"), "{listed}");
    assert_eq!(rig.server.requests().len(), 0);
    assert_eq!(rig.read_at_home(CODEX).unwrap(), login.to_string());
    // Taken over, it is refreshed as any other.
    import(&rig, &["codex", "--move"]).success();
    rig.run(&TOKEN).success();
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
}

#[test]
fn a_login_of_codex_that_is_garbage_is_told() {
    let (rig, _) = with_codex();
    rig.write_at_home(CODEX, "{");
    let stderr = rig.run(&TOKEN).failure(6);
    assert!(stderr.contains("auth.json") && stderr.contains("hint: "), "{stderr}");
    let listed = rig.run(&["models", "auth", "list", "--json"]);
    assert!(listed.stderr.contains("auth.json"), "{}", listed.stderr);
    assert_eq!(listed.json()["profiles"], json!([]));
    std::fs::remove_file(rig.home().join(CODEX)).unwrap();
    let stderr = rig.run(&TOKEN).failure(3);
    assert!(stderr.contains("has no profile of openai-codex"), "{stderr}");
}

#[test]
fn the_login_of_claude_is_read_when_it_is_needed_and_never_refreshed() {
    let rig = Rig::new();
    let token = ["models", "auth", "token", "--provider", "anthropic"];
    rig.write_at_home(CLAUDE, &claude("fake-first", FAR));
    let stderr = rig.run(&token).failure(3);
    assert!(stderr.contains("hint: openclaw-auth models auth import claude, or: "), "{stderr}");
    let by_id = ["models", "auth", "token", "--profile", "anthropic:claude-cli"];
    assert_eq!(rig.run(&by_id).success(), "fake-first");
    rig.write(
        "openclaw.json",
        r#"{"auth":{"profiles":{"anthropic:claude-cli":{"provider":"claude-cli","mode":"oauth"}}}}"#,
    );
    assert_eq!(rig.run(&token).success(), "fake-first", "the configuration names it");
    // As OpenClaw stores it.
    let stored = |access: &str, expires: i64| {
        let entry = json!({"type": "oauth", "provider": "claude-cli", "access": access,
                           "refresh": "fake-claude-refresh", "expires": expires});
        let document = json!({"version": 1, "profiles": {"anthropic:claude-cli": entry}});
        rig.write(&store("main"), &document.to_string());
    };
    stored("fake-stored", FAR);
    rig.write_at_home(CLAUDE, "garbage");
    assert_eq!(rig.run(&token).success(), "fake-stored", "the file is not opened");
    stored("fake-stored", 1);
    rig.write_at_home(CLAUDE, &claude("fake-second", FAR));
    let before = rig.tree();
    assert_eq!(rig.run(&token).success(), "fake-second");
    assert_eq!(rig.run(&["doctor"]).code, 0, "a copy that is never refreshed spends nothing");
    rig.write_at_home(CLAUDE, &claude("fake-third", 1));
    let stderr = rig.run(&token).failure(3);
    assert!(stderr.contains("Claude Code") && stderr.contains("import claude --move"), "{stderr}");
    rig.run(&[&token[..], &["--force-refresh"]].concat()).failure(3);
    assert_eq!(rig.tree(), before);
    // Taken over, its copy goes with it.
    rig.write_at_home(CLAUDE, &claude("fake-second", FAR));
    let report = import(&rig, &["claude", "--move", "--json"]).json();
    assert_eq!(report["profiles"][0]["profileId"], "anthropic:default");
    let profiles: Value = rig.document()["profiles"].clone();
    assert_eq!(profiles.as_object().unwrap().len(), 1, "{profiles}");
    assert_eq!(rig.read_at_home(CLAUDE), None);
}

#[test]
fn the_login_of_minimax_stands_in_as_that_of_codex_does() {
    let (rig, _) = with_codex();
    let login = json!({"access_token": "fake-access", "refresh_token": "fake", "expiry_date": FAR});
    rig.write_at_home(".minimax/oauth_creds.json", &login.to_string());
    let token = ["models", "auth", "token", "--provider", "minimax-portal"];
    assert_eq!(rig.run(&token).success(), "fake-access");
    let stderr = rig.run(&["models", "auth", "token"]).failure(2);
    assert!(stderr.contains("openai-codex:default, minimax-portal:minimax-cli"), "{stderr}");
    let report = import(&rig, &["minimax", "--move", "--json"]).json();
    assert_eq!(report["profiles"][0]["profileId"], "minimax-portal:minimax-cli");
    assert_eq!(rig.run(&token).success(), "fake-access");
    let listed = rig.run(&["models", "auth", "list", "--json", "--provider", "minimax-portal"]);
    assert_eq!(listed.json()["profiles"][0]["importedFrom"], "minimax");
}

#[test]
fn a_login_that_two_programs_own_is_found() {
    let (rig, _) = with_codex();
    assert_eq!(rig.run(&["doctor"]).code, 0);
    import(&rig, &["codex", "--copy"]).success();
    let report = rig.run(&["doctor", "--json"]);
    assert_eq!(report.code, 1);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "shared");
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.contains(CODEX) && message.contains(PROFILE), "{message}");
    assert_eq!(report["findings"][0]["next"], "openclaw-auth models auth import codex --move");
}
