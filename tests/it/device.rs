//! Signing in with a device code, alone and beside the browser.

use crate::support::authorization_server::{DeviceUser, Endpoint, Fault, Want};
use crate::support::rig::{Finished, PROFILE, Rig};
use crate::support::user_agent::authorize;
use serde_json::{Value, json};
use std::time::Duration;

/// Long enough for a loaded machine; a test never waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

/// The flows: a provider that has it, and the client identifier it has there.
const FLOWS: [(&str, &str); 3] = [
    ("github-copilot", "Iv1.b507a08c87ecfe98"),
    ("openai-codex", "app_EMoamEEZ73f0CkXaXp7hrann"),
    ("minimax-portal", "78257093-7e40-4613-99e0-527b14b39113"),
];

fn rig_of((provider, client_id): (&str, &str), change: impl FnOnce(&mut Want)) -> Rig {
    let mut want = Want { client_id: client_id.into(), ..Want::default() };
    change(&mut want);
    let rig = Rig::with(want);
    rig.redirect(provider);
    rig
}

fn by_code(rig: &Rig, provider: &str) -> Finished {
    let login = ["models", "auth", "login", "--provider", provider, "--method", "device"];
    rig.run_here(&login)
}

/// The events that a login told.
fn events(stdout: &str) -> Vec<Value> {
    let events = stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    events.inspect(|event: &Value| assert_eq!(event["schema"], 1, "{event}")).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn a_user_who_denies_or_comes_too_late_changes_nothing() {
    std::thread::scope(|scope| {
        for flow in FLOWS {
            for (user, code) in
                [(DeviceUser::Denies, "access_denied"), (DeviceUser::IsTooLate, "expired_token")]
            {
                scope.spawn(move || {
                    let rig = rig_of(flow, |want| {
                        want.device.user = user;
                        want.device.errors_are_ok = true;
                    });
                    let before = rig.tree();
                    let stderr = by_code(&rig, flow.0).failure(1);
                    assert!(stderr.contains(code) && stderr.contains("hint: "), "{stderr}");
                    assert_eq!(rig.tree(), before);
                });
            }
        }
    });
}

#[test]
fn a_device_authorization_without_a_field_is_named() {
    for (flow, fields) in [
        (FLOWS[0], &["device_code", "user_code", "verification_uri"][..]),
        (FLOWS[1], &["device_auth_id", "user_code"]),
        (FLOWS[2], &["user_code", "verification_uri", "state"]),
    ] {
        let rig = rig_of(flow, |_| {});
        let before = rig.tree();
        for field in fields {
            rig.server.inject_at(Endpoint::Device, Fault::MissingField((*field).into()));
            let stderr = by_code(&rig, flow.0).failure(1);
            let named = if *field == "device_auth_id" { "device_code" } else { field };
            assert!(stderr.contains(named), "{field}: {stderr}");
        }
        for (name, value, message) in [
            ("user_code", json!(" "), "user_code"),
            ("user_code", json!(7), "not a device authorization"),
            ("verification_uri", json!("file:///etc/passwd"), "not a web address"),
            ("state", json!("fake-other-state"), "state"),
        ] {
            let (is_codex, is_minimax) = (flow == FLOWS[1], flow == FLOWS[2]);
            if (name == "state" && !is_minimax) || (is_codex && name == "verification_uri") {
                continue;
            }
            rig.server.configure(|want| want.device.response = json!({name: value}));
            let stderr = by_code(&rig, flow.0).failure(1);
            assert!(stderr.contains(message), "{name}: {stderr}");
        }
        assert_eq!(rig.tree(), before, "{}", flow.0);
        assert!(rig.server.requests_at(Endpoint::Token).is_empty());
    }
}

#[test]
fn a_device_authorization_that_fails_says_why() {
    for flow in FLOWS {
        let rig = rig_of(flow, |_| {});
        let before = rig.tree();
        let text = |status, body: &str| Fault::Text {
            status,
            content_type: "application/json".into(),
            body: body.into(),
        };
        for (fault, code, message) in [
            (Fault::status(503), 4, "503"),
            (Fault::DropBefore, 4, "unavailable"),
            (Fault::Html, 1, "not a device authorization"),
            (text(400, r#"{"error":"invalid_scope"}"#), 1, "invalid_scope"),
            (text(403, "no"), 1, "403"),
        ] {
            rig.server.inject_at(Endpoint::Device, fault);
            let stderr = by_code(&rig, flow.0).failure(code);
            assert!(stderr.contains(message), "{}: {stderr}", flow.0);
        }
        assert_eq!(rig.tree(), before);
    }
    let rig = rig_of(FLOWS[1], |_| {});
    rig.server.inject_at(Endpoint::Device, Fault::status(404));
    let stderr = by_code(&rig, FLOWS[1].0).failure(1);
    assert!(stderr.contains("does not offer device codes"), "{stderr}");
}

#[test]
fn an_approval_without_a_token_or_a_code_changes_nothing() {
    std::thread::scope(|scope| {
        for (flow, endpoint, field, message) in [
            (FLOWS[0], Endpoint::Token, "access_token", "access_token"),
            (FLOWS[1], Endpoint::Token, "access_token", "access_token"),
            (FLOWS[1], Endpoint::Pairing, "authorization_code", "not an approval"),
            (FLOWS[1], Endpoint::Pairing, "code_verifier", "not an approval"),
            (FLOWS[2], Endpoint::Token, "access_token", "access_token"),
        ] {
            scope.spawn(move || {
                let rig = rig_of(flow, |want| {
                    want.token_members = json!({"status": "success"});
                });
                let before = rig.tree();
                rig.server.inject_at(endpoint, Fault::MissingField(field.into()));
                let stderr = by_code(&rig, flow.0).failure(1);
                assert!(stderr.contains(message), "{field}: {stderr}");
                assert_eq!(rig.tree(), before, "{field}");
            });
        }
    });
}

#[test]
fn a_server_that_was_away_for_a_poll_is_asked_again_until_the_code_has_expired() {
    // The code lives shorter than the pause after a failure would be.
    let rig = rig_of(FLOWS[0], |want| {
        want.device.lifetime = 3;
        want.device.interval = json!(2);
    });
    rig.server.inject(Fault::status(503));
    let stderr = by_code(&rig, FLOWS[0].0).failure(1);
    assert!(stderr.contains("expired_token"), "{stderr}");
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 1);

    let rig = rig_of(FLOWS[0], |_| {});
    rig.server.inject(Fault::DropBefore);
    by_code(&rig, FLOWS[0].0).success();
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 2);
}

#[test]
fn nothing_is_asked_after_the_code_has_expired_however_long_the_interval() {
    let rig = rig_of(FLOWS[0], |want| {
        want.device.lifetime = 1;
        want.device.interval = json!(2);
    });
    let stderr = by_code(&rig, FLOWS[0].0).failure(1);
    assert!(stderr.contains("expired_token"), "{stderr}");
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
}

#[test]
fn slow_down_lengthens_the_interval_by_five_seconds() {
    let rig = rig_of(FLOWS[0], |want| want.device.first_polls = vec!["slow_down"]);
    let login = ["models", "auth", "login", "--provider", FLOWS[0].0, "--method", "device"];
    let finished = rig.run_by_hand(&login, |clock| {
        assert!(clock.pass(Duration::from_secs(1)), "the interval");
        // RFC 8628 section 3.5: the one time that must not be undercut.
        assert!(clock.pass(Duration::from_secs(6)), "the interval is longer by five seconds");
    });
    finished.success();
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 2);
}

#[test]
fn over_ssh_the_code_comes_first_and_an_approval_ends_the_login() {
    let rig = rig_of(FLOWS[1], |want| want.device.user = DeviceUser::Waits);
    let mut command =
        rig.command(&["models", "auth", "login", "--provider", "openai-codex", "--json"]);
    command.env("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 22");
    let mut login = crate::support::rig::RunningLogin::start(command);
    login.wait_for("FAKE-0001");
    login.wait_for("response_type=code");
    assert!(rig.server.wait_for_requests(Endpoint::Pairing, 1, PATIENCE));
    rig.server.configure(|want| want.device.user = DeviceUser::Approves);
    let finished = login.finish();
    assert!(finished.stderr.contains("connected over SSH"), "{}", finished.stderr);
    let events = events(&finished.success());
    assert_eq!(names(&events), ["user_code", "url", "waiting", "done"]);
    assert_eq!(events[0]["userCode"], "FAKE-0001");
    assert!(events[0]["verificationUri"].as_str().unwrap().ends_with("/codex/device"));
    assert_eq!(events[1]["listening"], true);
    assert_eq!(events[3]["profileId"], PROFILE);
    assert_eq!(rig.server.token_requests("authorization_code"), 1);
    assert!(rig.document()["profiles"][PROFILE].is_object());
}

#[test]
fn a_redirect_or_a_paste_ends_the_login_while_the_device_polls() {
    for pasted in [false, true] {
        let rig = rig_of(FLOWS[1], |want| want.device.user = DeviceUser::Waits);
        let mut login = rig.start_sign_in(&["--provider", "openai-codex"]);
        while !login.url.contains("response_type=code") {
            login.url = login.wait_for("  http").trim().to_owned();
        }
        assert!(rig.server.wait_for_requests(Endpoint::Pairing, 1, PATIENCE));
        if pasted {
            let redirect = authorize(&login.url);
            login.paste(&redirect);
        } else {
            assert_eq!(login.visit().status, 200);
        }
        login.finish().success();
        assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 1);
        assert!(rig.server.requests_at(Endpoint::Userinfo).is_empty());
    }
}

#[test]
fn a_denial_on_the_device_ends_the_login_whatever_else_stands_open() {
    let rig = rig_of(FLOWS[1], |want| want.device.user = DeviceUser::Denies);
    let login = rig.start_sign_in(&["--provider", "openai-codex", "--json"]);
    let finished = login.finish();
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    let events = events(&finished.stdout);
    let last = events.last().unwrap();
    assert_eq!(last["event"], "error");
    assert_eq!(last["exitCode"], 1);
    assert!(last["message"].as_str().unwrap().contains("access_denied"), "{last}");
    assert!(last["hint"].is_string());
}

#[test]
fn a_server_without_device_codes_leaves_the_browser() {
    let rig = rig_of(FLOWS[1], |_| {});
    rig.server.inject_at(Endpoint::Device, Fault::status(404));
    let login = rig.start_sign_in(&["--provider", "openai-codex", "--json"]);
    assert!(login.seen().contains("could not get a device code: "), "{}", login.seen());
    assert!(!login.seen().contains("Or sign in"), "nothing was shown before");
    assert_eq!(login.visit().status, 200);
    let finished = login.finish();
    let events = events(&finished.stdout);
    assert_eq!(names(&events), ["url", "waiting", "done"]);
}

#[test]
fn each_way_can_be_forced() {
    let rig = rig_of(FLOWS[1], |_| {});
    let login = |method: &str| {
        rig.start_sign_in(&["--provider", "openai-codex", "--json", "--method", method])
    };
    let told = |finished: Finished| {
        let events = events(&finished.success());
        names(&events).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    // A busy port is of no interest to who pastes.
    let busy = std::net::TcpListener::bind(("127.0.0.1", rig.ports[0])).unwrap();
    let mut paste = login("paste");
    assert!(paste.url.contains(&format!("localhost%3A{}", rig.ports[0])), "{}", paste.url);
    let redirect = authorize(&paste.url);
    paste.paste(&redirect);
    let finished = paste.finish();
    assert!(!finished.stderr.contains("is taken"), "{}", finished.stderr);
    assert_eq!(told(finished), ["url", "waiting", "done"]);
    drop(busy);
    for method in ["browser", "oauth", "openai-codex"] {
        let browser = login(method);
        assert_eq!(browser.visit().status, 200);
        assert_eq!(told(browser.finish()), ["url", "waiting", "done"], "{method}");
    }
    assert!(rig.server.requests_at(Endpoint::Device).is_empty());
    for method in ["device", "device-code", "openai-codex-device-code"] {
        assert_eq!(told(login(method).finish()), ["user_code", "waiting", "done"], "{method}");
    }
    assert_eq!(rig.server.requests_at(Endpoint::Device).len(), 3);
    let requests = rig.server.requests().len();
    let nonsense = ["models", "auth", "login", "--provider", "openai-codex", "--method", "nope"];
    let stderr = rig.run(&nonsense).failure(2);
    assert!(stderr.contains("one of: browser, paste, device, oauth, device-code"), "{stderr}");
    assert_eq!(rig.server.requests().len(), requests);
}

#[test]
fn a_login_at_the_other_server_of_a_provider_forgets_the_first() {
    let rig = rig_of(FLOWS[2], |want| want.token_members = json!({"status": "success"}));
    let login = |method: &str| {
        let login = ["models", "auth", "login", "--provider", "minimax-portal", "--method", method];
        rig.run_here(&login).success();
        rig.expire("minimax-portal:default");
        rig.run(&["models", "auth", "token", "--provider", "minimax-portal"]).success();
        rig.server.requests().last().unwrap().path.clone()
    };
    assert_eq!(login("oauth-cn"), "/api.minimaxi.com/oauth/token");
    rig.server.configure(|want| want.device.response = json!({"user_code": "FAKE-0002"}));
    assert_eq!(login("oauth"), "/api.minimax.io/oauth/token");
    assert!(rig.document()["profiles"]["minimax-portal:default"]["loginMethod"].is_null());
}

#[test]
fn clocks_that_are_an_hour_apart_make_no_difference() {
    std::thread::scope(|scope| {
        for ahead in [-3600, 3600] {
            for flow in [FLOWS[1], FLOWS[2]] {
                for has_expires_in in [true, false] {
                    scope.spawn(move || {
                        let rig = rig_of(flow, |want| {
                            want.clock_ahead = ahead;
                            want.include_expires_in = has_expires_in;
                            want.include_expired_in = flow == FLOWS[2] && !has_expires_in;
                            want.token_members = json!({"status": "success"});
                        });
                        let before = openclaw_auth::system::now();
                        // A process: the clock of the machine is what is compared.
                        let login = ["models", "auth", "login", "--provider", flow.0];
                        rig.run(&[&login[..], &["--method", "device"]].concat()).success();
                        let profiles = &rig.document()["profiles"];
                        let (_, entry) = profiles.as_object().unwrap().iter().next().unwrap();
                        let lifetime = entry["expires"].as_i64().unwrap() - before;
                        // The server says an hour; the login itself takes seconds.
                        assert!(
                            (3_590_000..3_660_000).contains(&lifetime),
                            "{} {ahead} {has_expires_in}: {lifetime}",
                            flow.0
                        );
                    });
                }
            }
        }
    });
}

#[test]
fn a_user_code_lives_by_the_clock_of_the_server() {
    for ahead in [-3600, 3600] {
        let rig = rig_of(FLOWS[2], |want| {
            want.clock_ahead = ahead;
            want.device.lifetime = 600;
        });
        let start = ["models", "auth", "login", "start", "--provider", "minimax-portal", "--json"];
        let before = openclaw_auth::system::now();
        let started = rig.run(&start).json();
        let lifetime = started["expiresAt"].as_i64().unwrap() - before;
        assert!((590_000..660_000).contains(&lifetime), "{ahead}: {lifetime}");
    }
}

#[test]
fn an_interrupt_while_a_code_is_shown_changes_nothing() {
    let rig = rig_of(FLOWS[0], |want| want.device.user = DeviceUser::Waits);
    let before = rig.tree();
    let login = ["models", "auth", "login", "--provider", FLOWS[0].0];
    let login = crate::support::rig::RunningLogin::start(rig.command(&login));
    assert!(rig.server.wait_for_requests(Endpoint::Token, 1, PATIENCE));
    login.signal(rustix::process::Signal::INT);
    login.finish().failure(130);
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_refusal_that_comes_with_the_status_of_a_success_is_a_refusal() {
    let rig = rig_of(FLOWS[2], |want| want.token_members = json!({"status": "success"}));
    by_code(&rig, FLOWS[2].0).success();
    rig.expire("minimax-portal:default");
    let before = rig.document();
    rig.server.inject(Fault::Text {
        status: 200,
        content_type: "application/json".into(),
        body: r#"{"status":"error","base_resp":{"status_code":1004,"status_msg":"gone"}}"#.into(),
    });
    let token = ["models", "auth", "token", "--provider", "minimax-portal"];
    let stderr = rig.run(&token).failure(1);
    assert!(stderr.contains("refused: 1004: gone"), "{stderr}");
    assert_eq!(rig.document(), before);
    rig.run(&token).success();
}

#[test]
fn a_second_login_without_a_name_renews_the_first() {
    let rig = rig_of(FLOWS[0], |want| {
        want.opaque_access_tokens = true;
        want.include_id_token = false;
    });
    by_code(&rig, FLOWS[0].0).success();
    let first = rig.document()["profiles"].clone();
    let text = by_code(&rig, FLOWS[0].0).success();
    assert!(text.contains("github-copilot:github (renewed)"), "{text}");
    let second = rig.document()["profiles"].clone();
    assert_eq!(second.as_object().unwrap().len(), 1);
    assert_ne!(first, second);
}

#[test]
fn a_choice_of_onboard_signs_in_by_its_own_method() {
    let rig = rig_of(FLOWS[2], |want| want.token_members = json!({"status": "success"}));
    rig.run_here(&["onboard", "--non-interactive", "--auth-choice", "minimax-cn-oauth"]).success();
    let paths: Vec<_> = rig.server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/api.minimaxi.com/oauth/code", "/api.minimaxi.com/oauth/token"]);
    assert_eq!(rig.document()["profiles"]["minimax-portal:default"]["loginMethod"], "oauth-cn");
}
