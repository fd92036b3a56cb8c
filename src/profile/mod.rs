//! The pure domain: profile ids, credentials, their health, and the order in which
//! they are tried. No I/O; time is passed in as milliseconds since the epoch.

mod agent_id;
mod collation;
mod cooldown;
mod credential;
mod eligibility;
mod health;
mod identity;
mod login_state;
mod login_state_text;
mod mask;
mod model_ref;
mod order;
mod pasted_check;
mod pasted_secret;
mod pasted_value;
mod profile_id;
mod provider_id;
pub mod secret_ref;
mod usage;

pub use agent_id::AgentId;
pub use collation::{array_index, compare, sort_as_object_keys};
pub use cooldown::Backoff;
pub use credential::{Credential, CredentialKind, Kind};
pub use eligibility::{Configured, Ineligible, eligibility};
pub use health::{CredentialSummary, Health, health};
pub use identity::{Identity, SameAccount, choose_profile_id};
pub use login_state::{
    LastRequest, LoginFacts, LoginState, Moved, NeedsPerson, Over, Refusal, SOON, login_state,
};
pub use mask::{is_masked, is_stand_in, mask};
pub use model_ref::ModelRef;
pub use order::{Candidate, Order, OrderSource, Preference, order};
pub use pasted_secret::{Form, pasted_secret};
pub use pasted_value::NoSecret;
pub use profile_id::ProfileId;
pub use provider_id::ProviderId;
pub use usage::{FailureReason, UsageStats, Window, unavailable_reason};

/// A point in time, or a span, in milliseconds (since the epoch, where it is a point).
pub type Millis = i64;
