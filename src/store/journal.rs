//! The journal: what is known of a refresh before, during and after its request.
//!
//! Invariant: the note of a refresh is durable before the request is sent, and stays until
//! the outcome is known.

use crate::profile::Millis;
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
