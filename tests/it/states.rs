//! One answer to "am I signed in?": each situation, and what every command says of it.

use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::{Value, json};

const FAR: i64 = 4_102_444_800_000;
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// What the commands say of the one login of a rig.
struct Row {
    /// The `state` of `models auth list --json` and `check --json`.
    state: &'static str,
    /// Its `stateReason`.
    reason: Option<&'static str>,
    /// What the texts of list, status and check have in common.
    words: &'static str,
    /// The exit code of `check`.
    check: i32,
    /// The code of the finding of `doctor`; `None` where nothing is wrong.
    doctor: Option<&'static str>,
    /// The exit code of `models auth token`.
    token: i32,
}

fn profile_of(report: &Value, list: &str) -> Value {
    let rows = report[list].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{report}");
    rows[0].clone()
}

#[track_caller]
fn says(rig: &Rig, row: &Row) {
    let list = rig.run(&["models", "auth", "list", "--json"]).json();
    let listed = profile_of(&list, "profiles");
    assert_eq!(listed["state"], row.state, "{listed}");
    assert_eq!(listed["stateReason"].as_str(), row.reason, "{listed}");
    let text = rig.run(&["models", "auth", "list"]).success();
    assert!(text.contains(row.words), "list: {text}");
    let status = rig.run(&["models", "status"]).success();
    assert!(status.contains(row.words) && !status.contains("In use"), "status: {status}");
    let checked = rig.run(&["check"]);
    assert_eq!(checked.code, row.check, "{checked:?}");
    assert!(checked.stdout.contains(row.words), "check: {checked:?}");
    assert_eq!(checked.stdout.contains("  next: openclaw-auth "), row.check != 0, "{checked:?}");
    let checked = rig.run(&["check", "--json"]);
    let report: Value = serde_json::from_str(&checked.stdout).unwrap();
    let login = profile_of(&report, "logins");
    assert_eq!(report["exitCode"], row.check);
    for member in ["state", "stateReason", "stateSince", "provenAt"] {
        assert_eq!(login[member], listed[member], "{member}");
    }
    let doctor = rig.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_str(&doctor.stdout).unwrap();
    let codes = report["findings"].as_array().unwrap().iter();
    let codes: Vec<_> = codes.filter(|it| it["severity"] == "problem").collect();
    let codes: Vec<_> = codes.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, row.doctor.into_iter().collect::<Vec<_>>(), "{report}");
    assert_eq!(
        (doctor.code == 0, &report["ok"]),
        (row.doctor.is_none(), &row.doctor.is_none().into())
    );
    assert_eq!(rig.run(&TOKEN).code, row.token);
}

const SIGNED_IN: Row =
    Row { state: "signed-in", reason: None, words: "signed in", check: 0, doctor: None, token: 0 };

const REFUSED: Row = Row {
    state: "sign-in-again",
    reason: Some("refused"),
    words: "sign in again (refused by the server: invalid_grant, 20",
    check: 3,
    doctor: Some("refused"),
    token: 3,
};

#[test]
fn a_login_that_renews_itself_is_signed_in_whatever_its_token_says() {
    let rig = Rig::signed_in();
    says(&rig, &SIGNED_IN);
    rig.expire(PROFILE);
    let checked = rig.run(&["check"]).success();
    assert!(checked.contains(&format!("{PROFILE}: signed in, as of 20")), "{checked}");
    says(&rig, &SIGNED_IN);
}

#[test]
fn a_login_without_a_configuration_is_signed_in() {
    let rig = Rig::signed_in();
    std::fs::remove_file(rig.path("openclaw.json")).unwrap();
    says(&rig, &SIGNED_IN);
}

#[test]
fn a_refusal_goes_before_the_lifetime_of_the_token() {
    let rig = Rig::signed_in();
    rig.server.revoke_all();
    rig.run(&["models", "auth", "refresh", "--force"]);
    says(&rig, &Row { token: 0, ..REFUSED });
    let token = rig.run(&TOKEN);
    assert!(token.stderr.contains("this is its last token, valid until 20"), "{token:?}");
    rig.expire(PROFILE);
    says(&rig, &REFUSED);
}

#[test]
fn a_refusal_that_only_the_journal_knows_counts() {
    let rig = Rig::signed_in();
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let hash = openclaw_auth::secret::Secret::new(&refresh).fingerprint();
    let name = hash.replace("sha256:", "grant-sha256-");
    rig.write(&format!("locks/oauth-refresh/{name}.refused"), "");
    rig.expire(PROFILE);
    let words = "sign in again (refused by the server: refused, 20";
    says(&rig, &Row { words, ..REFUSED });
}

#[test]
fn what_a_logout_revoked_is_over_when_a_backup_brings_it_back() {
    let rig = Rig::signed_in();
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    let restored = rig.run(&["doctor", "--restore", "latest"]).success();
    let expected = format!("{PROFILE}: sign in again (revoked by a logout, 20");
    assert!(restored.contains(&expected) && restored.contains("next: openclaw-auth"), "{restored}");
    let revoked = Row {
        reason: Some("revoked"),
        words: "sign in again (revoked by a logout, 20",
        doctor: Some("sign-in-again"),
        ..REFUSED
    };
    says(&rig, &revoked);
    assert_eq!(rig.server.token_requests("refresh_token"), 0, "nothing is posted");
    // A login ends it.
    rig.login(&[]).success();
    says(&rig, &SIGNED_IN);
}

#[test]
fn a_restore_says_in_json_what_is_over() {
    let rig = Rig::signed_in();
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    let report = rig.run(&["doctor", "--restore", "latest", "--json"]).json();
    let over = profile_of(&report, "signInAgain");
    assert_eq!((&over["id"], &over["stateReason"]), (&PROFILE.into(), &"revoked".into()));
    assert_eq!(over["hintCommand"][0], "openclaw-auth");
    let rig = Rig::signed_in();
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    let report = rig.run(&["doctor", "--restore", "latest", "--json"]).json();
    assert_eq!(report["signInAgain"], json!([]));
    says(&rig, &SIGNED_IN);
}

#[test]
fn a_revoked_login_that_is_copied_back_by_hand_is_over() {
    let rig = Rig::signed_in();
    let document = rig.read(&store("main"));
    rig.run(&["models", "auth", "logout", PROFILE]).success();
    rig.write(&store("main"), &document);
    rig.expire(PROFILE);
    let words = "sign in again (revoked by a logout, 20";
    let doctor = Some("sign-in-again");
    says(&rig, &Row { reason: Some("revoked"), words, doctor, ..REFUSED });
}

#[test]
fn an_older_file_that_is_put_back_is_over() {
    let rig = Rig::signed_in();
    let document = rig.read(&store("main"));
    rig.run(&["models", "auth", "refresh", "--force"]).success();
    says(&rig, &SIGNED_IN);
    rig.write(&store("main"), &document);
    rig.expire(PROFILE);
    let words = "sign in again (an older file was put back)";
    let doctor = Some("sign-in-again");
    says(&rig, &Row { reason: Some("replaced"), words, doctor, ..REFUSED });
}

#[test]
fn a_refusal_without_a_reason_cannot_be_told() {
    let rig = Rig::signed_in();
    rig.server.inject(Fault::status(401));
    rig.run(&["models", "auth", "refresh", "--force"]);
    rig.expire(PROFILE);
    let row = Row {
        state: "refused",
        reason: Some("401 Unauthorized"),
        words: "refused, reason unknown (401 Unauthorized, 20",
        check: 4,
        doctor: Some("refused"),
        token: 3,
    };
    says(&rig, &row);
}

#[test]
fn an_unknown_outcome_cannot_be_told() {
    let rig = Rig::signed_in();
    rig.server.inject(Fault::status(500));
    rig.run(&["models", "auth", "refresh", "--force"]);
    rig.expire(PROFILE);
    let row = Row {
        state: "outcome-unknown",
        reason: Some("500 Internal Server Error"),
        words: "outcome unknown (500 Internal Server Error, 20",
        check: 4,
        doctor: Some("outcome-unknown"),
        token: 4,
    };
    says(&rig, &row);
    // What came to nothing leaves the login as it is.
    let rig = Rig::signed_in();
    rig.server.inject(Fault::status(429));
    rig.run(&["models", "auth", "refresh", "--force"]);
    says(&rig, &SIGNED_IN);
}

#[test]
fn a_refresh_that_was_cut_off_cannot_be_told_and_one_that_runs_is_signed_in() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&TOKEN);
    rig.server.wait_for_token_requests("refresh_token", 1, std::time::Duration::from_secs(30));
    let list = rig.run(&["models", "auth", "list", "--json"]).json();
    assert_eq!(list["profiles"][0]["state"], "signed-in", "{list}");
    rig.kill_worker();
    running.kill();
    let list = rig.run(&["models", "auth", "list", "--json"]).json();
    let listed = &list["profiles"][0];
    assert_eq!(
        (&listed["state"], &listed["stateReason"]),
        (&"outcome-unknown".into(), &"cut off".into())
    );
    assert_eq!(rig.run(&["check"]).code, 4);
    drop(hold);
}

fn stored(entry: &Value) -> Rig {
    let rig = Rig::new();
    rig.write(&store("main"), &json!({"profiles": {"openai-codex:x": entry}}).to_string());
    rig
}

fn token(expires: i64) -> Value {
    json!({"type": "token", "provider": "openai-codex", "token": "fake-token", "expires": expires})
}

#[test]
fn what_cannot_be_renewed_expires() {
    let row = Row {
        state: "expires",
        reason: None,
        words: "expires 2100-01-01 00:00 UTC",
        check: 0,
        doctor: None,
        token: 0,
    };
    says(&stored(&token(FAR)), &row);
    let grant = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-access",
        "expires": FAR});
    says(&stored(&grant), &row);
    let over = Row {
        state: "sign-in-again",
        reason: Some("expired"),
        words: "sign in again (expired, 2020-09-13 12:26 UTC)",
        check: 3,
        doctor: Some("sign-in-again"),
        token: 3,
    };
    says(&stored(&token(1_600_000_000_000)), &over);
}

#[test]
fn what_ends_soon_needs_a_person_in_time() {
    let soon = openclaw_auth::system::now() + 7_200_000;
    let rig = stored(&token(soon));
    let row = Row {
        state: "expires",
        reason: None,
        words: "expires 20",
        check: 3,
        doctor: Some("sign-in-again"),
        token: 0,
    };
    says(&rig, &row);
    assert_eq!(rig.run(&["check", "--within", "1h"]).code, 0);
    assert_eq!(rig.run(&["check", "--within", "3h"]).code, 3);
}

#[test]
fn a_key_is_signed_in_and_an_entry_without_one_is_not() {
    let key = json!({"type": "api_key", "provider": "openai-codex", "key": "fake-key"});
    says(&stored(&key), &SIGNED_IN);
    let row =
        Row { reason: Some("empty"), words: "sign in again (holds no credential)", ..REFUSED };
    let empty = json!({"type": "oauth", "provider": "openai-codex"});
    says(&stored(&empty), &Row { doctor: Some("shape"), ..row });
}

#[test]
fn a_cooldown_passes_by_itself() {
    let rig = Rig::signed_in();
    let usage = json!({PROFILE: {"cooldownUntil": FAR, "cooldownReason": "rate_limit"}});
    rig.write("agents/main/agent/auth-state.json", &json!({"usageStats": usage}).to_string());
    let row = Row {
        state: "cooling-down",
        reason: Some("rate_limit"),
        words: "cooling down until 2100-01-01 00:00 UTC (rate_limit)",
        ..SIGNED_IN
    };
    says(&rig, &row);
}

#[test]
fn a_login_of_codex_that_stands_in_is_held_by_it() {
    let rig = Rig::new();
    let jwt = |claims: &str| {
        use base64::Engine;
        let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        format!("e30.{body}.fake-signature")
    };
    let login = |exp: i64| {
        let access = jwt(&format!(r#"{{"exp":{exp}}}"#));
        json!({"auth_mode": "chatgpt", "tokens": {"access_token": access,
            "refresh_token": "fake-codex", "id_token": jwt("{}"), "account_id": "acc"}})
    };
    rig.write_at_home(".codex/auth.json", &login(FAR / 1_000).to_string());
    let row = Row {
        state: "held",
        reason: None,
        words: "held by Codex CLI, its token expires 2100-01-01 00:00 UTC",
        ..SIGNED_IN
    };
    says(&rig, &row);
    rig.write_at_home(".codex/auth.json", &login(1_600_000_000).to_string());
    let expired = rig.run(&["check"]);
    assert!(expired.code == 3 && expired.stdout.contains("start Codex CLI"), "{expired:?}");
    let doctor = rig.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("held by Codex CLI, expired"), "{doctor:?}");
    rig.run(&TOKEN).failure(3);
}

#[test]
fn a_failed_refresh_of_openclaw_is_over() {
    let fence = "openclaw-oauth-refresh-fence:v1:ab:failed:access:cd";
    let entry = json!({"type": "oauth", "provider": "openai-codex", "access": fence,
        "refresh": fence});
    let row = Row {
        reason: Some("lost"),
        words: "sign in again (lost in a failed OpenClaw refresh)",
        doctor: Some("lost"),
        ..REFUSED
    };
    says(&stored(&entry), &row);
}

#[test]
fn listings_keep_the_members_that_they_had() {
    let rig = Rig::signed_in();
    let listed = rig.run(&["models", "auth", "list", "--json"]).json()["profiles"][0].clone();
    let members: Vec<_> = listed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.len(), 10, "{members:?}");
    assert_eq!(members[8..], ["state", "provenAt"], "{members:?}");
    let issued = &rig.document()["profiles"][PROFILE]["accessIssuedAt"];
    assert_eq!(listed["provenAt"], *issued);
}

#[test]
fn a_server_that_is_gone_changes_no_answer() {
    let rig = Rig::signed_in();
    rig.server.inject_persistent(Endpoint::Token, Fault::status(503));
    let Finished { code, stderr, .. } = rig.run(&["check", "--json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let posted = rig.server.token_requests("refresh_token");
    assert_eq!(posted, 0, "check posts nothing");
}

/// Leaves the access token so many milliseconds, less than `token` asks for.
fn leave(rig: &Rig, left: i64) {
    let until = openclaw_auth::system::now() + left;
    rig.edit("main", |document| {
        document["profiles"][PROFILE]["expires"] = until.into();
        document["profiles"][PROFILE]["accessIssuedAt"] = (until - 3_600_000).into();
    });
}

#[test]
fn each_call_gives_the_last_token_of_a_login_that_is_over_while_it_lives() {
    for options in [&[][..], &["--min-ttl", "30m"], &["--provider", "openai-codex"]] {
        let rig = Rig::signed_in();
        leave(&rig, 120_000);
        rig.server.revoke_all();
        let name = if options.contains(&"--provider") { &[][..] } else { &["chatgpt"] };
        let command = [&["token"], name, options].concat();
        let answers = [rig.run(&command), rig.run(&command), rig.run(&command)];
        for answer in &answers {
            assert_eq!((answer.code, &answer.stdout), (0, &answers[0].stdout), "{answers:?}");
            assert!(answer.stderr.contains("this is its last token"), "{answers:?}");
        }
        assert_eq!(rig.server.token_requests("refresh_token"), 1);
        // Who asks for a new one gets none, nor does who must not take this one.
        for more in [&["--force-refresh"][..], &["--strict", "--min-ttl", "1h"]] {
            let refused = rig.run(&[&command[..command.len() - options.len()], more].concat());
            assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
        }
        rig.expire(PROFILE);
        assert_eq!(rig.run(&command).code, 3);
    }
    let rig = Rig::signed_in();
    leave(&rig, 120_000);
    rig.server.revoke_all();
    let forced = rig.run(&["token", "chatgpt", "--force-refresh"]);
    assert_eq!((forced.code, forced.stdout.as_str()), (3, ""), "{forced:?}");
}

#[test]
fn a_login_that_proves_to_be_over_gives_way_to_the_next_in_the_same_call() {
    let rig = Rig::signed_in();
    let other = json!({"type": "oauth", "provider": "openai-codex", "access": "fake-other",
                       "refresh": "fake-r", "expires": FAR});
    rig.edit("main", |document| document["profiles"]["openai-codex:other"] = other);
    rig.run(&["use", PROFILE]).success();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    for _ in 0..2 {
        assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-other");
        assert_eq!(rig.run(&["token", PROFILE]).code, 3);
    }
    assert_eq!(rig.server.token_requests("refresh_token"), 1);
}
