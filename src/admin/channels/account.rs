//! The channels that the configuration switches on, and their accounts, by the rules of
//! OpenClaw 2026.4.24's bundled plugins.
//!
//! Invariant: what is said follows from `openclaw.json` alone.

use super::channel::{AccountIds, Channel, DefaultAccount};
use crate::config::Config;
use crate::profile::{AgentId, compare};
use serde::Serialize;
use serde_json::{Map, Value};

/// The account of a channel that needs no name.
pub(in crate::admin) const DEFAULT: &str = "default";
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

/// A channel that is switched on.
#[derive(Clone, Debug)]
pub struct ActiveChannel {
    /// Which channel.
    pub channel: &'static Channel,
    /// Its accounts.
    pub accounts: Vec<ChannelAccount>,
    /// The account that a binding without one means.
    pub default_account: String,
}

/// An account of a channel, as reports show it.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelAccount {
    /// Its id.
    pub id: String,
    /// Its name for people.
    #[serde(skip)]
    pub name: Option<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether its credentials are there; `None` when they are not in the configuration.
    pub configured: Option<bool>,
    /// What is missing of the credentials that need the least.
    pub missing: Vec<String>,
}

impl Config {
    /// The channels that are switched on, in OpenClaw's order.
    pub fn active_channels(&self) -> Vec<ActiveChannel> {
        // The table of channels costs more than all else here.
        if self.at("/channels").is_none() {
            return Vec::new();
        }
        let entries = Channel::all().iter().filter_map(|channel| {
            let settings = self.at("/channels")?.get(&channel.id)?.as_object()?;
            let is_active = is_on(settings) && self.allows_plugin(&channel.id);
            is_active.then_some(Entry { channel, settings })
        });
        entries
            .map(|entry| {
                let accounts = entry.accounts(&self.bound_accounts(entry.channel));
                let default_account = self.default_account(&entry, &accounts);
                ActiveChannel { channel: entry.channel, accounts, default_account }
            })
            .collect()
    }

    fn allows_plugin(&self, id: &str) -> bool {
        let plugins = self.at("/plugins").unwrap_or(&Value::Null);
        let is_denied = plugins["deny"].as_array().into_iter().flatten().any(|other| other == id);
        plugins["enabled"] != false && !is_denied && plugins["entries"][id]["enabled"] != false
    }

    /// The accounts that bindings name, for a channel that counts them.
    fn bound_accounts(&self, channel: &Channel) -> Vec<String> {
        let routes = self.routes().filter(|route| route.channel() == channel.id);
        let accounts = routes.filter_map(|route| route.account()).filter(|id| *id != "*");
        accounts.filter(|_| channel.accounts_from_bindings).map(normalize_account_id).collect()
    }

    fn default_account(&self, entry: &Entry<'_>, accounts: &[ChannelAccount]) -> String {
        let Entry { channel, settings } = entry;
        let is_listed = |id: &str| accounts.iter().any(|account| account.id == id);
        let named = settings.get("defaultAccount").and_then(Value::as_str);
        if let Some(named) = named.filter(|id| is_listed(id)) {
            return named.to_owned();
        }
        if channel.unnamed_is_default {
            return DEFAULT.to_owned();
        }
        if channel.accounts_from_bindings {
            let default_agent = self.default_agent();
            let mut bound =
                self.routes_to(&default_agent).filter(|route| route.channel() == channel.id);
            if let Some(account) = bound.find_map(|route| route.account()) {
                return normalize_account_id(account);
            }
        }
        match accounts.first() {
            Some(first) if !is_listed(DEFAULT) => first.id.clone(),
            _ => DEFAULT.to_owned(),
        }
    }
}

/// Whether a channel is switched on: by its switch, else by saying something.
fn is_on(settings: &Map<String, Value>) -> bool {
    match settings.get("enabled") {
        Some(Value::Bool(on)) => *on,
        Some(_) => settings.len() > 1,
        None => !settings.is_empty(),
    }
}

/// An account id, normalised: like an agent id, except that what is left empty is the
/// default account.
fn normalize_account_id(id: &str) -> String {
    let is_name = id.chars().any(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name { AgentId::from(id).as_str().to_owned() } else { DEFAULT.to_owned() }
}

/// Whether a value is given: text that is not blank, or anything structured.
fn is_given(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    }
}

/// What the configuration says of a channel.
struct Entry<'c> {
    channel: &'static Channel,
    settings: &'c Map<String, Value>,
}

impl Entry<'_> {
    fn accounts(&self, bound: &[String]) -> Vec<ChannelAccount> {
        use DefaultAccount::{Only, OnlyWithCredentials, Otherwise, WithCredentials};
        let rule = self.channel.default_account;
        let named = self.settings.get("accounts").and_then(Value::as_object);
        let takes_names = !matches!(rule, Only | OnlyWithCredentials);
        let mut entries: Vec<(String, Option<&Value>)> = Vec::new();
        for (id, entry) in named.into_iter().flatten().filter(|_| takes_names) {
            let id = match self.channel.account_ids {
                AccountIds::Normalised => normalize_account_id(id),
                _ => id.clone(),
            };
            if !entries.iter().any(|(other, _)| *other == id) {
                entries.push((id, Some(entry)));
            }
        }
        let has_named = !entries.is_empty();
        let belongs_to_default =
            has_named && OF_DEFAULT_ACCOUNT.iter().any(|key| self.settings.contains_key(*key));
        for id in bound {
            if !entries.iter().any(|(other, _)| other == id) {
                entries.push((id.clone(), None));
            }
        }
        let has_default = match rule {
            Otherwise => {
                entries.is_empty() || (self.channel.default_beside_accounts && self.has_default())
            }
            Only => true,
            WithCredentials | OnlyWithCredentials => self.has_default(),
        };
        let is_named = entries.iter().any(|(id, _)| id == DEFAULT);
        if (has_default || belongs_to_default) && !is_named {
            entries.insert(0, (DEFAULT.to_owned(), None));
        }
        if self.channel.account_ids != AccountIds::Written {
            entries.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        entries.into_iter().map(|(id, own)| self.account(id, own, has_named)).collect()
    }

    /// Whether the settings of the channel make an account.
    fn has_default(&self) -> bool {
        let Channel { credentials, default_with, .. } = self.channel;
        let sets = if default_with.is_empty() { credentials } else { default_with };
        sets.iter().any(|keys| keys.iter().all(|key| is_given(self.settings.get(key))))
    }

    /// An account. What the channel says holds for it as well, unless it is merely bound
    /// while others are named.
    fn account(&self, id: String, own: Option<&Value>, has_named: bool) -> ChannelAccount {
        let inherits = own.is_some() || id == DEFAULT || !has_named;
        let has = |key: &String| {
            is_given(own.and_then(|own| own.get(key)))
                || (inherits && is_given(self.settings.get(key)))
        };
        let missing = self.channel.credentials.iter();
        let missing =
            missing.map(|keys| keys.iter().filter(|key| !has(key)).cloned().collect::<Vec<_>>());
        let missing = missing.min_by_key(Vec::len);
        let name = own.and_then(|own| own["name"].as_str());
        ChannelAccount {
            name: name.map(str::trim).map(str::to_owned),
            enabled: own.is_none_or(|own| own["enabled"] != false),
            configured: missing.as_ref().map(Vec::is_empty),
            missing: missing.unwrap_or_default(),
            id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn active(text: &str) -> Vec<ActiveChannel> {
        Config::parse(Path::new("openclaw.json"), text).unwrap().active_channels()
    }

    fn ids(active: &ActiveChannel) -> Vec<&str> {
        active.accounts.iter().map(|account| account.id.as_str()).collect()
    }

    fn accounts(channel: &str, settings: &str) -> Vec<String> {
        let active = active(&format!("{{channels: {{'{channel}': {settings}}}}}"));
        assert_eq!(active.len(), 1, "{channel} {settings}");
        ids(&active[0]).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_channel_is_listed_when_it_is_on_or_says_something() {
        let active = active(
            "{channels: { telegram: {dmPolicy: 'pairing'}, discord: {enabled: false, token: 'x'}, \
             signal: {}, irc: {enabled: true}, defaults: {groupPolicy: 'open'}, unknown: {a: 1}, \
             slack: 3, line: {a: 1}, nostr: {a: 1}}, \
             plugins: {deny: ['line'], entries: {nostr: {enabled: false}}}}",
        );
        let ids: Vec<_> = active.iter().map(|active| active.channel.id.as_str()).collect();
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
        assert_eq!(accounts("twitch", "{username: 'x', accessToken: 'y'}"), ["default"]);
    }

    #[test]
    fn an_account_is_configured_by_its_own_or_the_channels_credentials() {
        let active = active(
            "{channels: {slack: {appToken: 'x', accounts: {a: {botToken: 'y'}, b: {}}}, \
             telegram: {botToken: 'x', accounts: {own: {}}}}, \
             bindings: [{agentId: 'main', match: {channel: 'telegram', accountId: 'other'}}]}",
        );
        let slack = &active[0].accounts;
        assert_eq!(slack[0].configured, Some(true));
        assert_eq!(slack[1].configured, Some(false));
        assert_eq!(slack[1].missing, ["botToken"]);
        let telegram = active[1].accounts.iter();
        let telegram: Vec<_> = telegram.map(|own| (own.id.as_str(), own.configured)).collect();
        let expected = [("default", Some(true)), ("other", Some(false)), ("own", Some(true))];
        assert_eq!(telegram, expected);
    }

    #[test]
    fn accounts_come_from_the_configuration_and_for_telegram_from_bindings() {
        let active = active(
            "{channels: {telegram: {accounts: {B: {botToken: 'x', name: 'Zed'}}}, slack: {enabled: false, botToken: 'x'}, irc: {host: 'h', nick: 'n'}},
              bindings: [{agentId: 'main', match: {channel: 'telegram', accountId: 'a'}}]}",
        );
        let [irc, telegram] = &active[..] else { panic!("{active:?}") };
        assert_eq!(ids(telegram), ["a", "b"]);
        assert_eq!(telegram.accounts[0].configured, Some(false));
        let b = &telegram.accounts[1];
        assert_eq!((b.configured, b.name.as_deref()), (Some(true), Some("Zed")));
        assert_eq!(ids(irc), ["default"]);
        assert_eq!(irc.accounts[0].configured, Some(true));
        assert_eq!(telegram.default_account, "a");
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
            let active = active(&format!("{{channels: {{discord: {entry}}}}}"));
            assert_eq!(active[0].default_account, account);
        }
    }
}
