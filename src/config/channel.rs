//! The channels that OpenClaw bundles, as data, and what `openclaw.json` says of them.
//!
//! A channel is active when the configuration has an entry for it that does not switch it
//! off. Its accounts are the keys of `accounts`, or `default` alone.

use super::Config;
use crate::profile::normalize_agent_id;
use serde_json::Value;

/// The account of a channel that needs no name.
pub const DEFAULT_ACCOUNT: &str = "default";

/// A channel that OpenClaw bundles.
#[derive(Debug)]
pub struct Channel {
    /// Its id.
    pub id: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// Other names that it is known by.
    pub aliases: &'static [&'static str],
    /// An account is configured when it has every key of one of these rows. No row: that
    /// cannot be seen in the configuration.
    credentials: &'static [&'static [&'static str]],
}

const fn channel(
    id: &'static str,
    label: &'static str,
    aliases: &'static [&'static str],
    credentials: &'static [&'static [&'static str]],
) -> Channel {
    Channel { id, label, aliases, credentials }
}

/// Every bundled channel, in OpenClaw's order.
pub const CHANNELS: [Channel; 22] = [
    channel("feishu", "Feishu", &["lark"], &[&["appId", "appSecret"]]),
    channel(
        "googlechat",
        "Google Chat",
        &["gchat", "google-chat"],
        &[&["serviceAccount"], &["serviceAccountFile"]],
    ),
    channel("nostr", "Nostr", &[], &[&["privateKey"]]),
    channel("msteams", "Microsoft Teams", &["teams"], &[&["appId", "appPassword", "tenantId"]]),
    channel("mattermost", "Mattermost", &[], &[&["botToken", "baseUrl"]]),
    channel("nextcloud-talk", "Nextcloud Talk", &["nc-talk", "nc"], &[&["baseUrl", "botSecret"]]),
    channel(
        "matrix",
        "Matrix",
        &[],
        &[&["homeserver", "accessToken"], &["homeserver", "userId", "password"]],
    ),
    channel("bluebubbles", "BlueBubbles", &["bb"], &[&["serverUrl", "password"]]),
    channel("line", "LINE", &[], &[&["channelAccessToken", "channelSecret"]]),
    channel("zalo", "Zalo", &["zl"], &[&["botToken"]]),
    channel("zalouser", "Zalo Personal", &["zlu"], &[]),
    channel("synology-chat", "Synology Chat", &[], &[&["token", "incomingUrl"]]),
    channel("tlon", "Tlon", &[], &[&["ship", "url", "code"]]),
    channel("discord", "Discord", &[], &[&["token"]]),
    channel("imessage", "iMessage", &["imsg"], &[&[]]),
    channel("irc", "IRC", &["internet-relay-chat"], &[&["host", "nick"]]),
    channel("qqbot", "QQ Bot", &[], &[&["appId", "clientSecret"]]),
    channel("signal", "Signal", &[], &[&["account"], &["httpUrl"]]),
    channel("slack", "Slack", &[], &[&["botToken", "appToken"]]),
    channel("telegram", "Telegram", &[], &[&["botToken"], &["tokenFile"]]),
    channel("twitch", "Twitch", &["twitch-chat"], &[&["username", "accessToken", "clientId"]]),
    channel("whatsapp", "WhatsApp", &[], &[]),
];

/// Channels whose account without a name is `default`, whatever accounts there are.
const ALWAYS_DEFAULT: [&str; 3] = ["matrix", "synology-chat", "tlon"];
/// Channels that count the accounts named by bindings among their own.
const ACCOUNTS_FROM_BINDINGS: [&str; 1] = ["telegram"];
/// Channels that normalise the ids of their accounts.
const NORMALIZED_ACCOUNTS: [&str; 6] =
    ["irc", "matrix", "nextcloud-talk", "telegram", "tlon", "twitch"];

/// The channel called `name`: its id or one of its aliases, in any case.
pub fn find(name: &str) -> Option<&'static Channel> {
    let name = name.trim().to_lowercase();
    CHANNELS.iter().find(|channel| channel.id == name || channel.aliases.contains(&name.as_str()))
}

/// An account of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelAccount {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// Whether its credentials are configured; `None` where that cannot be seen.
    pub configured: Option<bool>,
    /// Whether it is switched on.
    pub enabled: bool,
}

impl Config {
    /// The entry of a channel that is switched on.
    fn channel_entry(&self, channel: &Channel) -> Option<&Value> {
        let plugins = self.at("/plugins").unwrap_or(&Value::Null);
        let denied = plugins["deny"].as_array().into_iter().flatten().any(|id| id == channel.id);
        if plugins["enabled"] == false || denied {
            return None;
        }
        let entry = self.at("/channels")?.get(channel.id)?;
        let says_something =
            entry["enabled"] == true || entry.as_object()?.keys().any(|key| key != "enabled");
        (entry["enabled"] != false && says_something).then_some(entry)
    }

    /// The channels that are switched on, in OpenClaw's order.
    pub fn active_channels(&self) -> impl Iterator<Item = &'static Channel> {
        CHANNELS.iter().filter(|channel| self.channel_entry(channel).is_some())
    }

    /// The accounts of a channel that is switched on, by their ids.
    pub fn channel_accounts(&self, channel: &Channel) -> Vec<ChannelAccount> {
        let Some(entry) = self.channel_entry(channel) else { return Vec::new() };
        let accounts = entry["accounts"].as_object();
        let account_id = |key: &str| {
            let is_normalized = NORMALIZED_ACCOUNTS.contains(&channel.id);
            if is_normalized { normalize_agent_id(key) } else { key.to_owned() }
        };
        let mut ids: Vec<String> =
            accounts.into_iter().flatten().map(|(key, _)| account_id(key)).collect();
        if ACCOUNTS_FROM_BINDINGS.contains(&channel.id) {
            let named = self.routes().filter(|route| route.channel() == channel.id);
            ids.extend(named.filter_map(|route| route.account()).map(normalize_agent_id));
        }
        if ids.is_empty() {
            ids.push(DEFAULT_ACCOUNT.to_owned());
        }
        ids.sort_by_key(|id| id.to_lowercase());
        ids.dedup();
        let account = |id: String| {
            let own = accounts.into_iter().flatten().find(|(key, _)| account_id(key) == id);
            let own = own.map_or(&Value::Null, |(_, own)| own);
            let says = |key: &str| [own, entry].into_iter().any(|entry| is_given(&entry[key]));
            let is_listed = own.is_object() || accounts.is_none_or(serde_json::Map::is_empty);
            let complete = channel.credentials.iter().any(|row| row.iter().all(|key| says(key)));
            ChannelAccount {
                name: own["name"].as_str().map(str::trim).map(str::to_owned),
                configured: (!channel.credentials.is_empty()).then_some(is_listed && complete),
                enabled: own["enabled"] != false,
                id,
            }
        };
        ids.into_iter().map(account).collect()
    }

    /// The account that a binding without one means.
    pub fn default_channel_account(&self, channel: &Channel) -> String {
        let accounts = self.channel_accounts(channel);
        let listed = |id: &str| accounts.iter().any(|account| account.id == id);
        let entry = self.channel_entry(channel).unwrap_or(&Value::Null);
        if let Some(named) = entry["defaultAccount"].as_str().filter(|id| listed(id)) {
            return named.to_owned();
        }
        if ALWAYS_DEFAULT.contains(&channel.id) {
            return DEFAULT_ACCOUNT.to_owned();
        }
        if ACCOUNTS_FROM_BINDINGS.contains(&channel.id) {
            let default_agent = self.default_agent();
            let mut bound =
                self.routes_to(&default_agent).filter(|route| route.channel() == channel.id);
            if let Some(account) = bound.find_map(|route| route.account()) {
                return normalize_agent_id(account);
            }
        }
        match accounts.first() {
            Some(first) if !listed(DEFAULT_ACCOUNT) => first.id.clone(),
            _ => DEFAULT_ACCOUNT.to_owned(),
        }
    }
}

/// Whether a value holds a credential: a text that is not blank, or a secret reference.
fn is_given(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Null | Value::Bool(false) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(text: &str) -> Config {
        Config::parse(Path::new("openclaw.json"), text).unwrap()
    }

    #[test]
    fn channels_are_found_by_id_and_alias_in_any_case() {
        for (name, id) in
            [("telegram", "telegram"), (" BB ", "bluebubbles"), ("Google-Chat", "googlechat")]
        {
            assert_eq!(find(name).map(|channel| channel.id), Some(id), "{name}");
        }
        assert!(find("tg").is_none() && find("").is_none());
    }

    #[test]
    fn accounts_come_from_the_configuration_and_for_telegram_from_bindings() {
        let config = config(
            "{channels: {telegram: {accounts: {B: {botToken: 'x', name: 'Zed'}}}, slack: {enabled: false, botToken: 'x'}, irc: {host: 'h', nick: 'n'}},
              bindings: [{agentId: 'main', match: {channel: 'telegram', accountId: 'a'}}]}",
        );
        let accounts = |id| config.channel_accounts(find(id).unwrap());
        let telegram = accounts("telegram");
        let ids: Vec<_> = telegram.iter().map(|account| account.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(telegram[0].configured, Some(false));
        assert_eq!(
            (telegram[1].configured, telegram[1].name.as_deref()),
            (Some(true), Some("Zed"))
        );
        assert_eq!(accounts("slack"), []);
        assert_eq!(accounts("irc")[0].id, "default");
        assert_eq!(accounts("irc")[0].configured, Some(true));
        assert_eq!(config.default_channel_account(find("telegram").unwrap()), "a");
        assert_eq!(
            config.active_channels().map(|channel| channel.id).collect::<Vec<_>>(),
            ["irc", "telegram"]
        );
    }

    #[test]
    fn the_account_without_a_name_is_chosen() {
        for (entry, account) in [
            ("{accounts: {b: {}, a: {}}}", "a"),
            ("{accounts: {b: {}, default: {}, a: {}}}", "default"),
            ("{accounts: {b: {}, a: {}}, defaultAccount: 'b'}", "b"),
            ("{accounts: {b: {}, a: {}}, defaultAccount: 'c'}", "a"),
            ("{token: 'x'}", "default"),
        ] {
            let config = config(&format!("{{channels: {{discord: {entry}}}}}"));
            assert_eq!(config.default_channel_account(find("discord").unwrap()), account);
        }
    }
}
