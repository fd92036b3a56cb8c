//! Files with an entry for each provider: `{<provider>: {type: "oauth" | "api" | …, …}}`.

use super::json::{Malformed, Members, label, members, read, secret, time};
use super::login::grant;
use super::{EntryProvider, Login, Parsed, Program, Unfit};
use crate::profile::{CredentialKind, ProviderId};
use crate::secret::Secret;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    access: Option<Secret>,
    #[serde(default)]
    refresh: Option<Secret>,
    #[serde(default)]
    expires: Option<f64>,
    #[serde(default)]
    key: Option<Secret>,
    #[serde(default)]
    account_id: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    enterprise_url: Option<String>,
}

/// The logins in `text`.
pub(super) fn parse(program: &Program, text: &str) -> Result<Parsed, Malformed> {
    let mut parsed = Parsed::default();
    for (name, entry) in &members(text)?.0 {
        match login(program, name, read(entry.get())?)? {
            Ok(login) => parsed.logins.push(login),
            Err(reason) => parsed.skipped.push((name.clone(), reason)),
        }
    }
    Ok(parsed)
}

/// `text` without some of its entries.
pub(super) fn without(text: &str, entries: &[&str]) -> Result<Option<String>, Malformed> {
    let Members(mut members) = members(text)?;
    members.retain(|name, _| !entries.contains(&name.as_str()));
    Members(members).to_text().map(Some)
}

/// The login in an entry, or why it is none for us.
fn login(program: &Program, name: &str, entry: Entry) -> Result<Result<Login, Unfit>, Malformed> {
    let same_name = ProviderId::from(name).normalized();
    if same_name.is_empty()
        || same_name.as_str().contains(['/', ':'])
        || name.contains(char::is_control)
    {
        return Ok(Err(Unfit::Name));
    }
    let listed = program.providers.get(name);
    let provider = |pick: fn(&EntryProvider) -> &Option<ProviderId>| match listed {
        Some(listed) => pick(listed).clone(),
        None => Some(same_name.clone()),
    };
    let is_token = listed.is_some_and(|listed| listed.token.is_some());
    if is_token && entry.enterprise_url.as_ref().is_some_and(|url| !url.trim().is_empty()) {
        return Ok(Err(Unfit::OtherServer));
    }
    let (provider, kind) = match entry.kind.as_str() {
        "oauth" if is_token => (
            provider(|listed| &listed.token),
            secret(entry.refresh)?.map(|token| CredentialKind::Token {
                token: Some(token),
                reference: false,
                expires: None,
            }),
        ),
        "oauth" => (
            provider(|listed| &listed.oauth),
            grant(entry.access, entry.refresh, None, time(entry.expires))?,
        ),
        "api" | "api_key" => {
            if entry.key.as_ref().is_some_and(|key| is_indirect(key.expose())) {
                return Ok(Err(Unfit::Indirect));
            }
            let key = secret(entry.key)?;
            let kind = key.map(|key| CredentialKind::ApiKey { key: Some(key), reference: false });
            (provider(|listed| &listed.key), kind)
        }
        _ => return Ok(Err(Unfit::UnknownType)),
    };
    let (Some(provider), Some(kind)) = (provider, kind) else {
        return Ok(Err(Unfit::Nothing));
    };
    let mut login = Login::new(name, &provider, kind);
    login.name = Some(program.name.clone());
    login.credential.identity.account_id = label(entry.account_id);
    login.credential.identity.email = label(entry.email);
    let fields = [("projectId", entry.project_id), ("enterpriseUrl", entry.enterprise_url)];
    login.fields.extend(fields.into_iter().filter_map(|(name, value)| Some((name, label(value)?))));
    Ok(Ok(login))
}

/// Whether a key stands for one: `!command`, `$NAME`, or the name of a variable.
fn is_indirect(key: &str) -> bool {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    key.starts_with(['!', '$']) || (key.contains('_') && key.chars().all(is_name))
}
