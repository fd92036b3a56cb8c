//! Refreshing that is cut off, refused by the disk, or of a grant that several hold.

use crate::support::authorization_server::{Endpoint, Fault, Want};
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);
/// After this a first failure is tried again.
const SOON: Duration = Duration::from_secs(10);

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

/// How many notes there are of a refresh whose outcome is unknown.
fn intents(rig: &Rig) -> usize {
    notes(rig, "intent").len()
}

fn notes(rig: &Rig, extension: &str) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(rig.path("locks/oauth-refresh")).unwrap().flatten();
    let files = files.map(|file| file.path());
    files.filter(|file| file.extension().is_some_and(|it| it == extension)).collect()
}

/// The process that the only note of a refresh names.
fn cut_off(rig: &Rig) -> serde_json::Value {
    let text = std::fs::read_to_string(&notes(rig, "intent")[0]).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["pid"].clone()
}

#[test]
fn an_unavailable_server_changes_nothing_and_can_be_asked_again() {
    for fault in [
        Fault::status(500),
        Fault::status(503),
        Fault::status(429),
        Fault::DropBefore,
        Fault::Malformed,
        Fault::Html,
        Fault::Huge(8 << 20),
        Fault::Redirect("http://127.0.0.1:9/".into()),
    ] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let before = rig.tree();
        rig.server.inject_persistent(Endpoint::Token, fault.clone());
        let stderr = rig.run_here(&TOKEN).failure(4);
        assert!(stderr.contains("could not refresh") && stderr.contains("hint: "), "{stderr}");
        let mut after = rig.tree();
        // What nobody can know is noted, and when it may be tried again; what nobody can read
        // is kept.
        let is_note = |extension: &std::ffi::OsStr| {
            ["intent", "outcome", "reply"].iter().any(|note| extension == *note)
        };
        after.retain(|(path, _)| !path.extension().is_some_and(is_note));
        assert_eq!(after, before, "{fault:?}");
        rig.server.clear_faults();
        rig.let_pass(SOON);
        rig.run_here(&TOKEN).success();
        assert_eq!((intents(&rig), notes(&rig, "outcome").len()), (0, 0), "{fault:?}");
        let kept = rig.path("recovery").read_dir().map_or(0, Iterator::count);
        assert_eq!(kept, 0, "{fault:?}: the token was not replaced");
    }
}

#[test]
fn only_a_client_error_is_a_refusal() {
    let body = r#"{"error":"invalid_grant"}"#;
    for status in [202, 204, 302, 307, 308, 304] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        rig.server.inject(Fault::Status { status, retry_after: None, body: body.into() });
        let stderr = rig.run_here(&TOKEN).failure(4);
        assert!(stderr.contains(&format!("status {status}")), "{stderr}");
        rig.let_pass(SOON);
        rig.run_here(&TOKEN).success();
    }
}

#[test]
fn a_server_that_stumbles_is_asked_again() {
    for (status, retry_after) in [(503, Some("0")), (429, Some("1")), (429, None)] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let retry_after = retry_after.map(str::to_owned);
        rig.server.inject(Fault::Status { status, retry_after, body: String::new() });
        rig.run_here(&TOKEN).success();
        assert_eq!(refreshes(&rig), 2);
    }
    // It may have done what it was asked for: a second request would be reuse.
    for status in [500, 502, 503, 504, 520] {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        rig.server.inject(Fault::Sequence(vec![Fault::Process, Fault::status(status)]));
        rig.run_here(&TOKEN).failure(4);
        assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (1, 0), "{status}");
    }
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::Status {
        status: 429,
        retry_after: Some("3600".into()),
        body: String::new(),
    });
    rig.run_here(&TOKEN).failure(4);
    assert_eq!(refreshes(&rig), 1, "nobody waits for an hour");
}

#[test]
fn a_lost_answer_is_not_asked_for_again_but_told() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::DropAfterRotation);
    rig.run_here(&TOKEN).failure(4);
    assert_eq!((refreshes(&rig), intents(&rig)), (1, 1), "the token may be spent");
    rig.let_pass(SOON);
    let stderr = rig.run_here(&TOKEN).failure(3);
    assert!(stderr.contains("is unknown (no answer); trying once more"), "{stderr}");
    assert!(stderr.contains("may have replaced the refresh token"), "{stderr}");
    assert_eq!((refreshes(&rig), intents(&rig)), (2, 0));
    rig.run_here(&TOKEN).failure(3);
    assert_eq!(refreshes(&rig), 2, "once, and not again");
}

#[test]
fn an_unknown_outcome_is_told_until_the_server_has_said_what_became_of_the_token() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::DropAfterRotation);
    rig.run(&TOKEN).failure(4);
    let process = cut_off(&rig);
    rig.server.inject(Fault::status(503));
    rig.let_pass(SOON);
    rig.run(&TOKEN).failure(4);
    assert_eq!(cut_off(&rig), process, "not the one that was answered");
    rig.let_pass(Duration::from_mins(1));
    let stderr = rig.run(&TOKEN).failure(3);
    assert!(stderr.contains("may have replaced the refresh token"), "{stderr}");
    assert_eq!((refreshes(&rig), intents(&rig)), (3, 0));
}

#[test]
fn a_refusal_that_cannot_be_stored_is_remembered_all_the_same() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    rig.write(STATE, FOREIGN_STATE);
    for _ in 0..2 {
        let stderr = rig.run(&TOKEN).failure(3);
        assert!(stderr.contains("is over"), "{stderr}");
        assert!(stderr.contains("`usageStats` is not an object"), "{stderr}");
        assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
    }
    std::fs::remove_file(rig.path(STATE)).unwrap();
    rig.run(&TOKEN).failure(3);
    assert_eq!((refreshes(&rig), intents(&rig)), (1, 0));
    assert!(rig.read(STATE).contains("refusedGrant") && notes(&rig, "refused").is_empty());
}

#[test]
fn a_holder_that_is_killed_leaves_a_note_and_no_lock() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    let mut child =
        rig.command(&TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(rig.server.wait_for_token_requests("refresh_token", 1, PATIENCE));
    let worker = rig.kill_worker();
    child.wait().unwrap();
    assert_eq!(intents(&rig), 1);
    let finished = rig.run(&TOKEN);
    assert!(finished.stderr.contains(&format!("(process {worker}) was cut off")), "{finished:?}");
    finished.success();
    assert_eq!(intents(&rig), 0);
}

#[test]
fn what_cannot_be_stored_is_kept_until_it_can() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing =
        rig.command(&TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(hold.wait_until_held(1, PATIENCE));
    let document = rig.read(&store("main"));
    rig.write(&store("main"), "{ somebody is editing this");
    hold.release();
    let stderr = Finished::from(refreshing.wait_with_output().unwrap()).failure(6);
    assert!(stderr.contains("is in "), "{stderr}");
    let kept: Vec<_> = std::fs::read_dir(rig.path("recovery")).unwrap().flatten().collect();
    assert_eq!(kept.len(), 1);
    rig.write(&store("main"), &document);
    let finished = rig.run(&TOKEN);
    assert!(
        finished.stderr.contains("stored a login that an earlier command could not save, from"),
        "{finished:?}"
    );
    let token = finished.success();
    assert_eq!(refreshes(&rig), 1, "the kept login is used");
    let profile = &rig.document()["profiles"][PROFILE];
    assert_eq!(profile["access"], token.as_str());
    assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()));
    assert_eq!(std::fs::read_dir(rig.path("recovery")).unwrap().count(), 0);
}

#[test]
fn two_profiles_with_one_grant_make_one_request() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.edit("main", |document| {
        document["profiles"]["copy"] = document["profiles"][PROFILE].clone();
    });
    let hold = rig.server.hold_token_responses();
    let running: Vec<_> = [PROFILE, "copy", PROFILE, "copy"]
        .map(|profile| {
            let mut command = rig.command(&["models", "auth", "token", "--profile", profile]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .into_iter()
        .collect();
    assert!(hold.wait_until_held(1, PATIENCE));
    hold.release();
    let mut tokens: Vec<String> = running
        .into_iter()
        .map(|child| Finished::from(child.wait_with_output().unwrap()).success())
        .collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!((refreshes(&rig), rig.server.reuse_attempts()), (1, 0));
}

#[test]
fn nothing_is_spent_while_the_result_could_not_be_stored() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let lock = format!("{}.lock", store("main"));
    let held = format!(r#"{{"pid":{},"createdAt":"2099-01-01T00:00:00Z"}}"#, std::process::id());
    rig.write(&lock, &held);
    let stderr = rig.run(&[&TOKEN[..], &["--lock-timeout", "100ms"]].concat()).failure(5);
    assert!(stderr.contains(&format!("process {}", std::process::id())), "{stderr}");
    assert_eq!(refreshes(&rig), 0);
    std::fs::remove_file(rig.path(&lock)).unwrap();
    std::fs::create_dir(rig.path(&lock)).unwrap();
    rig.run(&TOKEN).failure(6);
    assert_eq!(refreshes(&rig), 0);
    std::fs::remove_dir(rig.path(&lock)).unwrap();
    rig.run(&TOKEN).success();
}

#[test]
fn an_interrupt_waits_until_the_new_credential_is_stored() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    refreshing.signal(rustix::process::Signal::INT);
    hold.release();
    refreshing.finish().failure(130);
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].clone();
    assert!(rig.server.is_alive(refresh.as_str().unwrap()), "the rotated token is stored");
    rig.run(&TOKEN).success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn copies_of_a_grant_are_renewed_with_it_wherever_they_are() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.edit("main", |document| {
        document["profiles"]["copy"] = document["profiles"][PROFILE].clone();
    });
    rig.write(&store("work"), &rig.document().to_string());
    rig.write(
        &store("other"),
        &json!({"profiles": {"k": {"type": "api_key", "provider": "p", "key": "k"}}}).to_string(),
    );
    let other = rig.read(&store("other"));
    let token = rig.run(&[&TOKEN[..], &["--agent", "work"]].concat()).success();
    for agent in ["main", "work"] {
        for id in [PROFILE, "copy"] {
            assert_eq!(
                rig.document_of(agent)["profiles"][id]["access"],
                token.as_str(),
                "{agent} {id}"
            );
        }
    }
    assert_eq!(rig.read(&store("other")), other);
    rig.run(&[&TOKEN[..], &["--force-refresh"]].concat()).success();
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn a_grant_that_is_refused_is_refused_wherever_it_is() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.edit("main", |document| {
        document["profiles"]["copy"] = document["profiles"][PROFILE].clone();
    });
    rig.write(&store("work"), &rig.document().to_string());
    rig.server.revoke_all();
    rig.run(&[&TOKEN[..], &["--agent", "work"]].concat()).failure(3);
    assert_eq!(refreshes(&rig), 1);
    // A process that is killed may have told its own store alone.
    let state = "agents/main/agent/auth-state.json";
    let copy = ["models", "auth", "token", "--profile", "copy"];
    for told_main in [true, false] {
        if !told_main {
            std::fs::remove_file(rig.path(state)).unwrap();
        }
        for (agent, line) in [("main", &TOKEN[..]), ("main", &copy), ("work", &copy)] {
            rig.run(&[line, &["--force-refresh", "--agent", agent]].concat()).failure(3);
        }
        assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
        for agent in ["main", "work"] {
            let listed = rig.run(&["models", "auth", "list", "--json", "--agent", agent]).json();
            for row in listed["profiles"].as_array().unwrap() {
                assert_eq!(row["health"], "refused", "{agent} {row}");
            }
        }
    }
    rig.login(&[]).success();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
}

/// A document of state that is right, and has no room for a refusal.
const FOREIGN_STATE: &str = r#"{"version":1,"usageStats":"of something else"}"#;
const STATE: &str = "agents/main/agent/auth-state.json";

/// A rig with one expired grant, which the server has revoked, in the stores of two agents.
fn revoked_in_two_stores() -> Rig {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.write(&store("work"), &rig.document().to_string());
    rig.server.revoke_all();
    rig
}

#[test]
fn a_refusal_that_concerns_its_asker_no_more_is_remembered_for_the_others() {
    for state in [None, Some(FOREIGN_STATE)] {
        let rig = revoked_in_two_stores();
        if let Some(state) = state {
            rig.write(STATE, state);
        }
        let hold = rig.server.hold_token_responses();
        let refreshing = rig.start(&[&TOKEN[..], &["--agent", "work"]].concat());
        assert!(hold.wait_until_held(1, PATIENCE));
        rig.edit("work", |document| {
            let profile = &mut document["profiles"][PROFILE];
            profile["access"] = "fake-new-access".into();
            profile["refresh"] = "fake-new-refresh".into();
            profile["expires"] = 4_102_444_800_000_i64.into();
        });
        hold.release();
        assert_eq!(refreshing.finish().success(), "fake-new-access");
        if state.is_some() {
            std::fs::remove_file(rig.path(STATE)).unwrap();
        }
        rig.run(&TOKEN).failure(3);
        assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
    }
}

#[test]
fn a_store_that_could_not_be_told_of_a_refusal_learns_of_it_when_the_asker_is_gone() {
    let rig = revoked_in_two_stores();
    rig.write(STATE, FOREIGN_STATE);
    rig.run(&[&TOKEN[..], &["--agent", "work"]].concat()).failure(3);
    rig.run(&["models", "auth", "logout", PROFILE, "--agent", "work", "--local"]).success();
    std::fs::remove_file(rig.path(STATE)).unwrap();
    rig.run(&TOKEN).failure(3);
    assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
    assert!(rig.read(STATE).contains("refusedGrant"));
    assert!(notes(&rig, "refused").is_empty(), "the stores know");
}

#[test]
fn a_grant_that_was_refused_is_so_after_a_logout_and_a_restore() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    rig.run(&TOKEN).failure(3);
    rig.run(&["models", "auth", "logout", PROFILE, "--local"]).success();
    rig.run(&["doctor", "--restore", "latest"]).success();
    assert!(rig.document()["profiles"][PROFILE]["refresh"].is_string());
    rig.run(&TOKEN).failure(3);
    assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
    assert!(notes(&rig, "refused").is_empty(), "the store knows again");
}

#[test]
fn a_refusal_that_is_learnt_of_and_cannot_be_stored_is_noted() {
    let rig = revoked_in_two_stores();
    rig.run(&TOKEN).failure(3);
    std::fs::remove_file(rig.path("agents/work/agent/auth-state.json")).unwrap();
    rig.write("agents/work/agent/auth-state.json", FOREIGN_STATE);
    let token = [&TOKEN[..], &["--agent", "work"]].concat();
    rig.run(&token).failure(3);
    std::fs::remove_file(rig.path(STATE)).unwrap();
    std::fs::remove_file(rig.path("agents/work/agent/auth-state.json")).unwrap();
    rig.run(&token).failure(3);
    assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
}

#[test]
fn a_renewal_that_spends_nothing_blocks_nothing() {
    let rig = Rig::with(Want { rotation: false, ..Want::default() });
    rig.login(&[]).success();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing =
        rig.command(&TOKEN).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(hold.wait_until_held(1, PATIENCE));
    let document = rig.read(&store("main"));
    rig.write(&store("main"), "{ somebody is editing this");
    hold.release();
    Finished::from(refreshing.wait_with_output().unwrap()).failure(6);
    rig.write(&store("main"), &document);
    rig.write(&store("other"), "{ an unrelated store that cannot be read");
    rig.run(&TOKEN).success();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
    assert_eq!(refreshes(&rig), 2);
    assert_eq!(std::fs::read_dir(rig.path("recovery")).unwrap().count(), 0);
}
