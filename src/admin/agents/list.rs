//! Listing the agents.

use super::agent_ids;
use super::identity_file::{FILE_NAME, IdentityFile};
use crate::admin::channels::account::ActiveChannel;
use crate::admin::channels::channel::Channel;
use crate::app::App;
use crate::config::{Config, ConfigError};
use crate::profile::AgentId;
use std::path::PathBuf;

/// One agent.
#[derive(Debug)]
pub struct Row {
    /// The normalised id.
    pub id: AgentId,
    /// The configured name.
    pub name: Option<String>,
    /// The name of its identity.
    pub identity_name: Option<String>,
    /// The emoji of its identity.
    pub identity_emoji: Option<String>,
    /// Where the identity is from.
    pub identity_source: Option<IdentitySource>,
    /// The workspace.
    pub workspace: PathBuf,
    /// The directory of the store.
    pub agent_dir: PathBuf,
    /// The model.
    pub model: Option<String>,
    /// What it is bound to, each binding on one line.
    pub bindings: Vec<String>,
    /// Whether commands mean this agent when they name none.
    pub is_default: bool,
    /// The accounts of active channels that it is bound to.
    pub routes: Vec<String>,
    /// What can be said of the channel accounts that it answers on.
    pub providers: Vec<String>,
}

/// Where an identity is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentitySource {
    /// `IDENTITY.md` in the workspace.
    File,
    /// The configuration.
    Config,
}

/// The agents in the order of the configuration; `main` alone when it lists none.
///
/// # Errors
/// The configuration cannot be read.
pub fn list(app: &App) -> Result<Vec<Row>, ConfigError> {
    let config = app.config()?;
    let default = config.default_agent();
    Ok(agent_ids(&config).into_iter().map(|id| row(app, &config, id, &default)).collect())
}

fn row(app: &App, config: &Config, id: AgentId, default: &AgentId) -> Row {
    let entry = config.agents().find(|agent| agent.id() == id);
    let text = |text: Option<&str>| text.map(str::to_owned);
    let workspace = config.workspace(&app.paths, &id);
    let file = IdentityFile::read(&workspace.join(FILE_NAME));
    let has_file = file.is_some();
    let file = file.unwrap_or_default();
    let configured = |key| text(entry.and_then(|entry| entry.identity(key)));
    let identity_name = file.name.or_else(|| configured("name"));
    let identity_emoji = file.emoji.or_else(|| configured("emoji"));
    let identity_source = if has_file {
        Some(IdentitySource::File)
    } else {
        (identity_name.is_some() || identity_emoji.is_some()).then_some(IdentitySource::Config)
    };
    let is_default = id == *default;
    let has_plugins = app.environment.has_bundled_plugins();
    let channels = if has_plugins { config.active_channels() } else { Vec::new() };
    let bound = bound_accounts(config, &channels, &id);
    let bindings: Vec<_> = config.routes_to(&id).map(|route| route.describe()).collect();
    let providers = if !bindings.is_empty() {
        bound.iter().map(|(active, account)| provider(active, account)).collect()
    } else if is_default {
        configured_accounts(&channels)
    } else {
        Vec::new()
    };
    Row {
        name: entry.and_then(|entry| text(entry.text("name"))),
        identity_name,
        identity_emoji,
        identity_source,
        workspace,
        agent_dir: config.agent_dir(&app.paths, &id).path,
        model: text(config.default_model(&id)),
        bindings,
        is_default,
        routes: bound.iter().map(|(active, id)| format!("{} {id}", active.channel.label)).collect(),
        providers,
        id,
    }
}

/// The accounts of active channels that an agent is bound to, each once.
fn bound_accounts<'a>(
    config: &Config,
    channels: &'a [ActiveChannel],
    agent_id: &AgentId,
) -> Vec<(&'a ActiveChannel, String)> {
    let mut bound: Vec<(&ActiveChannel, String)> = Vec::new();
    for route in config.routes_to(agent_id) {
        let Some(channel) = Channel::find(route.channel()) else { continue };
        let Some(active) = channels.iter().find(|active| active.channel.id == channel.id) else {
            continue;
        };
        let account = match route.account() {
            Some(account) => account.to_owned(),
            None => active.default_account.clone(),
        };
        if !bound.iter().any(|(other, id)| other.channel.id == channel.id && *id == account) {
            bound.push((active, account));
        }
    }
    bound
}

fn configured_accounts(channels: &[ActiveChannel]) -> Vec<String> {
    let mut lines = Vec::new();
    for active in channels {
        let configured = active.accounts.iter().filter(|account| account.configured == Some(true));
        lines.extend(configured.map(|account| provider(active, &account.id)));
    }
    lines
}

/// What can be said of a channel account, on one line.
fn provider(active: &ActiveChannel, id: &str) -> String {
    let label = &active.channel.label;
    let Some(account) = active.accounts.iter().find(|account| account.id == id) else {
        return format!("{label} {id}: unknown");
    };
    let name = account.name.as_deref().filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let state = match account.configured {
        Some(true) => "configured",
        Some(false) => "not configured",
        None => "unknown",
    };
    let disabled = if account.enabled { "" } else { ", disabled" };
    format!("{label} {id}{name}: {state}{disabled}")
}
