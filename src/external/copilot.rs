//! The GitHub Copilot extensions of editors: `hosts.json` and `apps.json` in
//! `github-copilot` of `$XDG_CONFIG_HOME`, by default `~/.config`.
//!
//! `{"github.com" | "github.com:<client id>": {user, oauth_token}}`. The tokens are
//! long-lived, and nothing refreshes them.

use super::format::Format;
use super::json::Malformed;
use super::{Login, Parsed, Tool, Unfit, entries};
use crate::profile::CredentialKind;
use crate::system::Environment;
use std::path::PathBuf;

pub(super) struct Copilot;

impl Format for Copilot {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let config = environment.expanded("XDG_CONFIG_HOME");
        let config = config.unwrap_or_else(|| environment.home().join(".config"));
        let names = ["github-copilot/apps.json", "github-copilot/hosts.json"];
        names.map(|name| config.join(name)).into()
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        entries::each(text, |name, entry| {
            let Some(token) = entry.secret("oauth_token")? else { return Ok(None) };
            if name.split(':').next() != Some("github.com") {
                return Err(Unfit::OtherHost);
            }
            let kind =
                CredentialKind::Token { token: Some(token), reference: false, expires: None };
            let mut login = Login::new(name, &Tool::Copilot.program().provider, kind);
            login.name = entry.label("user");
            Ok(Some(login))
        })
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        entries::without(text, entries)
    }
}
