//! Failures under `--json`: one document on standard output.
//!
//! Invariant: our own commands fail with our JSON, whatever the failure is. One that OpenClaw has
//! with `--json` fails as OpenClaw does, with nothing on standard output, unless
//! `OPENCLAW_AUTH_JSON_ERRORS=1` asks for ours. A sign-in ends with an event.

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

/// The end of a sign-in that has failed, as the last of its events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'f> {
    event: &'static str,
    schema: u32,
    message: String,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint_command: Option<&'f Command>,
}

/// How a failure is told on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Not at all.
    Nothing,
    /// As one document.
    Document,
    /// As the last event of a sign-in.
    Event,
}

/// The commands that OpenClaw has with `--json` as well: their failures are not ours to shape.
const OPENCLAWS: [&[&str]; 11] = [
    &["models", "status"],
    &["models", "auth", "add"],
    &["models", "auth", "login-github-copilot"],
    &["models", "auth", "order"],
    &["status"],
    &["channels"],
    &["agents"],
    &["secrets"],
    &["onboard"],
    &["configure"],
    &["models", "--status-json"],
];

/// The commands whose failure is an event.
const WITH_EVENTS: [&[&str]; 2] = [&["models", "auth", "login"], &["login"]];

/// The commands below those about logins that wait, which have no events.
const WITHOUT_EVENTS: [&str; 3] = ["start", "list", "cancel"];

/// How a failure of the command that `args` spell, the name of the program first, is told.
pub(super) fn wanted(args: &[OsString], environment: &Environment) -> Told {
    let texts = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default());
    let texts: Vec<&str> = texts.take_while(|text| *text != "--").collect();
    if !texts.contains(&"--json") {
        return Told::Nothing;
    }
    let words = words_of(&texts);
    let begins = |command: &&[&str]| words.starts_with(command);
    if WITH_EVENTS.iter().any(begins) && !words.iter().any(|it| WITHOUT_EVENTS.contains(it)) {
        return Told::Event;
    }
    if OPENCLAWS.iter().any(begins) && environment.text("OPENCLAW_AUTH_JSON_ERRORS") != Some("1") {
        return Told::Nothing;
    }
    Told::Document
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

/// Ends a run with a failure: the text for people, and the JSON that is wanted.
pub(super) fn end(failure: &Failure, told: Told, output: &mut Output<'_>) -> ExitStatus {
    // What cannot be written is said on standard error all the same.
    let _ = match told {
        Told::Document if !failure.status.is_answer() && !output.has_data() => {
            let report = Report { schema: 1, error: error_of(failure) };
            output.json(&report).and_then(|()| output.finish())
        }
        Told::Event => output.json_line(&event_of(failure)),
        Told::Document | Told::Nothing => Ok(()),
    };
    output.failure(failure);
    failure.status
}

fn error_of(failure: &Failure) -> Error<'_> {
    let Event { message, exit_code, hint, hint_command, .. } = event_of(failure);
    Error { code: failure.status.name(), message, exit_code, hint, hint_command }
}

fn event_of(failure: &Failure) -> Event<'_> {
    Event {
        event: "error",
        schema: 1,
        message: printable(&chain(&*failure.cause), 2_000),
        exit_code: failure.status.code(),
        hint: failure.hint.as_ref().map(|hint| printable(&hint.to_string(), 2_000)),
        hint_command: failure.hint.as_ref().and_then(Hint::command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Told {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        wanted(&args, &Environment::default())
    }

    #[test]
    fn our_reports_fail_in_json_and_openclaws_as_there() {
        for line in [
            "x token --json",
            "x models auth token nope --json",
            "x lgin --json",
            "x doctor --json",
            "x models auth paste-token --json",
            "x models auth login list --json",
            "x login start --provider odd --json",
        ] {
            assert_eq!(told(line), Told::Document, "{line}");
        }
        for line in ["x login chatgpt --json", "x login finish --json", "x --agent a login --json"]
        {
            assert_eq!(told(line), Told::Event, "{line}");
        }
        for line in [
            "x token",
            "x token -- --json",
            "x models status --json",
            "x --agent a agents add b --json",
            "x models auth order get --json",
            "x channels list --json",
            "x channels status --json",
        ] {
            assert_eq!(told(line), Told::Nothing, "{line}");
        }
    }

    #[test]
    fn a_variable_asks_for_ours() {
        let environment = Environment::of([("OPENCLAW_AUTH_JSON_ERRORS", "1")]);
        let args = ["x", "agents", "list", "--json"].map(OsString::from);
        assert_eq!(wanted(&args, &environment), Told::Document);
    }
}
