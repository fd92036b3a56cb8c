//! The channels that OpenClaw 2026.4.24 bundles: their names, and what each calls an
//! account. They are data (`channels.json`), in OpenClaw's order.

use serde::Deserialize;
use std::sync::LazyLock;

/// A channel that OpenClaw bundles.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Other names that it is known by.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Sets of keys, any of which is enough; none when the login is not in the file.
    #[serde(default)]
    pub(super) credentials: Vec<Vec<String>>,
    /// How account ids are listed.
    #[serde(default)]
    pub(super) account_ids: AccountIds,
    /// When there is an account called `default` that no entry names.
    #[serde(default)]
    pub(super) default_account: DefaultAccount,
    /// The sets of keys that make such an account, where they are not the credentials.
    #[serde(default)]
    pub(super) default_with: Vec<Vec<String>>,
    /// Whether the credentials of the channel make such an account beside named ones.
    #[serde(default)]
    pub(super) default_beside_accounts: bool,
    /// Whether the accounts that bindings name count.
    #[serde(default)]
    pub(super) accounts_from_bindings: bool,
    /// Whether a binding without an account means `default`, whatever accounts there are.
    #[serde(default)]
    pub(super) unnamed_is_default: bool,
}

/// How account ids are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum AccountIds {
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
pub(super) enum DefaultAccount {
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

const BUNDLED: &str = include_str!("channels.json");

// A test reads the table; what is compiled in cannot be wrong later.
static CHANNELS: LazyLock<Vec<Channel>> =
    LazyLock::new(|| serde_json::from_str(BUNDLED).unwrap_or_default());

impl Channel {
    /// Every bundled channel, in OpenClaw's order.
    pub fn all() -> &'static [Self] {
        &CHANNELS
    }

    /// The channel called `name`: its id or one of its aliases, in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        let name = name.trim().to_lowercase();
        CHANNELS.iter().find(|channel| channel.id == name || channel.aliases.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let bundled: Vec<Channel> = serde_json::from_str(BUNDLED).unwrap();
        assert_eq!(bundled.len(), 22);
        for channel in &bundled {
            for name in channel.aliases.iter().chain([&channel.id]) {
                assert_eq!(Channel::find(name).map(|found| &found.id), Some(&channel.id), "{name}");
            }
        }
    }

    #[test]
    fn channels_are_found_by_id_and_alias_in_any_case() {
        for (name, id) in
            [("telegram", "telegram"), (" BB ", "bluebubbles"), ("Google-Chat", "googlechat")]
        {
            assert_eq!(Channel::find(name).map(|channel| channel.id.as_str()), Some(id), "{name}");
        }
        assert!(Channel::find("tg").is_none() && Channel::find("").is_none());
    }
}
