//! Why an agent, or what it shall answer on, cannot be found.

use crate::admin::agents::binding::BindingSpecError;
use crate::profile::AgentId;
use crate::system::environment::WITHOUT_PLUGINS;

/// There is no agent of this id.
#[derive(Debug, thiserror::Error)]
#[error("there is no agent `{0}`")]
pub struct UnknownAgent(pub AgentId);

/// Texts that name nothing to bind an agent to.
#[derive(Debug, thiserror::Error)]
#[error("{}", all(.0))]
pub struct InvalidBindings(pub Vec<InvalidBinding>);

fn all(bindings: &[InvalidBinding]) -> String {
    let shown: Vec<_> = bindings.iter().map(ToString::to_string).collect();
    shown.join("; ")
}

/// Why a text names nothing to bind an agent to.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBinding {
    /// It cannot be read.
    #[error(transparent)]
    Spec(BindingSpecError),
    /// The channel is one of the plugins that are switched off.
    #[error("channel `{channel}` is switched off by {WITHOUT_PLUGINS}")]
    SwitchedOff {
        /// The id of the channel.
        channel: &'static str,
    },
}
