//! opencode: `auth.json` in `opencode` of `$XDG_DATA_HOME`, by default `~/.local/share`.

use super::format::Format;
use super::json::Malformed;
use super::{Parsed, Tool, entries};
use crate::system::Environment;
use std::path::PathBuf;

pub(super) struct Opencode;

impl Format for Opencode {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let data = environment.expanded("XDG_DATA_HOME");
        let data = data.unwrap_or_else(|| environment.home().join(".local/share"));
        vec![data.join("opencode/auth.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        entries::parse(Tool::Opencode.program(), text)
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        entries::without(text, entries)
    }
}
