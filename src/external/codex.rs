//! Codex CLI: `$CODEX_HOME/auth.json`, by default in `~/.codex`.
//!
//! `{auth_mode, tokens: {id_token, access_token, refresh_token, account_id}, last_refresh}`
//! and an API key. Codex writes it under flock on `auth.lock`, then on `auth.json.lock`
//! beside the file that the name leads to. An `auth.json` without tokens and key counts as
//! signed in there, so that logging out removes it.

use super::file::text_of;
use super::format::Format;
use super::json::{Malformed, label, members, read, secret};
use super::login::grant;
use super::{Login, Parsed, Place, Tool, Unfit};
use crate::oauth::Claims;
use crate::profile::CredentialKind;
use crate::secret::Secret;
use crate::system::Environment;
use crate::system::file::{resolve, with_suffix};
use crate::system::lock::foreign::Protocol;
use serde::Deserialize;
use std::path::{Path, PathBuf};

pub(super) struct Codex;

/// The entry of the OAuth grant.
const TOKENS: &str = "tokens";
/// The entry of the API key.
const KEY: &str = "api-key";

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    auth_mode: Option<String>,
    #[serde(default)]
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    id_token: Option<Secret>,
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    account_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Key {
    #[serde(default)]
    openai_api_key: Option<Secret>,
}

fn key(text: &str) -> Result<Option<Secret>, Malformed> {
    secret(read::<Key>(text)?.openai_api_key)
}

fn home(environment: &Environment) -> PathBuf {
    environment.path("CODEX_HOME").unwrap_or_else(|| environment.home().join(".codex"))
}

/// Where Codex keeps its login, as `config.toml` says: `file`, `keyring`, `auto`. A line
/// before the first table is all that is looked at.
fn credentials_store(config: &str) -> Option<&str> {
    let top = config.lines().map(str::trim).take_while(|line| !line.starts_with('['));
    top.filter_map(|line| line.split_once('='))
        .filter(|(name, _)| name.trim().trim_matches(['"', '\'']) == "cli_auth_credentials_store")
        .find_map(|(_, value)| {
            value.trim().trim_start_matches(['"', '\'']).split(['"', '\'']).next()
        })
}

impl Format for Codex {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        vec![home(environment).join("auth.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        // Of a repeated key, Codex and we might take different ones.
        members(text)?;
        let Wire { auth_mode, tokens } = read(text)?;
        let program = Tool::Codex.program();
        let key = key(text)?;
        let is_key = match auth_mode.as_deref() {
            Some("apikey") => true,
            Some("chatgpt" | "chatgptAuthTokens") => false,
            None => key.is_some(),
            Some(_) => {
                let skipped = vec![("auth.json".to_owned(), Unfit::CodexAlone)];
                return Ok(Parsed { logins: Vec::new(), skipped });
            }
        };
        if is_key {
            let kind = key.map(|key| CredentialKind::ApiKey { key: Some(key), reference: false });
            return Ok(Parsed::of(kind.map(|kind| Login {
                name: Some(program.name.clone()),
                ..Login::new(KEY, &program.key_provider, kind)
            })));
        }
        let Some(tokens) = tokens else { return Ok(Parsed::default()) };
        let claims = tokens.access_token.as_ref().and_then(|token| Claims::of(token.expose()));
        let expires = claims.as_ref().and_then(Claims::expires);
        let kind = grant(tokens.access_token, tokens.refresh_token, tokens.id_token, expires)?;
        Ok(Parsed::of(kind.map(|kind| {
            let mut login = Login::new(TOKENS, &program.provider, kind);
            login.credential.identity.account_id = label(tokens.account_id);
            login
        })))
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        let mut members = members(text)?;
        let key = key(text)?;
        if entries.contains(&KEY) || key.is_none() {
            return Ok(None);
        }
        for name in [TOKENS, "last_refresh"] {
            members.0.shift_remove(name);
        }
        if let Ok(mode) = serde_json::value::to_raw_value("apikey") {
            members.0.insert("auth_mode".to_owned(), mode);
        }
        members.to_text().map(Some)
    }

    fn locks(&self, file: &Path) -> Vec<(PathBuf, Protocol)> {
        let directory = file.parent().unwrap_or(file);
        vec![
            (directory.join("auth.lock"), Protocol::Flock),
            (with_suffix(&resolve(file), ".lock"), Protocol::Flock),
        ]
    }

    fn elsewhere(&self, environment: &Environment, has_file: bool) -> Option<Place> {
        let path = home(environment).join("config.toml");
        let config = text_of(&path).ok().flatten()?;
        let is_elsewhere = match credentials_store(&config)? {
            "keyring" => true,
            "auto" => !has_file,
            _ => false,
        };
        is_elsewhere.then_some(Place::Keyring { setting: path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_login_is_read_from_the_configuration() {
        for (config, expected) in [
            ("cli_auth_credentials_store = \"keyring\" # x", Some("keyring")),
            ("a = 1\n  cli_auth_credentials_store='auto'\n[x]\n", Some("auto")),
            ("[x]\ncli_auth_credentials_store = \"keyring\"", None),
            ("# cli_auth_credentials_store = \"keyring\"", None),
            ("", None),
        ] {
            assert_eq!(credentials_store(config), expected, "{config}");
        }
    }

    #[test]
    fn a_key_stays_when_the_grant_goes() {
        let text = r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":"fake-key","tokens":{"access_token":"fake"},"odd":1.50}"#;
        let rest = Codex.without(text, &[TOKENS]).unwrap().unwrap();
        let expected = "{\n  \"auth_mode\": \"apikey\",\n  \"OPENAI_API_KEY\": \"fake-key\",\n  \"odd\": 1.50\n}\n";
        assert_eq!(rest, expected);
        let text = r#"{"OPENAI_API_KEY":null,"tokens":{"access_token":"fake"}}"#;
        assert_eq!(Codex.without(text, &[TOKENS]).unwrap(), None);
    }
}
