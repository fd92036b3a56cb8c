//! Why a token request gave no grant, with the facts that say what may be done next: was the
//! request sent, may it have been carried out, is the grant over, when may it be asked again.
//!
//! Invariant: a grant is over only by a word of the server that says so; a page of somebody in
//! between, a broken answer and silence never are that word.

use crate::secret::{Secret, SecretBytes};
use crate::system::http::HttpError;
use crate::system::route::{Untrusted, UnusableProxy};
use oauth2::http::StatusCode;
use std::time::Duration;

/// Why a token request gave no grant.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The authorization server refused. The request is not carried out.
    #[error("the authorization server refused: {code}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The error code, as sent; the status where there is none.
        code: String,
        /// The description, as sent.
        description: Option<String>,
        /// The status of the answer, where there was one.
        status: Option<StatusCode>,
        /// What that means for the grant.
        meaning: Refusal,
    },
    /// Something in front of the authorization server did not let the request pass, and
    /// answered with a page of its own. The server has not got it.
    #[error("{} answered in place of the authorization server, with a block page: {status}", by.unwrap_or("a server in between"))]
    Blocked {
        /// Whose page it is, where that is known.
        by: Option<&'static str>,
        /// The status of the page.
        status: StatusCode,
    },
    /// The server was not reached, or it says that it cannot answer now.
    #[error("the authorization server is unavailable: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// The status of the answer, where there was one.
        status: Option<StatusCode>,
        /// When the server wants to be asked again.
        retry_after: Option<Duration>,
        /// Whether the request may have been carried out all the same: then the refresh
        /// token in it may be spent.
        sent: bool,
        /// Whether the time for it has passed.
        timed_out: bool,
    },
    /// The certificate of the server is not trusted. The server has not got the request.
    #[error("the authorization server is unavailable: {reason}")]
    Untrusted {
        /// What happened.
        reason: String,
        /// What the environment has about it.
        untrusted: Untrusted,
    },
    /// The proxy that the request goes through cannot be used as it is named.
    #[error(transparent)]
    Proxy(UnusableProxy),
    /// The answer is not a token response.
    #[error("the answer of the authorization server cannot be read: {0}")]
    Unreadable(String),
    /// The token response of a login has a refresh token and no access token. Nobody holds
    /// that grant yet.
    #[error("the answer of the authorization server cannot be read: it has no access_token")]
    NoAccessToken {
        /// The refresh token.
        refresh: Secret,
    },
    /// An answer with a status of success came, and no grant can be read from it. There may
    /// be one in it all the same: `raw` is what must not be dropped.
    #[error("the answer of the authorization server cannot be read: {reason}")]
    Unusable {
        /// What is wrong with it.
        reason: String,
        /// The body as it came, content codings included; at most
        /// [`limits::BODY`](crate::system::limits::BODY) bytes.
        raw: SecretBytes,
    },
}

/// What a refusal means for the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is over: the code is `invalid_grant`, or one that the definition of the provider
    /// names as final.
    Final,
    /// Nobody knows: there is another code, or none.
    Unexplained,
}

impl TokenError {
    /// A refusal that says nothing of a grant.
    pub fn refused(code: impl Into<String>, description: Option<String>) -> Self {
        let (code, meaning) = (code.into(), Refusal::Unexplained);
        Self::Refused { code, description, status: None, meaning }
    }

    /// There was no answer, for this `reason`; `sent` is whether the request may have been
    /// carried out all the same.
    pub const fn unavailable(reason: String, sent: bool) -> Self {
        Self::Unavailable { reason, status: None, retry_after: None, sent, timed_out: false }
    }

    /// Whether the request may have been carried out although there is no usable answer.
    pub const fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Blocked { .. }
            | Self::Untrusted { .. }
            | Self::Proxy(_) => false,
            Self::Unavailable { sent, .. } => *sent,
            Self::Unreadable(_) | Self::NoAccessToken { .. } | Self::Unusable { .. } => true,
        }
    }

    /// How long to wait before the request may be made again after `attempts`; `None` when
    /// it must not be, or not within a time that a caller would wait. It may be when it was not
    /// sent, and when the server says that it has not carried it out: by 429, or by 503 with
    /// the time to come back. That 503 is believed only where the server `rotates` no refresh
    /// tokens: what is in front of it may say so of a request that it has carried out.
    pub fn retry_in(&self, attempts: u32, rotates: bool) -> Option<Duration> {
        const MOST_ATTEMPTS: u32 = 3;
        const LONGEST: Duration = Duration::from_secs(10);
        let Self::Unavailable { retry_after, status, sent: false, timed_out: false, .. } = self
        else {
            return None;
        };
        if rotates && *status == Some(StatusCode::SERVICE_UNAVAILABLE) {
            return None;
        }
        let default = Duration::from_millis(300) * 3_u32.pow(attempts.saturating_sub(1));
        let wait = retry_after.unwrap_or(default);
        (attempts < MOST_ATTEMPTS && wait <= LONGEST).then_some(wait)
    }

    /// The server's error code where the grant is over, so that only a new login helps.
    pub fn refused_grant(&self) -> Option<&str> {
        match self {
            Self::Refused { code, meaning: Refusal::Final, .. } => Some(code),
            _ => None,
        }
    }
}

impl From<HttpError> for TokenError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable { reason, sent, timed_out } => {
                Self::Unavailable { reason, status: None, retry_after: None, sent, timed_out }
            }
            HttpError::Untrusted { reason, untrusted } => Self::Untrusted { reason, untrusted },
            HttpError::Proxy(error) => Self::Proxy(error),
            HttpError::Request(reason) => Self::unavailable(reason, false),
            error @ HttpError::TooLarge => Self::Unreadable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable(sent: bool, timed_out: bool, retry_after: Option<u64>) -> TokenError {
        TokenError::Unavailable {
            reason: String::new(),
            status: None,
            retry_after: retry_after.map(Duration::from_secs),
            sent,
            timed_out,
        }
    }

    #[test]
    fn only_what_is_not_carried_out_is_repeated() {
        let raw = SecretBytes::new(Vec::new());
        let (by, status) = (None, StatusCode::FORBIDDEN);
        for never in [
            unavailable(true, false, None),
            unavailable(true, false, Some(0)),
            unavailable(false, true, None),
            unavailable(false, false, Some(11)),
            TokenError::Unreadable(String::new()),
            TokenError::Unusable { reason: String::new(), raw },
            TokenError::Blocked { by, status },
            TokenError::refused("slow_down", None),
        ] {
            assert_eq!(never.retry_in(1, false), None, "{never:?}");
        }
        let waits = |error: TokenError| [1, 2, 3].map(|attempts| error.retry_in(attempts, true));
        let millis = Duration::from_millis;
        assert_eq!(
            waits(unavailable(false, false, None)),
            [Some(millis(300)), Some(millis(900)), None]
        );
        let wanted = Some(Duration::from_secs(10));
        assert_eq!(waits(unavailable(false, false, Some(10))), [wanted, wanted, None]);
        let of_status = |status: StatusCode| TokenError::Unavailable {
            reason: String::new(),
            status: Some(status),
            retry_after: Some(Duration::ZERO),
            sent: false,
            timed_out: false,
        };
        let unwell = of_status(StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(unwell.retry_in(1, false), Some(Duration::ZERO));
        assert_eq!(unwell.retry_in(1, true), None);
        let busy = of_status(StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(busy.retry_in(1, true), Some(Duration::ZERO));
    }
}
