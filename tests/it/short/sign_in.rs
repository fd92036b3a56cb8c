//! `login` with a name, and its list on a terminal.

use crate::support::here::InProcess as _;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{PROFILE, Rig};
use serde_json::json;

#[test]
fn a_login_by_a_short_name_is_used_and_ended_by_it() {
    let rig = Rig::new();
    let login = rig.command(&["login", "chatgpt"]);
    let login = crate::support::rig::RunningLogin::start_here(login.here());
    assert_eq!(login.visit().status, 200);
    login.finish().success();
    let token = rig.document()["profiles"][PROFILE]["access"].as_str().unwrap().to_owned();
    for name in ["chatgpt", "ada@example.test", PROFILE] {
        assert_eq!(rig.run(&["token", name]).success(), token);
    }
    // The account that is there is signed in to again.
    let again = rig.command(&["login", "ada@example.test"]);
    let again = crate::support::rig::RunningLogin::start_here(again.here());
    assert_eq!(again.visit().status, 200);
    assert!(again.finish().success().contains("(renewed)"));
    let text = rig.run(&["logout", "ada@example.test"]).success();
    assert!(text.contains("revoked at the server"), "{text}");
    assert_eq!(rig.document()["profiles"], json!({}));
}

#[test]
fn several_ways_to_sign_in_are_offered_and_none_is_guessed() {
    let rig = Rig::new();
    for (name, ways) in [
        ("openai", ["login chatgpt", "paste-api-key --provider openai"]),
        ("claude", ["setup-token --provider anthropic", "paste-api-key --provider anthropic"]),
        ("minimax", ["login minimax-portal --method oauth-cn", "paste-api-key --provider minimax"]),
    ] {
        let stderr = rig.run(&["login", name]).failure(2);
        assert!(ways.iter().all(|way| stderr.contains(way)), "{name}: {stderr}");
    }
    let mut login = rig.command(&["login", "openai"]);
    login.env("TERM", "xterm-256color");
    let mut terminal = PseudoTerminal::start(&login, 80, 24);
    terminal.wait_for_screen("Sign in to ChatGPT");
    terminal.enter("Key");
    terminal.wait_for_screen("> OpenAI API Key");
    terminal.enter("\r");
    terminal.wait_for("API Key: ");
    terminal.enter("fake-key-0123456789\r");
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    assert_eq!(rig.run(&["token", "openai"]).success(), "fake-key-0123456789");
}

#[test]
fn a_login_without_a_name_is_chosen_from_a_list() {
    let rig = Rig::new();
    let claims = "eyJlbWFpbCI6ImFkYUBleGFtcGxlLnRlc3QifQ";
    let tokens = json!({"id_token": format!("e30.{claims}.fake"), "access_token": "fake-access",
                        "refresh_token": "fake-refresh", "account_id": "fake-account"});
    rig.write_at_home(".codex/auth.json", &json!({"tokens": tokens}).to_string());
    let mut login = rig.command(&["login"]);
    login.env("TERM", "xterm-256color");
    let mut terminal = PseudoTerminal::start(&login, 80, 24);
    terminal.wait_for_screen("> ChatGPT");
    terminal.wait_for_screen("Codex CLI is signed in");
    // The list is drawn line by line.
    terminal.wait_for_screen(": API key");
    let screen = terminal.screen().contents();
    let at = |text: &str| screen.find(text).unwrap_or_else(|| panic!("{text}: {screen}"));
    assert!(at("ChatGPT") < at("Claude") && at("Claude") < at("Codex CLI is signed in"));
    assert!(at("Codex CLI is signed in") < at(": API key"), "{screen}");
    // A maker, an alias; Esc in the second list goes back to the first, and there it ends.
    terminal.enter("anthropic");
    terminal.wait_for_screen("> Claude");
    terminal.enter("\r");
    terminal.wait_for_screen("Sign in with");
    terminal.enter("\u{1b}");
    terminal.wait_for_screen("> ChatGPT");
    terminal.enter("\u{1b}");
    assert_eq!(terminal.finish(), 130);
    assert!(terminal.text().contains("nothing was changed"), "{}", terminal.text());
    assert!(!rig.path("agents").exists());
}

#[test]
fn esc_in_the_list_goes_back_to_the_menu() {
    let rig = Rig::new();
    let mut configure = rig.command(&["configure"]);
    configure.env("TERM", "xterm-256color");
    let mut terminal = PseudoTerminal::start(&configure, 80, 24);
    terminal.wait_for_screen("Sign in at a provider");
    terminal.enter("\r");
    terminal.wait_for_screen("> ChatGPT");
    terminal.enter("\u{1b}");
    terminal.wait_for_screen("Add an agent");
    assert!(!terminal.text().contains("error"), "{}", terminal.text());
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
}
