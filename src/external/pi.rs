//! pi: `~/.pi/agent/auth.json`, written under the lock directory `auth.json.lock`.

use super::format::Format;
use super::json::Malformed;
use super::{Parsed, Tool, entries};
use crate::system::Environment;
use crate::system::file::{resolve, with_suffix};
use crate::system::lock::foreign::Protocol;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) struct Pi;

impl Format for Pi {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        vec![environment.home().join(".pi/agent/auth.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        entries::parse(Tool::Pi.program(), text)
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        entries::without(text, entries)
    }

    fn locks(&self, file: &Path) -> Vec<(PathBuf, Protocol)> {
        let lock = with_suffix(&resolve(file), ".lock");
        vec![(lock, Protocol::Directory(Duration::from_secs(30)))]
    }
}
