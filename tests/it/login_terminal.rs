//! A login on a terminal: what it draws, and what it leaves behind.

use crate::support::authorization_server::{Endpoint, Fault};
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{PROFILE, Rig, store};
use crate::support::user_agent::{authorize, follow};
use openclaw_auth::system::lock;
use rustix::process::Signal;
use rustix::termios::LocalModes;
use serde_json::json;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const PAGE: &str = "https://as.example.test/device?user_code=WDJB-MJHT";

fn json_answer(status: u16, body: &serde_json::Value) -> Fault {
    Fault::Text { status, content_type: "application/json".into(), body: body.to_string() }
}

/// A rig whose server gives out device codes, and does not approve them.
fn with_codes() -> Rig {
    let rig = Rig::new();
    let mut file = rig.server.provider_file(&rig.ports);
    // No test here revokes anything.
    file["device"] = json!({
        "flow": "standard",
        "authorizationEndpoint": rig.server.revocation_endpoint(),
        "tokenEndpoint": null,
    });
    rig.write("providers/openai-codex.json", &file.to_string());
    let code = json!({
        "device_code": "fake-device-code",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://as.example.test/device",
        "verification_uri_complete": PAGE,
        "expires_in": 600,
        "interval": 1,
    });
    rig.server.inject_persistent(Endpoint::Revoke, json_answer(200, &code));
    let pending = json_answer(400, &json!({"error": "authorization_pending"}));
    rig.server.inject_persistent(Endpoint::Token, pending);
    rig
}

/// From now on a code is approved.
fn approve(rig: &Rig) {
    let grant =
        json!({"access_token": "fake-access", "refresh_token": "fake-refresh", "expires_in": 3600});
    rig.server.inject_persistent(Endpoint::Token, json_answer(200, &grant));
}

fn login(rig: &Rig, args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = rig.command(&["models", "auth", "login", "--provider", "openai-codex"]);
    command.args(args).env("TERM", "xterm-256color").envs(environment.iter().copied());
    command
}

/// What a scanner reads off the screen: a character is two modules, and a module is dark by
/// the colours that the terminal was told.
fn scan(screen: &vt100::Screen) -> Vec<String> {
    const ZOOM: usize = 4;
    let (rows, columns) = screen.size();
    let (width, height) = (usize::from(columns.get()) * ZOOM, usize::from(rows.get()) * 2 * ZOOM);
    let is_white = |colour| colour == vt100::Color::Idx(231);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        let row = u16::try_from(y / ZOOM / 2).unwrap();
        let cell = screen.cell(row, u16::try_from(x / ZOOM).unwrap()).unwrap();
        let is_upper = (y / ZOOM).is_multiple_of(2);
        let is_drawn = match cell.contents() {
            "█" => true,
            "▀" => is_upper,
            "▄" => !is_upper,
            _ => false,
        };
        let colour = if is_drawn { cell.fgcolor() } else { cell.bgcolor() };
        if is_white(colour) { 255 } else { 0 }
    });
    image.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
}

#[test]
fn a_code_is_shown_with_a_qr_code_and_the_time_left_and_the_approval_ends_it() {
    let rig = with_codes();
    let mut terminal = PseudoTerminal::start(&login(&rig, &["--method", "device"], &[]), 80, 24);
    terminal.wait_for_screen("Waiting for the sign-in, 9:5");
    assert_eq!(scan(terminal.screen()), [PAGE]);
    let shown = terminal.screen().contents();
    assert!(shown.contains("Code: WDJB-MJHT"), "the code stays on the screen: {shown}");
    approve(&rig);
    assert_eq!(terminal.finish(), 0);
    let shown = terminal.screen().contents();
    assert!(shown.contains("Signed in to"), "{shown}");
    assert!(!shown.contains("Waiting"), "the status line is gone: {shown}");
    assert!(terminal.text().contains("enter the code\r\n\r\n  WDJB-MJHT"), "as text, always");
}

#[test]
fn the_status_line_is_redrawn_in_place_and_an_interrupt_clears_it() {
    let rig = with_codes();
    let before = rig.tree();
    let mut terminal = PseudoTerminal::start(&login(&rig, &["--method", "device"], &[]), 40, 10);
    terminal.wait_for_screen("/ Waiting for the sign-in");
    let shown = terminal.screen().contents();
    assert_eq!(shown.matches("Waiting").count(), 1, "{shown}");
    assert!(!shown.contains(['█', '▀']), "a code that does not fit is not drawn: {shown}");
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    let shown = terminal.screen().contents();
    let last: Vec<&str> = shown.lines().rev().take(2).collect();
    assert_eq!(last[0], "error: interrupted", "{shown}");
    assert!(!shown.contains("Waiting") && !shown.contains("^C"), "{shown}");
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_wanted_qr_code_that_does_not_fit_says_what_it_needs() {
    let rig = with_codes();
    let command = login(&rig, &["--method", "device", "--qr"], &[]);
    let mut terminal = PseudoTerminal::start(&command, 60, 19);
    terminal.wait_for("needs a terminal of 33 columns and 20 rows");
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    let mut terminal = PseudoTerminal::start(&command, 33, 20);
    terminal.wait_for_screen("Waiting");
    assert_eq!(scan(terminal.screen()), [PAGE]);
}

#[test]
fn a_remote_login_starts_with_the_code_and_keeps_the_prompt_below_the_qr_code() {
    let rig = with_codes();
    let ssh = [("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.3 22")];
    let mut terminal = PseudoTerminal::start(&login(&rig, &[], &ssh), 80, 24);
    terminal.wait_for_screen("Redirect URL or code (or just wait for the browser): ");
    assert_eq!(scan(terminal.screen()), [PAGE]);
    let text = terminal.text();
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no `{part}` in {text}"));
    assert!(at("connected over SSH, so the code comes first") < at("enter the code"));
    assert!(at("enter the code") < at("Or sign in to") && at("Or sign in to") < at("ssh -L"));
    assert!(!text.contains("Waiting"), "no status line beside a prompt");
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    assert_is_set_back(&terminal);
}

#[test]
fn a_pasted_address_signs_in_at_the_prompt() {
    let rig = Rig::new();
    let mut terminal = PseudoTerminal::start(&login(&rig, &["--no-browser"], &[]), 200, 50);
    terminal.wait_for_screen("(or just wait for the browser): ");
    let text = terminal.text();
    let url = text.lines().find_map(|line| line.trim().strip_prefix("http")).unwrap();
    terminal.enter("two words\r");
    terminal.wait_for("That was not accepted");
    // More than a terminal takes as one line.
    let redirect = format!("{}&more={}", authorize(&format!("http{url}")), "x".repeat(9_000));
    terminal.enter(&format!("{redirect}\r"));
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    assert!(rig.document()["profiles"][PROFILE].is_object());
    assert_is_set_back(&terminal);
}

/// Everyday input, report 15 (claude-code#34555).
#[test]
fn an_address_that_is_pasted_in_lines_signs_in_at_the_prompt() {
    let rig = Rig::new();
    for between in ["\r", "\r   ", "\n"] {
        let mut terminal = PseudoTerminal::start(&login(&rig, &["--no-browser"], &[]), 200, 50);
        terminal.wait_for_screen("(or just wait for the browser): ");
        let text = terminal.text();
        let url = text.lines().find_map(|line| line.trim().strip_prefix("http")).unwrap();
        let redirect = authorize(&format!("http{url}"));
        let lines: Vec<&str> =
            redirect.as_bytes().chunks(40).map(|line| std::str::from_utf8(line).unwrap()).collect();
        terminal.enter(&format!("\u{1b}[200~{}\u{1b}[201~\r", lines.join(between)));
        assert_eq!(terminal.finish(), 0, "{}", terminal.text());
        assert!(!terminal.text().contains("not accepted"), "{}", terminal.text());
    }
    assert_eq!(rig.server.token_requests("authorization_code"), 3);
}

/// Everyday input, report 1 (openclaw#53464).
#[test]
fn what_is_pasted_at_a_hidden_prompt_leaves_nothing_for_the_shell() {
    let token = format!("sk-ant-oat01-{}AA", "Fake0-_".repeat(14).split_at(93).0);
    let (head, tail) = token.split_at(80);
    for (text, code) in [
        (format!("{head}\r{tail}\r"), 0),
        (format!("{head}\r{tail}"), 0),
        (format!("{token}\rls\r"), 2),
        (format!("{head}\rrm -r x"), 2),
    ] {
        let rig = Rig::new();
        let paste = rig.command(&["models", "auth", "paste-token", "--provider", "anthropic"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", r#""$0" "$@"; code=$?; read -r rest; echo "rest=[$rest]"; exit $code"#]);
        shell.arg(paste.get_program()).args(paste.get_args());
        shell.envs(paste.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut terminal = PseudoTerminal::start(&shell, 80, 24);
        terminal.wait_for_screen("setup-token:");
        terminal.enter(&text);
        while !terminal.modes().local_modes.contains(LocalModes::ECHO) {
            std::thread::yield_now();
        }
        terminal.enter("next\r");
        terminal.wait_for("rest=[next]");
        assert_eq!(terminal.finish(), code, "{}", terminal.text());
        assert!(!terminal.text().contains("Fake0"), "{}", terminal.text());
        match code {
            0 => assert_eq!(rig.document()["profiles"]["anthropic:manual"]["token"], token),
            _ => assert!(!rig.state_dir().join(store("main")).exists()),
        }
    }
}

#[track_caller]
fn assert_is_set_back(terminal: &PseudoTerminal) {
    let modes = terminal.modes().local_modes;
    assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG), "{modes:?}");
}

#[test]
fn an_interrupt_at_a_hidden_prompt_sets_the_terminal_back() {
    let rig = Rig::new();
    let start = ["models", "auth", "login", "start", "--provider", "openai-codex"];
    rig.run(&start).success();
    let before = rig.tree();
    for key in ["\u{3}", "\u{1c}"] {
        let command = rig.command(&["models", "auth", "login", "finish", "--redirect-url", "-"]);
        let mut terminal = PseudoTerminal::start(&command, 80, 24);
        terminal.wait_for("redirect URL: ");
        terminal.enter(&format!("fake-secret{key}"));
        assert_eq!(terminal.finish(), 130);
        assert!(terminal.text().ends_with("error: interrupted\r\n"), "{}", terminal.text());
        assert!(!terminal.text().contains("fake-secret"), "{}", terminal.text());
        assert_is_set_back(&terminal);
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_signal_at_a_prompt_sets_the_terminal_back() {
    let rig = Rig::new();
    let start = ["models", "auth", "login", "start", "--provider", "openai-codex"];
    rig.run(&start).success();
    let programs = rig.home().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let claude = programs.join("claude");
    std::fs::write(&claude, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&claude, Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let before = rig.tree();
    for (args, prompt) in [
        (&["models", "auth", "paste-token", "--provider", "openai"][..], "token:"),
        (&["models", "auth", "paste-api-key", "--provider", "openai"], "API Key:"),
        (&["models", "auth", "setup-token"], "Run `claude setup-token` now"),
        (&["models", "auth", "login", "finish", "--redirect-url", "-"], "redirect URL:"),
        (&["models", "auth", "add"], "Provider"),
    ] {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
            let mut command = rig.command(args);
            command.env("TERM", "xterm-256color").env("PATH", &path);
            let mut terminal = PseudoTerminal::start(&command, 80, 24);
            terminal.wait_for_screen(prompt);
            while terminal.modes().local_modes.contains(LocalModes::ECHO) {
                std::thread::yield_now();
            }
            terminal.signal(signal);
            assert_eq!(terminal.finish(), 130, "{args:?}, {signal:?}");
            let text = terminal.text();
            assert!(text.ends_with("\r\nerror: interrupted\r\n"), "{args:?}: {text:?}");
            assert!(!terminal.screen().hide_cursor(), "{args:?}: {text:?}");
            assert_is_set_back(&terminal);
        }
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn a_signal_ends_a_paste_that_waits_for_the_store() {
    let rig = Rig::new();
    let document = rig.state_dir().join(store("main"));
    std::fs::create_dir_all(document.parent().unwrap()).unwrap();
    let lock = lock::wait(&document, lock::StaleRule::ByAge, lock::TIMEOUT).unwrap();
    assert!(matches!(lock, lock::Attempt::Acquired(_)));
    let command = rig.command(&["models", "auth", "paste-token", "--provider", "openai"]);
    let mut terminal = PseudoTerminal::start(&command, 80, 24);
    terminal.wait_for_screen("token:");
    terminal.enter("fake-token\r");
    while !terminal.modes().local_modes.contains(LocalModes::ECHO) {
        std::thread::yield_now();
    }
    terminal.signal_until_it_ends(Signal::TERM);
    assert_eq!(terminal.finish(), 130, "{}", terminal.text());
    drop(lock);
    assert!(!document.exists());
}

#[test]
fn the_end_of_input_at_the_prompt_leaves_the_login_waiting_and_interruptible() {
    let rig = Rig::new();
    let mut terminal = PseudoTerminal::start(&login(&rig, &["--no-browser"], &[]), 80, 24);
    terminal.wait_for("(or just wait for the browser): ");
    terminal.enter("\u{4}");
    while !terminal.modes().local_modes.contains(LocalModes::ISIG) {
        std::thread::yield_now();
    }
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    assert_is_set_back(&terminal);
}

#[test]
fn the_redirect_ends_a_login_whose_prompt_stands() {
    let rig = Rig::new();
    let mut terminal = PseudoTerminal::start(&login(&rig, &["--no-browser"], &[]), 80, 24);
    terminal.wait_for("(or just wait for the browser): ");
    let text = terminal.text();
    let url = text.split("\r\n\r\n  ").nth(1).unwrap().split('\r').next().unwrap();
    assert_eq!(follow(url).status, 200);
    assert_eq!(terminal.finish(), 0);
    assert!(terminal.screen().contents().contains("browser): \nSigned in to"));
    assert_is_set_back(&terminal);
}

#[test]
fn nothing_but_text_goes_to_a_pipe_or_a_dumb_terminal() {
    let rig = with_codes();
    let args = ["--method", "device", "--copy"];
    let forced = [("FORCE_HYPERLINK", "1"), ("TMUX", "x"), ("TERM", "dumb")];
    let mut dumb = PseudoTerminal::start(&login(&rig, &args, &forced), 80, 24);
    dumb.wait_for("nothing was copied");
    dumb.enter("\u{3}");
    assert_eq!(dumb.finish(), 130);
    approve(&rig);
    let mut piped = login(&rig, &args, &forced);
    let piped = piped.env("TERM", "xterm-256color").output().unwrap();
    let piped = String::from_utf8(piped.stderr).unwrap();
    assert!(piped.contains("nothing was copied") && piped.contains("WDJB-MJHT"), "{piped}");
    for text in [dumb.text(), piped] {
        assert!(
            !text.contains('\u{1b}') && !text.contains("Waiting") && !text.contains('█'),
            "{text}"
        );
    }
}

#[test]
fn a_qr_code_can_be_had_in_a_pipe_too() {
    let rig = with_codes();
    approve(&rig);
    let args = ["--method", "device", "--qr"];
    let piped = login(&rig, &args, &[]).output().unwrap();
    let piped = String::from_utf8(piped.stderr).unwrap();
    assert!(piped.contains("█▀") && !piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn the_url_is_copied_and_is_a_link_where_the_terminal_knows_these() {
    let rig = with_codes();
    let forced = [("FORCE_HYPERLINK", "1")];
    let command = login(&rig, &["--method", "device", "--copy"], &forced);
    let mut terminal = PseudoTerminal::start(&command, 80, 24);
    terminal.wait_for("Waiting");
    let text = terminal.text();
    assert!(text.contains("\u{1b}]52;c;aHR0cHM6Ly9hcy5leGFtcGxl"), "{text:?}");
    assert!(text.contains("sent to the clipboard, if the terminal allows that"));
    assert!(text.contains(&format!(";{PAGE}\u{1b}\\{PAGE}\u{1b}]8;;\u{1b}\\")), "{text:?}");
    let plain = login(&rig, &["--method", "device"], &[]);
    let mut terminal = PseudoTerminal::start(&plain, 80, 24);
    terminal.wait_for("Waiting");
    assert!(!terminal.text().contains("\u{1b}]"), "nothing unasked for");
}

#[test]
fn finishing_shows_the_code_and_the_time_left() {
    let rig = with_codes();
    let start = ["models", "auth", "login", "start", "--provider", "openai-codex"];
    rig.run(&[&start[..], &["--method", "device"]].concat()).success();
    let mut command = rig.command(&["models", "auth", "login", "finish"]);
    command.env("TERM", "xterm");
    let mut terminal = PseudoTerminal::start(&command, 80, 24);
    terminal.wait_for_screen("Waiting for the sign-in, 9:5");
    assert!(terminal.screen().contents().contains("WDJB-MJHT"));
    terminal.enter("\u{3}");
    assert_eq!(terminal.finish(), 130);
    assert!(!terminal.screen().contents().contains("Waiting"));
    approve(&rig);
    let mut terminal = PseudoTerminal::start(&command, 80, 24);
    assert_eq!(terminal.finish(), 0, "it can still be finished: {}", terminal.text());
}
