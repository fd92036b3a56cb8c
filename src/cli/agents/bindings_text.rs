//! How the commands of `agents` tell of bindings, and of those that other agents have.

use crate::admin::agents::binding::Conflict;
use crate::cli::exit::{ExitStatus, Failure};
use crate::text::printable;

/// `title` and a line for each item; nothing without items.
pub(super) fn section(title: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<_> = items.iter().map(|item| format!("- {}\n", printable(item, 300))).collect();
    format!("{title}:\n{}", items.concat())
}

/// The conflicts, one text each.
pub(super) fn texts(conflicts: &[Conflict]) -> Vec<String> {
    conflicts.iter().map(ToString::to_string).collect()
}

/// The failure of a command that could not do everything because of other agents; `Ok` where
/// no other agent was in the way.
pub(super) fn conflict_failure(conflicts: &[Conflict]) -> Result<(), Failure> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let texts: Vec<_> = texts(conflicts).iter().map(|text| printable(text, 300)).collect();
    let what = format!("another agent has the binding: {}", texts.join("; "));
    Err(Failure::message(ExitStatus::Failure, what)
        .hint("openclaw-auth agents unbind --agent <its agent> --bind <channel[:account]>"))
}
