//! Refreshing: once, stored before it is handed out, and never with a refused token.

use crate::support::authorization_server::{ErrorStyle, Fault, Want};
use crate::support::rig::{PROFILE, Rig, store};
use serde_json::json;
use std::process::Stdio;
use std::time::Duration;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const PATIENCE: Duration = Duration::from_mins(1);

fn refreshes(rig: &Rig) -> usize {
    rig.server.token_requests("refresh_token")
}

#[test]
fn an_expired_token_is_refreshed_stored_and_printed() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"][PROFILE]["expires"] = 1.into();
        document["profiles"][PROFILE]["mine"] = json!(1.5);
        document["odd"] = json!([1]);
    });
    let before = rig.document();
    let token = rig.run(&TOKEN).success();
    let after = rig.document();
    assert_eq!(after["profiles"][PROFILE]["access"], token.as_str());
    assert_ne!(after["profiles"][PROFILE]["refresh"], before["profiles"][PROFILE]["refresh"]);
    assert!(rig.server.is_alive(after["profiles"][PROFILE]["refresh"].as_str().unwrap()));
    assert_eq!(after["profiles"][PROFILE]["mine"], 1.5);
    assert_eq!(after["odd"], json!([1]));
    assert_eq!(refreshes(&rig), 1);
    assert_eq!(rig.run(&TOKEN).success(), token, "the stored one is used from then on");
    assert_eq!(refreshes(&rig), 1);
    let locks = std::fs::read_dir(rig.path("locks/oauth-refresh")).unwrap();
    assert_eq!(locks.count(), 0, "no lock stays behind");
}

#[test]
fn twenty_processes_make_one_request_and_print_the_same_token() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let running: Vec<_> = (0..20).map(|_| rig.start(&TOKEN)).collect();
    assert!(hold.wait_until_held(1, PATIENCE));
    hold.release();
    let mut tokens: Vec<String> =
        running.into_iter().map(|child| child.finish().success()).collect();
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all print the same token");
    assert_eq!(rig.document()["profiles"][PROFILE]["access"], tokens[0].as_str());
    assert_eq!(refreshes(&rig), 1);
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn a_lifetime_shorter_than_min_ttl_is_adopted_and_not_refreshed_at_every_call() {
    let rig = Rig::signed_in();
    rig.server.configure(|want| want.access_token_lifetime = 60);
    rig.expire(PROFILE);
    let tokens: Vec<String> = (0..3).map(|_| rig.run(&TOKEN).success()).collect();
    assert_eq!(refreshes(&rig), 1);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_ne!(rig.run(&[&TOKEN[..], &["--force-refresh"]].concat()).success(), tokens[0]);
    assert_eq!(refreshes(&rig), 2);
}

#[test]
fn a_longer_min_ttl_refreshes_a_token_that_is_still_valid() {
    let rig = Rig::signed_in();
    let first = rig.run(&TOKEN).success();
    rig.server.configure(|want| want.access_token_lifetime = 7_200);
    let second = rig.run(&[&TOKEN[..], &["--min-ttl", "90m"]].concat()).success();
    assert_ne!(first, second);
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn a_response_without_a_refresh_token_keeps_the_old_one() {
    let rig = Rig::with(Want {
        include_refresh_token_on_refresh: false,
        rotation: false,
        ..Want::default()
    });
    rig.login(&[]).success();
    let refresh = rig.document()["profiles"][PROFILE]["refresh"].clone();
    for _ in 0..2 {
        rig.expire(PROFILE);
        rig.run(&TOKEN).success();
        assert_eq!(rig.document()["profiles"][PROFILE]["refresh"], refresh);
    }
}

#[test]
fn a_refused_refresh_token_needs_a_login_and_is_never_posted_again() {
    for style in [ErrorStyle::Standard, ErrorStyle::Nested] {
        let rig = Rig::with(Want { error_style: style, ..Want::default() });
        rig.login(&[]).success();
        rig.expire(PROFILE);
        rig.server.revoke_all();
        let before = rig.document();
        let stderr = rig.run(&TOKEN).failure(3);
        assert!(
            stderr.contains("hint: openclaw-auth models auth login --provider openai-codex"),
            "{stderr}"
        );
        assert_eq!(refreshes(&rig), 1);
        assert!(rig.run(&TOKEN).failure(3).contains("refused"));
        rig.run(&[&TOKEN[..], &["--force-refresh"]].concat()).failure(3);
        assert_eq!(refreshes(&rig), 1, "a refused refresh token is not posted again");
        assert_eq!(rig.document(), before);
        let row = &rig.run(&["models", "auth", "list", "--json"]).json()["profiles"][0];
        assert_eq!(row["health"], "refused");
        let refresh = before["profiles"][PROFILE]["refresh"].as_str().unwrap();
        assert!(!rig.read("agents/main/agent/auth-state.json").contains(refresh));

        rig.login(&[]).success();
        rig.expire(PROFILE);
        rig.run(&TOKEN).success();
    }
}

#[test]
fn a_profile_that_works_is_preferred_to_a_refused_one() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    rig.run(&TOKEN).failure(3);
    rig.edit("main", |document| {
        document["profiles"]["spare"] = json!({
            "type": "oauth", "provider": "openai-codex", "access": "fake-spare",
            "refresh": "fake", "expires": 4_102_444_800_000_i64,
        });
    });
    rig.write("openclaw.json", "{}");
    assert_eq!(rig.run(&TOKEN).success(), "fake-spare");
}

#[test]
fn a_refusal_that_does_not_name_the_grant_does_not_end_it() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::Text {
        status: 401,
        content_type: "application/json".into(),
        body: r#"{"error":"invalid_client"}"#.into(),
    });
    let stderr = rig.run(&TOKEN).failure(3);
    assert!(stderr.contains("(401 Unauthorized)") && stderr.contains("invalid_client"), "{stderr}");
    rig.let_pass(Duration::from_mins(1));
    rig.run(&TOKEN).success();
}

#[test]
fn a_login_during_a_refresh_is_not_overwritten() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    rig.edit("main", |document| {
        let profile = &mut document["profiles"][PROFILE];
        profile["access"] = "fake-new-access".into();
        profile["refresh"] = "fake-new-refresh".into();
        profile["expires"] = 4_102_444_800_000_i64.into();
    });
    hold.release();
    let printed = refreshing.finish().success();
    assert_eq!(printed, "fake-new-access");
    assert_eq!(rig.document()["profiles"][PROFILE]["refresh"], "fake-new-refresh");
}

#[test]
fn a_profile_that_is_removed_during_a_refresh_stays_removed() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    rig.edit("main", |document| document["profiles"] = json!({}));
    hold.release();
    let stderr = refreshing.finish().failure(3);
    assert!(stderr.contains("signed out meanwhile"), "{stderr}");
    assert_eq!(rig.document()["profiles"], json!({}));
}

#[test]
fn a_logout_waits_for_the_refresh_under_way_and_revokes_its_token() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    let leaving = rig.start(&["models", "auth", "logout", PROFILE]);
    hold.release();
    leaving.finish().success();
    let _ = refreshing.finish();
    assert_eq!(rig.document()["profiles"], json!({}));
    assert_eq!(rig.server.live_refresh_tokens(), Vec::<String>::new());
    assert_eq!(rig.server.reuse_attempts(), 0);
}

#[test]
fn processes_that_wait_learn_that_the_login_is_over() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.revoke_all();
    let hold = rig.server.hold_token_responses();
    let running: Vec<_> = (0..5).map(|_| rig.start(&TOKEN)).collect();
    assert!(hold.wait_until_held(1, PATIENCE));
    hold.release();
    for child in running {
        child.finish().failure(3);
    }
    assert_eq!(refreshes(&rig), 1, "a refused refresh token is posted once");
}

#[test]
fn odd_optional_members_of_a_response_do_not_lose_the_grant() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.server.inject(Fault::Text {
        status: 200,
        content_type: "application/json".into(),
        body: r#"{"access_token":"fake-new","refresh_token":"fake-rotated","expires_in":"soon","id_token":{}}"#.into(),
    });
    assert_eq!(rig.run(&TOKEN).success(), "fake-new");
    assert_eq!(rig.document()["profiles"][PROFILE]["refresh"], "fake-rotated");
}

#[test]
fn one_broken_provider_file_stops_its_own_provider_only() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.write("providers/other.json", "{");
    rig.write("providers/.#openai-codex.json", "{");
    rig.run(&TOKEN).success();
    rig.write("providers/openai-codex.json", "{");
    rig.expire(PROFILE);
    assert!(rig.run(&TOKEN).failure(6).contains("openai-codex.json"));
    assert_eq!(refreshes(&rig), 1);
}

#[test]
fn another_holder_of_the_lease_is_waited_for_and_named() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let hold = rig.server.hold_token_responses();
    let refreshing = rig.start(&TOKEN);
    assert!(hold.wait_until_held(1, PATIENCE));
    let stderr = rig.run(&[&TOKEN[..], &["--lock-timeout", "100ms"]].concat()).failure(5);
    assert!(stderr.contains(&format!("held by process {}", rig.worker())), "{stderr}");
    assert!(stderr.contains(" since 20"), "{stderr}");
    hold.release();
    refreshing.finish().success();
}

#[test]
fn a_lease_of_a_live_openclaw_is_respected_and_of_a_dead_one_taken() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    // printf 'openai-codex\0openai-codex:ada@example.test' | sha256sum
    let lease = "locks/oauth-refresh/sha256-a09a1ecac55587b80e981a5cecbfee99b1e37c1b5aa87f35a994fb775a9b1c45.lock";
    let payload = |pid: u32| {
        format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"2099-01-01T00:00:00.000Z\"\n}}")
    };
    rig.write(lease, &payload(std::process::id()));
    let stderr = rig.run(&[&TOKEN[..], &["--lock-timeout", "100ms"]].concat()).failure(5);
    assert!(stderr.contains(&format!("process {}", std::process::id())), "{stderr}");
    assert_eq!(refreshes(&rig), 0);
    assert!(rig.path(lease).exists(), "the lock of a live process stays");
    rig.write(lease, &payload(4_194_304));
    rig.run(&TOKEN).success();
    assert!(!rig.path(lease).exists());
}

#[test]
fn an_inherited_profile_is_refreshed_where_it_lives() {
    let rig = Rig::signed_in();
    rig.run(&["agents", "add", "work"]).success();
    rig.expire(PROFILE);
    let token = rig.run(&[&TOKEN[..], &["--agent", "work"]].concat()).success();
    assert_eq!(rig.document()["profiles"][PROFILE]["access"], token.as_str());
    assert!(!rig.path(&store("work")).exists());
}

#[test]
fn a_newer_generation_of_the_store_is_not_refreshed() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    rig.write("state/openclaw.sqlite", "");
    let before = rig.tree();
    assert!(rig.run(&TOKEN).failure(6).contains("2026.6"));
    assert_eq!(rig.tree(), before);
    assert_eq!(refreshes(&rig), 0);
}

#[test]
fn token_requests_can_be_json() {
    let rig = Rig::new();
    let mut file = rig.server.provider_file(&rig.ports);
    file["tokenRequestFormat"] = "json".into();
    rig.write("providers/openai-codex.json", &file.to_string());
    rig.login(&[]).success();
    rig.expire(PROFILE);
    rig.run(&TOKEN).success();
    for request in rig.server.requests_at(crate::support::authorization_server::Endpoint::Token) {
        assert!(request.header("content-type").unwrap().starts_with("application/json"));
    }
}

#[test]
fn a_provider_without_a_definition_cannot_be_refreshed() {
    let rig = Rig::new();
    rig.write(
        &store("main"),
        &json!({"profiles": {"x": {"type": "oauth", "provider": "other", "access": "a", "refresh": "r", "expires": 1}}})
            .to_string(),
    );
    let stderr = rig.run(&["models", "auth", "token", "--profile", "x"]).failure(1);
    assert!(stderr.contains("providers/other.json"), "{stderr}");
}

/// What may happen to a caller while its worker waits for the server.
const ENDS_OF_A_CALLER: [rustix::process::Signal; 4] = [
    rustix::process::Signal::KILL,
    rustix::process::Signal::QUIT,
    rustix::process::Signal::HUP,
    rustix::process::Signal::ALARM,
];

#[test]
fn a_caller_that_is_killed_in_mid_refresh_loses_no_login() {
    for signal in ENDS_OF_A_CALLER {
        let rig = Rig::signed_in();
        rig.expire(PROFILE);
        let hold = rig.server.hold_token_responses();
        let mut caller = rig.command(&TOKEN);
        std::os::unix::process::CommandExt::process_group(&mut caller, 0);
        let mut caller = caller.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        assert!(hold.wait_until_held(1, PATIENCE));
        let group = rustix::process::Pid::from_raw(i32::try_from(caller.id()).unwrap()).unwrap();
        rustix::process::kill_process_group(group, signal).unwrap();
        if signal != rustix::process::Signal::HUP {
            caller.wait().unwrap();
        }
        let waiting = rig.start(&TOKEN);
        hold.release();
        waiting.finish().success();
        caller.wait().unwrap();
        rig.run(&TOKEN).success();
        let posted = (rig.server.token_requests("refresh_token"), rig.server.reuse_attempts());
        assert_eq!(posted, (1, 0), "{signal:?}");
    }
}

#[test]
fn who_waited_for_a_refresh_that_failed_shares_its_outcome() {
    let rig = Rig::signed_in();
    rig.expire(PROFILE);
    let slow = Fault::Delay(Duration::from_secs(3));
    rig.server.inject(Fault::Sequence(vec![slow, Fault::DropBefore]));
    let first = rig.start(&TOKEN);
    assert!(rig.server.wait_for_token_requests("refresh_token", 1, PATIENCE));
    let others: Vec<_> = (0..5).map(|_| rig.start(&TOKEN)).collect();
    let text = first.finish().failure(4);
    for other in others {
        assert_eq!(other.finish().failure(4), text);
    }
    assert_eq!(refreshes(&rig), 1, "nobody who waited posts the token again");
    rig.let_pass(Duration::from_secs(10));
    rig.run(&TOKEN).success();
}

#[test]
fn a_worker_that_is_started_by_hand_does_nothing() {
    let rig = Rig::signed_in();
    let before = rig.document();
    assert_eq!(rig.run(&["refresh-worker"]).code, 2);
    assert_eq!(rig.document(), before);
}
