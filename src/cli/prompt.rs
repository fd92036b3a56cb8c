//! Questions: on a terminal with a prompt, else answered by a line of standard input.

use super::output::Output;
use crate::exit::{ExitStatus, Failure};
use std::io::BufRead;

/// Asks for a secret: typed without an echo, or a line of standard input.
///
/// # Errors
/// There is no input, or the terminal cannot be used.
pub(super) fn secret(output: &mut Output<'_>, what: &str) -> Result<String, Failure> {
    if output.streams.stdin_is_terminal {
        output.finish()?;
        return rpassword::prompt_password(format!("{what}: ")).map_err(unreadable);
    }
    line(output)?.ok_or_else(|| {
        Failure::message(ExitStatus::Usage, format!("no {what} on standard input"))
            .hint("send it as a line on standard input, or run the command on a terminal")
    })
}

/// The next line of standard input; `None` at its end.
fn line(output: &mut Output<'_>) -> Result<Option<String>, Failure> {
    let Some(stdin) = &mut output.streams.stdin else { return Ok(None) };
    let mut line = String::new();
    let read = stdin.read_line(&mut line).map_err(unreadable)?;
    Ok((read > 0).then_some(line))
}

/// Fails unless somebody sits at a terminal.
pub(super) fn require_terminal(output: &Output<'_>, instead: &str) -> Result<(), Failure> {
    if output.streams.stdin_is_terminal {
        return Ok(());
    }
    Err(Failure::usage("this command asks questions and needs a terminal").hint(instead))
}

/// The failure of a question that was not answered.
pub(super) fn unanswered(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    unreadable(error)
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
