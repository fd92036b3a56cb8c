//! The short commands, and the names that they take.

use crate::support::here::InProcess as _;
use crate::support::pseudo_terminal::PseudoTerminal;
use crate::support::rig::{Finished, PROFILE, Rig, store};
use serde_json::{Value, json};
use std::process::Stdio;

const FAR: i64 = 4_102_444_800_000;

/// Accounts of several providers; one e-mail has two of them.
fn rig() -> Rig {
    let rig = Rig::new();
    let grant = |provider: &str, email: &str, token: &str| {
        json!({"type": "oauth", "provider": provider, "access": token, "refresh": "fake-refresh",
               "expires": FAR, "email": email})
    };
    let profiles = json!({
        "openai-codex:ada@example.test": grant("openai-codex", "ada@example.test", "fake-ada"),
        "openai-codex:work": grant("openai-codex", "bob@example.test", "fake-bob"),
        "anthropic:default": {"type": "token", "provider": "anthropic", "token": "fake-claude",
                              "email": "ada@example.test"},
        "google:default": {"type": "api_key", "provider": "google", "key": "fake-gemini"},
    });
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    rig
}

#[test]
fn a_name_is_an_account_a_profile_or_a_provider() {
    let rig = rig();
    for (name, token) in [
        ("chatgpt", "fake-ada"),
        ("ChatGPT", "fake-ada"),
        ("codex", "fake-ada"),
        ("openai-codex", "fake-ada"),
        ("openai", "fake-ada"),
        ("OpenAI Codex (ChatGPT)", "fake-ada"),
        ("codex-cli", "fake-ada"),
        ("bob@example.test", "fake-bob"),
        ("BOB@example.test", "fake-bob"),
        ("work", "fake-bob"),
        ("openai-codex:work", "fake-bob"),
        ("claude", "fake-claude"),
        ("anthropic", "fake-claude"),
        ("claude-cli", "fake-claude"),
        ("gemini", "fake-gemini"),
        ("Google Gemini", "fake-gemini"),
    ] {
        assert_eq!(rig.run(&["token", name]).success(), token, "{name}");
        assert_eq!(rig.run(&["models", "auth", "token", name]).success(), token, "{name}");
    }
}

#[test]
fn an_ambiguous_name_lists_each_candidate_with_its_command() {
    let rig = rig();
    let stderr = rig.run(&["token", "ada@example.test"]).failure(2);
    for command in [
        "openclaw-auth token openai-codex:ada@example.test",
        "openclaw-auth token anthropic:default",
    ] {
        assert!(stderr.contains(command), "{stderr}");
    }
    let before = rig.tree();
    let stderr = rig.run(&["logout", "chatgpt"]).failure(2);
    assert!(stderr.contains("openclaw-auth logout openai-codex:work"), "{stderr}");
    let stderr = rig.run(&["use", "chatgpt"]).failure(2);
    assert!(stderr.contains("openclaw-auth use openai-codex:work"), "{stderr}");
    // A subscription and a key of one maker.
    rig.edit("main", |document| {
        document["profiles"]["google-gemini-cli:me"] =
            json!({"type": "oauth", "provider": "google-gemini-cli", "access": "fake-cli", "expires": FAR});
    });
    let stderr = rig.run(&["token", "gemini"]).failure(2);
    assert!(
        stderr.contains("google:default") && stderr.contains("google-gemini-cli:me"),
        "{stderr}"
    );
    assert_eq!(rig.run(&["token", "--provider", "google"]).success(), "fake-gemini");
    assert_eq!(before.len(), rig.tree().len());
}

/// The first command of a hint, without the name of the program.
fn first_command(stderr: &str) -> Vec<String> {
    let (_, hint) = stderr.split_once("hint: openclaw-auth ").unwrap();
    let line = hint.lines().next().unwrap();
    let command = line.split(", or: ").next().unwrap();
    command.split(' ').map(str::to_owned).collect()
}

#[test]
fn a_hint_for_another_name_is_the_command_line_with_that_name() {
    let rig = rig();
    rig.write(&store("work"), &rig.document().to_string());
    for (typed, wanted) in [
        ("logout ada@example.test --local --agent work", "logout ID --local --agent work"),
        ("--agent work logout --local ada@example.test", "--agent work logout --local ID"),
        ("--dev logout chatgpt --json", "--dev logout ID --json"),
        ("token ada@example.test --min-ttl 30m --json", "token ID --min-ttl 30m --json"),
        ("use ada@example.test --agent=work", "use ID --agent=work"),
        ("move chatgpt --to-agent work", "move ID --to-agent work"),
        ("move chatgpt --to chatgpt", "move ID --to chatgpt"),
        ("models auth --agent work logout -- chatgpt", "models auth --agent work logout ID"),
    ] {
        let finished = rig.run(&typed.split(' ').collect::<Vec<_>>());
        let (code, stderr) = (finished.code, finished.stderr);
        assert_eq!(code, 2, "{typed}: {stderr}");
        let command = first_command(&stderr).join(" ");
        let ids = ["openai-codex:ada@example.test", "openai-codex:work", "anthropic:default"];
        assert!(ids.iter().any(|id| command == wanted.replace("ID", id)), "{typed}: {command}");
    }
    // What is pasted removes the login that was meant, and no other.
    let before = rig.document();
    let stderr = rig.run(&["logout", "chatgpt", "--local", "--agent", "work"]).failure(2);
    let pasted = first_command(&stderr);
    rig.run(&pasted.iter().map(String::as_str).collect::<Vec<_>>()).success();
    assert_eq!(rig.document(), before);
    let stderr = rig.run(&["token", "chatgtp", "--agent", "work", "--json"]).stderr;
    assert!(stderr.contains("openclaw-auth token chatgpt --agent work --json"), "{stderr}");
}

#[test]
fn a_hint_names_an_id_that_looks_like_an_option_behind_two_dashes() {
    let rig = rig();
    rig.edit("main", |document| {
        for id in ["--all", "-x"] {
            document["profiles"][id] =
                json!({"type": "api_key", "provider": "google", "key": format!("fake{id}")});
        }
        document["profiles"].as_object_mut().unwrap().remove("google:default");
    });
    let before = rig.document();
    let stderr = rig.run(&["logout", "google", "--local"]).failure(2);
    assert!(stderr.contains("openclaw-auth logout --local -- --all"), "{stderr}");
    assert!(stderr.contains("openclaw-auth logout --local -- -x"), "{stderr}");
    let pasted = first_command(&stderr);
    rig.run(&pasted.iter().map(String::as_str).collect::<Vec<_>>()).success();
    let mut wanted = before;
    wanted["profiles"].as_object_mut().unwrap().remove(pasted.last().unwrap());
    assert_eq!(rig.document()["profiles"], wanted["profiles"]);
}

#[test]
fn an_id_that_looks_like_an_option_does_not_come_in() {
    let rig = rig();
    let before = rig.document();
    for id in ["--all", "-x", "-"] {
        let option = format!("--profile-id={id}");
        for command in [
            &["models", "auth", "paste-token", "--provider", "anthropic", &option][..],
            &["models", "auth", "paste-api-key", "--provider", "google", &option],
        ] {
            let stderr = rig.run_with_input(command, "fake-secret\n").failure(2);
            assert!(stderr.contains("--profile-id"), "{stderr}");
        }
        rig.run(&["login", "chatgpt", &option]).failure(2);
        let login = json!({"schema": 1, "kind": "openclaw-auth login", "profileId": id,
            "entry": {"type": "api_key", "provider": "google", "key": "fake-in"}});
        rig.run_with_input(&["import", "-"], &login.to_string()).failure(2);
    }
    assert_eq!(rig.document(), before);
}

#[test]
fn a_hint_means_the_state_directory_and_the_agent_of_the_command_line() {
    let rig = Rig::new();
    rig.write(&store("work"), r#"{"profiles": {}}"#);
    for (typed, wanted) in [
        ("--profile w2 check --all", "openclaw-auth --profile w2 models auth login"),
        ("--dev token", "openclaw-auth --profile dev models auth login"),
        ("--profile w2 token zzz --agent work", "openclaw-auth --profile w2 --agent work list"),
        ("token zzz --agent work", "openclaw-auth --agent work list"),
        ("--agent work token zzz", "openclaw-auth --agent work list"),
        ("login openai --agent=work", "openclaw-auth --agent work login chatgpt"),
        ("--agent work check", "openclaw-auth models auth login --agent work"),
        ("--agent work token zzz --agent main", "openclaw-auth --agent main list"),
    ] {
        let finished = rig.run(&typed.split(' ').collect::<Vec<_>>());
        assert!(finished.stderr.contains(wanted), "{typed}: {finished:?}");
    }
    let document = rig.run(&["--profile", "w2", "token", "zzz", "--json"]).json_failure(3);
    assert_eq!(document["hintCommand"], json!(["openclaw-auth", "--profile", "w2", "list"]));
}

#[test]
fn a_name_of_nothing_proposes_what_looks_like_it() {
    let rig = rig();
    let stderr = rig.run(&["token", "chatgtp"]).failure(3);
    assert!(stderr.contains("openclaw-auth token chatgpt"), "{stderr}");
    let stderr = rig.run(&["token", "adda@example.test"]).failure(3);
    assert!(stderr.contains("openclaw-auth token ada@example.test"), "{stderr}");
    rig.run(&["token", " "]).failure(2);
    let stderr = rig.run(&["login", "clude"]).failure(2);
    assert!(stderr.contains("openclaw-auth login claude"), "{stderr}");
}

#[test]
fn the_short_commands_are_the_long_ones() {
    let rig = rig();
    for (short, long) in [
        (&["list", "--json"][..], &["models", "auth", "list", "--json"][..]),
        (&["list"], &["models", "auth", "list"]),
        (&["status", "--plain"], &["models", "status", "--plain"]),
        (&["token", "claude", "--json"], &["models", "auth", "token", "claude", "--json"]),
        (&["login", "list", "--json"], &["models", "auth", "login", "list", "--json"]),
    ] {
        let [short, long] = [short, long].map(|args| {
            let finished = rig.run(args);
            (finished.code, finished.stdout, finished.stderr)
        });
        assert_eq!(short, long);
    }
}

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

#[test]
fn use_puts_a_profile_first_and_the_others_behind() {
    let rig = rig();
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-ada");
    let text = rig.run(&["use", "bob@example.test"]).success();
    assert!(text.contains("openai-codex:work is used first"), "{text}");
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-bob");
    let order =
        rig.run(&["models", "auth", "order", "get", "--provider", "openai-codex", "--json"]);
    assert_eq!(order.json()["order"], json!(["openai-codex:work", PROFILE]));
    let report = rig.run(&["use", PROFILE, "--json"]).json();
    assert_eq!(report["order"], json!([PROFILE, "openai-codex:work"]));
    assert_eq!(rig.run(&["token", "chatgpt"]).success(), "fake-ada");
}

#[test]
fn prune_removes_what_is_over_and_nothing_else() {
    let rig = rig();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:old"] =
            json!({"type": "token", "provider": "anthropic", "token": "fake-old", "expires": 1});
        document["profiles"]["openai-codex:work"]["expires"] = 1.into();
    });
    let before = rig.tree();
    let report = rig.run(&["prune", "--dry-run", "--json"]).json();
    assert_eq!(report["profiles"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["profiles"][0]["profileId"], "anthropic:old");
    assert_eq!(rig.tree(), before);
    rig.run(&["prune"]).success();
    let profiles = rig.document()["profiles"].clone();
    assert_eq!(profiles.as_object().unwrap().len(), 4);
    assert!(profiles["anthropic:old"].is_null() && profiles["openai-codex:work"].is_object());
}

#[test]
fn prune_removes_whatever_a_person_has_to_sign_in_to_again() {
    let rig = rig();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:empty"] =
            json!({"type": "oauth", "provider": "anthropic", "access": "", "refresh": "", "expires": 1});
    });
    let states = rig.run(&["list", "--json"]).json();
    let rows = states["profiles"].as_array().unwrap();
    let over: Vec<_> = rows.iter().filter(|row| row["state"] == "sign-in-again").collect();
    let report = rig.run(&["prune", "--dry-run", "--json"]).json();
    let pruned = report["profiles"].as_array().unwrap();
    assert_eq!(over.len(), 1, "{states}");
    assert_eq!(pruned.len(), 1, "{report}");
    assert_eq!(pruned[0]["profileId"], "anthropic:empty");
}

#[test]
fn logout_all_removes_every_profile_and_reports_each() {
    let rig = Rig::signed_in();
    rig.edit("main", |document| {
        document["profiles"]["anthropic:a"] =
            json!({"type": "token", "provider": "anthropic", "token": "fake-token"});
    });
    let report = rig.run(&["logout", "--all", "--json"]).json();
    assert_eq!(report["profiles"].as_array().unwrap().len(), 2, "{report}");
    assert_eq!(report["profiles"][0]["revoked"], true);
    assert_eq!(rig.document()["profiles"], json!({}));
    rig.run(&["logout"]).failure(2);
}

#[test]
fn providers_are_listed_with_their_names() {
    let rig = Rig::new();
    let report = rig.run(&["providers", "list", "--json"]).json();
    let find = |id: &str| {
        let rows = report["providers"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap().clone()
    };
    assert_eq!(find("openai-codex")["signIn"], true);
    assert!(find("anthropic")["names"].as_array().unwrap().contains(&json!("claude")));
    let text = rig.run(&["providers", "list"]).success();
    assert!(text.lines().nth(1).unwrap().starts_with("openai-codex"), "{text}");
}

#[test]
fn a_word_that_is_no_command_leads_to_one() {
    let rig = Rig::new();
    for (line, command) in [
        ("lgin", "openclaw-auth login"),
        ("tokne", "openclaw-auth token"),
        ("signin", "openclaw-auth login"),
        ("sign-out", "openclaw-auth logout"),
        ("auth login", "openclaw-auth models auth login"),
        ("auth", "openclaw-auth models auth"),
        ("models auth lgin", "openclaw-auth models auth login"),
        ("models login", "openclaw-auth login, or: openclaw-auth models auth login"),
        ("help tokn", "openclaw-auth token"),
        ("xyzzy", "openclaw-auth --help"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let stderr = rig.run(&args).failure(2);
        assert!(stderr.contains(&format!("hint: {command}")), "{line}: {stderr}");
    }
    let help = rig.run(&["help", "models", "auth", "token"]).success();
    assert_eq!(help, rig.run(&["models", "auth", "token", "--help"]).success());
    assert!(rig.run(&["help"]).success().contains("login"));
}

/// Every command below `path` with the help of it.
fn commands(rig: &Rig, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let help = rig.run(&args).success();
    let below = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let names: Vec<String> = below
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    if !path.is_empty() {
        found.push((path.clone(), help));
    }
    for name in names {
        path.push(name);
        commands(rig, path, found);
        path.pop();
    }
}

#[test]
fn profile_is_the_state_before_the_command_and_a_credential_behind_it() {
    let rig = Rig::new();
    let mut found = Vec::new();
    commands(&rig, &mut Vec::new(), &mut found);
    assert!(found.len() > 50, "{}", found.len());
    let before = rig.tree();
    for (path, help) in found {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let behind = rig.run(&[&words[..], &["--profile", "odd-one"]].concat());
        // Everything that is wrong besides is told about the rest of the line.
        if help.contains("--profile <") {
            assert!(!behind.stderr.contains("--profile names a state"), "{path:?}");
        } else {
            let stderr = behind.failure(2);
            let state = format!("openclaw-auth --profile odd-one {}", words.join(" "));
            assert!(stderr.contains("--profile names a state directory"), "{path:?}: {stderr}");
            assert!(stderr.contains(&state), "{path:?}: {stderr}");
            let credential = if help.contains("--profile-id <") {
                "--profile-id odd-one"
            } else {
                "odd-one; for another state directory"
            };
            assert!(stderr.contains(credential), "{path:?}: {stderr}");
        }
        // Before the command it is no mistake, whatever the command is.
        let help = rig.run(&[&["--profile", "odd-one"], &words[..], &["--help"]].concat());
        assert!(help.success().contains("Usage:"), "{path:?}");
    }
    assert_eq!(rig.tree(), before);
}

#[test]
fn the_state_switch_says_that_its_directory_is_not_there() {
    let rig = Rig::new();
    let mut list = rig.command(&["--profile", "work", "list"]);
    let finished: Finished = list.env_remove("OPENCLAW_STATE_DIR").finish_here();
    assert!(finished.stderr.contains("no state directory ~/.openclaw-work"), "{finished:?}");
    assert!(!rig.home().join(".openclaw-work").exists());
}

#[test]
fn a_failure_under_json_is_one_document() {
    let rig = rig();
    for (line, code, exit) in [
        ("token nope --json", "login_required", 3),
        ("token ada@example.test --json", "usage", 2),
        ("token --min-ttl soon --json", "usage", 2),
        ("list --bogus --json", "usage", 2),
        ("--json lgin", "usage", 2),
        ("logout nope --json", "failure", 1),
        ("login chatgpt list --json --bogus", "usage", 2),
        ("models auth refresh --bogus --json", "usage", 2),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let finished = rig.run(&args);
        assert_eq!(finished.code, exit, "{line}: {finished:?}");
        let report: Value = serde_json::from_str(&finished.stdout)
            .unwrap_or_else(|error| panic!("{line}: {error}: {finished:?}"));
        assert_eq!((&report["schema"], &report["error"]["code"]), (&json!(1), &json!(code)));
        assert_eq!(report["error"]["exitCode"], exit);
        let message = report["error"]["message"].as_str().unwrap();
        assert!(finished.stderr.starts_with("error: ") && !message.is_empty(), "{finished:?}");
    }
    // OpenClaw's commands fail as OpenClaw's do.
    for line in
        ["models status --bogus --json", "agents delete --odd --json", "channels list --odd --json"]
    {
        let args: Vec<&str> = line.split(' ').collect();
        rig.run(&args).failure(2);
        let mut ours = rig.command(&args);
        let ours: Finished = ours.env("OPENCLAW_AUTH_JSON_ERRORS", "1").finish_here();
        let report: Value = serde_json::from_str(&ours.stdout).unwrap();
        assert_eq!(report["error"]["code"], "usage", "{line}");
    }
}

#[test]
fn quiet_says_nothing_but_errors() {
    let rig = Rig::new();
    assert_eq!(rig.run(&["list", "--quiet"]).stderr, "");
    assert_eq!(rig.run(&["--quiet", "prune", "--dry-run"]).stderr, "");
    assert!(rig.run(&["-q", "token", "nope"]).failure(3).starts_with("error: "));
    let mut login =
        rig.command(&["login", "chatgpt", "--quiet", "--json", "--no-browser", "--timeout", "1s"]);
    let login: Finished = login.stdin(Stdio::null()).finish_here();
    assert!(!login.stderr.contains("http"), "{login:?}");
}

#[test]
fn the_version_in_full_says_where_the_program_comes_from() {
    let rig = Rig::new();
    let text = rig.run(&["--version", "-v"]).success();
    for part in ["openclaw-auth ", "\ncommit: ", "\ntarget: ", "\nfeatures: ", "2026.4.24"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(rig.run(&["-Vv"]).success(), text);
    assert_eq!(rig.run(&["--version"]).success().lines().count(), 1);
}
