//! Agents: each has a workspace, a store, sessions, bindings and an identity of its own.
//!
//! Invariant: nothing here invents an agent. What is not in the configuration is an error,
//! except `main` where the configuration lists nobody.

mod add;
mod agent_edit;
mod bind;
pub mod binding;
mod binding_edit;
mod delete;
mod error;
mod identity;
mod identity_file;
mod list;
mod roster;

pub use add::{AddError, AddRequest, Added, add, check_name, default_workspace};
pub use agent_edit::AgentRemoval;
pub use bind::{BindError, Bound, Unbound, bind, bindings, unbind, unbind_wholly};
pub use delete::{DeleteError, Deleted, Kept, NotUndone, check_deletion, delete};
pub use error::{InvalidBinding, InvalidBindings, UnknownAgent};
pub use identity::{IdentityError, IdentityRequest, IdentitySet, set_identity};
pub use list::{IdentitySource, Row, list};

use crate::admin::agents::binding::BindingSpec;
use crate::app::App;
use crate::config::Config;
use crate::profile::AgentId;

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

/// Whether agents are listed by their ids: as the configuration has it, else as the OpenClaw
/// has it that stores its logins here.
fn lists_by_id(app: &App, config: &Config) -> bool {
    let main = || app.store(&app.main_agent(config)).will_be_in_database();
    config.lists_agents_by_id().unwrap_or_else(main)
}

/// The id of the agent called `named`, else of the default one.
fn known_agent(config: &Config, named: Option<&AgentId>) -> Result<AgentId, UnknownAgent> {
    let id = named.cloned().unwrap_or_else(|| config.default_agent());
    if agent_ids(config).contains(&id) { Ok(id) } else { Err(UnknownAgent(id)) }
}

/// Reads `<channel>[:<account>]` texts, all or none; blank ones mean nothing.
fn binding_specs(app: &App, texts: &[String]) -> Result<Vec<BindingSpec>, InvalidBindings> {
    let has_plugins = app.environment.has_bundled_plugins();
    let mut specs = Vec::new();
    let mut invalid = Vec::new();
    for text in texts.iter().filter(|text| !text.trim().is_empty()) {
        match BindingSpec::parse(text) {
            Ok(spec) if has_plugins => specs.push(spec),
            Ok(spec) => invalid.push(InvalidBinding::SwitchedOff { channel: spec.channel }),
            Err(error) => invalid.push(InvalidBinding::Spec(error)),
        }
    }
    if invalid.is_empty() { Ok(specs) } else { Err(InvalidBindings(invalid)) }
}
