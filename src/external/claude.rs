//! Claude Code: `.credentials.json` in `$CLAUDE_CONFIG_DIR`, by default in `~/.claude`; on
//! macOS an item of the keychain.
//!
//! `{claudeAiOauth: {accessToken, refreshToken, expiresAt, …}}` beside other members. It is
//! written under two lock directories, and only while the stored refresh token is the one
//! that was read.

use super::file::text_of;
use super::format::Format;
use super::json::{Entries, Malformed, Members, members, read};
use super::login::grant;
use super::{Login, Parsed, Tool};
use crate::system::Environment;
use crate::system::file::{resolve, with_suffix};
use crate::system::lock::foreign::Protocol;
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

impl Format for Claude {
    fn files(&self, environment: &Environment) -> Vec<PathBuf> {
        let directory = environment.expanded("CLAUDE_CONFIG_DIR");
        let directory = directory.unwrap_or_else(|| environment.home().join(".claude"));
        vec![directory.join(".credentials.json")]
    }

    fn parse(&self, text: &str) -> Result<Parsed, Malformed> {
        let file = members(text)?;
        let Some(login) = file.get(ENTRY) else { return Ok(Parsed::default()) };
        let login = members(login.get())?;
        let (access, refresh) = (login.secret("accessToken")?, login.secret("refreshToken")?);
        let kind = grant(access, refresh, None, login.time("expiresAt"));
        Ok(Parsed::of(kind.map(|kind| {
            let mut found = Login::new(ENTRY, &Tool::Claude.program().provider, kind);
            found.credential.identity.subject = login.label("accountUuid");
            found.credential.identity.account_id = login.label("organizationUuid");
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

    fn text_elsewhere(&self, environment: &Environment) -> Option<(PathBuf, Zeroizing<String>)> {
        let text = crate::system::keychain::read(KEYCHAIN_ITEM, environment)?;
        Some((PathBuf::from(format!("the keychain item `{KEYCHAIN_ITEM}`")), text))
    }

    /// Claude keeps the e-mail in its settings.
    fn complete(&self, environment: &Environment, login: &mut Login) {
        let directory =
            environment.expanded("CLAUDE_CONFIG_DIR").unwrap_or_else(|| environment.home());
        let Ok(Some(text)) = text_of(&directory.join(".claude.json")) else { return };
        // Of all that stands there one member is of interest.
        let settings: Option<Entries> = read(&text).ok();
        let of_account = |(name, _): &&(String, _)| name == "oauthAccount";
        let account = settings.iter().flat_map(|settings| &settings.0).find(of_account);
        let Some(Ok(account)) = account.map(|(_, account)| members(account.get())) else { return };
        let identity = &mut login.credential.identity;
        let (subject, organization) =
            (account.label("accountUuid"), account.label("organizationUuid"));
        let differs = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        if differs(&identity.subject, &subject) || differs(&identity.account_id, &organization) {
            // It is of an earlier login.
            return;
        }
        identity.email = account.label("emailAddress");
        identity.subject = identity.subject.take().or(subject);
        identity.account_id = identity.account_id.take().or(organization);
    }
}
