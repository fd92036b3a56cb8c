//! Logins that fail: a clear error, the right exit code, and nothing changed.

use crate::support::authorization_server::Fault;
use crate::support::rig::{PROFILE, Rig, store};
use crate::support::user_agent::{authorize, follow};
use serde_json::json;
use std::time::Duration;

#[test]
fn denied_consent_fails_and_writes_nothing() {
    let rig = Rig::new();
    let before = rig.tree();
    rig.server.configure(|want| {
        want.deny = true;
        want.deny_description = "no\u{1b}[31m thanks".into();
    });
    let login = rig.start_login(&[]);
    let visit = login.visit();
    assert!(visit.body.contains("Sign-in did not complete"), "{}", visit.body);
    assert!(!visit.body.contains("thanks"), "the page reflects nothing");
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("access_denied: no[31m thanks"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_pasted_refusal_fails_too() {
    let rig = Rig::new();
    rig.server.configure(|want| want.deny = true);
    let mut login = rig.start_login(&[]);
    let redirect = authorize(&login.url);
    login.paste(&redirect);
    assert!(login.finish().failure(1).contains("access_denied"));
}

#[test]
fn nobody_signing_in_ends_the_login() {
    let rig = Rig::new();
    let before = rig.tree();
    let stderr = rig.start_login(&["--timeout", "50ms"]).finish().failure(1);
    assert!(stderr.contains("nobody signed in"), "{stderr}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn an_interrupt_exits_130_and_writes_nothing() {
    let rig = Rig::new();
    let before = rig.tree();
    let mut login = rig.start_login_process(&[]);
    login.wait_for("paste its address");
    login.signal(rustix::process::Signal::INT);
    login.finish().failure(130);
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_second_interrupt_during_the_token_request_writes_nothing() {
    let rig = Rig::new();
    let before = rig.tree();
    let hold = rig.server.hold_token_responses();
    let mut login = rig.start_login_process(&[]);
    let redirect = authorize(&login.url);
    let visitor = std::thread::spawn(move || follow(&redirect));
    assert!(hold.wait_until_held(1, Duration::from_mins(1)));
    login.signal(rustix::process::Signal::INT);
    login.wait_for("finishing the login; again to leave");
    login.signal(rustix::process::Signal::INT);
    login.finish().failure(130);
    hold.release();
    assert!(visitor.join().unwrap().body.contains("did not complete"));
    assert_eq!(rig.tree(), before);
}

#[test]
fn who_is_interrupted_during_the_token_request_stores_what_comes() {
    use rustix::process::Signal;
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let rig = Rig::new();
        let hold = rig.server.hold_token_responses();
        let mut login = rig.start_login_process(&[]);
        let redirect = authorize(&login.url);
        let visitor = std::thread::spawn(move || follow(&redirect));
        assert!(hold.wait_until_held(1, Duration::from_mins(1)));
        login.signal(signal);
        login.wait_for("finishing the login; again to leave");
        hold.release();
        login.finish().success();
        assert!(!visitor.join().unwrap().body.contains("did not complete"));
        let stored = rig.document()["profiles"][PROFILE]["refresh"].clone();
        assert!(rig.server.is_alive(stored.as_str().unwrap()), "{signal:?}: it is stored");
    }
}

#[test]
fn an_interrupt_while_the_store_is_locked_does_not_wait_for_it() {
    let rig = Rig::signed_in();
    let now = openclaw_auth::system::now();
    let payload = json!({
        "pid": std::process::id(),
        "createdAt": openclaw_auth::system::lock::iso(now),
    });
    let lock = format!("{}.lock", store("main"));
    rig.write(&lock, &payload.to_string());
    let before = rig.tree();
    let spent = rig.server.token_requests("authorization_code");
    let mut login = rig.start_login_process(&[]);
    let redirect = authorize(&login.url);
    login.paste(&redirect);
    login.signal(rustix::process::Signal::INT);
    login.finish().failure(130);
    assert_eq!(rig.tree(), before);
    assert_eq!(rig.server.token_requests("authorization_code"), spent, "no code was spent");
}

#[test]
fn a_failed_token_request_writes_nothing_and_the_page_says_so() {
    let text = |status, content_type: &str, body: &str| Fault::Text {
        status,
        content_type: content_type.into(),
        body: body.into(),
    };
    for (fault, code, message) in [
        (Fault::status(500), 4, "500"),
        (Fault::status(429), 4, "429"),
        (Fault::DropBefore, 4, "unavailable"),
        (Fault::Malformed, 1, "it breaks off"),
        (Fault::Html, 1, "cannot be read"),
        (text(200, "application/json", "\"eyJ-fake-secret\""), 1, "no access_token"),
        (Fault::Huge(8 << 20), 1, "larger than"),
        (Fault::MissingField("access_token".into()), 1, "access_token"),
        (Fault::Redirect("http://127.0.0.1:9/".into()), 1, "cannot be read"),
        (
            text(
                400,
                "application/json",
                r#"{"error":"invalid_grant","error_description":"a\u001b[2Jb"}"#,
            ),
            1,
            "invalid_grant: a[2Jb",
        ),
        (
            text(200, "application/json", r#"{"access_token":" ","expires_in":60}"#),
            1,
            "access_token is empty",
        ),
    ] {
        let rig = Rig::new();
        let before = rig.tree();
        rig.server.inject(fault.clone());
        let login = rig.start_login(&[]);
        let visit = login.visit();
        assert!(visit.body.contains("did not complete"), "{fault:?}");
        let stderr = login.finish().failure(code);
        assert!(stderr.contains(message), "{fault:?}: {stderr}");
        assert!(stderr.contains("hint: "), "{fault:?}: {stderr}");
        assert!(!stderr.contains("fake-secret"), "{stderr}");
        assert_eq!(rig.tree(), before, "{fault:?}");
    }
}

#[test]
fn an_unusable_store_or_configuration_is_found_before_the_user_signs_in() {
    for (name, text) in [
        (store("main"), "{"),
        (store("main"), "[]"),
        (store("main"), "{\"profiles\": []}"),
        ("openclaw.json".to_owned(), "{ auth: "),
        ("openclaw.json".to_owned(), "[1]"),
        ("providers/openai-codex.json".to_owned(), "{"),
        (
            "providers/openai-codex.json".to_owned(),
            r#"{"tokenEndpoint":"http://as.example.test/token"}"#,
        ),
    ] {
        let rig = Rig::new();
        rig.write(&name, text);
        let before = rig.tree();
        let stderr = rig.run(&["models", "auth", "login", "--provider", "openai-codex"]).failure(6);
        assert!(stderr.contains(&name) && stderr.contains("hint: "), "{name}: {stderr}");
        assert!(!stderr.contains("Sign in to"), "{stderr}");
        assert_eq!(rig.tree(), before);
    }
}

#[test]
fn a_state_directory_of_a_newer_openclaw_is_not_written() {
    for database in ["state/openclaw.sqlite", "agents/main/agent/openclaw-agent.sqlite"] {
        let rig = Rig::new();
        rig.write(database, "");
        let before = rig.tree();
        let stderr = rig.run(&["models", "auth", "login", "--provider", "openai-codex"]).failure(6);
        assert!(stderr.contains(database) && stderr.contains("2026.6"), "{stderr}");
        assert_eq!(rig.tree(), before);
    }
}

#[test]
fn the_configuration_of_a_newer_openclaw_is_not_written() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite", "");
    rig.write("openclaw.json", r#"{"agents": {"list": [{"id": "main"}, {"id": "work"}]}}"#);
    let before = rig.tree();
    for args in [
        &["agents", "add", "play"][..],
        &["agents", "bind", "--agent", "work", "--bind", "telegram"],
        &["agents", "unbind", "--agent", "work", "--all"],
        &["agents", "set-identity", "--agent", "work", "--name", "Work"],
        &["agents", "delete", "work", "--force"],
    ] {
        let stderr = rig.run(args).failure(6);
        assert!(stderr.contains("openclaw.sqlite") && stderr.contains("2026.6"), "{stderr}");
        assert_eq!(rig.tree(), before, "{args:?}");
    }
}

#[test]
fn reports_on_a_state_directory_of_a_newer_openclaw_say_so() {
    let rig = Rig::new();
    rig.write("state/openclaw.sqlite", "");
    for args in [
        &["models", "status"][..],
        &["models", "auth", "list"],
        &["channels", "list"],
        &["models", "auth", "session", "show", "--session", "main"],
        &["models", "auth", "order", "get", "--provider", "anthropic"],
    ] {
        let stderr = rig.run(args).failure(6);
        assert!(stderr.contains("openclaw.sqlite") && stderr.contains("2026.6"), "{stderr}");
    }
}

#[test]
fn variables_of_the_state_directory_and_the_configuration_count() {
    let rig = Rig::new();
    rig.write(".env", "OPENAI_API_KEY=fake-key-of-the-file\nNAME=work\n");
    rig.write(
        "openclaw.json",
        r#"{"env": {"vars": {"DIR": "/fake-dir"}},
            "agents": {"defaults": {"memorySearch": {"key": "${UNSET}"}, "model": "openai/gpt-5"},
                       "list": [{"id": "${NAME}", "agentDir": "${DIR}/agent"}]}}"#,
    );
    let listed = rig.run(&["agents", "list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["agentDir"]),
        (&json!("work"), &json!("/fake-dir/agent"))
    );
    let status = rig.run(&["models", "status", "--json"]).json();
    let providers = status["auth"]["providers"].as_array().unwrap();
    let openai = providers.iter().find(|row| row["provider"] == "openai").expect("its key");
    assert_eq!(openai["effective"]["kind"], "env");
}

#[test]
fn a_configuration_without_an_object_is_an_error() {
    for text in ["", "null", "[]", "// nothing"] {
        let rig = Rig::new();
        rig.write("openclaw.json", text);
        let stderr = rig.run(&["models", "auth", "login", "--provider", "openai-codex"]).failure(6);
        assert!(stderr.contains("openclaw.json"), "{stderr}");
        assert_eq!(rig.read("openclaw.json"), text);
    }
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let rig = Rig::new();
    let before = rig.tree();
    for args in [
        &["models", "auth", "login"][..],
        &["models", "auth", "login", "--provider", "nope"],
        &["models", "auth", "login", "--provider", "openai-codex", "--agent", "nope"],
        &["models", "auth", "login", "--provider", "openai-codex", "--timeout", "soon"],
        &["models", "auth", "paste-token", "--provider", "anthropic", "--expires-in", "0s"],
        &["models", "auth", "login", "--provider", "openai-codex", "--profile-id", ""],
        &["models", "auth", "login", "--provider", "openai-codex", "--profile-id", "a\nb"],
        &["models", "auth", "frobnicate"],
        &["--frobnicate"],
    ] {
        let stderr = rig.run(args).failure(2);
        assert!(stderr.contains("error: "), "{args:?}: {stderr}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn secrets_stay_out_of_the_messages() {
    let rig = Rig::new();
    let login = rig.start_login(&["--json"]);
    login.visit();
    let finished = login.finish();
    let profile = rig.document()["profiles"].as_object().unwrap().values().next().unwrap().clone();
    let texts = [finished.stdout, finished.stderr];
    for field in ["access", "refresh", "idToken"] {
        let secret = profile[field].as_str().unwrap();
        assert!(texts.iter().all(|text| !text.contains(secret)), "{field} was printed");
    }
    assert_eq!(json!(finished.code), 0);
}

#[test]
fn a_way_that_is_no_sign_in_leads_to_the_command_that_goes_it() {
    let rig = Rig::new();
    for (args, hint) in [
        (&["anthropic", "--method", "cli"][..], "hint: openclaw-auth models auth import claude\n"),
        (&["anthropic", "--method", "setup-token"], "setup-token --provider anthropic\n"),
        (&["anthropic"], "import claude, or openclaw-auth models auth setup-token"),
        (&["ollama", "--method", "local"], "where it wants a key"),
        (&["copilot-proxy", "--method", "local"], "set up in openclaw.json"),
        (&["deepseek"], "paste-api-key --provider deepseek"),
        (&["nope"], "providers with a sign-in: "),
    ] {
        let stderr =
            rig.run(&[&["models", "auth", "login", "--provider"], args].concat()).failure(2);
        assert!(stderr.contains(hint), "{args:?}: {stderr}");
    }
}
