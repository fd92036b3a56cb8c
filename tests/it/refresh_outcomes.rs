//! How the last request for a grant ended is remembered, and says when the next one is made.

use crate::support::authorization_server::{Endpoint, Fault, Want};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCED: [&str; 6] =
    ["models", "auth", "token", "--provider", "openai-codex", "--force-refresh"];
const PATIENCE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

fn outcomes(rig: &Rig) -> Vec<PathBuf> {
    let paths = rig.tree().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.extension().is_some_and(|it| it == "outcome")).collect()
}

fn expired() -> Rig {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig
}

fn answer(status: u16, retry_after: &str, body: &str) -> Fault {
    Fault::Status { status, retry_after: Some(retry_after.into()), body: body.into() }
}

/// Ends requests with `fault`; each is followed by so long a pause in which nothing is posted.
#[track_caller]
fn pauses(rig: &Rig, fault: &Fault, code: i32, pauses: &[Duration]) {
    for (number, pause) in pauses.iter().enumerate() {
        rig.server.inject(fault.clone());
        rig.run(&TOKEN).failure(code);
        assert_eq!(refreshes(rig), number + 1, "{fault:?}");
        rig.let_pass(pause.saturating_sub(3 * SECOND));
        for args in [&TOKEN[..], &FORCED] {
            let stderr = rig.run(args).failure(code);
            assert!(stderr.contains("it is tried again at 20"), "{stderr}");
            assert!(stderr.contains("hint: "), "{stderr}");
            assert!(!stderr.contains("cut off"), "{stderr}");
        }
        assert_eq!(refreshes(rig), number + 1, "{fault:?}: {pause:?}");
        rig.let_pass(3 * SECOND);
    }
}

#[test]
fn an_unknown_outcome_is_tried_once_after_each_pause() {
    let minutes = |minutes| Duration::from_mins(minutes);
    for fault in [Fault::status(500), Fault::status(503), Fault::Malformed, Fault::DropBefore] {
        let rig = expired();
        pauses(&rig, &fault, 4, &[10 * SECOND, minutes(1), minutes(5), minutes(30), minutes(30)]);
        rig.run(&TOKEN).success();
        assert!(outcomes(&rig).is_empty());
    }
}

#[test]
fn a_refusal_without_a_reason_is_tried_again_ever_later() {
    let minutes = |minutes| Duration::from_mins(minutes);
    for (status, body) in [
        (401, ""),
        (403, "not here"),
        (400, r#"{"error":"server_confused"}"#),
        (401, r#"{"error":"invalid_grant","#),
    ] {
        let rig = expired();
        let fault = Fault::Status { status, retry_after: None, body: body.into() };
        pauses(&rig, &fault, 3, &[minutes(1), minutes(5), minutes(60), minutes(60)]);
        rig.run(&TOKEN).success();
        assert!(outcomes(&rig).is_empty());
    }
}

#[test]
fn a_final_code_ends_the_pauses() {
    let rig = expired();
    rig.server.inject(Fault::status(401));
    rig.run(&TOKEN).failure(3);
    rig.let_pass(Duration::from_mins(1));
    rig.server.revoke_all();
    assert!(rig.run(&TOKEN).failure(3).contains("is over"));
    assert!(outcomes(&rig).is_empty());
}

#[test]
fn a_known_failure_is_shared_for_five_seconds() {
    let block = Fault::Text {
        status: 403,
        content_type: "text/html".into(),
        body: "<html>Sorry, you have been blocked".into(),
    };
    for fault in [answer(429, "3600", ""), answer(503, "3600", ""), block] {
        let rig = expired();
        pauses(&rig, &fault, 4, &[5 * SECOND; 3]);
        rig.run(&TOKEN).success();
    }
}

#[test]
fn a_server_that_is_not_reached_is_not_asked_by_the_next_one_at_once() {
    let rig = expired();
    let file = "providers/openai-codex.json";
    let definition = rig.read(file);
    let mut away: Value = serde_json::from_str(&definition).unwrap();
    away["tokenEndpoint"] = "http://127.0.0.1:1/token".into();
    rig.write(file, &away.to_string());
    assert!(rig.run(&TOKEN).failure(4).contains("unavailable"));
    rig.write(file, &definition);
    let stderr = rig.run(&TOKEN).failure(4);
    assert!(stderr.contains("(it was not reached)"), "{stderr}");
    rig.let_pass(5 * SECOND);
    rig.run(&TOKEN).success();
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn every_store_that_holds_the_grant_waits() {
    let rig = expired();
    rig.write(&store("work"), &rig.document().to_string());
    rig.server.inject(Fault::status(500));
    rig.run(&TOKEN).failure(4);
    let work = [&TOKEN[..], &["--agent", "work"]].concat();
    rig.run(&work).failure(4);
    assert_eq!(refreshes(&rig), 1);
    rig.let_pass(10 * SECOND);
    rig.run(&work).success();
    assert!(outcomes(&rig).is_empty(), "{:?}", outcomes(&rig));
    rig.run(&TOKEN).success();
    assert_eq!(refreshes(&rig), 2);
}

#[test]
fn a_report_on_all_logins_says_which_of_them_wait() {
    for (fault, code) in [(Fault::status(500), 4), (Fault::status(401), 3)] {
        let rig = expired();
        rig.server.inject(fault);
        let refresh = ["models", "auth", "refresh", "--all", "--json"];
        for _ in 0..2 {
            let finished = rig.run(&refresh);
            assert_eq!(finished.code, code, "{finished:?}");
        }
        assert!(rig.run(&refresh).stdout.contains("it is tried again at"));
        assert_eq!(refreshes(&rig), 1);
    }
}

#[test]
fn a_new_login_does_not_wait() {
    let rig = expired();
    rig.server.inject(Fault::status(401));
    rig.run(&TOKEN).failure(3);
    rig.login(&[]).success();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_waiting() {
    let rig = expired();
    rig.server.inject(Fault::status(500));
    rig.run(&TOKEN).failure(4);
    for note in outcomes(&rig) {
        let mut outcome: Value = serde_json::from_slice(&std::fs::read(&note).unwrap()).unwrap();
        outcome["at"] = 4_102_444_800_000_i64.into();
        std::fs::write(&note, outcome.to_string()).unwrap();
    }
    rig.server.inject(Fault::status(500));
    rig.run(&TOKEN).failure(4);
    assert_eq!(refreshes(&rig), 2, "one try");
    rig.run(&TOKEN).failure(4);
    assert_eq!(refreshes(&rig), 2, "and the pause begins anew");
}

#[test]
fn a_note_that_is_none_keeps_nobody_waiting() {
    for is_pipe in [false, true] {
        let rig = expired();
        rig.server.inject(Fault::status(401));
        rig.run(&TOKEN).failure(3);
        for note in outcomes(&rig) {
            std::fs::write(&note, "{\"kind\":\"none").unwrap();
            if is_pipe {
                std::fs::remove_file(&note).unwrap();
                let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
                let kind = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, &note, kind, mode, 0).unwrap();
            }
        }
        rig.run(&TOKEN).success();
    }
}

#[test]
fn what_is_remembered_is_private_and_holds_no_secret() {
    let rig = expired();
    let posted = rig.document()["profiles"][PROFILE]["refresh"].as_str().unwrap().to_owned();
    let body = format!(r#"{{"error":"{posted}","error_description":"no {posted}"}}"#);
    rig.server.inject(Fault::Status { status: 401, retry_after: None, body });
    rig.run(&TOKEN).failure(3);
    let notes = outcomes(&rig);
    assert!(!notes.is_empty());
    for note in notes {
        assert!(!std::fs::read_to_string(&note).unwrap().contains(&posted));
        assert_eq!(note.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn the_pauses_begin_where_the_try_after_a_killed_worker_is_unknown_too() {
    let rig = expired();
    rig.server.inject(Fault::Sequence(vec![Fault::Delay(PATIENCE), Fault::DropBefore]));
    let mut child =
        rig.command(&TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(rig.server.wait_for_token_requests("refresh_token", 1, PATIENCE));
    rig.kill_worker();
    child.wait().unwrap();
    rig.server.inject(Fault::status(502));
    assert!(rig.run(&TOKEN).failure(4).contains("was cut off; trying once more"));
    let stderr = rig.run(&TOKEN).failure(4);
    assert!(stderr.contains("is unknown (502 Bad Gateway)"), "{stderr}");
    assert_eq!(refreshes(&rig), 2);
    rig.let_pass(10 * SECOND);
    rig.run(&TOKEN).success();
}

#[test]
fn a_503_is_repeated_only_where_the_server_has_replaced_no_refresh_token() {
    for rotation in [true, false] {
        let rig = Rig::with(Want { rotation, ..Want::default() });
        rig.login(&[]).success();
        rig.run(&FORCED).success();
        rig.server.inject(answer(503, "0", ""));
        let finished = rig.run(&FORCED);
        assert_eq!(finished.code, if rotation { 4 } else { 0 }, "{finished:?}");
        assert_eq!(refreshes(&rig), if rotation { 2 } else { 3 });
        // 429 says for certain that it was not carried out.
        rig.let_pass(5 * SECOND);
        rig.server.inject(answer(429, "0", ""));
        rig.run(&FORCED).success();
    }
}

#[test]
fn what_changed_in_the_pause_before_a_repeat_is_not_posted() {
    let rig = expired();
    rig.server.inject_persistent(Endpoint::Token, answer(429, "2", ""));
    let refreshing = rig.start(&TOKEN);
    assert!(rig.server.wait_for_token_requests("refresh_token", 1, PATIENCE));
    rig.edit("main", |document| {
        let profile = &mut document["profiles"][PROFILE];
        profile["access"] = "fake-new-access".into();
        profile["refresh"] = "fake-new-refresh".into();
        profile["expires"] = 4_102_444_800_000_i64.into();
    });
    assert_eq!(refreshing.finish().success(), "fake-new-access");
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn who_was_logged_out_in_the_pause_before_a_repeat_is_not_posted() {
    let rig = expired();
    rig.server.inject_persistent(Endpoint::Token, answer(429, "2", ""));
    let refreshing = rig.start(&TOKEN);
    assert!(rig.server.wait_for_token_requests("refresh_token", 1, PATIENCE));
    rig.edit("main", |document| {
        document["profiles"].as_object_mut().unwrap().remove(PROFILE);
    });
    refreshing.finish().failure(4);
    assert_eq!(refreshes(&rig), 1);
}
