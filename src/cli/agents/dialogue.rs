//! Questions on the terminal, one line each. They stand on standard error, so that
//! standard output holds nothing but data.

use crate::cli::output::Output;
use crate::exit::{ExitStatus, Failure};
use crate::text::printable;
use std::io::{BufRead, Read};

/// The longest answer, in bytes.
const LONGEST_ANSWER: u64 = 4_096;

/// Asks for a line of text; an empty one means `usual`.
pub(super) fn ask(
    output: &mut Output<'_>,
    question: &str,
    usual: Option<&str>,
) -> Result<String, Failure> {
    let shown = usual.map(|usual| format!(" [{}]", printable(usual, 300))).unwrap_or_default();
    let prompt = format!("{question}{shown}: ");
    let stderr = &mut output.streams.stderr;
    let _ = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
    let mut line = Vec::new();
    let read = match output.streams.stdin.as_mut() {
        Some(stdin) => stdin
            .as_mut()
            .take(LONGEST_ANSWER)
            .read_until(b'\n', &mut line)
            .map_err(|error| anyhow::Error::new(error).context("could not read the answer"))?,
        None => 0,
    };
    if read == 0 {
        output.say("");
        return Err(Failure::message(
            ExitStatus::Failure,
            "there was no answer; nothing was changed",
        ));
    }
    let answer = String::from_utf8_lossy(&line).trim().to_owned();
    Ok(if answer.is_empty() { usual.unwrap_or_default().to_owned() } else { answer })
}

/// Asks a question that only `y` or `yes` affirms.
pub(super) fn confirm(output: &mut Output<'_>, question: &str) -> Result<bool, Failure> {
    let answer = ask(output, &format!("{question} [y/N]"), None)?;
    Ok(["y", "yes"].contains(&answer.to_lowercase().as_str()))
}
