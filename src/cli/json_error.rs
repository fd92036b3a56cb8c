//! Failures under `--json`: one document on standard output.
//!
//! Invariant: our own commands fail with our JSON. A command that OpenClaw has fails as OpenClaw
//! does, with nothing on standard output, unless `OPENCLAW_AUTH_JSON_ERRORS=1` asks for ours.

use super::exit::{Command, ExitStatus, Failure, Hint};
use super::output::Output;
use crate::system::Environment;
use crate::text::{chain, printable};
use serde::Serialize;
use std::ffi::OsString;

/// The document of a failure.
#[derive(Serialize)]
struct Report<'f> {
    schema: u32,
    error: Error<'f>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Error<'f> {
    code: &'static str,
    message: String,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'f Command>,
}

/// The commands that OpenClaw has as well: their failures are not ours to shape.
const OPENCLAWS: [&[&str]; 14] = [
    &["models", "status"],
    &["models", "auth", "add"],
    &["models", "auth", "paste-token"],
    &["models", "auth", "setup-token"],
    &["models", "auth", "login-github-copilot"],
    &["models", "auth", "order"],
    &["status"],
    &["channels"],
    &["agents"],
    &["secrets"],
    &["onboard"],
    &["configure"],
    &["doctor"],
    &["models", "--status-json"],
];

/// The commands whose failure is an event: it is the last line of what they print.
const WITH_EVENTS: [&[&str]; 2] = [&["models", "auth", "login"], &["login"]];

/// Whether a failure of the command that `args` spell, the name of the program first, is told
/// in JSON.
pub(super) fn is_wanted(args: &[OsString], environment: &Environment) -> bool {
    let texts = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default());
    let texts: Vec<&str> = texts.take_while(|text| *text != "--").collect();
    if !texts.contains(&"--json") {
        return false;
    }
    let words = words_of(&texts);
    let begins = |command: &&[&str]| words.starts_with(command);
    if WITH_EVENTS.iter().any(begins) && !is_list(&words) {
        return false;
    }
    !OPENCLAWS.iter().any(begins) || environment.text("OPENCLAW_AUTH_JSON_ERRORS") == Some("1")
}

/// The words of a command line without the options before the first.
fn words_of<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    let mut words = Vec::new();
    let mut texts = texts.iter();
    while let Some(text) = texts.next() {
        match *text {
            "--profile" | "--agent" => drop(texts.next()),
            text if text.starts_with('-') => {}
            text => words.push(text),
        }
    }
    words
}

/// Whether it is one of the commands about logins that wait, which have no events.
fn is_list(words: &[&str]) -> bool {
    words.iter().any(|word| ["list", "cancel"].contains(word))
}

/// Ends a run with a failure: the text for people, and the document where it is wanted.
pub(super) fn end(failure: &Failure, in_json: bool, output: &mut Output<'_>) -> ExitStatus {
    if in_json && !failure.status.is_answer() && !output.has_data() {
        let report = Report { schema: 1, error: error_of(failure) };
        // What cannot be written is said on standard error all the same.
        let _ = output.json(&report).and_then(|()| output.finish());
    }
    output.failure(failure);
    failure.status
}

fn error_of(failure: &Failure) -> Error<'_> {
    Error {
        code: failure.status.name(),
        message: printable(&chain(&*failure.cause), 2_000),
        exit_code: failure.status.code(),
        hint: failure.hint.as_ref().map(|hint| printable(&hint.to_string(), 2_000)),
        hint_command: failure.hint.as_ref().and_then(Hint::command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str) -> bool {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        is_wanted(&args, &Environment::default())
    }

    #[test]
    fn our_commands_fail_in_json_and_openclaws_as_there() {
        for line in ["x token --json", "x models auth token nope --json", "x lgin --json"] {
            assert!(wanted(line), "{line}");
        }
        for line in [
            "x token",
            "x token -- --json",
            "x models status --json",
            "x --agent a agents add b --json",
            "x login chatgpt --json",
            "x models auth order get --json",
        ] {
            assert!(!wanted(line), "{line}");
        }
        assert!(wanted("x models auth login list --json"));
    }

    #[test]
    fn a_variable_asks_for_ours() {
        let environment = Environment::of([("OPENCLAW_AUTH_JSON_ERRORS", "1")]);
        let args = ["x", "agents", "list", "--json"].map(OsString::from);
        assert!(is_wanted(&args, &environment));
    }
}
