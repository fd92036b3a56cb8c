//! Why a command has no profile that it could be about.

use crate::app::AppError;
use crate::external::ExternalError;
use crate::ops::name::NameError;
use crate::ops::stale_order::StaleOrder;
use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::store::Location;
use std::fmt;

/// Why a command has no profile that it could be about.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// The configuration, a provider file or a store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// The login of another program is there and cannot be read.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// The name leads to no profile or to several.
    #[error(transparent)]
    Name(#[from] NameError),
    /// No store that the agent reads has the profile.
    #[error("there is no profile `{profile_id}` in {looked_in}")]
    NoProfile {
        /// The profile.
        profile_id: ProfileId,
        /// The stores.
        looked_in: LookedIn,
    },
    /// The entry of the profile is nothing that we know.
    #[error("the profile `{profile_id}` in {location} cannot be interpreted")]
    Uninterpretable {
        /// The profile.
        profile_id: ProfileId,
        /// The document that holds it.
        location: Location,
    },
    /// The profile is of another provider.
    #[error(transparent)]
    WrongProvider(#[from] WrongProvider),
    /// No store that the agent reads has any profile.
    #[error("agent `{agent_id}` has no profile in {looked_in}")]
    NoneAtAll {
        /// The agent.
        agent_id: AgentId,
        /// The stores.
        looked_in: LookedIn,
    },
    /// No store that the agent reads has a profile of the provider.
    #[error("agent `{agent_id}` has no profile of {provider} in {looked_in}")]
    NoneOfProvider {
        /// The agent.
        agent_id: AgentId,
        /// The provider.
        provider: ProviderId,
        /// The stores.
        looked_in: LookedIn,
    },
    /// There are profiles of the provider, and none can be used.
    #[error("no profile of {provider} in {location} is usable{}", because(order.as_deref()))]
    NoneUsable {
        /// The agent.
        agent_id: AgentId,
        /// The provider.
        provider: ProviderId,
        /// The document that holds the profiles.
        location: Location,
        /// The order that keeps them away, as it names others.
        order: Option<Box<StaleOrder>>,
    },
    /// The provider has to be named.
    #[error("agent `{agent_id}` has profiles of several providers: {}", join(providers))]
    SeveralProviders {
        /// The agent.
        agent_id: AgentId,
        /// All providers that it has profiles of.
        providers: Vec<ProviderId>,
    },
    /// The stores have no profile, and more than one other program has a login.
    #[error("several programs have logins that could be used: {}", join(profile_ids))]
    SeveralPrograms {
        /// Their profiles.
        profile_ids: Vec<ProfileId>,
    },
}

impl<E: Into<AppError>> From<E> for SelectionError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// The documents that were looked into: a wrong directory is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedIn {
    /// The documents.
    pub locations: Vec<Location>,
    /// The profiles in them that cannot be interpreted.
    pub uninterpretable: Vec<ProfileId>,
}

impl fmt::Display for LookedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 5;
        let locations: Vec<_> = self.locations.iter().map(Location::to_string).collect();
        f.write_str(&locations.join(" or "))?;
        let odd: Vec<_> = self.uninterpretable.iter().take(MOST).map(ToString::to_string).collect();
        match odd.len() {
            0 => Ok(()),
            _ => write!(f, ", where `{}` cannot be interpreted", odd.join("`, `")),
        }
    }
}

fn because(order: Option<&StaleOrder>) -> String {
    order.map_or_else(String::new, |order| format!(": {order}"))
}

/// A profile is of another provider than the one that is meant.
#[derive(Debug, thiserror::Error)]
#[error("the profile `{profile_id}` is for {stored}, not {wanted}")]
pub struct WrongProvider {
    /// The profile.
    pub profile_id: ProfileId,
    /// Its provider.
    pub stored: ProviderId,
    /// The provider that is meant.
    pub wanted: ProviderId,
}

fn join(ids: &[impl ToString]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
