//! Outcomes that are remembered: when a request for a grant may be made again.
//!
//! Invariant: nothing is posted while an outcome is to be waited out, whoever asks. It is
//! written and looked at under the lease.

use super::RefreshError;
use super::transaction::Transaction;
use crate::oauth::{Refusal, TokenError};
use crate::secret::Secret;
use crate::store::{LastOutcome, OutcomeKind};
use oauth2::http::StatusCode;

impl Transaction<'_> {
    /// How the last request for the grant ended, if that is remembered.
    ///
    /// # Errors
    /// [`RefreshError::NotYet`]: it is too early for the next one.
    pub(super) fn check_turn(&self, grant: &Secret) -> Result<Option<LastOutcome>, RefreshError> {
        let last = self.selected.store.last_outcome(grant);
        match last {
            Some(last) if last.is_waiting(self.app.now()) => {
                Err(RefreshError::NotYet { login: self.selected.login().into(), last: last.into() })
            }
            last => Ok(last),
        }
    }

    /// Remembers how a request for the grant ended that brought nothing, and makes the error
    /// of it. A final refusal and what says nothing of the grant are not remembered here.
    pub(super) fn failed(&self, posted: &Secret, source: TokenError) -> RefreshError {
        let profile_id = self.selected.id.clone();
        if matches!(source, TokenError::Untrusted { .. } | TokenError::Proxy(_)) {
            // It is a setting of this process, and the next one may have another.
            return RefreshError::Unavailable { profile_id, source, last: None };
        }
        let Some(kind) = kind_of(&source) else {
            return RefreshError::NotRefreshed { profile_id, source };
        };
        let store = &self.selected.store;
        let before = store.last_outcome(posted);
        let reason = reason_of(&source, posted);
        let last = LastOutcome::after(before.as_ref(), kind, self.app.now(), &reason);
        store.remember_outcome(posted, &last);
        match kind {
            OutcomeKind::Refused => {
                let login = self.selected.login().into();
                RefreshError::Refused { login, source, last: last.into() }
            }
            OutcomeKind::Unknown | OutcomeKind::Failed => {
                RefreshError::Unavailable { profile_id, source, last: Some(last.into()) }
            }
        }
    }

    /// The server was not reached, before anything was posted.
    pub(super) fn undiscovered(&self, grant: &Secret, source: TokenError) -> RefreshError {
        match source {
            source @ TokenError::Unavailable { sent: false, .. } => self.failed(grant, source),
            source => self.unavailable(source),
        }
    }

    /// Nothing was posted.
    pub(super) fn unavailable(&self, source: TokenError) -> RefreshError {
        RefreshError::Unavailable { profile_id: self.selected.id.clone(), source, last: None }
    }
}

/// What a failed request says of the grant; `None` for a refusal that says nothing of it.
fn kind_of(error: &TokenError) -> Option<OutcomeKind> {
    match error {
        TokenError::Refused { meaning: Refusal::Final, .. } => None,
        TokenError::Refused { status, .. } => is_of_grant(*status).then_some(OutcomeKind::Refused),
        error if error.is_outcome_unknown() => Some(OutcomeKind::Unknown),
        _ => Some(OutcomeKind::Failed),
    }
}

/// Whether a refusal with this status may be one of the grant (RFC 6749 section 5.2). Any other
/// says that there is no such thing, or not there.
fn is_of_grant(status: Option<StatusCode>) -> bool {
    status.is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 403))
}

/// What is remembered of an error: the status, or a code that cannot be a secret.
fn reason_of(error: &TokenError, posted: &Secret) -> String {
    let or = |status: &Option<StatusCode>, otherwise: &str| {
        status.map_or_else(|| otherwise.to_owned(), |status| status.to_string())
    };
    match error {
        TokenError::Refused { code, status, .. } if is_code(code, posted) => match status {
            Some(status) => format!("{status}, {code}"),
            None => code.clone(),
        },
        TokenError::Refused { status, .. } => or(status, "refused"),
        TokenError::Blocked { status, .. } => format!("a block page, {status}"),
        TokenError::Unavailable { status, sent: false, .. } => or(status, "it was not reached"),
        TokenError::Untrusted { .. } | TokenError::Proxy(_) => "it was not reached".to_owned(),
        TokenError::Unavailable { status, timed_out: true, .. } => or(status, "no answer in time"),
        TokenError::Unavailable { status, .. } => or(status, "no answer"),
        TokenError::Unreadable(_)
        | TokenError::NoAccessToken { .. }
        | TokenError::Unusable { .. } => "an answer that cannot be read".to_owned(),
    }
}

/// Whether a text of the server is a code, and no part of what was posted.
fn is_code(text: &str, posted: &Secret) -> bool {
    const LONGEST_CODE: usize = 40;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain && text.len() <= LONGEST_CODE && !posted.expose().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;

    fn refused(code: &str, status: Option<StatusCode>) -> TokenError {
        let meaning = Refusal::Unexplained;
        TokenError::Refused { code: code.into(), description: None, status, meaning }
    }

    #[test]
    fn an_error_says_what_is_known_of_the_grant() {
        let (failed, unknown, of_grant) =
            (Some(OutcomeKind::Failed), Some(OutcomeKind::Unknown), Some(OutcomeKind::Refused));
        for status in [400, 401, 403] {
            let status = StatusCode::from_u16(status).ok();
            assert_eq!(kind_of(&refused("x", status)), of_grant, "{status:?}");
        }
        assert_eq!(kind_of(&refused("x", None)), None);
        for status in [200, 404, 405, 407, 410, 422] {
            assert_eq!(kind_of(&refused("x", StatusCode::from_u16(status).ok())), None);
        }
        let blocked = TokenError::Blocked { by: None, status: StatusCode::FORBIDDEN };
        assert_eq!(kind_of(&blocked), failed);
        assert_eq!(kind_of(&TokenError::unavailable(String::new(), false)), failed);
        assert_eq!(kind_of(&TokenError::unavailable(String::new(), true)), unknown);
        let raw = SecretBytes::new(Vec::new());
        assert_eq!(kind_of(&TokenError::Unusable { reason: String::new(), raw }), unknown);
    }

    #[test]
    fn no_secret_is_remembered() {
        let posted = Secret::new("fake_refresh_7");
        let reason = |code| reason_of(&refused(code, Some(StatusCode::UNAUTHORIZED)), &posted);
        assert_eq!(reason("invalid_client"), "401 Unauthorized, invalid_client");
        let long = "x".repeat(41);
        for code in ["fake_refresh_7", "refresh_7", "an-id.of-a-token", "401 Unauthorized", &long] {
            assert_eq!(reason(code), "401 Unauthorized", "{code}");
        }
    }
}
