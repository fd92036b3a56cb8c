//! What a lease is on.

use crate::profile::{ProfileId, ProviderId};
use crate::secret::Secret;

/// What a lease is on: a profile, by the spelling of its provider and its id, and the grant
/// that it holds.
#[derive(Clone, Copy, Debug)]
pub struct LeaseKey<'k> {
    /// The provider; its spelling counts.
    pub provider: &'k ProviderId,
    /// The profile id.
    pub profile_id: &'k ProfileId,
    /// The refresh token that the profile holds.
    pub grant: Option<&'k Secret>,
}
