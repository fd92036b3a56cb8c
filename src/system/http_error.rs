//! Why there is no answer to a request.

use super::limits;
use super::route::{Untrusted, UnusableProxy};

/// Why there is no answer, or no whole one.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server was not reached, or the connection broke before the whole answer.
    #[error("{reason}")]
    Unreachable {
        /// What happened.
        reason: String,
        /// Whether the request may have arrived all the same.
        sent: bool,
        /// Whether a limit of time has passed.
        timed_out: bool,
    },
    /// The certificate of the server is not trusted; nothing was sent.
    #[error("{reason}")]
    Untrusted {
        /// What happened.
        reason: String,
        /// What the environment has about it.
        untrusted: Untrusted,
    },
    /// The proxy that the request goes through cannot be used as it is named.
    #[error(transparent)]
    Proxy(#[from] UnusableProxy),
    /// The answer is larger than we accept.
    #[error("the answer is larger than {} MiB", limits::BODY / 1024 / 1024)]
    TooLarge,
    /// The request cannot be made.
    #[error("{0}")]
    Request(String),
}

impl HttpError {
    /// The failure in one word, for traces.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { timed_out: true, .. } => "timeout",
            Self::Unreachable { sent: true, .. } => "broken",
            Self::Unreachable { .. } => "not-reached",
            Self::Untrusted { .. } => "untrusted",
            Self::Proxy(_) => "proxy",
            Self::TooLarge => "too-large",
            Self::Request(_) => "not-made",
        }
    }
}
