//! The profiles as they are reported, each for itself and those of one provider together.
//!
//! Invariant: they hold no secret.

use super::expiry::{Expiry, Standing};
use crate::profile::{Kind, LoginState, ProfileId, ProviderId};
use serde_json::{Number, Value};

/// One profile.
#[derive(Clone, Debug)]
pub struct Row {
    /// The profile id.
    pub id: ProfileId,
    /// The normalised provider id.
    pub provider: ProviderId,
    /// The credential kind.
    pub kind: Kind,
    /// How it stands with its expiry.
    pub standing: Standing,
    /// The id, and who it belongs to.
    pub label: String,
    /// How the login is doing.
    pub state: LoginState,
    /// The fields that hold a reference where OAuth supports none.
    pub unsupported: Vec<&'static str>,
    /// Whether it is a profile of `main` that the agent reads through to.
    pub is_inherited: bool,
}

/// The profiles of one provider together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The normalised provider id.
    pub provider: ProviderId,
    /// Their rows.
    pub rows: std::ops::Range<usize>,
    /// Those that OpenClaw takes, in its order; only where logins are in databases.
    pub effective: Vec<usize>,
    /// Whether one of those can be used.
    pub is_usable: bool,
    /// The status.
    pub expiry: Expiry,
    /// The first expiry.
    pub expires_at: Option<Value>,
    /// The time until then, in milliseconds.
    pub remaining: Option<Number>,
}
