//! Qwen Code: `~/.qwen/oauth_creds.json`, written under `oauth_creds.lock` (`O_EXCL`).

use super::format::Format;
use super::json::Malformed;
use super::{Parsed, Tool, flat};
use crate::system::Environment;
use crate::system::lock::foreign::Protocol;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) struct Qwen;

impl Format for Qwen {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        vec![environment.home().join(".qwen/oauth_creds.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        flat::parse(Tool::Qwen.program(), text)
    }

    /// The file is the login.
    fn without(&self, _: &str, _: &[&str]) -> Result<Option<String>, Malformed> {
        Ok(None)
    }

    fn locks(&self, file: &Path) -> Vec<(PathBuf, Protocol)> {
        vec![(file.with_extension("lock"), Protocol::Exclusive(Duration::from_secs(35)))]
    }
}
