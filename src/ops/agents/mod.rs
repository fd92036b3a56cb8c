//! Agents: each has a workspace, a store, sessions, bindings and an identity of its own.
//!
//! Invariant: nothing here invents an agent. What is not in the configuration is an error,
//! except `main` where the configuration lists nobody.

mod add;
mod bind;
mod delete;
mod identity;
mod identity_file;
mod list;

pub use add::{AddRequest, Added, add, check_name, usual_workspace};
pub use bind::{Bound, Unbound, bind, bindings, unbind, unbind_wholly};
pub use delete::{Deleted, Kept, check_deletion, delete};
pub use identity::{IdentityRequest, IdentitySet, set_identity};
pub use list::{IdentitySource, Row, list};

use crate::app::App;
use crate::config::{BindingSpec, BindingSpecError, Channel, Config};
use crate::exit::{Command, ExitStatus, Failure};
use crate::profile::AgentId;
use crate::system::environment::WITHOUT_PLUGINS;

/// The ids of the agents in their order, each once; the default agent alone when the
/// configuration lists none.
fn agent_ids(config: &Config) -> Vec<AgentId> {
    let mut seen = std::collections::HashSet::new();
    let mut ids: Vec<AgentId> = config.agents().map(|agent| agent.id()).collect();
    ids.retain(|id| seen.insert(id.clone()));
    if ids.is_empty() {
        ids.push(config.default_agent());
    }
    ids
}

/// The id of the agent called `named`, else of the default one.
fn known_agent(config: &Config, named: Option<&AgentId>) -> Result<AgentId, Failure> {
    let id = named.cloned().unwrap_or_else(|| config.default_agent());
    if agent_ids(config).contains(&id) { Ok(id) } else { Err(not_found(&id)) }
}

fn not_found(id: &AgentId) -> Failure {
    failure(format!("there is no agent `{id}`")).hint(Command::ours("agents list"))
}

fn failure(message: impl std::fmt::Display) -> Failure {
    Failure::message(ExitStatus::Failure, message)
}

/// Reads `<channel>[:<account>]` texts, all or none; blank ones mean nothing.
fn binding_specs(app: &App, texts: &[String]) -> Result<Vec<BindingSpec>, Failure> {
    let has_plugins = app.environment.has_bundled_plugins();
    let mut specs = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    let mut has_unknown = false;
    for text in texts.iter().filter(|text| !text.trim().is_empty()) {
        match BindingSpec::parse(text) {
            Ok(spec) if has_plugins => specs.push(spec),
            Ok(spec) => reasons
                .push(format!("channel `{}` is switched off by {WITHOUT_PLUGINS}", spec.channel)),
            Err(error) => {
                has_unknown |= matches!(error, BindingSpecError::UnknownChannel(_));
                reasons.push(error.to_string());
            }
        }
    }
    if reasons.is_empty() {
        return Ok(specs);
    }
    let failure = failure(reasons.join("; "));
    if !has_unknown {
        return Err(failure);
    }
    let mut known: Vec<_> = Channel::all().iter().map(|channel| channel.id.as_str()).collect();
    known.sort_unstable();
    Err(failure.hint(format!("the channels are {}", known.join(", "))))
}
