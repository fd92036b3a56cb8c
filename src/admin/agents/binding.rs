//! Bindings: which agent answers on which channel and channel account.
//!
//! Two bindings are about the same conversations when their channel, account, peer,
//! guild, team and roles are equal; a binding without an account means the account
//! `default`. Only bindings that route count here, others (`type: "acp"`) are kept as
//! they are.

use crate::admin::channels::account::DEFAULT;
use crate::admin::channels::channel::Channel;
use crate::config::Config;
use crate::profile::AgentId;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A binding of the configuration that routes messages to an agent.
#[derive(Clone, Copy, Debug)]
pub struct Route<'c>(&'c Value);

impl<'c> Route<'c> {
    /// The binding `value`, if it routes.
    pub(super) fn of(value: &'c Value) -> Option<Self> {
        (value.is_object() && value["type"] != "acp").then_some(Self(value))
    }

    /// The normalised id of the agent.
    pub fn agent_id(&self) -> AgentId {
        AgentId::from(self.0["agentId"].as_str().unwrap_or_default())
    }

    /// What the binding matches, as the configuration has it.
    pub fn matching(&self) -> &'c Value {
        &self.0["match"]
    }

    /// The channel as it is spelt.
    pub fn channel(&self) -> &'c str {
        self.matching()["channel"].as_str().unwrap_or_default()
    }

    /// The channel account, where one is named.
    pub fn account(&self) -> Option<&'c str> {
        account(self.matching())
    }

    /// The binding on one line: `telegram accountId=a peer=direct:+1`.
    pub fn describe(&self) -> String {
        describe(self.matching())
    }
}

/// A channel, and an account of it, that an agent shall answer on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingSpec {
    /// The id of the channel.
    pub channel: &'static str,
    /// The account as it was typed.
    pub account: Option<String>,
}

/// Why a text is no [`BindingSpec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingSpecError {
    /// No channel has this name.
    #[error("there is no channel `{0}`")]
    UnknownChannel(String),
    /// The text ends in a colon.
    #[error("`{0}` names no account after its colon")]
    EmptyAccount(String),
}

impl BindingSpec {
    /// Reads `<channel>[:<account>]`; what follows a second colon means nothing.
    ///
    /// # Errors
    /// See [`BindingSpecError`].
    pub fn parse(text: &str) -> Result<Self, BindingSpecError> {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default();
        let channel = Channel::find(name)
            .ok_or_else(|| BindingSpecError::UnknownChannel(name.to_owned()))?
            .id
            .as_str();
        let account = parts.next().map(|account| account.trim().to_owned());
        if account.as_deref() == Some("") {
            return Err(BindingSpecError::EmptyAccount(text.trim().to_owned()));
        }
        Ok(Self { channel, account })
    }

    /// The binding as the configuration has it in `match`.
    pub(super) fn matching(&self) -> Value {
        let mut matching = serde_json::Map::new();
        matching.insert("channel".to_owned(), self.channel.into());
        if let Some(account) = &self.account {
            matching.insert("accountId".to_owned(), account.as_str().into());
        }
        matching.into()
    }
}

/// What became of bindings that were asked for; each is described on one line.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct BindOutcome {
    /// The new bindings.
    pub added: Vec<String>,
    /// The bindings of the agent that had no account and have one now.
    pub updated: Vec<String>,
    /// The bindings that were there already.
    pub skipped: Vec<String>,
    /// The bindings that another agent has.
    pub conflicts: Vec<Conflict>,
}

/// What became of bindings that were to be removed; each is described on one line.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct UnbindOutcome {
    /// The removed bindings.
    pub removed: Vec<String>,
    /// The bindings that nobody has.
    pub missing: Vec<String>,
    /// The bindings that another agent has.
    pub conflicts: Vec<Conflict>,
}

/// A binding that belongs to another agent.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The binding on one line.
    pub binding: String,
    /// Whose it is.
    pub agent_id: AgentId,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (agent={})", self.binding, self.agent_id)
    }
}

/// The text that [`std::fmt::Display`] gives.
impl Serialize for Conflict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Config {
    /// The bindings that route, in their order.
    pub fn routes(&self) -> impl Iterator<Item = Route<'_>> {
        let bindings = self.at("/bindings").and_then(Value::as_array);
        bindings.into_iter().flatten().filter_map(Route::of)
    }

    /// The bindings that lead to an agent.
    pub fn routes_to(&self, agent_id: &AgentId) -> impl Iterator<Item = Route<'_>> {
        self.routes().filter(move |route| route.agent_id() == *agent_id)
    }
}

fn account(matching: &Value) -> Option<&str> {
    matching["accountId"].as_str().map(str::trim).filter(|account| !account.is_empty())
}

/// What a binding matches, on one line.
pub(super) fn describe(matching: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut parts = vec![text(&matching["channel"])];
    let mut part = |label: &str, value: String| {
        if !value.is_empty() {
            parts.push(format!("{label}={value}"));
        }
    };
    part("accountId", text(&matching["accountId"]));
    if let Some(peer) = matching["peer"].as_object() {
        let field = |key| peer.get(key).map(text).unwrap_or_default();
        part("peer", format!("{}:{}", field("kind"), field("id")));
    }
    part("guild", text(&matching["guildId"]));
    part("team", text(&matching["teamId"]));
    parts.join(" ")
}

/// Equal for bindings that are about the same conversations, whatever their account.
pub(super) fn scope(matching: &Value) -> [String; 6] {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let roles = matching["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let roles: std::collections::BTreeSet<_> = roles.map(str::trim).collect();
    let peer = &matching["peer"];
    [
        text(&matching["channel"]),
        text(&peer["kind"]),
        text(&peer["id"]),
        text(&matching["guildId"]),
        text(&matching["teamId"]),
        roles.into_iter().collect::<Vec<_>>().join(","),
    ]
}

/// Equal for bindings that are about the same conversations.
pub(super) fn key(matching: &Value) -> ([String; 6], String) {
    (scope(matching), account(matching).unwrap_or(DEFAULT).to_owned())
}

/// Whether the binding names an account.
pub(super) fn has_account(matching: &Value) -> bool {
    account(matching).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bindings_are_described_on_one_line() {
        for (matching, text) in [
            (json!({"channel": "telegram"}), "telegram"),
            (
                json!({"channel": "discord", "accountId": "C", "peer": {"kind": "direct", "id": "+1"},
                       "guildId": "g", "teamId": "t", "roles": ["r"]}),
                "discord accountId=C peer=direct:+1 guild=g team=t",
            ),
        ] {
            assert_eq!(describe(&matching), text);
        }
    }

    #[test]
    fn no_account_is_the_account_default() {
        assert_eq!(
            key(&json!({"channel": "c"})),
            key(&json!({"channel": "c", "accountId": "default"}))
        );
        assert_eq!(
            key(&json!({"channel": "c", "roles": ["b", "a", "b"]})),
            key(&json!({"channel": "c", "roles": ["a", "b"]}))
        );
        assert_ne!(key(&json!({"channel": "c"})), key(&json!({"channel": "c", "accountId": "x"})));
        assert_ne!(key(&json!({"channel": "c"})), key(&json!({"channel": "c", "guildId": "x"})));
    }

    #[test]
    fn specifications_are_read() {
        let spec = |channel, account: Option<&str>| BindingSpec {
            channel,
            account: account.map(str::to_owned),
        };
        for (text, expected) in [
            ("telegram", spec("telegram", None)),
            (" Telegram : B ", spec("telegram", Some("B"))),
            ("gchat:a:ignored", spec("googlechat", Some("a"))),
        ] {
            assert_eq!(BindingSpec::parse(text), Ok(expected), "{text}");
        }
        assert!(matches!(BindingSpec::parse("x:a"), Err(BindingSpecError::UnknownChannel(_))));
        assert!(matches!(BindingSpec::parse("irc: "), Err(BindingSpecError::EmptyAccount(_))));
    }
}
