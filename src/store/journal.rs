//! The journal: what is known of a refresh before, during and after its request.
//!
//! Invariant: the note of a refresh is durable before the request is sent, and stays until
//! the outcome is known.

use super::{AgentStore, Lease, StoreError};
use crate::profile::Millis;
use crate::secret::Secret;
use serde::Serialize;

/// A refresh whose outcome is not known: its process was killed, or got no answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct InterruptedRefresh {
    /// The process that was refreshing.
    pub pid: u32,
    /// When it began, or when that process last gave a sign of life, in milliseconds since
    /// the epoch.
    pub at: Millis,
}

/// What came of noting that a grant is about to be spent.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub enum Begun {
    /// It is noted.
    Noted,
    /// It was noted before, by one that did not end: the grant may be spent.
    Interrupted(InterruptedRefresh),
    /// The lease is not ours any more: somebody else may be spending the grant. Start over.
    Lost,
}

/// How a refresh of a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The outcome is known, and stored where it matters.
    Known,
    /// The server refused the grant; not every store that holds it says so yet.
    Refused,
    /// The server refused the grant, and every store that holds it says so.
    RefusalStored,
}

impl AgentStore {
    /// Notes, durably, that `grant`, which `lease` is on, is about to be spent. The note of an
    /// earlier process that did not end it stays.
    ///
    /// # Errors
    /// The note cannot be written, or an earlier one cannot be read.
    pub fn begin(&self, lease: &Lease, grant: &Secret) -> Result<Begun, StoreError> {
        self.engine.begin(lease, grant)
    }

    /// Notes how a refresh of `grant` ended. A note that cannot be changed stays: it claims
    /// less certainty than there is, which does no harm.
    pub fn end(&self, grant: &Secret, ended: Ended) {
        self.engine.end(grant, ended);
    }

    /// Whether the journal says that the server refused `grant`.
    pub fn has_noted_refusal(&self, grant: &Secret) -> bool {
        self.engine.has_noted_refusal(grant)
    }
}
