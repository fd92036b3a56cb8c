//! `models auth refresh`: what is due, each grant once, one result for each login.

use crate::support::authorization_server::{Account, Endpoint, Fault};
use crate::support::rig::{PROFILE, Rig, store};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

const REFRESH: [&str; 3] = ["models", "auth", "refresh"];
const PATIENCE: Duration = Duration::from_mins(1);

fn with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&REFRESH[..], options].concat()
}

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

/// A profile with a grant of its own, expired.
fn add_grant(rig: &Rig, agent: &str, id: &str) -> Value {
    let grant = rig.server.issue_tokens(&Account::of_email("bob@example.test"));
    let entry = json!({
        "type": "oauth", "provider": "openai-codex", "expires": 1,
        "access": grant["access_token"], "refresh": grant["refresh_token"],
    });
    if !rig.path(&store(agent)).exists() {
        rig.write(&store(agent), r#"{"profiles": {}}"#);
    }
    rig.edit(agent, |document| document["profiles"][id] = entry.clone());
    entry
}

/// The status of each result, by agent and profile.
fn statuses(report: &Value) -> Vec<(&str, &str, &str)> {
    let text = |row: &'_ Value, key: &str| row[key].as_str().unwrap().to_owned().leak() as &str;
    let rows = report["results"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "agentId"), text(row, "profileId"), text(row, "status"))).collect()
}

fn report(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap()
}

#[test]
fn a_login_that_is_over_is_told_although_its_token_lives() {
    let over = |rig: &Rig, kind: &str| {
        let before = refreshes(rig);
        for options in [&["--json"][..], &["--all", "--json"], &["--due", "24h", "--json"]] {
            let finished = rig.run(&with(options));
            let report = report(&finished.stdout);
            let row = &report["results"][0];
            assert_eq!((finished.code, &row["status"]), (3, &json!("login-required")), "{report}");
            let text = row["error"].as_str().unwrap();
            assert!(text.contains(kind) || text.contains("is over"), "{report}");
            assert!(row["expiresAt"].as_i64().unwrap() > openclaw_auth::system::now());
        }
        let text = rig.run(&REFRESH);
        assert!(text.code == 3 && text.stdout.contains("login required"), "{text:?}");
        assert_eq!(rig.run(&["check"]).code, 3);
        assert_eq!(refreshes(rig), before, "nothing is posted");
    };
    let rig = Rig::signed_in();
    rig.server.revoke_all();
    rig.run(&with(&["--force"]));
    over(&rig, "refused");
    // Only the journal knows.
    let rig = Rig::signed_in();
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let hash = openclaw_auth::secret::Secret::new(&refresh).fingerprint();
    let name = hash.replace("sha256:", "grant-sha256-");
    rig.write(&format!("locks/oauth-refresh/{name}.refused"), "");
    over(&rig, "refused");
    // It was moved away, or replaced, and an older file was put back.
    let rig = Rig::signed_in();
    let before = rig.document();
    let file = rig.home().join("moved");
    rig.run(&["move", PROFILE, "--to", file.to_str().unwrap()]).success();
    rig.write(&store("main"), &before.to_string());
    over(&rig, "moved away");
    let rig = Rig::signed_in();
    let before = rig.document();
    rig.run(&with(&["--force"])).success();
    rig.write(&store("main"), &before.to_string());
    over(&rig, "replaced");
}

#[test]
fn only_what_is_due_is_refreshed() {
    let rig = Rig::signed_in();
    let finished = rig.run(&REFRESH);
    assert_eq!(finished.stderr, "");
    assert!(finished.success().contains("not due, token valid for"));
    assert_eq!(refreshes(&rig), 0);
    rig.expire(PROFILE);
    let finished = rig.run(&REFRESH);
    assert_eq!(finished.stderr, "", "cron has nothing to mail");
    let line = finished.success();
    assert!(line.contains(PROFILE) && line.contains("refreshed, token valid for"), "{line}");
    assert_eq!(refreshes(&rig), 1);
    // The server grants an hour.
    assert!(rig.run(&with(&["--due", "30m"])).success().contains("not due"));
    rig.run(&with(&["--due", "24h"])).success();
    assert_eq!(refreshes(&rig), 2);
    rig.run(&with(&["--force"])).success();
    assert_eq!(refreshes(&rig), 3);
    assert!(rig.run(&with(&["--force", "--due", "1h"])).failure(2).contains("cannot be used with"));
    let held = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    assert!(rig.server.is_alive(&held));
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn a_grant_that_several_profiles_and_agents_hold_is_refreshed_once() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    rig.expire(PROFILE);
    let copy = rig.document()["profiles"][PROFILE].clone();
    rig.edit("main", |document| document["profiles"]["second"] = copy.clone());
    rig.write(&store("work"), &json!({"profiles": {"third": copy}}).to_string());
    add_grant(&rig, "work", "other");
    let done = rig.run(&with(&["--all", "--json"])).json();
    assert_eq!(done["schema"], 1);
    assert_eq!(
        statuses(&done),
        [
            ("main", PROFILE, "refreshed"),
            ("main", "second", "refreshed"),
            ("work", "third", "refreshed"),
            ("work", "other", "refreshed"),
        ]
    );
    assert_eq!(done["problems"], json!([]));
    assert_eq!(refreshes(&rig), 2, "one for each grant");
    let access = &rig.document()["profiles"][PROFILE]["access"];
    assert_eq!(&rig.document_of("work")["profiles"]["third"]["access"], access);
    assert_eq!(done["results"][2]["expiresAt"], rig.document()["profiles"][PROFILE]["expires"]);
    assert_eq!(rig.server.reuse_attempts(), 0);
    assert!(!done.to_string().contains(access.as_str().unwrap()), "no secret is reported");
}

#[test]
fn without_all_it_is_what_the_agent_uses() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    rig.run(&["agents", "add", "idle"]).success();
    rig.expire(PROFILE);
    add_grant(&rig, "work", "own");
    let own = rig.run(&["models", "auth", "--agent", "work", "refresh", "--json"]).json();
    assert_eq!(statuses(&own), [("work", "own", "refreshed")]);
    let inherited = rig.run(&["models", "auth", "--agent", "idle", "refresh", "--json"]).json();
    assert_eq!(statuses(&inherited), [("main", PROFILE, "refreshed")]);
    assert_eq!(refreshes(&rig), 2);
    let stderr = rig.run(&["models", "auth", "--agent", "work", "refresh", "--all"]).failure(2);
    assert!(stderr.contains("--agent"), "{stderr}");
}

#[test]
fn a_refused_login_hides_no_other_and_is_not_tried_again() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    let copy = rig.document()["profiles"][PROFILE].clone();
    rig.edit("main", |document| document["profiles"]["same"] = copy);
    add_grant(&rig, "main", "alive");
    let finished = rig.run(&with(&["--json"]));
    assert_eq!(finished.code, 3, "{finished:?}");
    let done = report(&finished.stdout);
    assert_eq!(
        statuses(&done),
        [
            ("main", PROFILE, "login-required"),
            ("main", "same", "login-required"),
            ("main", "alive", "refreshed"),
        ]
    );
    let login = "openclaw-auth models auth login --provider openai-codex";
    assert_eq!(done["results"][0]["hint"], login);
    assert_eq!(done["results"][1]["hint"], login);
    let words: Vec<_> = login.split(' ').collect();
    assert_eq!(done["results"][0]["hintCommand"], serde_json::json!(words));
    assert!(done["results"][0]["error"].as_str().unwrap().contains("is over"), "{done}");
    assert_eq!(refreshes(&rig), 2, "a refused token is posted once");
    rig.expire("alive");
    let again = rig.run(&REFRESH);
    assert_eq!(again.code, 3);
    assert!(again.stdout.contains("login required") && again.stdout.contains("refreshed"));
    assert!(again.stderr.contains("error: ") && again.stderr.contains(&format!("hint: {login}")));
    let posted = rig.server.requests_at(Endpoint::Token);
    let of_copy = posted.iter().filter(|request| {
        request.parameter("refresh_token") == rig.document()["profiles"]["same"]["refresh"].as_str()
    });
    assert_eq!(of_copy.count(), 1, "whichever profile holds it");
}

#[test]
fn a_server_that_cannot_be_reached_is_4_and_changes_nothing() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let mut file = rig.server.provider_file(&rig.ports);
    file["tokenEndpoint"] = format!("http://127.0.0.1:{}/token", rig.ports[0]).into();
    rig.write("providers/openai-codex.json", &file.to_string());
    let before = rig.document();
    let finished = rig.run(&with(&["--json"]));
    assert_eq!(finished.code, 4, "{finished:?}");
    assert_eq!(statuses(&report(&finished.stdout)), [("main", PROFILE, "unavailable")]);
    assert_eq!(rig.document(), before);
}

#[test]
fn another_process_that_refreshes_is_waited_for() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let other = rig.start(&["models", "auth", "token", "--provider", "openai-codex"]);
    assert!(hold.wait_until_held(1, PATIENCE));
    let busy = rig.run(&with(&["--lock-timeout", "100ms", "--json"]));
    assert_eq!(busy.code, 5, "{busy:?}");
    assert_eq!(statuses(&report(&busy.stdout)), [("main", PROFILE, "busy")]);
    let waiting = rig.start(&with(&["--json"]));
    hold.release();
    other.finish().success();
    let done = waiting.finish().json();
    assert_ne!(statuses(&done)[0].2, "busy");
    assert_eq!(refreshes(&rig), 1, "the token of the other process is adopted");
}

#[test]
fn a_store_that_cannot_be_read_hides_no_other() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "broken"]).success();
    rig.expire(PROFILE);
    rig.write(&store("broken"), "{");
    let finished = rig.run(&with(&["--all", "--json"]));
    assert_eq!(finished.code, 6, "{finished:?}");
    let done = report(&finished.stdout);
    assert_eq!(statuses(&done), [("main", PROFILE, "refreshed")]);
    assert_eq!(done["problems"][0]["agentId"], "broken");
    assert!(done["problems"][0]["error"].as_str().unwrap().contains("auth-profiles.json"));
    let stderr = rig.run(&["models", "auth", "--agent", "broken", "refresh"]).failure(6);
    assert!(stderr.contains("broken"), "{stderr}");
}

#[test]
fn what_nothing_refreshes_is_left_out_and_refused_by_name() {
    let rig = Rig::new();
    let finished = rig.run(&REFRESH);
    assert!(finished.stderr.contains("No login"), "{}", finished.stderr);
    assert_eq!(finished.success(), "");
    rig.write(
        &store("main"),
        r#"{"profiles": {
            "key": {"type": "api_key", "provider": "x", "key": "fake"},
            "over": {"type": "oauth", "provider": "x", "access": "fake", "expires": 1},
            "odd": {"type": "weird"},
            "other": {"type": "oauth", "provider": "y", "access": "fake", "refresh": "fake", "expires": 1}
        }}"#,
    );
    let finished = rig.run(&with(&["--json"]));
    assert_eq!(finished.code, 3);
    assert_eq!(
        statuses(&report(&finished.stdout)),
        [("main", "over", "login-required"), ("main", "other", "failed")]
    );
    assert!(rig.run(&with(&["--profile", "key"])).failure(2).contains("api_key"));
    assert!(rig.run(&with(&["--profile", "nope"])).failure(3).contains("nope"));
    assert!(rig.run(&with(&["--profile", "odd"])).failure(6).contains("cannot be interpreted"));
    assert!(rig.run(&with(&["--provider", "z"])).failure(3).contains('z'));
    assert!(rig.run(&with(&["--provider", "x", "--profile", "other"])).failure(2).contains('y'));
    let one = rig.run(&with(&["--profile", "other", "--json"]));
    assert_eq!((one.code, statuses(&report(&one.stdout)).len()), (1, 1));
    assert!(one.stdout.contains("providers/y.json"), "{}", one.stdout);
}

#[test]
fn a_provider_that_fails_for_a_while_does_not_stop_the_rest() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    add_grant(&rig, "main", "next");
    let refusal = |code: &str| Fault::Text {
        status: 400,
        content_type: "application/json".into(),
        body: format!(r#"{{"error":"{code}","error_description":"a\u001b[31mb"}}"#),
    };
    rig.server.inject(refusal("invalid_client"));
    let finished = rig.run(&REFRESH);
    assert_eq!(finished.code, 3, "{finished:?}");
    assert!(finished.stdout.contains("login required") && finished.stdout.contains("refreshed"));
    assert!(!finished.stderr.contains('\u{1b}'), "{:?}", finished.stderr);
    assert!(finished.stderr.contains("invalid_client"), "{}", finished.stderr);
}

#[test]
fn an_interruption_stores_what_is_under_way_and_begins_nothing_new() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    add_grant(&rig, "main", "next");
    let before = rig.document();
    let hold = rig.server.hold_token_responses();
    let running = rig.start(&REFRESH);
    assert!(hold.wait_until_held(1, PATIENCE));
    running.signal(Signal::INT);
    hold.release();
    let finished = running.finish();
    assert_eq!(finished.code, 130, "{finished:?}");
    let (before, after) = (&before["profiles"], &rig.document()["profiles"]);
    assert_ne!(after[PROFILE], before[PROFILE], "the new token is stored");
    assert_eq!(after["next"], before["next"]);
    assert_eq!(refreshes(&rig), 1);
}
