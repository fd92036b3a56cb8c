//! Codex CLI: `$CODEX_HOME/auth.json`, by default in `~/.codex`.
//!
//! `{auth_mode, tokens: {id_token, access_token, refresh_token, account_id}, last_refresh}`
//! and an API key. Codex writes it under flock on `auth.lock`, then on `auth.json.lock`
//! beside the file that the name leads to. An `auth.json` without tokens and key counts as
//! signed in there, so that logging out removes it.

use super::file::text_of;
use super::format::Format;
use super::json::{Malformed, Members, members};
use super::login::grant;
use super::{Login, OtherStorage, Parsed, Tool, Unfit};
use crate::oauth::Claims;
use crate::profile::CredentialKind;
use crate::system::Environment;
use crate::system::file::{resolve, with_suffix};
use crate::system::lock::foreign::Protocol;
use std::path::{Path, PathBuf};

pub(super) struct Codex;

/// The entry of the OAuth grant.
const TOKENS: &str = "tokens";
/// The entry of the API key.
const KEY: &str = "api-key";

/// The member of the API key. It is spelt as a variable that a provider has, and is none.
const KEY_MEMBER: &str = concat!("OPENAI", "_API_KEY");

/// The API key in the file.
fn key_login(file: &Members) -> Result<Option<Login>, Unfit> {
    let program = Tool::Codex.program();
    let key = file.secret(KEY_MEMBER)?;
    let kind = key.map(|key| CredentialKind::ApiKey { key: Some(key), reference: false });
    Ok(kind.map(|kind| Login {
        name: Some(program.name.clone()),
        ..Login::new(KEY, &program.key_provider, kind)
    }))
}

/// The OAuth grant in the file. The access token says when it expires.
fn tokens_login(file: &Members) -> Result<Option<Login>, Unfit> {
    let Some(tokens) = file.get(TOKENS) else { return Ok(None) };
    let tokens = members(tokens.get())?;
    let [access, refresh, id_token] =
        ["access_token", "refresh_token", "id_token"].map(|name| tokens.secret(name));
    let access = access?;
    let claims = access.as_ref().and_then(|token| Claims::of(token.expose()));
    let expires = claims.as_ref().and_then(Claims::expires).map(Ok);
    // An odd id token says nothing of the account, and nothing needs it.
    let kind = grant(access, refresh?, id_token.unwrap_or_default(), expires);
    Ok(kind.map(|kind| {
        let mut login = Login::new(TOKENS, &Tool::Codex.program().provider, kind);
        login.credential.identity.account_id = tokens.label("account_id");
        login
    }))
}

fn home(environment: &Environment) -> PathBuf {
    environment.expanded("CODEX_HOME").unwrap_or_else(|| environment.home().join(".codex"))
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
        let file = members(text)?;
        let mut parsed = Parsed::default();
        let uses_key = match file.text("auth_mode").as_deref() {
            Some("apikey") => true,
            Some("chatgpt" | "chatgptAuthTokens") => false,
            None => matches!(file.secret(KEY_MEMBER), Ok(Some(_))),
            Some(_) => {
                parsed.skip("auth.json", Unfit::CodexAlone);
                return Ok(parsed);
            }
        };
        for (entry, login) in [(KEY, key_login(&file)), (TOKENS, tokens_login(&file))] {
            match login {
                Ok(login) => parsed.logins.extend(login),
                Err(reason) => parsed.skip(entry, reason),
            }
        }
        // It keeps a key beside the grant, and the reverse, and uses one of them.
        let used = if uses_key { KEY } else { TOKENS };
        for login in &mut parsed.logins {
            login.is_spare = login.entry != used;
        }
        Ok(parsed)
    }

    fn without(&self, text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
        let mut file = members(text)?;
        let stays = |entry: &str, login: Result<Option<Login>, Unfit>| {
            !entries.contains(&entry) && !matches!(login, Ok(None))
        };
        let (key_stays, tokens_stay) =
            (stays(KEY, key_login(&file)), stays(TOKENS, tokens_login(&file)));
        let (removed, mode): (&[&str], _) = match (key_stays, tokens_stay) {
            (false, false) => return Ok(None),
            (true, _) => (&[TOKENS, "last_refresh"], "apikey"),
            (false, true) => (&[KEY_MEMBER], "chatgpt"),
        };
        for name in removed {
            file.0.shift_remove(*name);
        }
        if let Ok(mode) = serde_json::value::to_raw_value(mode) {
            file.0.insert("auth_mode".to_owned(), mode);
        }
        file.to_text().map(Some)
    }

    fn locks(&self, file: &Path) -> Vec<(PathBuf, Protocol)> {
        let directory = file.parent().unwrap_or(file);
        vec![
            (directory.join("auth.lock"), Protocol::Flock),
            (with_suffix(&resolve(file), ".lock"), Protocol::Flock),
        ]
    }

    fn elsewhere(&self, environment: &Environment, has_file: bool) -> Option<OtherStorage> {
        let path = home(environment).join("config.toml");
        let config = text_of(&path).ok().flatten()?;
        let is_elsewhere = match credentials_store(&config)? {
            "keyring" => true,
            "auto" => !has_file,
            _ => false,
        };
        is_elsewhere.then_some(OtherStorage::Keyring { setting: path })
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

    #[test]
    fn a_grant_stays_when_the_key_goes() {
        let text = r#"{"OPENAI_API_KEY":"fake-key","tokens":{"access_token":"fake"}}"#;
        let rest = Codex.without(text, &[KEY]).unwrap().unwrap();
        let rest: serde_json::Value = serde_json::from_str(&rest).unwrap();
        let expected =
            serde_json::json!({"tokens": {"access_token": "fake"}, "auth_mode": "chatgpt"});
        assert_eq!(rest, expected);
        assert_eq!(Codex.without(text, &[KEY, TOKENS]).unwrap(), None);
    }
}
