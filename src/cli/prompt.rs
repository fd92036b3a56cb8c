//! Questions, one line each. They stand on standard error, so that standard output holds
//! nothing but data.

use super::output::Output;
use super::terminal::sequence::Sequence;
use crate::cli::exit::{ExitStatus, Failure};
use crate::system::{signal, stream, typing};
use crate::text::{decoded, printable};
use dialoguer::FuzzySelect;
use std::io::{BufRead, Read, Write};

/// Asks for a secret: pasted or typed without an echo, or read from standard input. It is all
/// that was pasted, which may have several lines.
///
/// # Errors
/// There is no input, or the terminal cannot be used.
pub(super) fn secret(output: &mut Output<'_>, what: &str) -> Result<String, Failure> {
    if output.streams.stdin_is_terminal && typing::is_possible() {
        output.finish()?;
        let read = || {
            // Before the question: whoever types at once must not be shown either.
            typing::set_raw(|| true)?;
            output.prompt(&format!("{what}: "));
            typing::hidden_paste()
        };
        let typed = interruptible("\n".to_owned(), read);
        let typed = typed.and_then(|typed| typed.map_err(unreadable));
        output.say("");
        return Ok(decoded(&typed?));
    }
    let pasted = match output.streams.stdin.take() {
        Some(stdin) => stream::paste(stdin).map_err(unreadable)?,
        None => None,
    };
    pasted.map(|pasted| decoded(&pasted)).ok_or_else(|| {
        Failure::message(ExitStatus::Usage, format!("no {what} on standard input"))
            .hint("send it as a line on standard input, or run the command on a terminal")
    })
}

/// Runs what waits for the user. A signal meanwhile sets the terminal back, writes `last` to
/// it and ends the process as an interrupted one.
fn interruptible<T>(last: String, run: impl FnOnce() -> T) -> Result<T, Failure> {
    let end = move || {
        typing::restore_for_good();
        // Whoever has gone away does not read it.
        let _ = std::io::stderr().write_all(format!("{last}error: interrupted\n").as_bytes());
    };
    signal::ending(ExitStatus::Interrupted.code(), end, run).map_err(|error| {
        let error = anyhow::Error::new(error).context("could not catch signals");
        Failure::new(ExitStatus::Failure, error)
    })
}

/// Runs what may take long and notices no signal: one that an earlier question has caught
/// would not end it any more.
///
/// # Errors
/// Signals cannot be caught; then nothing was run.
pub(super) fn still_interruptible<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    if signal::are_caught() { interruptible("\n".to_owned(), run) } else { Ok(run()) }
}

/// Runs a dialogue that draws on the terminal and reads single keys of it.
///
/// # Errors
/// The user went away.
pub(super) fn dialogue<T>(run: impl FnOnce() -> dialoguer::Result<T>) -> Result<T, Failure> {
    // It hides the cursor and what is typed, and sets neither back when it is interrupted.
    let last = format!("{}\n", Sequence::SHOW_CURSOR);
    typing::save();
    let answer = interruptible(last.clone(), run);
    typing::restore();
    answer?.map_err(|error| {
        // A signal may end its read first.
        let _ = std::io::stderr().write_all(last.as_bytes());
        let dialoguer::Error::IO(error) = error;
        unreadable(error)
    })
}

/// Lets the user choose one of several things on the terminal; its place among `items`.
///
/// # Errors
/// The user went away.
pub(super) fn choose_one(prompt: &str, items: &[&str]) -> Result<usize, Failure> {
    let select = FuzzySelect::new().with_prompt(prompt).items(items).default(0);
    dialogue(|| select.interact_opt())?.ok_or_else(Failure::interrupted)
}

/// As [`choose_one`]; `None` where the user goes back by Esc.
///
/// # Errors
/// The user went away.
pub(super) fn choose_or_back(prompt: &str, items: &[&str]) -> Result<Option<usize>, Failure> {
    // The prompt stays on the smallest usual screen.
    const LINES: usize = 12;
    let select = FuzzySelect::new().with_prompt(prompt).items(items).default(0).max_length(LINES);
    dialogue(|| select.interact_opt())
}

/// The longest answer, in bytes.
const LONGEST_ANSWER: u64 = 4_096;

/// Asks for a line of text; an empty one means `default`.
pub(super) fn ask(
    output: &mut Output<'_>,
    question: &str,
    default: Option<&str>,
) -> Result<String, Failure> {
    let shown =
        default.map(|default| format!(" [{}]", printable(default, 300))).unwrap_or_default();
    let prompt = format!("{question}{shown}: ");
    output.prompt(&prompt);
    let mut line = Vec::new();
    let stdin = output.streams.stdin.as_mut();
    let read = || match stdin {
        Some(stdin) => stdin.as_mut().take(LONGEST_ANSWER).read_until(b'\n', &mut line),
        None => Ok(0),
    };
    let read = still_interruptible(read)?
        .map_err(|error| anyhow::Error::new(error).context("could not read the answer"))?;
    if read == 0 {
        output.say("");
        return Err(Failure::message(
            ExitStatus::Failure,
            "there was no answer; nothing was changed",
        ));
    }
    let answer = String::from_utf8_lossy(&line).trim().to_owned();
    Ok(if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer })
}

/// Asks a question that only `y` or `yes` affirms.
pub(super) fn confirm(output: &mut Output<'_>, question: &str) -> Result<bool, Failure> {
    let answer = ask(output, &format!("{question} [y/N]"), None)?;
    Ok(["y", "yes"].contains(&answer.to_lowercase().as_str()))
}

/// Fails unless somebody sits at a terminal.
pub(super) fn require_terminal(output: &Output<'_>, instead: &str) -> Result<(), Failure> {
    if output.streams.stdin_is_terminal {
        return Ok(());
    }
    Err(Failure::usage("this command asks questions and needs a terminal").hint(instead))
}

fn unreadable(error: std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::Interrupted {
        return Failure::interrupted();
    }
    Failure::new(
        ExitStatus::Failure,
        anyhow::Error::new(error).context("could not read the answer"),
    )
}
