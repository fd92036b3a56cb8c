//! The GitHub Copilot extensions of editors: `hosts.json` and `apps.json` in
//! `github-copilot` of `$XDG_CONFIG_HOME`, by default `~/.config`.
//!
//! `{"github.com" | "github.com:<client id>": {user, oauth_token}}`. The tokens are
//! long-lived, and nothing refreshes them.

use super::format::Format;
use super::json::{Malformed, label, members, read, secret};
use super::{Login, Parsed, Tool, Unfit, entries};
use crate::profile::CredentialKind;
use crate::secret::Secret;
use crate::system::Environment;
use serde::Deserialize;
use std::path::PathBuf;

pub(super) struct Copilot;

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    oauth_token: Option<Secret>,
}

impl Format for Copilot {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let config = environment.expanded("XDG_CONFIG_HOME");
        let config = config.unwrap_or_else(|| environment.home().join(".config"));
        let names = ["github-copilot/apps.json", "github-copilot/hosts.json"];
        names.map(|name| config.join(name)).into()
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        let mut parsed = Parsed::default();
        for (name, entry) in &members(text)?.0 {
            let Entry { user, oauth_token } = read(entry.get())?;
            let Some(token) = secret(oauth_token)? else { continue };
            if name.split(':').next() != Some("github.com") {
                parsed.skipped.push((name.clone(), Unfit::OtherHost));
                continue;
            }
            let kind =
                CredentialKind::Token { token: Some(token), reference: false, expires: None };
            let mut login = Login::new(name, &Tool::Copilot.program().provider, kind);
            login.name = label(user);
            parsed.logins.push(login);
        }
        Ok(parsed)
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        entries::without(text, entries)
    }
}
