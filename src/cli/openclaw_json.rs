//! A failure in JSON, as the commands of OpenClaw 2026.9.6 print it with `--json`.
//!
//! Invariant: only commands that OpenClaw has print it, and only on a state directory of the
//! generation that does. `OPENCLAW_AUTH_JSON_ERRORS=1` asks for our own document and exit status.

use super::exit::{ExitStatus, Failure};
use super::output::Output;
use crate::app::App;
use crate::text::chain;
use serde::Serialize;
use std::ffi::OsString;

/// The commands of OpenClaw that print JSON.
const COMMANDS: [&[&str]; 6] = [
    &["models", "auth", "list"],
    &["models", "auth", "order"],
    &["models", "status"],
    &["agents"],
    &["channels", "list"],
    &["secrets", "audit"],
];

#[derive(Serialize)]
struct Report {
    ok: bool,
    error: Reason,
}

#[derive(Serialize)]
struct Reason {
    r#type: &'static str,
    message: String,
}

/// Whether these arguments, the name of the program first, want JSON of such a command.
pub(super) fn is_wanted(args: &[OsString]) -> bool {
    let words = || args.iter().skip(1);
    let is_of = |command: &&[&str]| {
        words().take(command.len()).map(OsString::as_os_str).eq(command.iter().copied())
    };
    words().any(|word| word == "--json") && COMMANDS.iter().any(is_of)
}

/// Whether the failure is OpenClaw's to print.
pub(super) fn is_right(app: &App, status: ExitStatus) -> bool {
    let is_failure = !status.is_answer() && status != ExitStatus::Interrupted;
    let wants_ours = || app.environment.text("OPENCLAW_AUTH_JSON_ERRORS") == Some("1");
    is_failure && !wants_ours() && app.is_of_databases()
}

/// Prints it; the status is the one that OpenClaw has for all of them.
pub(super) fn print(failure: &Failure, output: &mut Output<'_>) -> ExitStatus {
    let message = chain(&*failure.cause);
    let report = Report { ok: false, error: Reason { r#type: "cli_error", message } };
    // A reader that has gone away does not need it.
    let _ = output.json(&report).and_then(|()| output.finish());
    ExitStatus::Failure
}
