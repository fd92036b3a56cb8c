//! The lines that are printed for other tools work when they are pasted, whatever the ids hold,
//! and show no token in a list of processes. `tests/interop` pastes them into the tools themselves.

use crate::support::rig::{Rig, store};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

const FAR: i64 = 4_102_444_800_000;
const TOKEN: &str = "fake-token-0123456789";
const ACCOUNT: &str = "fake-$(touch bad)'`touch bad`\\";

/// The stub of a tool: it notes its variables, and whether some process shows the token.
const STUB: &str = "#!/bin/sh
env >\"$HOME/variables\"
cat >\"$HOME/input\"
for process in /proc/[0-9]*; do tr '\\0' ' ' <\"$process/cmdline\"; echo; done >\"$HOME/processes\" 2>/dev/null
echo \"$@\" >\"$HOME/arguments\"
";

/// A rig in whose home the tools are stubs.
fn rig() -> Rig {
    let rig = Rig::new();
    let tools = rig.home().join("bin");
    std::fs::create_dir(&tools).unwrap();
    for tool in ["claude", "codex", "copilot", "curl", "gemini", "opencode", "pi"] {
        std::fs::write(tools.join(tool), STUB).unwrap();
        std::fs::set_permissions(tools.join(tool), PermissionsExt::from_mode(0o700)).unwrap();
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_openclaw-auth"), tools.join("openclaw-auth"))
        .unwrap();
    rig
}

fn read(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.home().join(name)).unwrap()
}

/// Pastes `text` into a shell, with keys of somebody else in its environment.
fn paste(rig: &Rig, text: &str) -> Output {
    let program = rig.command(&[]);
    let variables = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut shell = Command::new("sh");
    shell.args(["-c", text]).current_dir(rig.home()).env_clear().envs(variables);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", rig.home().join("bin").display());
    shell.env("PATH", path).env("HOME", rig.home());
    shell.env("ANTHROPIC_API_KEY", "fake-key").env("ANTHROPIC_AUTH_TOKEN", "fake-other");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(!rig.home().join("bad").exists(), "{text}");
    let shown = read(rig, "processes");
    assert!(!shown.is_empty() && !shown.contains(TOKEN), "{text}: {shown}");
    output
}

/// Moves a login; returns the lines that say how the tool can use it.
fn lines_of(rig: &Rig, tool: &str, file: &str, login: &Value) -> Vec<String> {
    rig.write_at_home(file, &login.to_string());
    let id = "it's:$(touch bad)";
    let import = ["models", "auth", "import", tool, "--move", "--profile-id", id];
    let finished = rig.run(&import);
    let told: Vec<String> = finished.stderr.lines().skip(1).map(|it| it[2..].to_owned()).collect();
    assert!(finished.stderr.starts_with("To let "), "{}", finished.stderr);
    finished.success();
    told
}

/// A variable of the tool when the lines of its login are pasted.
fn variable(tool: &str, file: &str, login: &Value, name: &str) -> String {
    let rig = rig();
    paste(&rig, &lines_of(&rig, tool, file, login).join("\n"));
    let variables = read(&rig, "variables");
    for beaten in ["ANTHROPIC_API_KEY=", "ANTHROPIC_AUTH_TOKEN="] {
        assert!(tool != "claude" || !variables.contains(beaten), "{variables}");
    }
    let value = variables.lines().find_map(|it| it.strip_prefix(&format!("{name}=")));
    value.unwrap_or_else(|| panic!("{tool} has no {name}")).to_owned()
}

fn grant() -> Value {
    json!({"type": "oauth", "access": TOKEN, "refresh": "fake-r", "expires": FAR,
           "accountId": ACCOUNT})
}

/// EVERYDAY, kind 10.
#[test]
fn what_a_tool_is_given_by_its_line_is_what_it_takes() {
    let claude = json!({"claudeAiOauth": {
        "accessToken": TOKEN, "refreshToken": "fake-r", "expiresAt": FAR, "scopes": [],
    }});
    let gemini = json!({"access_token": TOKEN, "refresh_token": "fake-r", "expiry_date": FAR});
    let copilot = json!({"github.com:1": {"user": "ada", "oauth_token": TOKEN}});
    let codex_key = json!({"auth_mode": "apikey", "OPENAI_API_KEY": TOKEN});
    for (tool, file, login, name, value) in [
        ("claude", ".claude/.credentials.json", claude, "CLAUDE_CODE_OAUTH_TOKEN", TOKEN),
        ("gemini", ".gemini/oauth_creds.json", gemini.clone(), "GOOGLE_GENAI_USE_GCA", "true"),
        ("gemini", ".gemini/oauth_creds.json", gemini, "GOOGLE_CLOUD_ACCESS_TOKEN", TOKEN),
        ("copilot", ".config/github-copilot/apps.json", copilot, "COPILOT_GITHUB_TOKEN", TOKEN),
        ("codex", ".codex/auth.json", codex_key, "CODEX_API_KEY", TOKEN),
    ] {
        assert_eq!(variable(tool, file, &login, name), value, "{tool}");
    }
    let copilot = json!({"type": "oauth", "access": "", "refresh": TOKEN, "expires": 0});
    for (entry, login, given) in [
        (
            "openai",
            grant(),
            json!({"type": "oauth", "access": TOKEN, "refresh": "", "expires": FAR,
                   "accountId": ACCOUNT}),
        ),
        ("github-copilot", copilot.clone(), copilot),
        ("openai", json!({"type": "api", "key": TOKEN}), json!({"type": "api", "key": TOKEN})),
        (
            "my-own.provider",
            json!({"type": "api", "key": TOKEN}),
            json!({"type": "api", "key": TOKEN}),
        ),
    ] {
        let file = ".local/share/opencode/auth.json";
        let value = variable("opencode", file, &json!({entry: login}), "OPENCODE_AUTH_CONTENT");
        assert_eq!(
            serde_json::from_str::<Value>(&value).unwrap(),
            json!({entry: given}),
            "{value}"
        );
    }
}

/// EVERYDAY, kind 10.
#[test]
fn a_command_that_a_file_names_prints_the_token() {
    let rig = rig();
    let file = ".pi/agent/auth.json";
    let lines = lines_of(&rig, "pi", file, &json!({"openai-codex": grant()}));
    assert_eq!(lines[0], "~/.pi/agent/models.json:");
    assert_eq!(lines[1], "  // pi --provider openclaw-auth --model gpt-5.5");
    let models: Value = serde_json::from_str(&lines[2..].join("\n")).unwrap();
    let command = &models["providers"]["openclaw-auth"]["apiKey"].as_str().unwrap()[1..];
    paste(&rig, "pi </dev/null");
    assert_eq!(String::from_utf8(paste(&rig, command).stdout).unwrap(), format!("{TOKEN}\n"));
}

#[test]
fn a_login_that_a_tool_cannot_use_from_here_is_said_to_be_none() {
    let rig = rig();
    let logins = json!({"anthropic": grant(), "google": grant(), "openai": grant()});
    rig.write_at_home(".local/share/opencode/auth.json", &logins.to_string());
    let import = ["models", "auth", "import", "opencode", "--move", "--all"];
    let said = rig.run(&import).stderr;
    assert_eq!(said.matches("No way is known to let opencode use `").count(), 2, "{said}");
    assert_eq!(said.matches("To let opencode use `openai-codex:").count(), 1, "{said}");
}

/// EVERYDAY, kind 10: the lines for curl, and of the help of `token`.
#[test]
fn the_documented_lines_show_no_token_in_a_list_of_processes() {
    let rig = rig();
    let profiles = json!({
        "openai-codex:a": {"type": "token", "provider": "openai-codex", "token": TOKEN},
        "github-copilot:a": {"type": "token", "provider": "github-copilot", "token": TOKEN},
    });
    rig.write(&store("main"), &json!({"version": 1, "profiles": profiles}).to_string());
    let readme = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let help = rig.run(&["models", "auth", "token", "--help"]).success();
    for text in [&readme, &help] {
        let start = text.find("printf 'Authorization").unwrap();
        let (line, _) = text[start..].split_once(" …").unwrap();
        paste(&rig, line);
        assert_eq!(read(&rig, "input"), format!("Authorization: Bearer {TOKEN}"));
        assert_eq!(read(&rig, "arguments"), "-H @-\n");
    }
    let line = help.lines().find(|line| line.contains("COPILOT_GITHUB_TOKEN")).unwrap();
    paste(&rig, line);
    assert!(read(&rig, "variables").contains(&format!("COPILOT_GITHUB_TOKEN={TOKEN}\n")));
}
