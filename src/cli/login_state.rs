//! The state of a login in words: the same in every listing.

use crate::ops::list::Row;
use crate::profile::{LastRequest, LoginState, Millis, Over};
use crate::system::lock::iso;
use crate::text::printable;
use serde::Serialize;

/// Reasons come from servers and files.
const LONGEST_REASON: usize = 120;

/// The state of a login in JSON: the members that every report of ours has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateReport<'r> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_since: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<Millis>,
}

impl<'r> StateReport<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self {
            state: row.state.name(),
            state_reason: row.state.reason(),
            state_since: row.state.since(),
            proven_at: row.proven_at,
        }
    }
}

/// The words for a state.
pub(super) fn shown(state: &LoginState) -> String {
    match state {
        LoginState::SignedIn => "signed in".to_owned(),
        LoginState::Expires(at) => format!("expires {}", date(*at)),
        LoginState::SignInAgain { why, since } => {
            format!("sign in again ({})", with_time(&reason(why), *since))
        }
        LoginState::Refused(last) => format!("refused, reason unknown ({})", request(last)),
        LoginState::OutcomeUnknown(last) => format!("outcome unknown ({})", request(last)),
        LoginState::CoolingDown { until, reason } => {
            let why = reason.as_deref().map(|it| format!(" ({})", printable(it, 40)));
            format!("cooling down until {}{}", date(*until), why.unwrap_or_default())
        }
        LoginState::Held { by, expires, is_expired } => {
            let expires = match (expires, is_expired) {
                (Some(at), true) => format!(", expired {}", date(*at)),
                (None, true) => ", expired".to_owned(),
                (Some(at), false) => format!(", its token expires {}", date(*at)),
                (None, false) => String::new(),
            };
            format!("held by {}{expires}", printable(by, 40))
        }
    }
}

/// A point in time, to the minute: `2026-11-28 12:00 UTC`.
pub(super) fn date(at: Millis) -> String {
    let text = iso(at);
    match (text.get(..10), text.get(10..11), text.get(11..16)) {
        (Some(day), Some("T"), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}

fn reason(why: &Over) -> String {
    match why {
        Over::Refused(code) => format!("refused by the server: {}", printable(code, 80)),
        Over::Revoked => "revoked by a logout".to_owned(),
        Over::Expired => "expired".to_owned(),
        Over::Rejected => "its access token was rejected".to_owned(),
        Over::Replaced => "an older file was put back".to_owned(),
        Over::Lost(how) => (*how).to_owned(),
        Over::Empty => "holds no credential".to_owned(),
        Over::Unusable(problem) => printable(problem, LONGEST_REASON),
    }
}

fn request(last: &LastRequest) -> String {
    with_time(&printable(&last.reason, LONGEST_REASON), Some(last.at).filter(|at| *at > 0))
}

fn with_time(reason: &str, at: Option<Millis>) -> String {
    match at {
        Some(at) => format!("{reason}, {}", date(at)),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_why_and_since_when() {
        let at = 1_795_867_200_000;
        let again = |why, since| shown(&LoginState::SignInAgain { why, since });
        assert_eq!(again(Over::Expired, Some(at)), "sign in again (expired, 2026-11-28 12:00 UTC)");
        assert_eq!(
            again(Over::Refused("invalid\u{1b}[2J_grant".into()), None),
            "sign in again (refused by the server: invalid[2J_grant)"
        );
        assert_eq!(shown(&LoginState::Expires(at)), "expires 2026-11-28 12:00 UTC");
        let held = LoginState::Held { by: "P".into(), expires: Some(at), is_expired: true };
        assert_eq!(shown(&held), "held by P, expired 2026-11-28 12:00 UTC");
        assert_eq!(date(Millis::MAX), Millis::MAX.to_string());
    }
}
