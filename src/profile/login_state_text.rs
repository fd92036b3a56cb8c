//! The state of a login in words: the same in every listing and message.
//!
//! Invariant: what comes from a server or a file is made harmless and short.

use super::{LastRequest, LoginState, Millis, Over};
use crate::text::{date, printable};
use std::fmt;

const LONGEST_REASON: usize = 120;
const LONGEST_NAME: usize = 40;

impl fmt::Display for LoginState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedIn => f.write_str("signed in"),
            Self::Expires(at) => write!(f, "expires {}", date(*at)),
            Self::SignInAgain { why, since } => {
                write!(f, "sign in again ({})", with_time(&why.to_string(), *since))
            }
            Self::Refused(last) => write!(f, "refused, reason unknown ({last})"),
            Self::OutcomeUnknown(last) => write!(f, "outcome unknown ({last})"),
            Self::CoolingDown { until, reason } => {
                write!(f, "cooling down until {}", date(*until))?;
                match reason {
                    Some(reason) => write!(f, " ({})", printable(reason, LONGEST_NAME)),
                    None => Ok(()),
                }
            }
            Self::Held { by, expires, is_expired } => {
                write!(f, "held by {}", printable(by, LONGEST_NAME))?;
                match (expires, is_expired) {
                    (Some(at), true) => write!(f, ", expired {}", date(*at)),
                    (None, true) => f.write_str(", expired"),
                    (Some(at), false) => write!(f, ", its token expires {}", date(*at)),
                    (None, false) => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "refused by the server: {}", printable(code, 80)),
            Self::Revoked => f.write_str("revoked by a logout"),
            Self::Expired => f.write_str("expired"),
            Self::Rejected => f.write_str("its access token was rejected"),
            Self::Moved => f.write_str("moved away"),
            Self::MoveInterrupted => f.write_str("a move was interrupted"),
            Self::Replaced => f.write_str("an older file was put back"),
            Self::Lost(how) => f.write_str(how),
            Self::Empty => f.write_str("holds no credential"),
            Self::Unusable(problem) => f.write_str(&printable(problem, LONGEST_REASON)),
        }
    }
}

impl fmt::Display for LastRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = printable(&self.reason, LONGEST_REASON);
        f.write_str(&with_time(&reason, Some(self.at).filter(|at| *at > 0)))
    }
}

fn with_time(reason: &str, at: Option<Millis>) -> String {
    at.map_or_else(|| reason.to_owned(), |at| format!("{reason}, {}", date(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_says_why_and_since_when() {
        let at = 1_795_867_200_000;
        let again = |why, since| LoginState::SignInAgain { why, since }.to_string();
        assert_eq!(again(Over::Expired, Some(at)), "sign in again (expired, 2026-11-28 12:00 UTC)");
        let code = "invalid\u{1b}[2J_grant";
        assert_eq!(
            again(Over::Refused(code.into()), None),
            "sign in again (refused by the server: invalid[2J_grant)"
        );
        assert_eq!(LoginState::Expires(at).to_string(), "expires 2026-11-28 12:00 UTC");
        let held = LoginState::Held { by: "P".into(), expires: Some(at), is_expired: true };
        assert_eq!(held.to_string(), "held by P, expired 2026-11-28 12:00 UTC");
        let last = LastRequest { reason: "401".into(), at: 0 };
        assert_eq!(LoginState::Refused(last).to_string(), "refused, reason unknown (401)");
    }
}
