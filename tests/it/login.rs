//! Signing in, by redirect and by paste.

use crate::support::authorization_server::{Account, Want};
use crate::support::rig::{PROFILE, Rig, store};
use crate::support::user_agent::{authorize, follow};
use serde_json::json;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_browser_redirect_signs_in_and_stores_the_login() {
    let rig = Rig::new();
    let login = rig.start_login(&["--json"]);
    assert!(login.seen().contains("openai-codex.json overrides"), "{}", login.seen());
    let visit = login.visit();
    assert_eq!(visit.status, 200);
    assert!(visit.body.contains("You are signed in"), "{}", visit.body);
    let report = login.finish().json();
    assert_eq!(report["event"], "done");
    assert_eq!(report["profileId"], PROFILE);
    assert_eq!(report["email"], "ada@example.test");
    assert_eq!(report["renewed"], false);

    let profile = &rig.document()["profiles"][PROFILE];
    assert_eq!(profile["type"], "oauth");
    assert_eq!(profile["provider"], "openai-codex");
    assert_eq!(profile["email"], "ada@example.test");
    assert_eq!(profile["accountId"], "fake-account-ada");
    assert_eq!(profile["expires"], report["expiresAt"]);
    assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()));
    assert!(profile["access"].is_string() && profile["idToken"].is_string());
    let config: serde_json::Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
    let expected =
        json!({"auth": {"profiles": {PROFILE: {"provider": "openai-codex", "mode": "oauth"}}}});
    assert_eq!(config, expected);
    assert_eq!(std::fs::read_dir(rig.home()).unwrap().count(), 0, "the home directory is not ours");
}

#[test]
fn the_authorization_request_is_the_registered_one() {
    let rig = Rig::signed_in();
    let requests = rig.server.requests();
    let request = requests.first().unwrap();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("scope", "openid profile email offline_access"),
        ("code_challenge_method", "S256"),
        ("id_token_add_organizations", "true"),
        ("codex_cli_simplified_flow", "true"),
        ("originator", "openclaw"),
    ] {
        assert_eq!(request.parameter(name), Some(value), "{name}");
    }
    let redirect_uri = format!("http://localhost:{}/auth/callback", rig.ports[0]);
    assert_eq!(request.parameter("redirect_uri"), Some(redirect_uri.as_str()));
}

#[test]
fn files_are_private_whatever_the_umask() {
    for umask in ["000", "027", "077"] {
        let rig = Rig::new();
        let program = env!("CARGO_BIN_EXE_openclaw-auth");
        let mut shell = rig.command(&[]);
        let script =
            format!("umask {umask}; exec {program} models auth login --provider openai-codex");
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", &script]).env_clear();
        for (name, value) in shell.get_envs() {
            command.env(name, value.unwrap());
        }
        shell.arg("--version");
        let login = crate::support::rig::RunningLogin::start(command);
        login.visit();
        login.finish().success();
        for (name, mode) in [
            (store("main").as_str(), 0o600),
            ("openclaw.json", 0o600),
            ("agents/main/agent", 0o700),
            ("agents/main", 0o700),
            ("agents", 0o700),
        ] {
            let present = rig.path(name).metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(present, mode, "{name} with umask {umask}");
        }
    }
}

#[test]
fn the_browser_variable_gets_the_url() {
    let rig = Rig::new();
    let script = rig.path("browser.sh");
    let opened = rig.path("opened");
    rig.write(
        "browser.sh",
        &format!("#!/bin/sh\nprintf %s \"$1\" > {}.part && mv {0}.part {0}\n", opened.display()),
    );
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = rig.command(&["models", "auth", "login", "--provider", "openai-codex"]);
    command.env("BROWSER", &script).env("PATH", "/usr/bin:/bin");
    let mut login = crate::support::rig::RunningLogin::start(command);
    login.wait_for("A browser was started");
    while !opened.exists() {
        std::thread::yield_now();
    }
    let url = std::fs::read_to_string(&opened).unwrap();
    assert_eq!(url, login.url);
    assert_eq!(follow(&url).status, 200);
    login.finish().success();
}

#[test]
fn no_browser_starts_none() {
    let rig = Rig::new();
    let mut command =
        rig.command(&["models", "auth", "login", "--provider", "openai-codex", "--no-browser"]);
    command.env("BROWSER", "/nonexistent/browser");
    let login = crate::support::rig::RunningLogin::start(command);
    login.visit();
    let finished = login.finish();
    assert!(!finished.stderr.contains("browser could be started"), "{}", finished.stderr);
    finished.success();
}

#[test]
fn over_ssh_the_tunnel_is_shown() {
    let rig = Rig::new();
    let mut command = rig.command(&["models", "auth", "login", "--provider", "openai-codex"]);
    command.env("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 22").env("USER", "ada");
    let login = crate::support::rig::RunningLogin::start(command);
    login.visit();
    let port = rig.ports[0];
    let line = format!("ssh -L {port}:127.0.0.1:{port} ada@198.51.100.3");
    let finished = login.finish();
    assert!(finished.stderr.contains(&line), "{}", finished.stderr);
}

#[test]
fn every_form_of_a_pasted_response_signs_in() {
    let rig = Rig::new();
    for form in ["url", "code#state", "query", "code"] {
        let mut login = rig.start_login(&[]);
        let redirect = url::Url::parse(&authorize(&login.url)).unwrap();
        let parameter =
            |name| redirect.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let (code, state) = (parameter("code"), parameter("state"));
        login.paste(&match form {
            "url" => redirect.to_string(),
            "code#state" => format!("{code}#{state}"),
            "query" => format!("code={code}&state={state}"),
            _ => code,
        });
        login.finish().success();
    }
    assert_eq!(rig.server.token_requests("authorization_code"), 4);
}

#[test]
fn a_pasted_wrong_state_is_refused_and_asked_again() {
    let rig = Rig::new();
    let mut login = rig.start_login(&[]);
    login.paste("http://localhost:1455/auth/callback?code=fake-code&state=fake-state");
    login.wait_for("not accepted: its state does not belong to this login");
    let redirect = authorize(&login.url);
    login.paste(&redirect);
    login.finish().success();
    assert_eq!(rig.server.token_requests("authorization_code"), 1);
}

/// Everyday input, report 15 (claude-code#35311).
#[test]
fn pieces_of_an_address_become_one_and_are_never_sent_as_codes() {
    let rig = Rig::new();
    for is_slow in [false, true] {
        let mut login = rig.start_login(&[]);
        let redirect = authorize(&login.url);
        let pieces: Vec<&str> =
            redirect.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).unwrap()).collect();
        if is_slow {
            for piece in &pieces[..pieces.len() - 1] {
                login.paste(piece);
                login.wait_for("not accepted: ");
            }
            login.paste(pieces[pieces.len() - 1]);
        } else {
            login.paste(&pieces.join("\n"));
        }
        login.finish().success();
    }
    assert_eq!(rig.server.token_requests("authorization_code"), 2);
}

#[test]
fn a_slip_of_the_hand_at_the_prompt_does_not_end_the_login() {
    let rig = Rig::new();
    let mut login = rig.start_login(&[]);
    login.paste("yes");
    login.wait_for("not accepted: it cannot be a code");
    login.paste("WDJB-MJHT");
    login.wait_for("Enter that code in the browser");
    login.paste("fake-code-99");
    login.wait_for("not accepted: the authorization server refused: invalid_grant");
    assert_eq!(login.visit().status, 200);
    login.finish().success();
}

#[test]
fn endless_input_does_not_outlast_the_timeout() {
    let rig = Rig::new();
    let mut login = rig.start_login(&["--timeout", "300ms"]);
    let mut input = login.take_input();
    let writer =
        std::thread::spawn(
            move || {
                while std::io::Write::write_all(&mut input, b"two words\n").is_ok() {}
            },
        );
    assert!(login.finish().failure(1).contains("nobody signed in"));
    writer.join().unwrap();
}

#[test]
fn a_login_comes_first_in_a_stored_order() {
    let rig = Rig::new();
    let state = json!({"version": 1, "order": {"openai-codex": ["openai-codex:gone"]}});
    rig.write("agents/main/agent/auth-state.json", &state.to_string());
    rig.login(&[]).success();
    rig.run(&["models", "auth", "token", "--provider", "openai-codex"]).success();
    let state: serde_json::Value =
        serde_json::from_str(&rig.read("agents/main/agent/auth-state.json")).unwrap();
    assert_eq!(state["order"]["openai-codex"], json!([PROFILE, "openai-codex:gone"]));
}

#[test]
fn the_end_of_input_leaves_the_listener_waiting() {
    let rig = Rig::new();
    let mut login = rig.start_login(&[]);
    login.close_input();
    assert_eq!(login.visit().status, 200);
    login.finish().success();
}

#[test]
fn the_second_port_is_used_when_the_first_is_taken() {
    let rig = Rig::new();
    let _taken = TcpListener::bind(("127.0.0.1", rig.ports[0])).unwrap();
    let login = rig.start_login(&[]);
    let holder = format!("port {} is taken by", rig.ports[0]);
    assert!(login.seen().contains(&holder), "{}", login.seen());
    // A process that another test is about to start holds the port as well, until it has started.
    assert!(login.seen().contains("(pid "), "{}", login.seen());
    assert!(login.url.contains(&format!("localhost%3A{}", rig.ports[1])), "{}", login.url);
    assert_eq!(login.visit().status, 200);
    login.finish().success();
}

#[test]
fn with_every_port_taken_a_pasted_redirect_still_signs_in() {
    let rig = Rig::new();
    let _taken: Vec<_> =
        rig.ports.iter().map(|port| TcpListener::bind(("127.0.0.1", *port)).unwrap()).collect();
    let mut login = rig.start_login(&[]);
    let redirect = authorize(&login.url);
    login.paste(&redirect);
    login.finish().success();
    let mut login = rig.start_login(&[]);
    login.close_input();
    let stderr = login.finish().failure(1);
    assert!(stderr.contains("every registered port is taken"), "{stderr}");
    let mut login = rig.start_login(&["--method", "paste"]);
    login.close_input();
    let stderr = login.finish().failure(1);
    assert!(
        stderr.contains("the input has ended") && !stderr.contains("registered port"),
        "{stderr}"
    );
    let stderr = rig.run(&["models", "auth", "login"]).failure(2);
    assert!(
        stderr.contains("openclaw-auth login chatgpt") && stderr.contains("openai-codex"),
        "{stderr}"
    );
}

#[test]
fn a_second_login_of_the_account_renews_its_profile() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        let profile = document["profiles"][PROFILE].take();
        document["profiles"] = json!({"openai-codex:default": profile});
        document["profiles"]["openai-codex:default"]["mine"] = json!({"kept": 1});
    });
    let report = rig.login(&["--json"]).json();
    assert_eq!(report["profileId"], "openai-codex:default");
    assert_eq!(report["renewed"], true);
    let profiles = rig.document()["profiles"].clone();
    assert_eq!(profiles.as_object().unwrap().len(), 1);
    let profile = &profiles["openai-codex:default"];
    assert_eq!(profile["mine"], json!({"kept": 1}));
    assert!(rig.server.is_alive(profile["refresh"].as_str().unwrap()));
}

#[test]
fn another_account_with_the_same_email_gets_an_id_of_its_own() {
    let rig = Rig::signed_in();
    let first = rig.document()["profiles"][PROFILE].clone();
    rig.server.configure(|want| {
        want.account = Account {
            subject: "fake-user-ada".into(),
            email: Some("ada@example.test".into()),
            account_id: Some("fake-account-team".into()),
        };
    });
    let finished = rig.login(&["--json"]);
    assert!(finished.stderr.contains("belongs to another account"), "{}", finished.stderr);
    let id = finished.json()["profileId"].as_str().unwrap().to_owned();
    assert_ne!(id, PROFILE);
    let document = rig.document();
    assert_eq!(document["profiles"][PROFILE], first);
    assert_eq!(document["profiles"][&id]["accountId"], "fake-account-team");
    assert_eq!(rig.login(&["--json"]).json()["profileId"], id, "the next login renews it");
}

#[test]
fn tokens_without_claims_sign_in_as_the_default_profile() {
    let rig =
        Rig::with(Want { opaque_access_tokens: true, include_id_token: false, ..Want::default() });
    for renewed in [false, true] {
        let report = rig.login(&["--json"]).json();
        assert_eq!(report["profileId"], "openai-codex:default");
        assert_eq!(report["renewed"], renewed);
    }
}

#[test]
fn a_wanted_profile_id_is_used() {
    let rig = Rig::new();
    assert_eq!(rig.login(&["--profile-id", "work", "--json"]).json()["profileId"], "work");
    assert_eq!(rig.document()["profiles"]["work"]["email"], "ada@example.test");
    rig.edit("main", |document| {
        document["profiles"]["key"] =
            json!({"type": "api_key", "provider": "openai", "key": "fake"});
    });
    let refused =
        rig.run(&["models", "auth", "login", "--provider", "openai-codex", "--profile-id", "key"]);
    assert!(refused.failure(2).contains("is for openai"));
}

#[test]
fn an_agent_has_a_store_of_its_own() {
    let rig = Rig::new();
    rig.run(&["agents", "add", "work"]).success();
    let report = rig.login(&["--agent", "work", "--json"]).json();
    assert_eq!(report["agentId"], "work");
    assert!(rig.document_of("work")["profiles"][PROFILE].is_object());
    assert!(!rig.path(&store("main")).exists());
}

#[test]
fn the_configuration_is_edited_in_place() {
    let rig = Rig::new();
    rig.write(
        "openclaw.json",
        "// mine\n{\n  odd: 0x10, // kept\n  'auth': {\n    order: { \"openai-codex\": ['openai-codex:other'] },\n  },\n}\n",
    );
    rig.login(&[]).success();
    let text = rig.read("openclaw.json");
    assert!(text.starts_with("// mine\n{\n  odd: 0x10, // kept\n  'auth': {\n"), "{text}");
    assert!(text.contains(&format!("\"{PROFILE}\", 'openai-codex:other'")), "{text}");
    assert!(text.contains("\"mode\": \"oauth\""), "{text}");
}

#[test]
fn what_cannot_be_interpreted_survives_a_login() {
    let rig = Rig::new();
    let text = "{\n  \"odd\": 1.0e+400,\n  \"version\": 7,\n  \"profiles\": {\n    \"bad\": \"str\",\n    \"x:y\": {\n      \"type\": \"weird\",\n      \"n\": 12345678901234567890123\n    }\n  },\n  \"last\": [\n    \"\\u0041\"\n  ]\n}\n";
    rig.write(&store("main"), text);
    rig.login(&[]).success();
    let after = rig.read(&store("main"));
    for kept in [
        "\"odd\": 1.0e+400",
        "\"version\": 7",
        "\"bad\": \"str\"",
        "12345678901234567890123",
        "\"\\u0041\"",
    ] {
        assert!(after.contains(kept), "{kept} is gone:\n{after}");
    }
    let position = |text: &str| after.find(text).unwrap();
    assert!(
        position("\"odd\"") < position("\"profiles\"")
            && position("\"x:y\"") < position("\"last\"")
    );
}
