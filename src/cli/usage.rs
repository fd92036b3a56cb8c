//! Mistakes on the command line, as clap finds them: help and version are data, the rest is a
//! usage error, with the command that was meant where a word is none.

use super::exit::{ExitStatus, Failure};
use super::json_error::{self, Told};
use super::mistyped;
use super::output::Output;
use crate::system::Streams;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

/// Shows what clap says about `args`, the name of the program first; `root` makes all
/// commands, which takes time.
pub(super) fn show(
    error: &clap::Error,
    args: &[OsString],
    root: impl FnOnce() -> clap::Command,
    in_json: Told,
    streams: &mut Streams,
) -> ExitStatus {
    let text = error.render().to_string();
    if !error.use_stderr() {
        return print(&text, streams);
    }
    let mut output = Output::new(streams);
    if error.kind() == ErrorKind::InvalidSubcommand
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
    {
        return json_error::end(&no_command(word, args, &root()), in_json, &mut output);
    }
    if in_json != Told::Nothing {
        return json_error::end(&Failure::usage(sentence(&text)), in_json, &mut output);
    }
    output.say(text.trim_end());
    ExitStatus::Usage
}

/// Writes data. A reader that has gone away does not need it.
pub(super) fn print(text: &str, streams: &mut Streams) -> ExitStatus {
    let _ = streams.stdout.write_all(text.as_bytes()).and_then(|()| streams.stdout.flush());
    ExitStatus::Success
}

/// The failure where `word` is no command of those before it.
fn no_command(word: &str, args: &[OsString], root: &clap::Command) -> Failure {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|it| it.to_str()).collect();
    let at = words.iter().position(|it| *it == word).unwrap_or_default();
    let is_word = |it: &&&str| !it.starts_with('-');
    let path: Vec<&str> = words[..at].iter().filter(is_word).copied().collect();
    let rest: Vec<&str> = words[at..].iter().take_while(is_word).copied().collect();
    mistyped::failure(root, &path, &rest)
}

/// The first sentence of a message of clap, in one line.
fn sentence(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let first = text.split("\n\n").next().unwrap_or_default();
    first.split_whitespace().collect::<Vec<_>>().join(" ")
}
