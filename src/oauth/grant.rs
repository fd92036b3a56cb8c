//! A grant: what a token response gives.

use super::token_error::TokenError;
use crate::profile::Millis;
use crate::secret::Secret;
use serde_json::{Map, Value};

/// What a token response grants.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token; empty, and expired at once, where the response has a refresh token
    /// alone.
    pub access: Secret,
    /// The refresh token, when the response has one.
    pub refresh: Option<Secret>,
    /// The id token, when the response has one.
    pub id_token: Option<Secret>,
    /// When the access token expires, in milliseconds since the epoch: from `expires_in`,
    /// else from its `exp` claim.
    pub expires: Option<Millis>,
    /// The other members of the response.
    pub members: Members,
}

impl Grant {
    /// The grant of a login, which has to have an access token: without one, nobody knows who
    /// has signed in.
    ///
    /// # Errors
    /// There is none; the refresh token is in the error.
    pub(super) fn of_login(self) -> Result<Self, TokenError> {
        match self.refresh {
            Some(refresh) if self.access.is_blank() => Err(TokenError::NoAccessToken { refresh }),
            _ => Ok(self),
        }
    }

    /// A further member of the response.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.0.get(name)
    }
}

/// The members of a token response that only some servers send. They may be secrets.
#[derive(Clone, Default)]
pub struct Members(pub(super) Map<String, Value>);

impl std::fmt::Debug for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
