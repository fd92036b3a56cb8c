//! What is reported of a logout.

use crate::ops::logout::{Report as Done, Revocation};
use crate::profile::{AgentId, ProfileId, ProviderId};
use serde::Serialize;

/// A logout, in JSON and for people.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report<'r> {
    schema: u32,
    agent_id: Option<&'r AgentId>,
    agent_ids: &'r [AgentId],
    profile_id: &'r ProfileId,
    provider: &'r ProviderId,
    revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_revoked_because: Option<&'r str>,
    config_changed: bool,
}

impl<'r> Report<'r> {
    /// What is reported of a logout.
    pub(super) fn of(done: &'r Done) -> Self {
        let reason = match &done.revocation {
            Revocation::Revoked => None,
            Revocation::Skipped(reason) => Some(reason.as_str()),
        };
        Self {
            schema: 1,
            agent_id: done.agent_ids.first(),
            agent_ids: &done.agent_ids,
            profile_id: &done.profile_id,
            provider: &done.provider,
            revoked: reason.is_none(),
            not_revoked_because: reason,
            config_changed: done.config_changed,
        }
    }

    /// The line for people.
    pub(super) fn line(&self) -> String {
        let revoked = match self.not_revoked_because {
            None => "revoked at the server and removed here".to_owned(),
            Some(reason) => format!("removed here; not revoked: {reason}"),
        };
        format!("{}: {revoked}\n", self.profile_id)
    }
}
