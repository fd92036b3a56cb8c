//! Every key and token of the catalog: the methods that store one without a sign-in, and
//! the variables that hold one.

use crate::support::catalog::{is_login, methods, rows};
use crate::support::here::InProcess as _;
use crate::support::rig::Rig;
use serde_json::{Value, json};

/// The setup token that would be accepted.
fn setup_token() -> String {
    format!("sk-ant-oat01-fake-{}", "x".repeat(80))
}

#[test]
fn every_key_and_token_is_stored_by_the_choice_of_its_method() {
    let rig = Rig::new();
    let mut walked = 0;
    for row in rows() {
        let provider = row["id"].as_str().unwrap();
        for method in methods(&row) {
            let kind = method["kind"].as_str().unwrap();
            if is_login(method) || kind == "custom" {
                continue;
            }
            let choice = method["choice"].as_str().unwrap();
            let secret = match kind {
                "token" => setup_token(),
                _ => format!("fake-key-{choice}"),
            };
            let onboard = ["onboard", "--non-interactive", "--auth-choice", choice];
            rig.run_with_input(&onboard, &format!("{secret}\n")).success();
            // Two servers of one provider have two keys.
            let name = match choice {
                "minimax-global-api" => "global",
                "minimax-cn-api" => "cn",
                _ => "default",
            };
            let profile = format!("{provider}:{name}");
            let member = if kind == "token" { "token" } else { "key" };
            let expected = json!({"type": kind, "provider": provider, member: secret});
            assert_eq!(rig.document()["profiles"][&profile], expected, "{choice}");
            let config: Value = serde_json::from_str(&rig.read("openclaw.json")).unwrap();
            let expected = json!({"provider": provider, "mode": kind});
            assert_eq!(config["auth"]["profiles"][&profile], expected, "{choice}");
            let token = rig.run(&["models", "auth", "token", "--profile", &profile]);
            assert_eq!(token.success(), secret);
            walked += 1;
        }
    }
    assert!(walked > 45, "{walked}");
    assert!(rig.server.requests().is_empty());
}

#[test]
fn every_variable_of_a_provider_is_seen() {
    let rig = Rig::new();
    for row in rows() {
        let provider = row["id"].as_str().unwrap();
        for variable in row["env"].as_array().into_iter().flatten() {
            let variable = variable.as_str().unwrap();
            let mut command = rig.command(&["models", "status", "--json"]);
            command.env(variable, "fake-key");
            let status = command.finish_here().json();
            let providers = status["auth"]["providers"].as_array().unwrap();
            let found = providers.iter().find(|found| found["provider"] == provider);
            let found = found.unwrap_or_else(|| panic!("{provider} by {variable}: {providers:?}"));
            assert_eq!(found["effective"]["kind"], "env", "{provider} by {variable}");
            assert_eq!(found["env"]["source"], format!("env: {variable}"), "{provider}");
        }
    }
}

#[test]
fn a_provider_without_a_sign_in_says_what_it_has() {
    let rig = Rig::new();
    let before = rig.tree();
    for row in rows() {
        let provider = row["id"].as_str().unwrap();
        if methods(&row).any(is_login) {
            continue;
        }
        for method in [&[][..], &["--method", "device"], &["--method", "browser"]] {
            let login = ["models", "auth", "login", "--provider", provider];
            let stderr = rig.run(&[&login[..], method].concat()).failure(2);
            assert!(stderr.contains("sign-in") || stderr.contains("sign in"), "{stderr}");
            assert!(stderr.contains("hint: "), "{stderr}");
            if methods(&row).any(|method| method["kind"] == "api_key") {
                let next = format!("models auth paste-api-key --provider {provider}");
                assert!(stderr.contains(&next), "{stderr}");
            }
        }
    }
    assert_eq!(rig.tree(), before);
}
