//! Files with an entry for each provider: `{<provider>: {type: "oauth" | "api" | …, …}}`.

use super::json::{Entries, Malformed, Members, members, read};
use super::login::grant;
use super::{EntryProvider, Login, Parsed, Program, Unfit};
use crate::profile::{CredentialKind, ProviderId};

/// What comes of each entry of `text`. One that is odd costs itself alone.
pub(super) fn each(
    text: &str,
    login: impl Fn(&str, &Members) -> Result<Option<Login>, Unfit>,
) -> Result<Parsed, Malformed> {
    let entries: Entries = read(text)?;
    let mut parsed = Parsed::default();
    for (name, entry) in &entries.0 {
        let entry = if entries.repeats(name) { Err(Unfit::Repeats) } else { of_entry(entry.get()) };
        match entry.and_then(|entry| login(name, &entry)) {
            Ok(login) => parsed.logins.extend(login),
            Err(reason) => parsed.skip(name, reason),
        }
    }
    Ok(parsed)
}

fn of_entry(entry: &str) -> Result<Members, Unfit> {
    members(entry).map_err(Unfit::from)
}

/// The logins in `text`.
pub(super) fn parse(program: &Program, text: &str) -> Result<Parsed, Malformed> {
    each(text, |name, entry| login(program, name, entry).map(Some))
}

/// `text` without some of its entries.
pub(super) fn without(text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
    let mut all: Entries = read(text)?;
    all.0.retain(|(name, _)| !entries.contains(&name.as_str()));
    all.to_text().map(Some)
}

/// The login in an entry, or why it is none for us.
fn login(program: &Program, name: &str, entry: &Members) -> Result<Login, Unfit> {
    let same_name = ProviderId::from(name).normalized();
    if same_name.is_empty()
        || same_name.as_str().contains(['/', ':', '$'])
        || name.contains(char::is_control)
    {
        return Err(Unfit::Name);
    }
    let listed = program.providers.get(name);
    let provider = |pick: fn(&EntryProvider) -> &Option<ProviderId>| match listed {
        Some(listed) => pick(listed).clone(),
        None => Some(same_name.clone()),
    };
    let is_token = listed.is_some_and(|listed| listed.token.is_some());
    if is_token && entry.text("enterpriseUrl").is_some_and(|url| !url.trim().is_empty()) {
        return Err(Unfit::OtherServer);
    }
    let (provider, kind) = match entry.text("type").as_deref() {
        Some("oauth") if is_token => (
            provider(|listed| &listed.token),
            entry.secret("refresh")?.map(|token| CredentialKind::Token {
                token: Some(token),
                reference: false,
                expires: None,
            }),
        ),
        Some("oauth") => {
            let (access, refresh) = (entry.secret("access")?, entry.secret("refresh")?);
            (provider(|listed| &listed.oauth), grant(access, refresh, None, entry.time("expires")))
        }
        Some("api" | "api_key") => {
            if entry.text("key").is_some_and(|key| is_indirect(key.trim())) {
                return Err(Unfit::Indirect);
            }
            let key = entry.secret("key")?;
            let kind = key.map(|key| CredentialKind::ApiKey { key: Some(key), reference: false });
            (provider(|listed| &listed.key), kind)
        }
        _ => return Err(Unfit::UnknownType),
    };
    let (Some(provider), Some(kind)) = (provider, kind) else {
        return Err(Unfit::Nothing);
    };
    let mut login = Login::new(name, &provider, kind);
    login.name = Some(program.name.clone());
    login.credential.identity.account_id = entry.label("accountId");
    login.credential.identity.email = entry.label("email");
    let fields = ["projectId", "enterpriseUrl"];
    login.fields.extend(fields.into_iter().filter_map(|name| Some((name, entry.label(name)?))));
    Ok(login)
}

/// Whether a key stands for one: `!command`, `$NAME`, or the name of a variable.
fn is_indirect(key: &str) -> bool {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    key.starts_with(['!', '$'])
        || ["{env:", "{file:"].iter().any(|begin| key.starts_with(begin))
        || (key.contains('_') && key.chars().all(is_name))
}
