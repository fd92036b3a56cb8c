//! `models auth login start` and `finish`.

use crate::support::authorization_server::{Account, DeviceUser, Endpoint, Fault, Want};
use crate::support::rig::{PROFILE, Rig};
use crate::support::user_agent::authorize;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for a loaded machine; a test never waits for it to pass.
const PATIENCE: Duration = Duration::from_mins(1);

const START: [&str; 6] = ["models", "auth", "login", "start", "--provider", "openai-codex"];
const FINISH: [&str; 4] = ["models", "auth", "login", "finish"];

fn start(rig: &Rig, more: &[&str]) -> Value {
    rig.run(&[&START[..], more, &["--json"]].concat()).json()
}

fn finish(rig: &Rig, more: &[&str], input: &str) -> crate::support::rig::Finished {
    rig.run_with_input(&[&FINISH[..], more].concat(), input)
}

fn redirect_of(started: &Value) -> String {
    authorize(started["url"].as_str().unwrap())
}

/// The files of logins that wait.
fn pending(rig: &Rig) -> Vec<PathBuf> {
    let files = rig.tree().into_iter().map(|(path, _)| path);
    files.filter(|path| path.parent() == Some(&rig.path("pending-logins"))).collect()
}

#[test]
fn a_login_is_finished_by_another_process_with_one_request() {
    let rig = Rig::new();
    let started = start(&rig, &[]);
    assert_eq!(started["provider"], "openai-codex");
    assert!(started["expiresAt"].is_i64() && started["loginId"].is_string());
    assert!(rig.server.requests().is_empty(), "to start costs no request");
    let [file] = pending(&rig).try_into().expect("one file");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let redirect = redirect_of(&started);
    let done = finish(&rig, &["--redirect-url", "-", "--json"], &format!("{redirect}\n")).json();
    assert_eq!(done["event"], "done");
    assert_eq!(done["profileId"], PROFILE);
    assert!(rig.document()["profiles"][PROFILE]["access"].is_string());
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 1);
    assert_eq!(pending(&rig), [] as [PathBuf; 0], "nothing stays behind");
    // The code is spent: it is not posted again.
    let stderr = finish(&rig, &["--redirect-url", "-"], &redirect).failure(1);
    assert!(stderr.contains("no login waits") && stderr.contains("login start"), "{stderr}");
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 1);
}

#[test]
fn two_who_finish_at_once_make_one_request() {
    let rig = Rig::new();
    let redirect = redirect_of(&start(&rig, &[]));
    let hold = rig.server.hold_token_responses();
    let args = [&FINISH[..], &["--redirect-url", &redirect]].concat();
    let first = rig.start(&args);
    assert!(hold.wait_until_held(1, Duration::from_mins(1)));
    let stderr = rig.run(&args).failure(1);
    assert!(stderr.contains("another process"), "{stderr}");
    hold.release();
    first.finish().success();
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), 1);
}

#[test]
fn a_response_that_is_none_of_ours_leaves_the_login_as_it_is() {
    let rig = Rig::new();
    let started = start(&rig, &[]);
    let redirect = redirect_of(&started);
    let before = rig.tree();
    let state = |url: &str| url.split("state=").nth(1).unwrap().to_owned();
    let wrong_state = redirect.replace(&state(&redirect), "fake-other-state");
    for (input, message) in [
        (wrong_state.as_str(), "state"),
        ("http://localhost:1455/auth/callback", "not accepted"),
        ("two words", "not accepted"),
        ("", "nothing was pasted"),
        ("yes", "cannot be a code"),
        ("\u{1b}]0;x", "not accepted"),
    ] {
        let stderr = finish(&rig, &["--redirect-url", "-"], &format!("{input}\n")).failure(2);
        assert!(stderr.contains(message) && !stderr.contains('\u{1b}'), "{input:?}: {stderr}");
        assert_eq!(rig.tree(), before, "{input:?}");
    }
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
    // What looks like a code is refused by the server.
    let stderr = finish(&rig, &["--redirect-url", "-"], "fake-code-99\n").failure(1);
    assert!(stderr.contains("invalid_grant"), "{stderr}");
    rig.server.inject(Fault::status(503));
    finish(&rig, &["--redirect-url", "-"], &redirect).failure(4);
    finish(&rig, &["--redirect-url", "-"], &redirect).success();
}

/// Everyday input, reports 7, 15 to 17 (claude-code#34555, openclaw#148169, CLIProxyAPI#988).
#[test]
fn a_redirect_is_taken_however_its_address_was_bent_on_the_way() {
    let rig = Rig::new();
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let forms: [fn(&str, &str) -> Vec<u8>; 9] = [
        |address, _| format!("\n<{address}>.\n").into_bytes(),
        |address, _| format!("“{address}”").into_bytes(),
        |address, _| address.replace('&', "&amp;").into_bytes(),
        |address, _| address.replace('&', "\\u0026").replace('/', "\\/").into_bytes(),
        |_, encoded| format!("https://www.example.test/url?q={encoded}&sa=D").into_bytes(),
        |address, _| {
            let lines: Vec<_> = address.as_bytes().chunks(50).collect();
            lines.join(&b"\r\n> "[..])
        },
        |address, _| format!("\"GET {address} HTTP/1.1\" 404").into_bytes(),
        |address, _| {
            format!("\u{feff}{address}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect()
        },
        |address, _| format!("[here]({address}), he said").into_bytes(),
    ];
    for (number, form) in forms.iter().enumerate() {
        let redirect = redirect_of(&start(&rig, &[]));
        // Two wait: the state tells which one is meant.
        let other = start(&rig, &[]);
        let encoded: String = encoded(&redirect);
        let args = [&FINISH[..], &["--redirect-url", "-", "--json"]].concat();
        let done = rig.run_with_bytes(&args, &form(&redirect, &encoded)).json();
        assert_eq!(done["event"], "done", "{number}");
        let id = other["loginId"].as_str().unwrap();
        rig.run(&["models", "auth", "login", "cancel", "--login", id]).success();
    }
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), forms.len());
    let id = start(&rig, &[])["loginId"].clone();
    for (text, message) in [
        (
            "http://localhost:1455/success?id_token=fake&needs_setup=false",
            "another program's login",
        ),
        ("WDJB-MJHT", "Enter that code in the browser"),
        ("openid+profile+email", "cannot be a code"),
        ("http://localhost:1455/auth/callback?code=fake-code-1&sta", "paste the whole address"),
    ] {
        let args = ["--login", id.as_str().unwrap(), "--redirect-url", "-"];
        let stderr = finish(&rig, &args, text).failure(2);
        assert!(stderr.contains(message), "{text}: {stderr}");
    }
    assert_eq!(rig.server.requests_at(Endpoint::Token).len(), forms.len());
}

#[test]
fn denied_consent_is_an_error_and_the_login_can_be_tried_again() {
    let rig = Rig::new();
    let started = start(&rig, &[]);
    rig.server.configure(|want| want.deny = true);
    let redirect = redirect_of(&started);
    let finished = finish(&rig, &["--redirect-url", "-", "--json"], &redirect);
    assert_eq!(finished.code, 1);
    let event: Value = serde_json::from_str(&finished.stdout).expect("one event");
    assert_eq!(event["event"], "error");
    assert!(event["message"].as_str().unwrap().contains("access_denied"), "{event}");
    rig.server.configure(|want| want.deny = false);
    finish(&rig, &["--redirect-url", "-"], &redirect_of(&started)).success();
}

#[test]
fn a_code_is_not_sent_to_a_server_that_took_the_place_of_the_one_that_made_it() {
    let rig = Rig::new();
    let redirect = redirect_of(&start(&rig, &[]));
    let mut file: Value = serde_json::from_str(&rig.read("providers/openai-codex.json")).unwrap();
    file["authorizationEndpoint"] = "https://as.example.test/authorize".into();
    rig.provider("openai-codex", &file);
    let stderr = finish(&rig, &["--redirect-url", "-"], &redirect).failure(1);
    assert!(stderr.contains("begun at another server"), "{stderr}");
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
}

#[test]
fn a_code_that_has_expired_leaves_the_redirect_to_finish_with() {
    let rig = Rig::with(Want::default());
    rig.redirect("openai-codex");
    rig.server.configure(|want| want.device.user = DeviceUser::IsTooLate);
    let started = start(&rig, &[]);
    assert!(started["userCode"].is_string() && started["url"].is_string(), "{started}");
    let stderr = finish(&rig, &[], "").failure(1);
    assert!(stderr.contains("expired_token"), "{stderr}");
    let redirect = redirect_of(&started);
    finish(&rig, &["--redirect-url", "-"], &redirect).success();
}

#[test]
fn several_logins_are_told_apart_by_state_and_by_name() {
    let rig = Rig::new();
    let (first, second) = (start(&rig, &[]), start(&rig, &[]));
    let stderr = finish(&rig, &[], "").failure(2);
    let id = |started: &Value| started["loginId"].as_str().expect("an id").to_owned();
    assert!(stderr.contains(&id(&first)) && stderr.contains("--login"), "{stderr}");
    let (redirect, bare) = (redirect_of(&second), redirect_of(&first));
    finish(&rig, &["--redirect-url", "-"], &redirect).success();
    let code = bare.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let stderr = finish(&rig, &["--login", "nope", "--redirect-url", "-"], &code).failure(1);
    assert!(stderr.contains("nope") && stderr.contains(&id(&first)), "{stderr}");
    finish(&rig, &["--login", &id(&first), "--redirect-url", "-"], &code).success();
    assert_eq!(pending(&rig), [] as [PathBuf; 0]);
}

#[test]
fn a_login_that_has_expired_is_removed_and_not_finished() {
    let rig = Rig::new();
    let started = start(&rig, &[]);
    let redirect = redirect_of(&started);
    let [file] = pending(&rig).try_into().expect("one file");
    let mut stored: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    stored["expires"] = 1.into();
    std::fs::write(&file, stored.to_string()).unwrap();
    let login = started["loginId"].as_str().unwrap();
    let stderr = finish(&rig, &["--login", login, "--redirect-url", "-"], &redirect).failure(1);
    assert!(stderr.contains("waits to be finished"), "{stderr}");
    assert!(!file.exists() && rig.server.requests_at(Endpoint::Token).is_empty());
}

#[test]
fn a_file_that_others_can_read_or_that_is_garbage_is_refused() {
    let rig = Rig::new();
    let started = start(&rig, &[]);
    let redirect = redirect_of(&started);
    let [file] = pending(&rig).try_into().expect("one file");
    let text = std::fs::read(&file).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let stderr = finish(&rig, &["--redirect-url", "-"], &redirect).failure(6);
    assert!(stderr.contains("chmod"), "{stderr}");
    let doctor = rig.run(&["doctor"]);
    assert!(doctor.stdout.contains("pending-logins"), "{doctor:?}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    for garbage in ["", "{", "[]", "{\"version\":1}", "{\"version\":99}"] {
        std::fs::write(&file, garbage).unwrap();
        let stderr = finish(&rig, &["--redirect-url", "-"], &redirect).failure(6);
        assert!(stderr.contains("pending-logins"), "{garbage}: {stderr}");
        assert!(stderr.contains("hint: "), "{garbage}: {stderr}");
    }
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
    std::fs::write(&file, text).unwrap();
    finish(&rig, &["--redirect-url", "-"], &redirect).success();
}

#[test]
fn an_approval_finishes_a_login_whose_code_was_shown_earlier() {
    let rig = Rig::with(Want::default());
    rig.redirect("openai-codex");
    rig.server.configure(|want| want.device.user = DeviceUser::Waits);
    let started = start(&rig, &[]);
    assert_eq!(started["userCode"], "FAKE-0001");
    assert!(started["url"].is_string() && started["verificationUri"].is_string());
    let stderr = finish(&rig, &["--timeout", "1500ms"], "").failure(1);
    assert!(stderr.contains("FAKE-0001") && stderr.contains("approve it at"), "{stderr}");
    assert_eq!(pending(&rig).len(), 1, "it can still be finished");
    rig.server.configure(|want| want.device.user = DeviceUser::Approves);
    let done = finish(&rig, &["--json", "--set-default"], "").json();
    assert_eq!(done["profileId"], PROFILE);
    let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    assert_eq!(config["agents"]["defaults"]["model"]["primary"], "openai-codex/gpt-5.5");
    assert_eq!(pending(&rig), [] as [PathBuf; 0]);

    rig.server.configure(|want| want.device.user = DeviceUser::Denies);
    start(&rig, &["--method", "device"]);
    let stderr = finish(&rig, &[], "").failure(1);
    assert!(stderr.contains("access_denied"), "{stderr}");
    assert_eq!(pending(&rig), [] as [PathBuf; 0], "what is denied cannot be finished any more");
}

/// A login that waits for a user who does not approve yet; the interval is in seconds.
fn with_code(interval: u32) -> Rig {
    let mut want = Want { client_id: "Iv1.b507a08c87ecfe98".into(), ..Want::default() };
    want.device.user = DeviceUser::Waits;
    want.device.interval = json!(interval);
    let rig = Rig::with(want);
    rig.redirect("github-copilot");
    rig.run(&["models", "auth", "login", "start", "--provider", "github-copilot"]).success();
    rig
}

/// Changes what the one login that waits knows of its code.
fn edit_device(rig: &Rig, change: impl FnOnce(&mut Value)) {
    let files = pending(rig);
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let mut login: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    change(&mut login["device"]);
    std::fs::write(file, login.to_string()).unwrap();
}

#[test]
fn a_code_is_asked_about_at_once_when_an_interval_has_passed_since_the_last_time() {
    // Longer than any test.
    let rig = with_code(300);
    let polls = || rig.server.requests_at(Endpoint::Token).len();
    let was_asked_before = |device: &mut Value| {
        device["asked"] = json!(device["asked"].as_i64().unwrap_or_default() - 300_000);
    };
    finish(&rig, &["--timeout", "1ms"], "").failure(1);
    assert_eq!(polls(), 0, "the server has just been asked for the code");
    edit_device(&rig, was_asked_before);
    let running = rig.start(&FINISH);
    assert!(rig.server.wait_for_requests(Endpoint::Token, 1, PATIENCE));
    running.signal(Signal::TERM);
    running.finish().failure(130);
    finish(&rig, &["--timeout", "1ms"], "").failure(1);
    assert_eq!(polls(), 1, "the process before has just asked");
    edit_device(&rig, was_asked_before);
    rig.server.configure(|want| want.device.user = DeviceUser::Approves);
    finish(&rig, &[], "").success();
    assert_eq!(polls(), 2);
}

#[test]
fn a_server_that_wants_to_be_asked_less_often_is_so_by_the_next_process_too() {
    let rig = with_code(1);
    rig.server.configure(|want| want.device.first_polls = vec!["slow_down"]);
    let asked = tokio::sync::watch::Sender::new(0);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| rig.here(&FINISH).stop(&asked).on(&rig.clock).run());
        rig.quickly(|| assert!(rig.server.wait_for_requests(Endpoint::Token, 2, PATIENCE)));
        asked.send_modify(|times| *times += 1);
        running.join().unwrap().failure(130);
    });
    edit_device(&rig, |device| assert_eq!(device["intervalMs"], 6_000));
}

#[test]
fn what_was_asked_for_at_the_start_counts_at_the_end() {
    let rig = Rig::new();
    rig.run(&["agents", "add", "work"]).success();
    let work = ["--profile-id", "openai-codex:work"];
    let started = rig
        .run(&[&["models", "--agent", "work"][..], &START[1..], &work, &["--json"]].concat())
        .json();
    let done = finish(&rig, &["--redirect-url", "-", "--json"], &redirect_of(&started)).json();
    assert_eq!(done["agentId"], "work");
    assert_eq!(done["profileId"], "openai-codex:work");
    assert!(rig.document_of("work")["profiles"]["openai-codex:work"].is_object());
    // Another account does not take its place.
    rig.server.configure(|want| want.account = Account::of_email("bob@example.test"));
    let started = rig
        .run(&[&["models", "--agent", "work"][..], &START[1..], &work, &["--json"]].concat())
        .json();
    let before = rig.document_of("work")["profiles"]["openai-codex:work"].clone();
    let finished = finish(&rig, &["--redirect-url", "-", "--json"], &redirect_of(&started));
    assert!(finished.stderr.contains("belongs to another account"), "{}", finished.stderr);
    assert_ne!(finished.json()["profileId"], "openai-codex:work");
    assert_eq!(rig.document_of("work")["profiles"]["openai-codex:work"], before);
}

#[test]
fn what_start_prints_for_people_can_be_followed() {
    let rig = Rig::new();
    let text = rig.run(&START).success();
    let command = text.lines().find(|line| line.contains("login finish")).expect("a command");
    let args: Vec<&str> = command.split_whitespace().skip(1).collect();
    let url = text.lines().find(|line| line.contains("response_type")).expect("a URL").trim();
    rig.run_with_input(&args, &authorize(url)).success();
    assert!(rig.document()["profiles"][PROFILE].is_object());
}

#[test]
fn a_login_is_finished_in_the_way_that_it_was_begun() {
    let rig = Rig::new();
    let device = ["models", "auth", "login", "start", "--provider", "openai-codex"];
    start(&rig, &[]);
    let stderr = finish(&rig, &[], "").failure(2);
    assert!(stderr.contains("waits for its redirect") && stderr.contains("--redirect-url"));
    std::fs::remove_dir_all(rig.path("pending-logins")).unwrap();
    rig.redirect("openai-codex");
    rig.run(&[&device[..], &["--method", "device"]].concat()).success();
    let stderr = finish(&rig, &["--redirect-url", "-"], "fake-code\n").failure(2);
    assert!(stderr.contains("waits for an approval"), "{stderr}");
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
}

#[test]
fn a_page_is_handed_over_beside_what_start_prints() {
    let rig = Rig::new();
    let started = rig.run(&[&START[..], &["--json", "--qr", "--copy"]].concat());
    assert!(started.stderr.contains('█') && started.stderr.contains("nothing was copied"));
    assert!(started.json()["url"].is_string(), "standard output holds the JSON alone");
    let plain = rig.run(&START);
    assert!(!plain.stderr.contains('█'), "{}", plain.stderr);
}

#[test]
fn a_login_is_finished_for_the_agent_that_it_was_started_for() {
    let rig = Rig::new();
    rig.run(&["agents", "add", "work"]).success();
    let started = start(&rig, &["--agent", "work"]);
    let redirect = redirect_of(&started);
    let stderr = finish(&rig, &["--redirect-url", &redirect, "--agent", "main"], "").failure(2);
    assert!(stderr.contains("was started for agent work"), "{stderr}");
    assert!(rig.server.requests_at(Endpoint::Token).is_empty());
    finish(&rig, &["--redirect-url", &redirect], "").success();
    assert!(rig.document_of("work")["profiles"][PROFILE].is_object());
}

#[test]
fn what_waits_is_listed_and_can_be_given_up() {
    let rig = Rig::new();
    let list = ["models", "auth", "login", "list"];
    assert!(rig.run(&list).stderr.contains("No login waits"));
    let started = start(&rig, &[]);
    let id = started["loginId"].as_str().unwrap();
    let listed = rig.run(&[&list[..], &["--json"]].concat()).json();
    let row = &listed["logins"][0];
    assert_eq!(
        (&row["loginId"], &row["provider"], &row["agentId"], &row["expiresAt"]),
        (&started["loginId"], &"openai-codex".into(), &"main".into(), &started["expiresAt"])
    );
    let text = rig.run(&list).success();
    assert!(text.starts_with(id) && text.contains("openai-codex"), "{text}");
    let cancel = ["models", "auth", "login", "cancel", "--login", id];
    rig.run(&cancel).success();
    assert_eq!(pending(&rig), [] as [PathBuf; 0]);
    assert!(rig.run(&cancel).failure(1).contains("login list"));
}
