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
mod before_move;
#[cfg(feature = "sqlite")]
mod conversion;
mod document;
mod engine;
mod error;
pub mod exchanged;
mod files;
mod format;
mod fresh;
mod handle;
mod journal;
mod json_text;
mod kept_backup;
mod kept_login;
mod lease;
mod lease_key;
mod location;
mod lock_name;
mod marked;
mod moves;
mod pending_login;
mod session;
mod snapshot;
mod spool;
#[cfg(feature = "sqlite")]
mod sqlite;
mod unread;

pub use backup::{Backup, BackupPolicy, DEFAULT_BACKUPS, Done, GatewayNews, Notice, Notices};
#[cfg(feature = "sqlite")]
pub use conversion::{AgentMove, Conversion, ConversionError, Converted, MovedProfile, Outcome};
pub use document::{
    Document, EntryFault, Fence, Inspection, IssuedCredential, Misshape, Pasted, Profile,
    ProfileSummary, Provenance, StateDocument, entry_with, is_refused, is_rejected, login_entry,
    pasted_entry, renewed_entry, rotates,
};
pub use engine::Unspent;
pub use error::{ReadOnly, StoreError};
pub use files::{
    GrantNote, GrantNotes, Lease, LeaseAttempt, Leftover, NotedRefusal, notes_of_kept,
    shared_leftovers,
};
pub use format::StoreFormat;
pub use fresh::Storage;
pub use handle::{PATIENT_LOCK_TIMEOUT, Store};
pub use journal::{Begun, Ended, InterruptedRefresh, LastOutcome, OutcomeKind};
pub use kept_login::KeptLogin;
pub use lease::{Start, Turn};
pub use lease_key::LeaseKey;
pub use location::Location;
pub use moves::{Move, MovedTo, Moves};
pub use pending_login::{PendingAuthorization, PendingLogin, PendingLoginLock};
pub use session::{SessionOverride, SessionStore};
use snapshot::Exclusion;
#[cfg(feature = "sqlite")]
use snapshot::Mark;
pub use snapshot::{Prepared, Snapshot, Version};
pub use spool::{Spent, Spool, SpooledReply};
