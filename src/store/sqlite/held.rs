//! Transactions that have begun. What they have changed is undone unless it is committed.

use crate::system::lock::foreign::ForeignLock;
use rusqlite::Connection;

/// The right to change the rows. What is taken last goes first.
#[derive(Debug)]
pub(in crate::store) struct Held {
    /// In the shared database.
    pub(super) shared: Option<Connection>,
    /// In that of the agent.
    pub(super) own: Option<Connection>,
    /// OpenClaw's coordinators.
    pub(super) _coordinators: [Connection; 2],
    /// The turn among processes of ours.
    pub(super) _turn: ForeignLock,
}
