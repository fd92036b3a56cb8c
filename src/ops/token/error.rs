//! Why there is no usable token.

use crate::app::AppError;
use crate::external::{ExternalError, Tool};
use crate::ops::exchange::NotExchanged;
use crate::ops::reference::ValueError;
use crate::ops::refresh::{Lifetime, RefreshError};
use crate::ops::selection::SelectionError;
use crate::profile::{Millis, ProfileId};
use crate::text::span;
use std::fmt;

/// Why there is no usable token.
#[derive(Debug, thiserror::Error)]
pub enum NoTokenError {
    /// The configuration, a provider file or the store cannot be used.
    #[error(transparent)]
    App(AppError),
    /// There is no profile that the token could be of.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The file of another program is there and cannot be used.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// The value behind a secret reference cannot be had.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// The stored token is not exchanged for the one that the API takes.
    #[error(transparent)]
    Exchange(#[from] NotExchanged),
    /// The login is not refreshed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// Only another program refreshes the login.
    #[error(
        "{need}: the login `{profile_id}` is that of {}, which alone refreshes it",
        tool.program().label
    )]
    OfProgram {
        /// Why it would have to be refreshed.
        need: Need,
        /// The program.
        tool: Tool,
        /// The profile.
        profile_id: ProfileId,
    },
    /// The profile has no token at all.
    #[error("the profile `{profile_id}` holds no token")]
    Empty {
        /// The profile.
        profile_id: ProfileId,
    },
    /// The token is not valid for as long as it has to be.
    #[error("the token of `{profile_id}` {word}, and {option} asks for {}", span(*min_ttl))]
    TooShort {
        /// The profile.
        profile_id: ProfileId,
        /// What is known of its lifetime.
        word: Lifetime,
        /// How long it has to be valid, in milliseconds.
        min_ttl: Millis,
        /// The option that says so.
        option: &'static str,
    },
    /// The token would break the header that it is put into.
    #[error("the token of `{profile_id}` holds characters no token has")]
    OddCharacters {
        /// The profile.
        profile_id: ProfileId,
    },
}

impl<E: Into<AppError>> From<E> for NoTokenError {
    fn from(error: E) -> Self {
        Self::App(error.into())
    }
}

/// Why the login of another program would have to be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The caller asks for it.
    Forced,
    /// A caller saw the token rejected.
    Rejected,
    /// The token is expired.
    Expired,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forced => "--force-refresh does not apply",
            Self::Rejected => "the token was rejected",
            Self::Expired => "the token is expired",
        })
    }
}
