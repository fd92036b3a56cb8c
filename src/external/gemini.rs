//! Gemini CLI: `oauth_creds.json` in `.gemini` of the home directory, or of
//! `$GEMINI_CLI_HOME`; the e-mail is in `google_accounts.json`.
//!
//! Its encrypted storage (`gemini-credentials.json`, or the keychain) is recognised and not
//! read.

use super::file::text_of;
use super::format::Format;
use super::json::{Malformed, members};
use super::{Login, OtherStorage, Parsed, Tool, flat};
use crate::system::Environment;
use std::path::PathBuf;

pub(super) struct Gemini;

fn directory(environment: &Environment) -> PathBuf {
    let home = environment.expanded("GEMINI_CLI_HOME").unwrap_or_else(|| environment.home());
    home.join(".gemini")
}

impl Format for Gemini {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        vec![directory(environment).join("oauth_creds.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        flat::parse(Tool::Gemini.program(), text)
    }

    /// The file is the login.
    fn without(&self, _: &str, _: &[&str]) -> Result<Option<String>, Malformed> {
        Ok(None)
    }

    fn elsewhere(&self, environment: &Environment, has_file: bool) -> Option<OtherStorage> {
        const SWITCH: &str = "GEMINI_FORCE_ENCRYPTED_FILE_STORAGE";
        let encrypted = directory(environment).join("gemini-credentials.json");
        let is_elsewhere = environment.is_on(SWITCH) || (!has_file && encrypted.is_file());
        is_elsewhere.then_some(OtherStorage::Encrypted { switch: SWITCH })
    }

    fn complete(&self, environment: &Environment, login: &mut Login) {
        let path = directory(environment).join("google_accounts.json");
        let Ok(Some(text)) = text_of(&path) else { return };
        let accounts = members(&text).ok();
        login.credential.identity.email = accounts.and_then(|accounts| accounts.label("active"));
    }
}
