//! The state of a login in JSON: the same members in every report of ours.

use crate::profile::{LoginState, Millis};
use serde::Serialize;

/// The state of a login.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateReport<'s> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_since: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<Millis>,
}

impl<'s> StateReport<'s> {
    /// `proven_at` is when the server last gave a token for it, in milliseconds since the
    /// epoch, where that is known.
    pub(super) fn new(state: &'s LoginState, proven_at: Option<Millis>) -> Self {
        Self {
            state: state.name(),
            state_reason: state.reason(),
            state_since: state.since(),
            proven_at,
        }
    }
}
