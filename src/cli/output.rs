//! Where text leaves the program.

use crate::cli::exit::{ExitStatus, Failure, Hint};
use crate::cli::failure::exposed;
use crate::cli::terminal::sequence::Sequence;
use crate::store::Location;
use crate::system::Streams;
use crate::system::permissions::Exposure;
use crate::system::stream::stdout_columns;
use crate::text::{chain, printable};
use serde::Serialize;
use std::io::{self, ErrorKind};

/// Standard output for data, standard error for the rest.
pub(super) struct Output<'s> {
    pub(super) streams: &'s mut Streams,
    /// How a run ends that did what it was asked for.
    pub(super) status: ExitStatus,
    /// Whether a status line stands on the terminal, to be cleared before anything else.
    has_status_line: bool,
    /// Whether something was written of what was asked for.
    has_data: bool,
    /// Whether nothing is said but errors.
    is_quiet: bool,
    /// The help of the command at a path, like `["models", "auth"]`, in so many columns.
    help_of: fn(&[&str], usize) -> String,
}

impl<'s> Output<'s> {
    pub(super) fn new(streams: &'s mut Streams) -> Self {
        let help_of = |_: &[&str], _| String::new();
        let status = ExitStatus::Success;
        Self { streams, status, has_status_line: false, has_data: false, is_quiet: false, help_of }
    }

    /// The same output, which knows the help of every command.
    pub(super) const fn with_help(mut self, help_of: fn(&[&str], usize) -> String) -> Self {
        self.help_of = help_of;
        self
    }

    /// The same output, which says nothing but errors where it `is_quiet`.
    pub(super) const fn quiet(mut self, is_quiet: bool) -> Self {
        self.is_quiet = is_quiet;
        self
    }

    /// Says everything from now on: a user has to act on it.
    pub(super) const fn speak_up(&mut self) {
        self.is_quiet = false;
    }

    /// Writes the help of the command at `path` as what was asked for.
    pub(super) fn help(&mut self, path: &[&str]) -> Result<(), Failure> {
        self.data(&(self.help_of)(path, self.columns()))
    }

    /// Ends the run with this status: a check has an answer that is no failure.
    pub(super) const fn end_with(&mut self, status: ExitStatus) {
        self.status = status;
    }

    /// Writes what was asked for.
    pub(super) fn data(&mut self, text: &str) -> Result<(), Failure> {
        self.clear_status_line();
        self.has_data |= !text.is_empty();
        self.streams.stdout.write_all(text.as_bytes()).map_err(write_failed)
    }

    /// Whether standard output has something already: a report, whatever its end.
    pub(super) const fn has_data(&self) -> bool {
        self.has_data
    }

    /// Writes a JSON value with two spaces a level and a final newline.
    pub(super) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        self.clear_status_line();
        // Whole or not at all.
        let mut text =
            serde_json::to_string_pretty(value).map_err(|error| write_failed(error.into()))?;
        text.push('\n');
        self.data(&text)
    }

    /// Writes a JSON value on one line.
    pub(super) fn json_line<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        self.clear_status_line();
        let mut text = serde_json::to_string(value).map_err(|error| write_failed(error.into()))?;
        text.push('\n');
        self.data(&text)?;
        self.finish()
    }

    /// Says something on standard error, whatever it quotes made harmless. What cannot be
    /// said there is not worth failing.
    pub(super) fn say(&mut self, text: &str) {
        if !self.is_quiet {
            self.tell(text);
        }
    }

    /// As [`Self::say`], whether or not the output is quiet.
    fn tell(&mut self, text: &str) {
        let lines: Vec<String> =
            text.split('\n').map(|line| printable(line, LONGEST_LINE)).collect();
        self.clear_status_line();
        let _ = self.streams.stderr.write_all((lines.join("\n") + "\n").as_bytes());
    }

    /// Writes a text without a newline, for the user to go on.
    pub(super) fn prompt(&mut self, text: &str) {
        self.clear_status_line();
        let stderr = &mut self.streams.stderr;
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Sends a sequence of our own to the terminal on standard error: the one way past
    /// what [`Self::say`] removes.
    pub(super) fn send(&mut self, sequence: &Sequence) {
        self.clear_status_line();
        let _ = self.streams.stderr.write_all(sequence.as_bytes());
    }

    /// Draws the status line, or draws it again.
    pub(super) fn draw_status_line(&mut self, text: &str, columns: usize) {
        self.has_status_line = true;
        let line = Sequence::line(text, columns);
        let stderr = &mut self.streams.stderr;
        let _ = stderr.write_all(line.as_bytes()).and_then(|()| stderr.flush());
    }

    /// Leaves the line empty on which the status line stood.
    pub(super) fn clear_status_line(&mut self) {
        if std::mem::take(&mut self.has_status_line) {
            let _ = self.streams.stderr.write_all(Sequence::CLEAR_LINE.as_bytes());
        }
    }

    /// Something that went less well than it could.
    pub(super) fn warn(&mut self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    /// Says how many entries of a store are left out.
    pub(super) fn warn_of_invalid_entries(&mut self, count: usize, location: &Location) {
        if count > 0 {
            let (entries, are) = if count == 1 { ("entry", "is") } else { ("entries", "are") };
            self.warn(&format!(
                "{count} {entries} in {location} cannot be interpreted and {are} not shown"
            ));
        }
    }

    /// Warns of what somebody else could read or change, with the command against it.
    pub(super) fn warn_of_exposures(&mut self, exposures: &[Exposure]) {
        for exposure in exposures {
            self.warn(&exposed(exposure));
        }
    }

    /// How many columns a line of data should have at most.
    pub(super) fn columns(&self) -> usize {
        columns(self.streams)
    }

    /// How many columns a table may have: any number where no terminal shows it.
    pub(super) fn terminal_columns(&self) -> Option<usize> {
        terminal_columns(self.streams)
    }

    /// Hands over what is buffered.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.streams.stdout.flush().map_err(write_failed)
    }

    /// Prints why the command failed, if it did: a status can be an answer.
    pub(super) fn failure(&mut self, failure: &Failure) {
        if !failure.status.is_answer() {
            self.error(&chain(&*failure.cause), failure.hint.as_ref());
        }
    }

    /// The one place where an error is printed, with the next step.
    pub(super) fn error(&mut self, text: &str, hint: Option<&Hint>) {
        self.tell(&format!("error: {}", printable(text, 2_000)));
        if let Some(hint) = hint {
            self.tell(&format!("hint: {}", printable(&hint.to_string(), 2_000)));
        }
    }
}

/// The width of what is no terminal.
const DEFAULT_COLUMNS: usize = 80;

/// A URL to sign in at is long; nothing that we say is longer.
const LONGEST_LINE: usize = 16 * 1024;

/// Standard output takes no more.
#[derive(Debug, thiserror::Error)]
#[error("could not write the output")]
struct NotWritten(#[source] io::Error);

/// A reader that closes the pipe has what it wanted: that is success.
/// How many columns a line of data should have at most.
pub(super) fn columns(streams: &Streams) -> usize {
    terminal_columns(streams).unwrap_or(DEFAULT_COLUMNS)
}

fn terminal_columns(streams: &Streams) -> Option<usize> {
    streams.stdout_is_terminal.then(stdout_columns).flatten()
}

fn write_failed(error: io::Error) -> Failure {
    let status = match error.kind() {
        ErrorKind::BrokenPipe => ExitStatus::Success,
        _ => ExitStatus::Failure,
    };
    Failure::new(status, NotWritten(error))
}
