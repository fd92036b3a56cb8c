//! The chat channels that the configuration names, and their accounts.
//!
//! Invariant: what is said follows from `openclaw.json` alone. What each channel calls an
//! account is data (`channels.json`), the rules of OpenClaw 2026.4.24's bundled plugins.

use super::Config;
use crate::profile::{compare, normalize_agent_id};
use serde::Deserialize;
use serde_json::{Map, Value};

const BUNDLED: &str = include_str!("channels.json");
const DEFAULT: &str = "default";
/// Keys below `channels` that are no channels.
const NO_CHANNELS: [&str; 2] = ["defaults", "modelByChannel"];
/// Keys of a channel that belong to its default account when others are named beside
/// them.
const OF_DEFAULT_ACCOUNT: [&str; 14] = [
    "token",
    "botToken",
    "appToken",
    "tokenFile",
    "name",
    "dmPolicy",
    "allowFrom",
    "groupPolicy",
    "homeserver",
    "userId",
    "accessToken",
    "password",
    "url",
    "signingSecret",
];

/// A channel that the configuration names.
#[derive(Clone, Debug)]
pub struct ChatChannel {
    /// The channel id.
    pub id: String,
    /// Its accounts.
    pub accounts: Vec<ChatAccount>,
}

/// An account of a channel.
#[derive(Clone, Debug)]
pub struct ChatAccount {
    /// The account id.
    pub id: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether its credentials are there; `None` when they are not in the configuration.
    pub configured: Option<bool>,
    /// What is missing of the credentials that need the least.
    pub missing: Vec<String>,
}

/// What a bundled channel calls an account.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bundled {
    id: String,
    /// Sets of keys, any of which is enough; none when the login is not in the file.
    #[serde(default)]
    credentials: Vec<Vec<String>>,
    #[serde(default)]
    account_ids: AccountIds,
    #[serde(default)]
    default_account: DefaultAccount,
    #[serde(default)]
    default_beside_accounts: bool,
    #[serde(default)]
    accounts_from_bindings: bool,
}

/// How account ids are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum AccountIds {
    /// As they are written, sorted.
    #[default]
    Sorted,
    /// Normalised like agent ids, sorted.
    Normalised,
    /// As and where they are written.
    Written,
}

/// When there is an account called `default` that no entry names.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum DefaultAccount {
    /// When there is no other.
    #[default]
    Otherwise,
    /// When the channel has credentials.
    WithCredentials,
    /// Always, and no other.
    Only,
    /// When the channel has credentials, and no other.
    OnlyWithCredentials,
}

/// Whether a value is there: text that is not blank, or anything structured.
fn is_there(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    }
}

impl Bundled {
    /// What is missing of the credentials that need the least; the account's own values
    /// come before those of the channel.
    fn missing(
        &self,
        channel: &Map<String, Value>,
        account: Option<&Value>,
    ) -> Option<Vec<String>> {
        let has = |key: &String| {
            is_there(account.and_then(|account| account.get(key))) || is_there(channel.get(key))
        };
        let missing = self
            .credentials
            .iter()
            .map(|keys| keys.iter().filter(|key| !has(key)).cloned().collect::<Vec<String>>());
        missing.min_by_key(Vec::len)
    }

    fn accounts(&self, channel: &Map<String, Value>, bound: &[String]) -> Vec<ChatAccount> {
        let named = channel.get("accounts").and_then(Value::as_object);
        let mut entries: Vec<(String, Option<&Value>)> = Vec::new();
        let has_credentials = self.missing(channel, None).is_some_and(|missing| missing.is_empty());
        let takes_names = !matches!(
            self.default_account,
            DefaultAccount::Only | DefaultAccount::OnlyWithCredentials
        );
        for (id, entry) in named.into_iter().flatten().filter(|_| takes_names) {
            let id = match self.account_ids {
                AccountIds::Normalised => normalize_account_id(id),
                _ => id.clone(),
            };
            if !entries.iter().any(|(other, _)| *other == id) {
                entries.push((id, Some(entry)));
            }
        }
        let has_others = !entries.is_empty();
        let belongs_to_default =
            has_others && OF_DEFAULT_ACCOUNT.iter().any(|key| channel.contains_key(*key));
        for id in bound.iter().filter(|_| self.accounts_from_bindings) {
            if !entries.iter().any(|(other, _)| other == id) {
                entries.push((id.clone(), None));
            }
        }
        let has_default = match self.default_account {
            DefaultAccount::Otherwise => {
                entries.is_empty() || (self.default_beside_accounts && has_credentials)
            }
            DefaultAccount::Only => true,
            DefaultAccount::WithCredentials | DefaultAccount::OnlyWithCredentials => {
                has_credentials
            }
        };
        let is_named = entries.iter().any(|(id, _)| id == DEFAULT);
        if (has_default || belongs_to_default) && !is_named {
            entries.insert(0, (DEFAULT.to_owned(), None));
        }
        if self.account_ids != AccountIds::Written {
            entries.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        entries.into_iter().map(|(id, entry)| self.account(id, channel, entry)).collect()
    }

    fn account(
        &self,
        id: String,
        channel: &Map<String, Value>,
        entry: Option<&Value>,
    ) -> ChatAccount {
        let missing = self.missing(channel, entry);
        ChatAccount {
            enabled: entry.and_then(|entry| entry.get("enabled")) != Some(&Value::Bool(false)),
            configured: missing.as_ref().map(Vec::is_empty),
            missing: missing.unwrap_or_default(),
            id,
        }
    }
}

/// An account id, normalised: like an agent id, except that what is left empty is the
/// default account.
fn normalize_account_id(id: &str) -> String {
    let normalised = normalize_agent_id(id);
    let is_name = id.chars().any(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { normalised } else { DEFAULT.to_owned() }
}

impl Config {
    /// The channels that are named and switched on, sorted by id.
    pub fn chat_channels(&self) -> Vec<ChatChannel> {
        // A test reads the table; what is compiled in cannot be wrong later.
        let bundled: Vec<Bundled> = serde_json::from_str(BUNDLED).unwrap_or_default();
        if self.at("/plugins/enabled") == Some(&Value::Bool(false)) {
            return Vec::new();
        }
        let named = self.at("/channels").and_then(Value::as_object);
        let mut channels: Vec<ChatChannel> = named
            .into_iter()
            .flatten()
            .filter(|(id, channel)| !NO_CHANNELS.contains(&id.as_str()) && is_on(channel))
            .filter(|(id, _)| !self.denies_plugin(id))
            .filter_map(|(id, channel)| {
                let bundled = bundled.iter().find(|bundled| bundled.id == *id)?;
                let accounts = bundled.accounts(channel.as_object()?, &self.bound_accounts(id));
                Some(ChatChannel { id: id.clone(), accounts })
            })
            .collect();
        channels.sort_by(|a, b| compare(&a.id, &b.id));
        channels
    }

    fn denies_plugin(&self, id: &str) -> bool {
        let denied = self.at("/plugins/deny").and_then(Value::as_array);
        denied.is_some_and(|denied| denied.iter().any(|other| other == id))
            || self.at("/plugins/entries").is_some_and(|entries| entries[id]["enabled"] == false)
    }

    /// The accounts of a channel that bindings name.
    fn bound_accounts(&self, channel: &str) -> Vec<String> {
        let bindings = self.at("/bindings").and_then(Value::as_array);
        let matches = bindings.into_iter().flatten().map(|binding| &binding["match"]);
        let accounts = matches.filter(|rule| rule["channel"] == channel);
        let accounts = accounts.filter_map(|rule| rule["accountId"].as_str()).map(str::trim);
        let accounts = accounts.filter(|id| !id.is_empty() && *id != "*");
        accounts.map(normalize_account_id).collect()
    }
}

/// Whether a channel is configured: it is not switched off, and it is switched on or says
/// something else.
fn is_on(channel: &Value) -> bool {
    let Some(channel) = channel.as_object() else { return false };
    match channel.get("enabled") {
        Some(Value::Bool(on)) => *on,
        Some(_) => channel.len() > 1,
        None => !channel.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn listed(channels: &str) -> Vec<(String, Vec<String>)> {
        let text = format!("{{ channels: {channels} }}");
        let config = Config::parse(Path::new("openclaw.json"), &text).unwrap();
        let ids = |channel: ChatChannel| channel.accounts.into_iter().map(|account| account.id);
        let channels = config.chat_channels().into_iter();
        channels.map(|channel| (channel.id.clone(), ids(channel).collect())).collect()
    }

    fn accounts(channel: &str, settings: &str) -> Vec<String> {
        let mut listed = listed(&format!("{{ '{channel}': {settings} }}"));
        assert_eq!(listed.len(), 1, "{channel} {settings}");
        listed.remove(0).1
    }

    #[test]
    fn the_table_is_read_and_sorted() {
        let bundled: Vec<Bundled> = serde_json::from_str(BUNDLED).unwrap();
        assert_eq!(bundled.len(), 22);
        assert!(bundled.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn a_channel_is_listed_when_it_is_on_or_says_something() {
        let listed = listed(
            "{ telegram: {dmPolicy: 'pairing'}, discord: {enabled: false, token: 'x'}, signal: {}, \
             irc: {enabled: true}, defaults: {groupPolicy: 'open'}, unknown: {a: 1}, slack: 3 }",
        );
        let ids: Vec<_> = listed.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids, ["irc", "telegram"]);
    }

    #[test]
    fn account_ids_follow_the_rules_of_each_channel() {
        assert_eq!(accounts("slack", "{accounts: {b: {}, A: {enabled: false}}}"), ["A", "b"]);
        assert_eq!(
            accounts("slack", "{botToken: 'x', accounts: {b: {}, a: {}}}"),
            ["a", "b", "default"]
        );
        assert_eq!(accounts("irc", "{accounts: {'Zb x': {}, aa: {}}}"), ["aa", "zb-x"]);
        assert_eq!(accounts("msteams", "{accounts: {x: {}}}"), ["default"]);
        assert_eq!(accounts("nostr", "{accounts: {x: {}}}"), [""; 0]);
        assert_eq!(accounts("nostr", "{privateKey: 'x'}"), ["default"]);
        assert_eq!(accounts("line", "{enabled: true}"), [""; 0]);
        assert_eq!(
            accounts(
                "line",
                "{channelAccessToken: 'x', channelSecret: 'y', accounts: {z: {}, a: {}}}"
            ),
            ["default", "z", "a"]
        );
        assert_eq!(accounts("whatsapp", "{enabled: true}"), ["default"]);
    }

    #[test]
    fn an_account_is_configured_by_its_own_or_the_channels_credentials() {
        let text =
            "{ channels: { slack: { appToken: 'x', accounts: { a: {botToken: 'y'}, b: {} } } } }";
        let config = Config::parse(Path::new("openclaw.json"), text).unwrap();
        let slack = &config.chat_channels()[0];
        assert_eq!(slack.accounts[0].configured, Some(true));
        assert_eq!(slack.accounts[1].configured, Some(false));
        assert_eq!(slack.accounts[1].missing, ["botToken"]);
    }
}
