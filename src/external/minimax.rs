//! MiniMax CLI: `~/.minimax/oauth_creds.json`.

use super::format::Format;
use super::json::Malformed;
use super::{Parsed, Tool, flat};
use crate::system::Environment;
use std::path::PathBuf;

pub(super) struct Minimax;

impl Format for Minimax {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        vec![environment.home().join(".minimax/oauth_creds.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        flat::parse(Tool::Minimax.program(), text)
    }

    /// The file is the login.
    fn without(&self, _: &str, _: &[&str]) -> Result<Option<String>, Malformed> {
        Ok(None)
    }
}
