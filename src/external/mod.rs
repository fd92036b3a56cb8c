//! The logins that other programs keep for themselves: Codex CLI, Claude Code and others.
//!
//! Reading takes no lock and changes nothing. [`log_out`] is the one thing that writes: by
//! the program's own rules, under its own locks, and only while the file still holds what
//! was read. Which provider a login is of is data, in `programs.json` and
//! `managed.json`.

mod claude;
mod codex;
mod copilot;
mod entries;
mod error;
mod file;
mod flat;
mod format;
mod gemini;
mod json;
mod login;
mod logout;
mod minimax;
mod opencode;
mod pi;
mod program;
mod qwen;
mod time;

pub use error::{ExternalError, OtherStorage, Unfit};
pub use json::{Malformed, Position};
pub use login::{Contents, Login, Parsed};
pub use logout::{LoggedOut, check_in_files, log_out};
pub use program::{EntryProvider, Managed, Program, Tool};

use crate::system::Environment;
use crate::system::permissions::{Kind, Permissions};
use file::text_of;
use format::Format;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

fn format(tool: Tool) -> &'static dyn Format {
    match tool {
        Tool::Codex => &codex::Codex,
        Tool::Claude => &claude::Claude,
        Tool::Minimax => &minimax::Minimax,
        Tool::Gemini => &gemini::Gemini,
        Tool::Qwen => &qwen::Qwen,
        Tool::Opencode => &opencode::Opencode,
        Tool::Pi => &pi::Pi,
        Tool::Copilot => &copilot::Copilot,
    }
}

/// The logins of a program, as they are now.
///
/// # Errors
/// There is none, it is not in a file, or the file cannot be read.
pub fn read(tool: Tool, environment: &Environment) -> Result<Contents, ExternalError> {
    read_with(tool, environment, |format| format.text_elsewhere(environment))
}

/// As [`read`], of files alone: a keychain may ask its user, which is no way to look around.
///
/// # Errors
/// As for [`read`].
pub fn read_files(tool: Tool, environment: &Environment) -> Result<Contents, ExternalError> {
    read_with(tool, environment, |_| None)
}

fn read_with(
    tool: Tool,
    environment: &Environment,
    elsewhere: impl Fn(&dyn Format) -> Option<(PathBuf, Zeroizing<String>)>,
) -> Result<Contents, ExternalError> {
    let format = format(tool);
    let mut contents = Contents::default();
    let mut first_file = None;
    let mut texts = Vec::new();
    for path in format.files(environment) {
        if let Some(text) = text_of(&path)? {
            contents.exposures.extend(exposure(&path));
            texts.push((path.clone(), text));
        }
        first_file.get_or_insert(path);
    }
    if let Some(place) = format.elsewhere(environment, !texts.is_empty()) {
        return Err(ExternalError::Elsewhere { tool, place });
    }
    if texts.is_empty() {
        texts.extend(elsewhere(format));
    }
    let mut garbage = None;
    for (path, text) in texts {
        let Parsed { logins, skipped } = match format.parse(&text) {
            Ok(parsed) => parsed,
            Err(reason) => {
                contents.skipped.push((path.display().to_string(), reason.into()));
                garbage.get_or_insert(ExternalError::Invalid { path, reason });
                continue;
            }
        };
        contents.paths.push(path.clone());
        contents.skipped.extend(skipped);
        contents.logins.extend(logins.into_iter().map(|mut login| {
            format.complete(environment, &mut login);
            Login { path: path.clone(), ..login }
        }));
    }
    // A file that cannot be read costs no login of another one.
    if let Some(garbage) = garbage.filter(|_| contents.logins.is_empty()) {
        return Err(garbage);
    }
    if contents.logins.is_empty() && contents.skipped.is_empty() {
        return Err(ExternalError::SignedOut { tool, path: first_file.unwrap_or_default() });
    }
    Ok(contents)
}

/// The logins in `text`, as `tool` writes them.
///
/// # Errors
/// Why it is not what the program writes, without a quote.
pub fn parse(tool: Tool, text: &str) -> Result<Parsed, Malformed> {
    format(tool).parse(text)
}

/// `text`, as `tool` writes it, without `entries`; `None` when the program has no file then.
///
/// # Errors
/// Why it is not what the program writes, without a quote.
pub fn without(tool: Tool, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
    format(tool).without(text, entries)
}

/// Who else can read or change the file. It is not ours to refuse.
fn exposure(path: &Path) -> Option<crate::system::permissions::Exposure> {
    let directory = path.parent()?;
    let permissions = Permissions::of(directory);
    permissions
        .exposure(path, Kind::Secrets)
        .or_else(|| permissions.exposure(directory, Kind::Directory))
}
