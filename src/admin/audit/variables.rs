//! Secrets of the `.env` file.

use super::collector::{Collector, ROOT};
use super::object::read_text;
use crate::config::{assignments, unquote};
use crate::text::chain;
use std::path::Path;

impl Collector<'_> {
    /// Looks for secrets in the `.env` file.
    pub(super) fn scan_variables(&mut self, path: &Path) {
        if !path.exists() {
            return;
        }
        self.files.push(path.to_owned());
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.find_unresolved((path, ROOT.to_owned()), chain(&error), None);
                return;
            }
        };
        for (name, value) in assignments(&text) {
            if unquote(value).is_empty() || !self.known.is_variable(name) {
                continue;
            }
            let message = format!("{name} looks like a secret in plain text");
            self.find_plaintext((path, format!("$env.{name}")), message, (None, None));
        }
    }
}
