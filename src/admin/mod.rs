//! OpenClaw's other commands: agents, channels, status, quota, audit, doctor, order, report,
//! resolve, session. They look at logins and arrange them.
//!
//! Invariant: nothing here signs in, refreshes or hands out a token; `ops` does, and knows
//! nothing of this wing.

pub mod agents;
pub mod audit;
pub mod channels;
#[cfg(feature = "sqlite")]
pub mod convert;
pub mod default_model;
pub mod doctor;
pub mod order;
pub mod quota;
pub mod report;
pub mod resolve;
pub mod restore;
pub mod session;
pub mod status;
