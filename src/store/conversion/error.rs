//! Why logins are not moved.

use crate::profile::{AgentId, ProfileId, ProviderId};
use crate::store::{Fence, Location, StoreError, StoreFormat};

/// Why the logins are not moved.
#[derive(Debug, thiserror::Error)]
pub enum ConversionError {
    /// A store cannot be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// OpenClaw is refreshing a login, or has lost it.
    #[error(
        "profile `{profile_id}` of agent `{agent_id}` has no tokens to move: {}",
        if *.fence == Fence::Pending {
            "OpenClaw is refreshing them, or was interrupted"
        } else {
            "they were lost in a failed OpenClaw refresh"
        }
    )]
    Fenced {
        /// The profile.
        profile_id: ProfileId,
        /// Its provider.
        provider: ProviderId,
        /// Its agent.
        agent_id: AgentId,
        /// What became of them.
        fence: Fence,
    },
    /// A document is a symbolic link: what it leads to may be somebody else's as well.
    #[error("{location} is a symbolic link, and what it leads to is not taken away")]
    Link {
        /// The document.
        location: Location,
    },
    /// The gateway works on the logins as they are.
    #[error("OpenClaw's gateway is running on {location}")]
    GatewayRuns {
        /// The database.
        location: Location,
    },
    /// It failed halfway.
    #[error("the move is not finished")]
    Unfinished {
        /// Where the logins move to.
        to: StoreFormat,
        /// Why.
        source: Box<ConversionError>,
    },
    /// What was stored does not read back.
    #[error("profile `{profile_id}` does not read back from {location}")]
    NotStored {
        /// The profile, under its new name.
        profile_id: ProfileId,
        /// Where it should be.
        location: Location,
    },
}
