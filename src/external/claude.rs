//! Claude Code: `.credentials.json` in `$CLAUDE_CONFIG_DIR`, by default in `~/.claude`; on
//! macOS an item of the keychain.
//!
//! `{claudeAiOauth: {accessToken, refreshToken, expiresAt, …}}` beside other members. It is
//! written under two lock directories, and only while the stored refresh token is the one
//! that was read.

use super::file::text_of;
use super::format::Format;
use super::json::{Malformed, Members, label, members, read, time};
use super::login::grant;
use super::{Login, Parsed, Tool};
use crate::secret::Secret;
use crate::system::Environment;
use crate::system::file::{resolve, with_suffix};
use crate::system::lock::foreign::Protocol;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

pub(super) struct Claude;

/// The entry of the login.
const ENTRY: &str = "claudeAiOauth";
/// The item of the keychain that stands for the file on macOS.
const KEYCHAIN_ITEM: &str = "Claude Code-credentials";
/// How old Claude lets its lock directories become.
const STALE: Duration = Duration::from_mins(1);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default)]
    claude_ai_oauth: Option<OAuth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OAuth {
    #[serde(default)]
    access_token: Option<Secret>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    expires_at: Option<f64>,
    #[serde(default)]
    account_uuid: Option<String>,
    #[serde(default)]
    organization_uuid: Option<String>,
}

/// What `.claude.json` says of the account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    oauth_account: Option<Owner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    #[serde(default)]
    account_uuid: Option<String>,
    #[serde(default)]
    organization_uuid: Option<String>,
    #[serde(default)]
    email_address: Option<String>,
}

impl Format for Claude {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let directory = environment.path("CLAUDE_CONFIG_DIR");
        let directory = directory.unwrap_or_else(|| environment.home().join(".claude"));
        vec![directory.join(".credentials.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        members(text)?;
        let Some(login) = read::<Wire>(text)?.claude_ai_oauth else { return Ok(Parsed::default()) };
        let kind = grant(login.access_token, login.refresh_token, None, time(login.expires_at))?;
        Ok(Parsed::of(kind.map(|kind| {
            let mut found = Login::new(ENTRY, &Tool::Claude.program().provider, kind);
            found.credential.identity.subject = label(login.account_uuid);
            found.credential.identity.account_id = label(login.organization_uuid);
            found
        })))
    }

    fn without(&self, text: &str, _: &[&str]) -> Result<Option<String>, Malformed> {
        let Members(mut members) = members(text)?;
        members.shift_remove(ENTRY);
        if members.is_empty() { Ok(None) } else { Members(members).to_text().map(Some) }
    }

    fn locks(&self, file: &Path) -> Vec<(PathBuf, Protocol)> {
        let directory = resolve(file.parent().unwrap_or(file));
        vec![
            (directory.join(".oauth_refresh.lock"), Protocol::Directory(STALE)),
            (with_suffix(&directory, ".lock"), Protocol::Directory(STALE)),
        ]
    }

    fn text_elsewhere(&self) -> Option<(PathBuf, Zeroizing<String>)> {
        let text = crate::system::keychain::read(KEYCHAIN_ITEM)?;
        Some((PathBuf::from(format!("the keychain item `{KEYCHAIN_ITEM}`")), text))
    }

    /// Claude keeps the e-mail in its settings.
    fn complete(&self, environment: &Environment, login: &mut Login) {
        let directory = environment.path("CLAUDE_CONFIG_DIR").unwrap_or_else(|| environment.home());
        let Ok(Some(text)) = text_of(&directory.join(".claude.json")) else { return };
        let account = read::<Settings>(&text).ok().and_then(|settings| settings.oauth_account);
        let Some(account) = account else { return };
        let identity = &mut login.credential.identity;
        let (subject, organization) =
            (label(account.account_uuid), label(account.organization_uuid));
        let differs = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        if differs(&identity.subject, &subject) || differs(&identity.account_id, &organization) {
            // It is of an earlier login.
            return;
        }
        identity.email = label(account.email_address);
        identity.subject = identity.subject.take().or(subject);
        identity.account_id = identity.account_id.take().or(organization);
    }
}
