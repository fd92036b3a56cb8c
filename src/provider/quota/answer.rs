//! What an answer says of the usage, or why it says nothing.

use crate::profile::Millis;
use serde::{Serialize, Serializer};

/// What an answer says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quota {
    /// The windows in which use is counted; empty when the answer names none.
    pub windows: Vec<Window>,
    /// The plan.
    pub plan: Option<String>,
}

/// One window in which use is counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// How long it is, or what is counted in it.
    pub label: String,
    /// How much of it is used, from 0 to 100.
    #[serde(serialize_with = "shortest")]
    pub used_percent: f64,
    /// When it begins anew, in milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<Millis>,
}

/// A percentage without `.0`, as JavaScript writes it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn shortest<S: Serializer>(percent: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if percent.fract() == 0.0 || !percent.is_finite() {
        #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
        return serializer.serialize_i64(*percent as i64);
    }
    serializer.serialize_f64(*percent)
}

/// Why an answer does not tell the usage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The token is not accepted any more.
    #[error("Token expired")]
    TokenExpired,
    /// The server answers with this status, and this explanation.
    #[error("HTTP {0}: {1}")]
    Status(u16, String),
    /// The server answers with an error in place of the usage.
    #[error("{0}")]
    Refused(String),
    /// The answer is not JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// The answer is JSON in which nothing is as expected.
    #[error("the answer does not tell the usage")]
    Unknown,
}
