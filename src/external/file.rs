//! Finding and reading the files of other programs.

use super::error::ExternalError;
use crate::system::{Environment, file};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A larger file is no file of logins.
const LARGEST_FILE: u64 = 8 * 1024 * 1024;

/// The text of a file; `None` where there is none.
pub(super) fn text_of(path: &Path) -> Result<Option<Zeroizing<String>>, ExternalError> {
    match file::read_up_to(path, LARGEST_FILE) {
        Ok(read) => Ok(read.map(|(text, _)| Zeroizing::new(text))),
        Err(source) => Err(ExternalError::Read { path: path.to_owned(), source }),
    }
}

/// The directory that a program's own variable names. Nobody has expanded a `~` in it where it
/// comes from a unit, a container or an `.env` file.
pub(super) fn directory_in(environment: &Environment, variable: &str) -> Option<PathBuf> {
    let path = environment.path(variable)?;
    match path.strip_prefix("~") {
        Ok(rest) if rest.as_os_str().is_empty() => Some(environment.home()),
        Ok(rest) => Some(environment.home().join(rest)),
        Err(_) => Some(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_directory() {
        for (value, expected) in [
            ("~", Some("/h")),
            ("~/.codex", Some("/h/.codex")),
            ("~/", Some("/h")),
            ("~other/x", Some("~other/x")),
            ("/a/~/b", Some("/a/~/b")),
            ("", None),
        ] {
            let environment = Environment::of([("HOME", "/h"), ("X", value)]);
            let path = directory_in(&environment, "X");
            assert_eq!(path.as_deref(), expected.map(Path::new), "{value}");
        }
    }
}
