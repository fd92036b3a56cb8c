//! Credential documents: `auth-profiles.json` with `auth-state.json` beside it, one pair
//! an agent.
//!
//! `read` takes no lock. `update` is a short locked section that reads again, changes,
//! and replaces the document atomically. `lease` is a long lock, held across a network
//! call. The order is always lease, then update.
//!
//! Invariant: what we cannot interpret survives every rewrite, and a document that does
//! not parse is never overwritten.

mod backup;
mod credential;
mod document;
mod error;
pub mod exchanged;
mod exposure;
mod field;
mod fields;
mod file;
mod generation;
mod inspection;
mod journal;
mod json_text;
mod lease;
mod leftover;
mod legacy;
mod location;
mod pending_login;
mod provenance;
mod refusal;
mod scan;
mod session;
mod snapshot;
mod spool;
mod state;
mod usage;

pub use backup::{Backup, BackupPolicy, Notice, Notices, USUAL_BACKUPS};
pub use credential::{Pasted, Renewal, entry_with, login_entry, pasted_entry, renewed_entry};
pub use document::{Document, Outline, Profile};
pub use error::StoreError;
pub use file::AgentStore;
pub use inspection::Inspection;
pub use journal::{Ended, InterruptedRefresh};
pub use lease::{Lease, LeaseAttempt, LeaseKey, Turn};
pub use leftover::{Leftover, shared_leftovers};
pub use location::Location;
pub use pending_login::{Claim, PendingAuthorization, PendingLogin};
pub use provenance::Provenance;
pub use refusal::{is_refused, is_rejected};
pub use session::{SessionOverride, SessionStore};
pub use snapshot::{Prepared, Snapshot, Version};
pub use spool::{Spool, SpooledReply};
pub use state::StateDocument;
