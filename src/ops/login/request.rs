//! What a login is asked for, and what it has done. Neither holds a secret.

use super::error::Attempt;
use crate::profile::{AgentId, Identity, Millis, ProfileId, ProviderId};
use crate::store::Location;
use std::time::Duration;

/// How to sign in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The provider id or alias.
    pub provider: ProviderId,
    /// The one way to go (`browser`, `paste`, `device`, or a method of the provider); all
    /// that there are when `None`.
    pub method: Option<String>,
    /// The agent; the default one when `None`.
    pub agent: Option<AgentId>,
    /// The profile id to store the login under.
    pub profile_id: Option<ProfileId>,
    /// Whether a browser may be opened.
    pub browser: bool,
    /// How long to wait for the user.
    pub timeout: Duration,
}

impl Request {
    /// What this would sign in to, at the provider of this id.
    pub(super) fn attempt(&self, provider: &ProviderId) -> Attempt {
        let agent_id = self.agent.clone().unwrap_or(AgentId::main());
        Attempt { provider: provider.clone(), agent_id }
    }
}

/// What a login did. It holds no secret.
#[derive(Debug)]
pub struct Report {
    /// The name of the provider for people.
    pub provider_label: String,
    /// The provider id.
    pub provider: ProviderId,
    /// The profile id.
    pub profile_id: ProfileId,
    /// The agent.
    pub agent_id: AgentId,
    /// The document that holds the profile.
    pub location: Location,
    /// Who signed in, as far as the tokens say.
    pub identity: Identity,
    /// When the access token expires, in milliseconds since the epoch.
    pub expires: Option<Millis>,
    /// Whether there is a refresh token.
    pub refreshable: bool,
    /// The model that the provider's users usually take, as `provider/model`.
    pub default_model: Option<String>,
    /// Whether the login renewed a profile that was there.
    pub renewed: bool,
    /// The profile of another account whose id this login would have had.
    pub taken_id: Option<ProfileId>,
    /// Whether the configuration was changed.
    pub config_changed: bool,
}
