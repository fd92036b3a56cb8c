//! The journal: what is known of a refresh before, during and after its request.
//!
//! Invariant: the note of a refresh is durable before the request is sent, and stays until
//! the outcome is known. A remembered outcome keeps nobody waiting for ever, whatever the
//! clock does.

use crate::profile::Millis;
use crate::system::lock::iso;
use crate::text::printable;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A refresh whose outcome is not known: its process was killed, or got no answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct InterruptedRefresh {
    /// The process that was refreshing.
    pub pid: u32,
    /// When it began, or when that process last gave a sign of life, in milliseconds since
    /// the epoch.
    pub at: Millis,
}

/// What came of noting that a grant is about to be spent.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub enum Begun {
    /// It is noted.
    Noted,
    /// It was noted before, by one that did not end: the grant may be spent.
    Interrupted(InterruptedRefresh),
    /// The lease is not ours any more: somebody else may be spending the grant. Start over.
    Lost,
}

/// How a refresh of a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The outcome is known, and stored where it matters.
    Known,
    /// The server refused the grant; not every store that holds it says so yet.
    Refused,
    /// The server refused the grant, and every store that holds it says so.
    RefusalStored,
    /// A logout revoked the grant at that time, in milliseconds since the epoch.
    Revoked(Millis),
}

/// How the last request for a grant ended, when it brought no token and the login may live
/// on. A success, a final refusal, or a login with another refresh token ends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastOutcome {
    /// What is known of the grant.
    pub kind: OutcomeKind,
    /// When it ended, in milliseconds since the epoch.
    pub at: Millis,
    /// How many requests in a row ended so; those that came to nothing do not count.
    pub tries: u32,
    /// The status or error code, else a few words: printable, bounded, without secrets.
    pub reason: String,
}

/// What is known of a grant after a request that brought no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OutcomeKind {
    /// Nothing: the server may have replaced the refresh token.
    Unknown,
    /// The server refused, and did not say whether the login is over.
    Refused,
    /// The request came to nothing, so the grant is as it was.
    Failed,
}

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;

impl LastOutcome {
    /// A reason has at most so many characters.
    const LONGEST_REASON: usize = 120;

    /// What is remembered of a request that ended like this, after `before`.
    pub fn after(before: Option<&Self>, kind: OutcomeKind, at: Millis, reason: &str) -> Self {
        use OutcomeKind::Failed;
        let is_one_row =
            |before: &&Self| before.kind == kind || before.kind == Failed || kind == Failed;
        let before = before.filter(is_one_row).map_or(0, |before| before.tries);
        let tries = if kind == Failed { before } else { before.saturating_add(1) };
        Self { kind, at, tries, reason: printable(reason, Self::LONGEST_REASON) }
    }

    /// What a note holds; `None` when it is none.
    pub(in crate::store) fn read(text: &str) -> Option<Self> {
        let read: Self = serde_json::from_str(text).ok()?;
        Some(Self { reason: printable(&read.reason, Self::LONGEST_REASON), ..read })
    }

    /// From when on the next request may be made, in milliseconds since the epoch.
    pub fn next_try(&self) -> Millis {
        let wait = match (self.kind, self.tries) {
            (OutcomeKind::Failed, _) => 5 * SECOND,
            (OutcomeKind::Unknown, 0 | 1) => 10 * SECOND,
            (OutcomeKind::Unknown, 2) | (OutcomeKind::Refused, 0 | 1) => MINUTE,
            (OutcomeKind::Unknown, 3) | (OutcomeKind::Refused, 2) => 5 * MINUTE,
            (OutcomeKind::Unknown, _) => 30 * MINUTE,
            (OutcomeKind::Refused, _) => 60 * MINUTE,
        };
        self.at.saturating_add(wait)
    }

    /// Whether the next request has to wait. A note from the future says that a clock was set
    /// back: it keeps nobody waiting.
    pub fn is_waiting(&self, now: Millis) -> bool {
        // A clock that is corrected while it runs goes back by less.
        const CORRECTION: Millis = SECOND;
        self.at <= now.saturating_add(CORRECTION) && now < self.next_try()
    }
}

impl fmt::Display for LastOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, reason, .. } = self;
        let at = iso(*at);
        match self.kind {
            OutcomeKind::Unknown => {
                write!(f, "the outcome of the request at {at} is unknown ({reason})")
            }
            OutcomeKind::Refused => write!(
                f,
                "the server refused it at {at} ({reason}), and did not say whether the login is over"
            ),
            OutcomeKind::Failed => write!(f, "the request at {at} failed ({reason})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutcomeKind::{Failed, Refused, Unknown};

    /// The waits, in seconds, after requests that end like this one after the other.
    fn waits(kinds: &[OutcomeKind]) -> Vec<Millis> {
        let mut last: Option<LastOutcome> = None;
        let mut wait = |kind: &OutcomeKind| {
            let outcome = LastOutcome::after(last.as_ref(), *kind, 7, "r");
            let wait = (outcome.next_try() - 7) / SECOND;
            last = Some(outcome);
            wait
        };
        kinds.iter().map(&mut wait).collect()
    }

    #[test]
    fn the_pauses_grow_while_the_outcome_stays_the_same() {
        assert_eq!(waits(&[Unknown; 6]), [10, 60, 300, 1_800, 1_800, 1_800]);
        assert_eq!(waits(&[Refused; 5]), [60, 300, 3_600, 3_600, 3_600]);
        assert_eq!(waits(&[Failed; 3]), [5, 5, 5]);
        assert_eq!(waits(&[Unknown, Unknown, Refused, Unknown]), [10, 60, 60, 10]);
        // What came to nothing neither counts nor starts a new row.
        assert_eq!(waits(&[Refused, Failed, Refused, Failed]), [60, 5, 300, 5]);
        assert_eq!(waits(&[Failed, Failed, Unknown]), [5, 5, 10]);
    }

    #[test]
    fn nobody_waits_for_ever_whatever_the_clock_does() {
        let outcome = LastOutcome::after(None, Unknown, 1_000_000, "r");
        let is_waiting = |now| outcome.is_waiting(now);
        assert!(is_waiting(1_000_000) && is_waiting(1_009_999) && is_waiting(999_500));
        assert!(!is_waiting(1_010_000) && !is_waiting(990_000) && !is_waiting(0));
        for at in [Millis::MAX, Millis::MIN] {
            assert!(!LastOutcome { at, ..outcome.clone() }.is_waiting(1_000_000), "{at}");
        }
    }

    #[test]
    fn what_a_server_said_is_short_and_printable() {
        let reason = format!("401\u{1b}[2J{}", "x".repeat(10_000));
        let outcome = LastOutcome::after(None, Refused, 7, &reason);
        assert!(outcome.reason.chars().count() <= 121 && !outcome.to_string().contains('\u{1b}'));
        let text = serde_json::to_string(&LastOutcome { reason, ..outcome.clone() }).unwrap();
        assert_eq!(LastOutcome::read(&text), Some(outcome));
        assert_eq!(LastOutcome::read("{}"), None);
    }
}
