//! The short commands, and the names that they take.

mod logins;
mod names;
mod scripts;
mod sign_in;
mod words;

use crate::support::rig::{Rig, store};
use serde_json::json;

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
