//! What the modules of the programs have in common: where a login is, and in which form.

use super::error::OtherStorage;
use super::json::Malformed;
use super::login::{Login, Parsed};
use crate::system::Environment;
use crate::system::lock::foreign::Protocol;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What a program keeps where, and in which form.
pub(super) trait Format: Sync {
    /// Its files, whether or not they exist.
    fn files(&self, environment: &Environment) -> Vec<PathBuf>;

    /// The logins in one of them.
    fn parse(&self, text: &str) -> Result<Parsed, Malformed>;

    /// The text of the file without `entries`; `None` when the program has no file then.
    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed>;

    /// The locks that the program takes before it writes the file, in their order.
    fn locks(&self, _file: &Path) -> Vec<(PathBuf, Protocol)> {
        Vec::new()
    }

    /// Where the login is when no file shows it. `has_file` says
    /// whether there is a file.
    fn elsewhere(&self, _environment: &Environment, _has_file: bool) -> Option<OtherStorage> {
        None
    }

    /// What stands in no file, in the same form.
    fn text_elsewhere(&self, _environment: &Environment) -> Option<(PathBuf, Zeroizing<String>)> {
        None
    }

    /// Completes what other files of the program say of the account.
    fn complete(&self, _environment: &Environment, _login: &mut Login) {}
}
