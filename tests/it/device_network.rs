//! Signing in with a device code while the network, or the server, is in a bad way (issue 14,
//! kind 3): a login ends by a word of the server, by its time, or by the user.

use crate::support::authorization_server::{DeviceUser, Endpoint, Fault, Want};
use crate::support::rig::{Finished, Rig};
use serde_json::{Value, json};

/// The flows: a provider that has it, the client identifier it has there, and where it polls.
const FLOWS: [(&str, &str, Endpoint); 3] = [
    ("github-copilot", "Iv1.b507a08c87ecfe98", Endpoint::Token),
    ("openai-codex", "app_EMoamEEZ73f0CkXaXp7hrann", Endpoint::Pairing),
    ("minimax-portal", "78257093-7e40-4613-99e0-527b14b39113", Endpoint::Token),
];
const PAIRING: (&str, &str, Endpoint) = FLOWS[1];

fn rig_of((provider, client_id, _): (&str, &str, Endpoint), change: impl FnOnce(&mut Want)) -> Rig {
    let mut want = Want { client_id: client_id.into(), ..Want::default() };
    want.token_members = json!({"status": "success"});
    change(&mut want);
    let rig = Rig::with(want);
    rig.redirect(provider);
    rig
}

fn by_code(rig: &Rig, provider: &str) -> Finished {
    rig.run_here(&["models", "auth", "login", "--provider", provider, "--method", "device"])
}

fn text(status: u16, content_type: &str, body: &str) -> Fault {
    Fault::Text { status, content_type: content_type.into(), body: body.into() }
}

/// An answer of the pairing flow with this error code.
fn word(status: u16, code: &str) -> Fault {
    let body = json!({"error": {"message": "Please try again.", "code": code}});
    text(status, "application/json", &body.to_string())
}

#[test]
fn what_is_no_word_of_the_server_does_not_end_a_device_login() {
    const PORTAL: &str = "its own sign-in page";
    let page = "<html><title>Sign in to the network</title></html>";
    std::thread::scope(|scope| {
        for flow in FLOWS {
            for (fault, told) in [
                (text(200, "text/html", page), PORTAL),
                (text(200, "text/plain", "Please sign in"), PORTAL),
                (text(200, "application/json", "{}"), PORTAL),
                (text(204, "text/plain", ""), PORTAL),
                (Fault::Redirect("http://portal.example.test/".into()), PORTAL),
                (text(511, "text/html", page), PORTAL),
                (text(403, "text/html", page), "block page"),
                (text(401, "text/html", page), PORTAL),
                (Fault::status(502), "502"),
                (Fault::status(500), "500"),
                (Fault::DropBefore, "unavailable"),
                (Fault::Malformed, PORTAL),
            ] {
                scope.spawn(move || {
                    let rig = rig_of(flow, |_| {});
                    rig.server.inject_at(flow.2, fault.clone());
                    let finished = by_code(&rig, flow.0);
                    let stderr = &finished.stderr;
                    assert_eq!(finished.code, 0, "{} {fault:?}: {stderr}", flow.0);
                    let notes = stderr.matches("is asked again until the code expires").count();
                    assert!(notes == 1 && stderr.contains(told), "{} {fault:?}: {stderr}", flow.0);
                });
            }
        }
    });
}

#[test]
fn a_bad_network_is_told_once_and_the_code_ends_it() {
    let rig = rig_of(FLOWS[0], |want| want.device.lifetime = 8);
    rig.server.inject_persistent(Endpoint::Token, Fault::Html);
    let stderr = by_code(&rig, FLOWS[0].0).failure(1);
    assert!(rig.server.requests_at(Endpoint::Token).len() >= 2);
    assert_eq!(stderr.matches("is asked again until").count(), 1, "{stderr}");
    assert!(stderr.contains("expired_token: the code was not approved in time, and "), "{stderr}");
}

#[test]
fn what_openai_says_of_a_device_code_is_understood() {
    std::thread::scope(|scope| {
        for (status, code) in [
            (403, "deviceauth_authorization_pending"),
            (404, "deviceauth_authorization_pending"),
            (403, "deviceauth_authorization_unknown"),
            (404, "deviceauth_authorization_unknown"),
            (400, "authorization_pending"),
            (429, "slow_down"),
        ] {
            scope.spawn(move || {
                let rig = rig_of(PAIRING, |_| {});
                rig.server.inject_at(Endpoint::Pairing, word(status, code));
                let finished = by_code(&rig, PAIRING.0);
                assert!(!finished.stderr.contains("asked again"), "{}", finished.stderr);
                finished.success();
            });
        }
        for (status, code) in [
            (403, "deviceauth_expired"),
            (404, "deviceauth_authorization_expired"),
            (403, "expired_token"),
            (400, "deviceauth_expired"),
            (403, "access_denied"),
            (404, "deviceauth_authorization_denied"),
            (403, "some_code_of_tomorrow"),
        ] {
            scope.spawn(move || {
                let rig = rig_of(PAIRING, |want| want.device.user = DeviceUser::Waits);
                let before = rig.tree();
                rig.server.inject_at(Endpoint::Pairing, word(status, code));
                let stderr = by_code(&rig, PAIRING.0).failure(1);
                assert!(stderr.contains(code) && !stderr.contains("--timeout"), "{stderr}");
                assert_eq!(rig.server.requests_at(Endpoint::Pairing).len(), 1);
                assert_eq!(rig.tree(), before);
            });
        }
    });
}

#[test]
fn when_a_code_expires_is_told_as_the_server_says_it() {
    let now = openclaw_auth::system::now();
    let text = |millis| jiff::Timestamp::from_millisecond(millis).unwrap().to_string();
    for expires_at in [json!(text(now + 600_000)), json!(now / 1_000 + 600), json!(now + 600_000)] {
        let rig = rig_of(PAIRING, |want| want.device.response = json!({"expires_at": expires_at}));
        let start = ["models", "auth", "login", "start", "--provider", PAIRING.0, "--json"];
        let start = [&start[..], &["--method", "device"]].concat();
        let started: Value = rig.run(&start).json();
        let lifetime = started["expiresAt"].as_i64().unwrap() - now;
        assert!((540_000..660_000).contains(&lifetime), "{expires_at}: {lifetime}");
    }
}
